"""Task files written for these tests, in the shapes that the tools give theirs."""

from __future__ import annotations

from typing import Any


def phase(title: str, status: str, needs: str = "", priority: str = "medium", **more: object) -> dict[str, object]:
    settled = {"title": title, "agent": "otter", "estimated_time": "15_minutes", "status": status, "priority": priority}
    return {**settled, "dependencies": needs.split(), "blocks": [], "rollback_procedure": "undo it", **more}


def project(title: str, status: str, *phases: dict[str, object], **more: object) -> dict[str, object]:
    numbered = {f"phase_{number}": value for number, value in enumerate(phases, 1)}
    return {
        "project_id": f"{title}_2026",
        "title": title,
        "status": status,
        "created": "2026-01-05",
        "phases": numbered,
        **more,
    }


def rengine(**projects: object) -> dict[str, Any]:
    """Returns a whole file, with everything around the projects that must not count as tasks."""
    return {
        "metadata": {"version": "1.0", "purpose": "tasks"},
        "active_projects": projects,
        "task_templates": {"bug_fix": {"template_id": "bug", "phases": ["diagnosis", "fix"], "status": "ready"}},
        "dependency_management": {"dependency_types": {"blocking": "cannot start", "soft": "can start"}},
        "progress_tracking": {"status_definitions": {"pending": "defined but not started", "waiting": "blocked by others"}},
        "historical_projects": {"completed": [], "cancelled": [], "archived": []},
        "schema": {
            "task_entry": {"task_id": "string - id", "title": "string - title", "status": "string - current status"},
            "project_entry": {"project_id": "string - id", "status": "string - active|completed|cancelled|on_hold"},
        },
        "instructions": {"for_agents": ["keep it up to date"]},
    }


GARDEN = project(
    "Garden",
    "active",
    phase("Dig", "pending", priority="critical_path", blocks=["phase_2", "phase_3"]),
    phase("Sow", "waiting", "phase_1", "high"),
    phase("Water", "waiting", "phase_1"),
    phase("Weed", "waiting", "phase_1 phase_2 phase_3", "high"),
    phase("Fence", "pending"),
    phase("Harvest", "waiting", "phase_1 phase_2 phase_3 phase_4 phase_5", "critical"),
    created="2026-01-01",
)
SHED = project(
    "Shed",
    "assigned",
    phase("Measure", "assigned", priority="critical"),
    phase("Buy wood", "waiting", "phase_1"),
    phase("Saw", "waiting", "phase_2"),
    phase("Nail", "waiting", "phase_2 phase_3"),
)
POND = project(
    "Pond", "ready", phase("Draw", "ready"), phase("Dig", "waiting", "phase_1"), phase("Fill", "waiting", "phase_1 phase_2")
)
PATH = project(
    "Path",
    "planned",
    phase("Plan", "ready", priority="critical"),
    phase("Gravel", "waiting", "phase_1"),
    phase("Edges", "waiting", "phase_1"),
    phase("Lay", "waiting", "phase_2 phase_3"),
    phase("Sweep", "waiting", "phase_4"),
)

CONSOLIDATED = {
    "metadata": {"version": "1.0"},
    "active_tasks": {
        "TASK-001": {
            "title": "Mend the gate",
            "status": "assigned",
            "priority": "high",
            "created_date": "2026-01-02",
            "due_date": "2026-02-01",
            "assigned_to": "otter",
            "related_bug": "BUG-006",
            "blocked_by": [],
            "subtasks": [{"id": f"TASK-001{letter}", "title": f"Hinge {letter}", "status": "pending"} for letter in "abc"],
        },
        "TASK-002": {
            "title": "Paint",
            "status": "pending",
            "assigned_to": None,
            "subtasks": [{"id": f"TASK-002{letter}", "title": f"Coat {letter}", "status": "pending"} for letter in "ab"],
        },
        "TASK-003": {
            "title": "Plan the roof",
            "status": "pending",
            "blocking_tasks": ["TASK-004"],
            "subtasks": [{"id": f"TASK-003{letter}", "title": f"Sketch {letter}", "status": "pending"} for letter in "abc"],
        },
        "TASK-004": {"title": "Build the roof", "status": "blocked", "blocked_by": ["TASK-003"], "subtasks": []},
    },
    "completed_tasks": {
        "TASK-101": {"title": "Clear the site", "status": "completed", "completed_date": "2026-01-01"},
        "TASK-102": {"title": "Ask the neighbours"},
    },
    "workflow_stages": {"backlog": {"description": "found, not ranked", "task_count": 0}},
    "assignment_tracking": {"otter": {"active_tasks": 1, "completed_tasks": 1}},
    "statistics": {"total_tasks": 6, "active_tasks": 4, "completed_tasks": 2},
}
BUGS = {
    "active_bugs": {
        "BUG-006": {"title": "Gate squeaks", "status": "open", "severity": "medium", "agent_assigned": None, "blocked_by": []},
        "BUG-007": {"title": "Roof leaks", "status": "open", "priority": "low", "affects_milestone": "v2"},
    },
    "resolved_bugs": {"BUG-005": {"title": "Door stuck", "status": "fixed"}},
    "milestone_tracking": {"v2": {"status": "planning", "bugs_assigned": ["BUG-006"]}},
    "priority_levels": {"high": {"description": "soon", "active_count": 1}},
    "statistics": {"active_bugs": 2, "resolved_bugs": 1},
}
ROADMAP = {
    "active_milestones": {
        "v2": {
            "title": "Second year",
            "status": "planning",
            "features": [
                {"id": "FEAT-001", "title": "Quiet gate", "status": "planning", "dependencies": ["BUG-006"]},
                {"id": "FEAT-002", "title": "Loud gate", "status": "planning", "dependencies": ["BUG-005"], "priority": "high"},
                {"id": "FEAT-003", "title": "No gate", "status": "concept", "dependencies": ["FEAT-001", "BUG-404"]},
            ],
            "bugs_blocking": ["BUG-006"],
        }
    },
    "completed_milestones": {"v1": {"status": "released", "features_completed": [{"id": "FEAT-000", "title": "A gate"}]}},
    "future_vision": {"v9": {"title": "A castle", "status": "concept", "priority": "low"}},
    "technical_debt": {"high_priority": [{"item": "the old fence", "impact": "ugly"}]},
}
