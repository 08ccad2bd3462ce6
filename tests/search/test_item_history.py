from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.errors import DocumentNotFound, PointerNotFound
from archive.model.search import ItemChange
from tests.conftest import FixedClock
from tests.search.conftest import Remember

HN = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "hn.bundle"


def tasks(*given: tuple[int, str]) -> bytes:
    return json.dumps({"tasks": [{"id": number, "status": status} for number, status in given]}).encode()


def test_an_item_is_followed_through_changes_moves_removal_and_return(archive: Archive, remember: Remember) -> None:
    for content in (
        tasks((1, "new"), (2, "new")),
        tasks((9, "new"), (1, "new"), (2, "begun")),  # moved by an insertion at the front
        tasks((2, "begun"), (9, "new"), (1, "new")),  # only moved
        tasks((9, "new")),
        tasks((9, "new"), (2, "done")),
        None,
        tasks((2, "done")),
    ):
        remember({"other.md": b"# Other"} if content is None else {"tasks.json": content, "other.md": b"# Other"})
    history = archive.item_history("tasks.json", "/tasks[id=2]")
    assert [(state.change, state.since.snapshot, state.until and state.until.snapshot) for state in history.states] == [
        (ItemChange.ADDED, 1, 2),
        (ItemChange.CHANGED, 2, 4),
        (ItemChange.REMOVED, 4, 5),
        (ItemChange.RETURNED, 5, 6),
        (ItemChange.REMOVED, 6, 7),
        (ItemChange.RETURNED, 7, None),
    ]
    assert history.present
    assert history.states[1].pointer == "/tasks/0"
    for place in ("/tasks/0", "/tasks/0/status", "/tasks[id=2]"):
        assert archive.item_history("tasks.json", place) == history


def test_an_item_of_a_document_that_was_damaged_for_a_while_is_not_said_to_be_removed(
    archive: Archive, remember: Remember
) -> None:
    whole = tasks((1, "new"), (2, "new"))
    for content in (whole, whole[:-1], whole, whole[:-1]):
        remember({"tasks.json": content})
    history = archive.item_history("tasks.json", "/tasks[id=2]")
    assert [(state.change, state.since.snapshot) for state in history.states] == [
        (ItemChange.ADDED, 1),
        (ItemChange.DAMAGED, 2),
        (ItemChange.RETURNED, 3),
        (ItemChange.DAMAGED, 4),
    ]
    assert not history.present


def test_members_in_another_order_are_no_change(archive: Archive, remember: Remember) -> None:
    for text in (b'{"id": 1, "status": "new", "owner": "Aino"}', b'{"owner": "Aino", "id": 1, "status": "new"}'):
        remember({"tasks.json": b'{"tasks": [' + text + b"]}"})
    remember({"tasks.json": b'{"tasks": [{"status": "done", "owner": "Aino", "id": 1}]}'})
    states = archive.item_history("tasks.json", "/tasks[id=1]").states
    assert [(state.change, state.since.snapshot) for state in states] == [(ItemChange.ADDED, 1), (ItemChange.CHANGED, 3)]


@pytest.mark.parametrize("place", ["L3-L5", "L4", "/Plans/Summer", "Summer"])
def test_a_section_is_found_by_its_lines_its_headings_and_its_title(archive: Archive, remember: Remember, place: str) -> None:
    remember({"plan.md": b"# Plans\n\n## Summer\n\nswim\n\n## Winter\n\nski"})
    remember({"plan.md": b"# Plans\n\n## Summer\n\nswim and row\n\n## Winter\n\nski"})
    history = archive.item_history("plan.md", place)
    assert history.key == "/Plans/Summer"
    assert [state.text for state in history.states] == ["swim", "swim and row"]


def test_what_never_was_is_named_with_what_is_there(archive: Archive, remember: Remember) -> None:
    remember({"tasks.json": tasks((1, "new"))})
    with pytest.raises(DocumentNotFound):
        archive.item_history("task.json", "/tasks/0")
    with pytest.raises(PointerNotFound, match="no values of its own") as caught:
        archive.item_history("tasks.json", "/tasks")
    assert caught.value.context["near"] == ["/tasks/0"]
    with pytest.raises(PointerNotFound, match="no item"):
        archive.item_history("tasks.json", "nothing")


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif(not HN.exists(), reason="the history of the news site is not unpacked")
def test_the_history_of_one_story_is_that_of_git(tmp_path: Path) -> None:
    root, clone = tmp_path / "project", tmp_path / "clone"
    root.mkdir()
    git("clone", "-q", str(HN), str(clone), cwd=tmp_path)
    (path,) = git("ls-files", "*.json", cwd=clone).split()
    commits = git("log", "--reverse", "--format=%H", cwd=clone).split()[-400:]
    versions = [git("show", f"{commit}:{path}", cwd=clone).encode() for commit in commits]
    story = busiest(versions)
    expected: list[dict[str, Any] | None] = []
    clock = FixedClock()
    with Archive.create(tmp_path / "archive.db", clock=clock) as archive:
        for data in versions:
            (root / "hn.json").write_bytes(data)
            archive.backup(root)
            clock.tick()
            found = [one for one in stories(data) if one.get("id") == story]
            now = found[0] if found else None
            if (not expected and now is not None) or (expected and now != expected[-1]):
                expected.append(now)
        states = archive.item_history("hn.json", f"[id={story}]").states
    assert [state.change is ItemChange.REMOVED for state in states] == [one is None for one in expected]
    for state, story_then in zip(states, expected, strict=True):
        if story_then is not None:
            assert f"points: {story_then['points']}\n" in state.text
            assert f"numComments: {story_then['numComments']}" in state.text
    assert len(states) > 5


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=True, text=True).stdout


def stories(data: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(data)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def busiest(versions: list[bytes]) -> Any:
    """Returns the id of the story that had most states."""
    states: dict[Any, set[str]] = {}
    for data in versions:
        for one in stories(data):
            states.setdefault(one["id"], set()).add(json.dumps(one))
    return max(states, key=lambda story: len(states[story]))
