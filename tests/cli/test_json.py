"""With --json each command prints one value with the fields that its help names, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.cli.group import COMMANDS
from archive.extract.strict import READABLE_DEPTH
from tests.cli.conftest import Invoke

SNAPSHOT = {
    *("id", "source", "label", "created_at", "message", "tags", "is_complete", "documents", "size_bytes", "added"),
    *("changed", "touched", "removed", "problems", "bytes_read", "bytes_stored", "duration_ms", "digest"),
}
BACKUP = {
    *("snapshot", "created", "added", "changed", "touched", "removed", "unchanged", "problems", "skipped", "is_complete"),
    "index",
}
REINDEX = {"versions", "size_bytes", "items", "verified", "differences", "waiting"}
PLAN = {"snapshot", "target", "in_place", "overwrite", "delete_extra", "counts", "size_bytes", "files"}
RESULT = {
    *("restored", "target", "safety", "created", "overwritten", "attributes", "deleted", "unchanged", "size_bytes"),
    *("duration_ms", "problems"),
}
DOCUMENT = {
    *("path", "kind", "category", "version", "hash", "size_bytes", "mode", "mtime_ns", "state", "error", "since"),
}
PACKAGE = {
    *("is_made", "path", "folder", "packed", "is_encrypted", "snapshot", "has_history", "snapshots", "documents", "versions"),
    *("other_sources", "size_bytes", "packed_bytes", "duration_ms", "problems"),
}

CHECKED = {
    *("created_at", "depth", "snapshot_id", "good", "bad", "unknown", "findings", "bytes_hashed", "duration_ms"),
    *("is_recorded", "not_recorded"),
}
TASKS = {"snapshot", "tasks", "total", "problems", "waiting"}

# The command line, and the fields of what it prints.
PRINTED: list[tuple[list[str], set[str]]] = [
    (["init"], {"root", "config", "written", "archive", "survey"}),
    (["init", "--dry-run"], {"root", "config", "written", "archive", "survey"}),
    (["backup"], BACKUP),
    (["backup", "--dry-run"], BACKUP),
    (["backup", "--only-if-changed", "-q"], BACKUP),
    (["snapshots"], {"snapshots"}),
    (["ls"], {"snapshot", "documents"}),
    (["ls", "-l", "docs", "--at", "1"], {"snapshot", "documents"}),
    (["cat", "docs/new.md"], {"path", "snapshot", "state", "error", "text"}),
    (["cat", "agents/tasks.json#/tasks/0/id"], {"path", "snapshot", "state", "error", "pointer", "value"}),
    (["cat", "agents/tasks.json#"], {"path", "snapshot", "state", "error", "pointer", "value"}),
    (["log", "agents/tasks.json"], {"path", "kind", "category", "versions"}),
    (["log", "agents/tasks.json#/tasks/0"], {"path", "key", "states"}),
    (["search", "map"], {"items", "total", "total_is_exact", "limit", "cursor", "notes", "sql"}),
    (["diff", "1", "2"], {"old", "new", "files"}),
    (["diff", "1", "--stat"], {"old", "new", "files"}),
    (["problems"], {"snapshot", "problems"}),
    (["memory"], {"as_of", "snapshot", "categories", "troubles"}),
    (["memory", "--at", "1", "--category", "tasks"], {"as_of", "snapshot", "categories", "troubles"}),
    (["tasks"], TASKS),
    (["tasks", "--all", "--status", "pending"], TASKS),
    (["tasks", "--available", "--at", "1"], TASKS),
    (["tasks", "--next"], {"task", "reason", "available"}),
    (["tasks", "--why", "1"], {"explanations"}),
    (["tasks", "--history", "1"], {"histories"}),
    (["tasks", "--changed-since", "1"], {"changes", "since", "until"}),
    (["tasks", "--graph"], {"nodes", "edges", "mermaid", "dot"}),
    (["tasks", "--burndown"], {"days"}),
    (["restore", "--at", "1", "--dry-run"], PLAN),
    (["restore", "--at", "1", "-y"], RESULT),
    (["restore", "--to", "elsewhere"], RESULT),
    (["undo", "--dry-run"], PLAN),
    (["undo", "-y"], RESULT),
    (["recovery-package"], PACKAGE),
    (["recovery-package", "--dry-run", "--no-history", "--at", "1"], PACKAGE),
    (["check"], CHECKED),
    (["check", "--quick"], CHECKED),
    (["reindex"], REINDEX),
    (["reindex", "--verify"], REINDEX),
    (["reindex", "--dry-run"], REINDEX),
    (["upgrade"], {"path", "before", "after", "dry_run"}),
    (["upgrade", "--dry-run"], {"path", "before", "after", "dry_run"}),
    (["version"], {"version", "python", "platform"}),
    (["completion", "bash"], {"shell", "script"}),
    (["sql", "SELECT path, 'é' AS é FROM documents", "--at", "1"], {"path", "é"}),
    (["schema"], {"tables"}),
    (["schema", "documents", "_stat_cache"], {"tables"}),
    (
        ["stats"],
        {
            *("schema", "snapshots", "documents", "current_documents", "versions", "blobs", "versions_bytes"),
            *("current_bytes", "contents_bytes", "deltas_bytes", "other_bytes", "file_bytes", "ratio"),
            *("last_check", "last_full_check"),
        },
    ),
    (
        ["demo"],
        {
            *("folder", "is_kept", "files", "commands", "restored_exactly", "undone_exactly", "is_good", "duration_ms"),
        },
    ),
]


def test_every_command_is_among_them() -> None:
    # 'archive inspect' serves until it is ended; its line is read where it is run as a program.
    assert {args[0] for args, _ in PRINTED} | {"inspect"} == set(COMMANDS)


@pytest.mark.parametrize(("args", "fields"), [pytest.param(*each, id=" ".join(each[0])) for each in PRINTED])
def test_json_is_one_object_with_its_fields_and_nothing_else_is_printed(
    backed_up: Path, invoke: Invoke, args: list[str], fields: set[str]
) -> None:
    if args[0] == "undo":
        assert invoke("restore", "--at", "1", "-y").code == 0
    ran = invoke(*args, "--json")
    assert (ran.code, ran.err) == (0, "")
    # What a statement answers is a list of such objects.
    for printed in ran.json if args[0] == "sql" else [ran.json]:
        assert set(printed) == fields
    assert ran.json
    assert ran.out.isascii()


def test_what_is_printed_is_what_the_library_returns(backed_up: Path, invoke: Invoke) -> None:
    with Archive.open(backed_up / ".archive/archive.db") as archive:
        expected: dict[tuple[str, ...], Any] = {
            ("snapshots",): {"snapshots": [snapshot.to_json() for snapshot in archive.snapshots()]},
            ("log", "agents/memory"): archive.history("agents/memory").to_json(),
            ("diff", "1", "2"): archive.diff("1", "2").to_json(),
            ("restore", "--at", "1", "--dry-run"): archive.plan_restore(at="1").to_json(),
            ("stats",): archive.stats().to_json(),
            ("ls", "--at", "1"): {
                "snapshot": archive.snapshot("1").to_json(),
                "documents": [document.to_json() for document in archive.documents(at="1")],
            },
        }
    for args, value in expected.items():
        assert invoke(*args, "--json").json == value


def test_lists_hold_whole_values(backed_up: Path, invoke: Invoke) -> None:
    assert {frozenset(each) for each in invoke("snapshots", "--json").json["snapshots"]} == {frozenset(SNAPSHOT)}
    assert {frozenset(each) for each in invoke("ls", "--json").json["documents"]} == {frozenset(DOCUMENT)}
    problems = invoke("problems", "--json").json["problems"]
    assert [(each["path"], each["kind"], each["severity"]) for each in problems] == [
        ("agents/memory", "invalid", "warning"),
        ("agents/memory", "suspicious", "warning"),
    ]


def test_bytes_that_are_no_text_are_printed_as_base64(project: Path, invoke: Invoke) -> None:
    (project / "latin.txt").write_bytes(b"caf\xe9")
    assert invoke("backup", "-q").code == 0
    assert invoke("cat", "latin.txt", "--json").json["base64"] == "Y2Fm6Q=="


def test_what_json_has_no_number_for_is_printed_as_a_string(project: Path, invoke: Invoke) -> None:
    (project / "nan.json").write_text('{"x": [NaN, -Infinity, 1.5]}')
    assert invoke("backup", "-q").code == 0
    printed = invoke("cat", "nan.json#/x", "--json").json
    assert (printed["value"], printed["state"]) == (["NaN", "-Infinity", 1.5], "lenient")


def test_values_nested_as_deep_as_can_be_read_are_printed(project: Path, invoke: Invoke) -> None:
    for inner in (b"", b"1"):
        (project / "deep.json").write_bytes(b"[" * READABLE_DEPTH + inner + b"]" * READABLE_DEPTH)
        assert invoke("backup", "-q").code == 0
    for form in ([], ["--json"]):
        assert invoke("cat", "deep.json#", *form).code == 0
        assert invoke("diff", "1", "2", *form).code == 0


def test_init_tells_what_is_taken_in_and_left_out_and_why(project: Path, invoke: Invoke) -> None:
    (project / "node_modules/x").mkdir(parents=True)
    (project / "node_modules/x/package.json").write_text("{}")
    (project / "program.py").write_text("pass")
    (project / "link.json").symlink_to("settings.yaml")
    survey = invoke("init", "--json").json["survey"]
    assert survey["files"] == 5  # archive.toml too
    assert sum(category["files"] for category in survey["categories"]) == 5
    assert {each["category"] for each in survey["categories"]} == {"tasks", "memory", "docs", "data"}
    assert {tuple(reason) for each in survey["categories"] for reason in each["reasons"]} >= {
        ("holds JSON", 1),
        ("matches *.md", 1),
        ("matches *.yaml", 1),
    }
    left_out = {each["reason"]: each["examples"] for each in survey["left_out"]}
    assert left_out["in node_modules"] == ["node_modules/"]
    assert left_out["matches no include pattern"] == ["program.py"]
    assert [each["path"] for each in survey["skipped"]] == ["link.json"]
    assert invoke("backup", "--json").json["snapshot"]["documents"] == survey["files"]
