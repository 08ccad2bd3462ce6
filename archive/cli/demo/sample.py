"""Makes a small sample project of the kind that people and agents keep: JSON data, a knowledge graph, documents.

The project is a website about lighthouses. `morning` is the state of a good day; `night` is what an unlucky tool, a merge
and an agent made of it.
"""

from __future__ import annotations

import json

from archive.model.base import Json

Tree = dict[str, bytes]

MEMORY = "agents/memory.json"
FUNCTIONS = "agents/functions.json"
STRUCTURE = "agents/structure.json"
TASKS = "agents/tasks.json"
GRAPH = "agents/memory"
ROADMAP = "docs/roadmap.md"
CHANGELOG = "docs/changelog.md"
HANDOFF = "agents/handoff.json"


def morning() -> Tree:
    """Returns the files of the good day, by path."""
    return {
        "README.md": _README,
        "agents/agents.json": _file(_agents()),
        "agents/decisions.json": _file(_decisions()),
        FUNCTIONS: _file(_functions()),
        GRAPH: _jsonl(_graph()),
        MEMORY: _file(_memory()),
        "agents/notes/naming-guidelines.md": _NAMING,
        STRUCTURE: _file(_structure()),
        TASKS: _file(_tasks()),
        CHANGELOG: _CHANGELOG,
        ROADMAP: _ROADMAP,
        "data/lighthouses.jsonl": _jsonl(_lighthouses()),
        "settings.yaml": _SETTINGS,
    }


def night(before: Tree) -> Tree:
    """Returns the files after the bad night, made from those before."""
    after = dict(before)
    tasks = json.loads(before[TASKS])
    tasks["active_projects"]["map_redesign"]["phases"]["phase_1"]["status"] = "complete"
    tasks["active_projects"]["map_redesign"]["phases"]["phase_2"]["status"] = "in_progress"
    after[TASKS] = _file(tasks)
    after[CHANGELOG] = before[CHANGELOG] + b"- Tiles are cached for a day.\n"
    after[HANDOFF] = _file({"from": "cartographer", "to": "keeper", "summary": "Phase 1 is done, memory looks short."})
    # A tool was killed while it wrote.
    after[FUNCTIONS] = before[FUNCTIONS][: len(before[FUNCTIONS]) * 2 // 3]
    after[STRUCTURE] = _with_conflict(before[STRUCTURE])
    # An agent "cleaned up" nine tenths of what it knew.
    memory = json.loads(before[MEMORY])
    entities = memory["entities"]["lighthouses"]
    memory["entities"]["lighthouses"] = dict(list(entities.items())[: len(entities) // 10])
    after[MEMORY] = _file(memory)
    del after[ROADMAP]
    return after


def _with_conflict(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    middle = len(lines) // 2
    line = lines[middle]
    lines[middle : middle + 1] = [b"<<<<<<< ours\n", line, b"=======\n", line.replace(b":", b": "), b">>>>>>> theirs\n"]
    return b"".join(lines)


def _file(value: Json) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _jsonl(records: list[Json]) -> bytes:
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def _metadata(purpose: str) -> Json:
    return {"version": "1.4", "created": "2026-03-02", "purpose": purpose, "last_updated": "2026-05-18"}


def _tasks() -> Json:
    return {
        "metadata": _metadata("Everything there is to do"),
        "active_projects": {
            "map_redesign": {
                "title": "Redraw the map of lighthouses",
                "status": "active",
                "priority": "high",
                "phases": {
                    "phase_1": _phase("Cache the map tiles", "cartographer", "in_progress", []),
                    "phase_2": _phase("Cluster the markers", "cartographer", "pending", ["phase_1"]),
                    "phase_3": _phase("Show the light's character on hover", "keeper", "pending", ["phase_2"]),
                },
            },
            "tide_tables": {
                "title": "Tide tables for every harbour",
                "status": "planned",
                "priority": "medium",
                "phases": {
                    "phase_1": _phase("Import the harbours", "keeper", "pending", []),
                    "phase_2": _phase("Compute the constituents", "keeper", "waiting", ["phase_1"]),
                },
            },
        },
        "historical_projects": {"completed": ["first_release"], "cancelled": []},
    }


def _phase(title: str, agent: str, status: str, dependencies: list[Json]) -> Json:
    return {"title": title, "agent": agent, "status": status, "priority": "high", "dependencies": dependencies}


def _agents() -> Json:
    return {
        "metadata": _metadata("Who works on what"),
        "agent_profiles": {
            "cartographer": {"display_name": "Cartographer", "specializations": ["maps", "tiles", "js/map.js"]},
            "keeper": {"display_name": "Keeper", "specializations": ["data", "tides", "api/harbours.py"]},
        },
    }


def _decisions() -> Json:
    return {
        "metadata": _metadata("What was decided and why"),
        "decisions": [
            {"id": "D-1", "title": "One file per country", "why": "Merges stay small", "date": "2026-03-09"},
            {
                "id": "D-2",
                "title": "Metres, never feet",
                "why": "The source is mixed; convert on import",
                "date": "2026-03-20",
            },
            {"id": "D-3", "title": "No tracking", "why": "Readers asked for it", "date": "2026-04-11"},
        ],
    }


def _functions() -> Json:
    areas: dict[str, Json] = {
        "js/map.js": ["drawMap", "loadTiles", "clusterMarkers", "showCharacter", "zoomToCoast"],
        "js/tides.js": ["loadHarbour", "computeConstituents", "plotCurve"],
        "api/harbours.py": ["list_harbours", "nearest_harbour", "import_harbours"],
    }
    return {"metadata": _metadata("What each function is for"), "functions": areas}


def _structure() -> Json:
    return {
        "metadata": _metadata("Where things are"),
        "folders": {
            "agents": "memory and tasks",
            "api": "the server",
            "data": "lighthouses",
            "docs": "prose",
            "js": "the map",
        },
        "entry_points": {"web": "js/map.js", "server": "api/harbours.py"},
    }


_NAMES = (
    *("Ar-Men", "Bell Rock", "Chania", "Cordouan", "Eddystone", "Fastnet", "Gatteville", "Hook Head", "Île Vierge"),
    *("Kõpu", "La Vieille", "Lindesnes", "Muckle Flugga", "Peggys Point", "Rubjerg Knude", "São Vicente", "Skerryvore"),
    *("Tévennec", "Vuurtoren", "犬吠埼"),
)


def _memory() -> Json:
    return {
        "metadata": _metadata("What we know"),
        "entities": {
            "lighthouses": {
                name: {
                    "height_m": 20 + 3 * number,
                    "lit": 1611 + 13 * number,
                    "notes": f"visited in spring, log {number}",
                }
                for number, name in enumerate(_NAMES, start=1)
            },
            "people": {"Aino": {"role": "editor"}, "Bram": {"role": "charts"}},
        },
    }


def _graph() -> list[Json]:
    entities: list[Json] = [
        {"type": "entity", "name": name, "entityType": "lighthouse", "observations": [f"shown on sheet {number % 7}"]}
        for number, name in enumerate(_NAMES, start=1)
    ]
    return [*entities, {"type": "relation", "from": "Aino", "to": "Kõpu", "relationType": "wrote about"}]


def _lighthouses() -> list[Json]:
    return [
        {"id": number, "name": name, "character": f"Fl({number % 4 + 1}) {5 + number % 10}s"}
        for number, name in enumerate(_NAMES, start=1)
    ]


_README = b"# Lighthouses\n\nA map of lighthouses and the tides around them.\n\nStart the server with `python -m api`.\n"
_NAMING = b"# Naming\n\n- Functions in camelCase in JavaScript, snake_case in Python.\n- Ids are stable; never reuse one.\n"
_ROADMAP = b"# Roadmap\n\n## Summer\n\n- The new map\n- Tide tables\n\n## Autumn\n\n- Fog signals\n"
_CHANGELOG = b"# Changelog\n\n## 1.4\n\n- Markers no longer overlap.\n"
_SETTINGS = b"port: 8080\ntiles: https://tiles.example.org\ncache_hours: 24\n"
