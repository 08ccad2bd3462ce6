"""A sample project of the kind that agents keep, and what people look for in it."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import Tree


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


_BOILERPLATE = {
    "schema": {
        "tasks": "every task has a title, a status, a priority, an agent and dependencies",
        "deployment": "a deployment names its server, its version, its rollback and its health check",
    },
    "instructions": {
        "adding_tasks": "search for duplicates before adding a task about deployment, memory or caching",
        "memory": "write memory entries with sources; never store a password",
    },
}

_TASKS = {
    "metadata": {"version": "3.04.87", "purpose": "Everything there is to do", "last_updated": "2025-08-16"},
    **_BOILERPLATE,
    "active_projects": {
        "perf_opt_2025": {
            "title": "Performance optimization of the rendering loop",
            "status": "active",
            "phases": {
                "phase_1": {"title": "Profile the frame budget", "status": "complete", "agent": "claude_sonnet"},
                "phase_2": {"title": "Batch the draw calls", "status": "in_progress", "agent": "claude_sonnet"},
                "phase_3": {
                    "title": "Move physics to a worker",
                    "status": "pending",
                    "agent": "gpt_4",
                    "risk": "shared buffers",
                },
            },
        },
        "zero_downtime": {
            "title": "Zero downtime deployment",
            "status": "planned",
            "phases": {
                "phase_1": {"title": "Blue green switch", "status": "pending", "notes": "health check before the switch"},
                "phase_2": {"title": "Automatic rollback", "status": "pending", "notes": "roll back when errors double"},
            },
        },
    },
    "tasks": [
        {
            "id": "TASK-12",
            "title": "Fix the flickering shadows",
            "status": "pending",
            "files": ["js/shadows.js", "js/utils.js"],
        },
        {"id": "TASK-13", "title": "Write a migration guide", "status": "done", "description": "from C++ plugins to v3.04.87"},
        {"id": "TASK-121", "title": "Rename the save slots", "status": "pending", "description": "players lose their saves"},
        {"id": "TASK-14", "title": "Café menu crashes on resume", "status": "pending", "description": "it's a null camera"},
    ],
}

_MEMORY = {
    "metadata": {"version": "1.2", "purpose": "What we know"},
    "schema": {"entity": "an entity has a name, a kind and observations"},
    "entities": {
        "services": {
            "redis": {"role": "session cache", "notes": "evicts after 24 hours", "port": 6379},
            "postgres": {"role": "primary store", "notes": "replicas lag by two seconds at night"},
            "nginx": {"role": "reverse proxy", "notes": "terminates TLS; certificates renew on Sundays"},
        },
        "people": {
            "Søren": {"role": "graphics", "likes": "naïve shaders"},
            "Beatriz Peña": {"role": "release manager", "timezone": "America/Bogota"},
            "田中": {"role": "音声エンジニア", "notes": "日本語のドキュメントを担当"},
        },
    },
    "sessions": [
        {
            "id": "s-2025-08-16",
            "agent": "gemini_pro",
            "summary": "Found the memory leak in the texture pool; closed 14 handles",
        },
        {
            "id": "s-2025-08-18",
            "agent": "claude_sonnet",
            "summary": "Handoff: shader compiler warms up during the loading screen",
        },
    ],
}

_FUNCTIONS = {
    "functions": {
        "loadJsonMemory": {"file": "js/memory.js", "purpose": "reads memory files and merges them"},
        "saveJsonMemory": {"file": "js/memory.js", "purpose": "writes them with a backup"},
        "parseHTTPHeaders": {"file": "js/net.js", "purpose": "splits a header block"},
        "compute_shadow_matrix": {"file": "js/shadows.js", "purpose": "light space projection"},
    }
}

_DECISIONS = [
    {"id": "DEC-001", "title": "SQLite instead of a server", "why": "one file, no operations", "date": "2025-07-01"},
    {"id": "DEC-002", "title": "Never truncate the changelog", "why": "auditors asked for it", "date": "2025-07-09"},
    {"id": "DEC-003", "title": "Metric units only", "why": "a probe was lost once", "date": "2025-08-02"},
]

_GRAPH = [
    {"type": "entity", "name": "TexturePool", "entityType": "component", "observations": ["leaks on resize", "owned by Søren"]},
    {
        "type": "entity",
        "name": "SaveSystem",
        "entityType": "component",
        "observations": ["writes twice", "fsync is slow on NFS"],
    },
    {"type": "relation", "from": "SaveSystem", "to": "postgres", "relationType": "stores_in"},
]

_GUIDE = """# Operations guide

What to do when things break.

## Backups

Nightly at 02:00, kept for 30 days. Test a restore every month.

## Incident response

Page the release manager first. Write a timeline while it is fresh.

### Postmortem template

Blameless. Five whys. Owners for every action.

## 部署说明

先检查数据库迁移，然后重启服务。
"""

_CHANGELOG = """# Changelog

## v3.04.87

- Shadows no longer flicker on integrated GPUs 🚀
- Frame budget lowered to 12 ms

## v3.04.86

- Save slots can be renamed
"""

_LOG = b"2025-08-16 12:00:01 ERROR redis connection refused\n2025-08-16 12:00:02 WARN retrying in 5s\n"

TREE: Tree = {
    "agents/tasks.json": _json(_TASKS),
    "agents/memory.json": _json(_MEMORY),
    "agents/functions.json": _json(_FUNCTIONS),
    "agents/decisions.json": _json({"decisions": _DECISIONS}),
    "agents/memory": "\n".join(json.dumps(record, ensure_ascii=False) for record in _GRAPH).encode(),
    "docs/operations.md": _GUIDE.encode(),
    "CHANGELOG.md": _CHANGELOG.encode(),
    "data/server.txt": _LOG,
    "agents/broken.json": b'{"title": "Half written handoff", "summary": "the quaternion bug is still op',
}

# A query, and what must be among the first three hits: the path, and the end of the key or a part of title or snippet.
JUDGED: tuple[tuple[str, str, str], ...] = (
    ("performance optimization", "agents/tasks.json", "/perf_opt_2025"),
    ("perf opt", "agents/tasks.json", "/perf_opt_2025"),
    ("perf_opt_2025", "agents/tasks.json", "/perf_opt_2025"),
    ("opt", "agents/tasks.json", "/perf_opt_2025"),
    ("TASK-12", "agents/tasks.json", "[id=TASK-12]"),
    ("task 121", "agents/tasks.json", "[id=TASK-121]"),
    ("flickering shadows", "agents/tasks.json", "[id=TASK-12]"),
    ("shadows flicker", "CHANGELOG.md", "/v3.04.87"),
    ("js/utils.js", "agents/tasks.json", "[id=TASK-12]"),
    ("utils", "agents/tasks.json", "[id=TASK-12]"),
    ("v3.04.87", "CHANGELOG.md", "/v3.04.87"),
    ("3.04.87", "CHANGELOG.md", "/v3.04.87"),
    ("C++", "agents/tasks.json", "[id=TASK-13]"),
    ("it's", "agents/tasks.json", "[id=TASK-14]"),
    ("cafe menu", "agents/tasks.json", "[id=TASK-14]"),
    ("deployment", "agents/tasks.json", "/zero_downtime"),
    ("rollback", "agents/tasks.json", "/zero_downtime/phases/phase_2"),
    ("blue green", "agents/tasks.json", "/zero_downtime/phases/phase_1"),
    ("health check switch", "agents/tasks.json", "/zero_downtime/phases/phase_1"),
    ("json memory", "agents/functions.json", "/loadJsonMemory"),
    ("loadJsonMemory", "agents/functions.json", "/loadJsonMemory"),
    ("load json", "agents/functions.json", "/loadJsonMemory"),
    ("http headers", "agents/functions.json", "/parseHTTPHeaders"),
    ("shadow matrix", "agents/functions.json", "/compute_shadow_matrix"),
    ("redis", "agents/memory.json", "/redis"),
    ("cache eviction OR evicts", "agents/memory.json", "/redis"),
    ("connection refused", "data/server.txt", "refused"),
    ("certificates renew", "agents/memory.json", "/nginx"),
    ("soren", "agents/memory.json", "/Søren"),
    ("naive shaders", "agents/memory.json", "/Søren"),
    ("pena release manager", "agents/memory.json", "/Beatriz Peña"),
    ("音声", "agents/memory.json", "/田中"),
    ("日本語", "agents/memory.json", "/田中"),
    ("数据库", "docs/operations.md", "/部署说明"),
    ("🚀", "CHANGELOG.md", "/v3.04.87"),
    ("memory leak", "agents/memory.json", "[id=s-2025-08-16]"),
    ("texture pool leak", "agents/memory.json", "[id=s-2025-08-16]"),
    ("TexturePool", "agents/memory", "[name=TexturePool]"),
    ("fsync NFS", "agents/memory", "[name=SaveSystem]"),
    ("stores_in", "agents/memory", "postgres"),
    ("sqlite", "agents/decisions.json", "[id=DEC-001]"),
    ("why metric units", "agents/decisions.json", "[id=DEC-003]"),
    ("DEC-002", "agents/decisions.json", "[id=DEC-002]"),
    ('"five whys"', "docs/operations.md", "/Postmortem template"),
    ("incident response", "docs/operations.md", "/Incident response"),
    ("restore every month", "docs/operations.md", "/Backups"),
    ("backups nightly", "docs/operations.md", "/Backups"),
    ("quaternion", "agents/broken.json", "quaternion"),
    ("2025-08-16 gemini", "agents/memory.json", "[id=s-2025-08-16]"),
    ("category:decisions probe", "agents/decisions.json", "[id=DEC-003]"),
    ("path:docs timeline", "docs/operations.md", "/Incident response"),
    ("title:rollback", "agents/tasks.json", "/phase_2"),
    ("operations.md", "docs/operations.md", ""),
    ("worker physics -budget", "agents/tasks.json", "/phase_3"),
    ("phys* work*", "agents/tasks.json", "/phase_3"),
    ("save slots", "CHANGELOG.md", "/v3.04.86"),
)
