"""What differs between two contents is found whole, named by place, and small where the change is small."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Hashable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.diff import content as content_module
from archive.diff import diff_content, diff_text, diff_values
from archive.diff import text as text_module
from archive.diff.align import align
from archive.diff.labels import identity_field
from archive.diff.values import MAX_MOVES
from archive.extract.pointer import format_step, resolve
from archive.model.base import Json
from archive.model.diff import PointerChange, ValueChange
from archive.model.documents import Kind
from tests.unit.json_strategies import SCALARS, VALUES, exact

ADDED, REMOVED, CHANGED = ValueChange.ADDED, ValueChange.REMOVED, ValueChange.CHANGED
MOVED, REORDERED = ValueChange.MOVED, ValueChange.REORDERED

RECORDS = st.builds(
    lambda identity, title, rest: {**({} if identity is None else {"id": identity}), "title": title, **rest},
    st.none() | st.integers(0, 5) | st.sampled_from(["0", "1", "x"]),
    st.sampled_from(["p", "q"]),
    st.dictionaries(st.sampled_from(["a", "b", "list"]), SCALARS | st.lists(st.integers(0, 2), max_size=4), max_size=2),
)
DOCUMENTS = st.one_of(
    VALUES,
    st.lists(st.integers(0, 3), max_size=8),
    st.lists(RECORDS, max_size=7),
    st.fixed_dictionaries({"tasks": st.lists(RECORDS | SCALARS, max_size=7)}),
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[Json, Json]:
    """Draws a list and what became of it: elements taken out, put in, moved, changed."""
    old: list[Json] = draw(st.lists(RECORDS | st.integers(0, 3), max_size=7))
    new = list(old)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(new)))
        action = draw(st.sampled_from(["insert", "remove", "move", "change"]))
        if action == "insert":
            new.insert(place, draw(RECORDS))
        elif place < len(new):
            element = new.pop(place)
            if action == "move":
                new.insert(draw(st.integers(0, len(new))), element)
            elif action == "change":
                new.insert(place, {**element, "title": "new"} if isinstance(element, dict) else draw(st.integers(0, 3)))
    return old, new


class Applied:
    """Makes the new value out of the old one and the changes, by what the changes are documented to mean."""

    def __init__(self, changes: Sequence[PointerChange]) -> None:
        self.removed = {change.pointer for change in changes if change.change is REMOVED}
        self.changed = {change.pointer: change.new for change in changes if change.change is CHANGED}
        self.added = {change.pointer: change.new for change in changes if change.change is ADDED}
        self.moved = {change.pointer: change.old_pointer for change in changes if change.change is MOVED}

    def value(self, old: Json, old_at: str = "", new_at: str = "") -> Json:
        if new_at in self.changed:
            return self.changed[new_at]
        if isinstance(old, dict):
            kept = {
                name: self.value(member, old_at + format_step(name), new_at + format_step(name))
                for name, member in old.items()
                if old_at + format_step(name) not in self.removed
            }
            return kept | self._added_members(new_at)
        if isinstance(old, list):
            return self._array(old, old_at, new_at)
        return old

    def _added_members(self, new_at: str) -> dict[str, Json]:
        inside = [pointer for pointer in self.added if pointer.rpartition("/")[0] == new_at and pointer]
        names = [pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") for pointer in inside]
        return {name: self.added[pointer] for name, pointer in zip(names, inside, strict=True)}

    def _array(self, old: list[Json], old_at: str, new_at: str) -> Json:
        gone = {old_at + format_step(i) for i in range(len(old))} & (self.removed | set(self.moved.values()))
        stayed = [i for i in range(len(old)) if old_at + format_step(i) not in gone]
        result: list[Json] = []
        while True:
            here = new_at + format_step(len(result))
            if here in self.added:
                result.append(self.added[here])
            elif here in self.moved:
                source = self.moved[here]
                assert source is not None
                result.append(self.value(old[int(source.rpartition("/")[2])], source, here))
            elif stayed:
                i = stayed.pop(0)
                result.append(self.value(old[i], old_at + format_step(i), here))
            else:
                return result


@given(DOCUMENTS)
def test_a_value_does_not_differ_from_itself(value: Json) -> None:
    assert diff_values(value, json.loads(json.dumps(value))) == ()


@given(st.tuples(DOCUMENTS, DOCUMENTS) | edited())
@example(([1, 2, 1, 3], [1, 1, 2]))
@example(([{"id": 1}, {"id": 1, "a": 0}], [{"id": 1, "a": 0}, {"id": 1}]))
@example(([{"id": 1}, [0], 5], [[1], 5, {"id": 1, "a": 2}]))
def test_the_changes_make_the_new_value_of_the_old_one(pair: tuple[Json, Json]) -> None:
    old, new = pair
    assert exact(Applied(diff_values(old, new)).value(old)) == exact(new)


@given(st.tuples(DOCUMENTS, DOCUMENTS) | edited())
def test_every_pointer_leads_to_the_value_it_is_reported_with(pair: tuple[Json, Json]) -> None:
    old, new = pair
    for change in diff_values(old, new):
        if change.change is REMOVED:
            assert change.pointer == change.old_pointer
        else:
            there = resolve(new, change.pointer)
            assert change.change is MOVED or exact(there) == exact(change.new)
        if change.change is ADDED:
            assert change.old_pointer is None
        else:
            assert change.old_pointer is not None
            there = resolve(old, change.old_pointer)
            assert change.change is MOVED or exact(there) == exact(change.old)


@given(st.lists(RECORDS | SCALARS, max_size=8), st.randoms(use_true_random=False))
def test_a_pure_reorder_is_reported_and_changes_no_content(old: list[Json], chance: random.Random) -> None:
    new = old.copy()
    chance.shuffle(new)
    changes = diff_values(old, new)
    assert {change.change for change in changes} <= {MOVED}
    assert bool(changes) == (list(map(exact, old)) != list(map(exact, new)))


@pytest.mark.parametrize(
    ("old", "new"), [(1, 1.0), (1, True), (0, False), (0.0, -0.0), (2**53, 2**53 + 1),
     (10**400, 10**400 + 1), ("1", 1), (None, False), ([], {}), (1.0, float("inf"))],
)  # fmt: skip
def test_values_that_only_look_alike_are_different(old: Json, new: Json) -> None:
    change = PointerChange(pointer="", change=CHANGED, old=old, new=new, old_pointer="")
    assert list(map(repr, diff_values(old, new))) == [repr(change)]
    for wrap in (lambda value: {"a": value}, lambda value: [value], lambda value: [value, [value]]):
        assert diff_values(wrap(old), wrap(new))
        assert not diff_values(wrap(old), wrap(old))


def test_nan_is_itself() -> None:
    assert diff_values([float("nan"), {"a": float("nan")}], [float("nan"), {"a": float("nan")}]) == ()


def said(old: Json, new: Json) -> list[tuple[str, str | None, str]]:
    return [(change.change.value, change.old_pointer, change.pointer) for change in diff_values(old, new)]


TASKS: list[Json] = [{"id": number, "title": f"task {number}", "tags": []} for number in range(5)]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("the order of names", {"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ("names that need escapes", {"a/b": 1}, {"a/b": 2, "~": 3}, [("changed", "/a~1b", "/a~1b"), ("added", None, "/~0")]),
        ("an element in front", [1, 2, 3], [0, 1, 2, 3], [("added", None, "/0")]),
        ("an element taken out", ["a", "b", "a"], ["b", "a"], [("removed", "/0", "/0")]),
        ("a text in a list", ["a", "b", "c"], ["a", "x", "c"], [("changed", "/1", "/1")]),
        ("a task in front", TASKS, [{"id": 9}, *TASKS], [("added", None, "/0")]),
        ("a task changed behind a new one", [*TASKS, {"id": 8, "s": 1}], [{"id": 9}, *TASKS, {"id": 8, "s": 2}],
            [("added", None, "/0"), ("changed", "/5/s", "/6/s")]),
        ("a task moved and changed", [{"id": 1, "s": 1}, *TASKS[2:]], [*TASKS[2:], {"id": 1, "s": 2}],
            [("moved", "/0", "/3"), ("changed", "/0/s", "/3/s")]),
        ("a task put in place of another", [{"id": 1, "s": 1}], [{"id": 2, "s": 1}],
            [("removed", "/0", "/0"), ("added", None, "/0")]),
        ("an id that became a text", [{"id": 1, "s": 1}], [{"id": "1", "s": 1}],
            [("removed", "/0", "/0"), ("added", None, "/0")]),
        ("ids that occur twice", [{"id": 1, "s": 1}, {"id": 1, "s": 2}, {"id": 2}],
            [{"id": 1, "s": 1}, {"id": 1, "s": 3}, {"id": 2}], [("changed", "/1/s", "/1/s")]),
        ("objects without an id", [{"t": "a", "s": 1}, {"t": "b", "s": 1}], [{"t": "a", "s": 2}, {"t": "b", "s": 1}],
            [("changed", "/0/s", "/0/s")]),
        ("objects that share nothing", [{"a": 1}], [{"b": 1}], [("removed", "/0", "/0"), ("added", None, "/0")]),
        ("an id by another name", [{"bug_id": "B1"}, {"bug_id": "B2"}, {"bug_id": "B3", "s": 1}],
            [{"bug_id": "B3", "s": 2}, {"bug_id": "B1"}, {"bug_id": "B2"}],
            [("moved", "/2", "/0"), ("changed", "/2/s", "/0/s")]),
        ("a list in a list", [[1, 2], [3]], [[1, 2, 9], [3]], [("added", None, "/0/2")]),
        ("one kind by another", {"a": [1]}, {"a": {"0": 1}}, [("changed", "/a", "/a")]),
        ("many reordered", [{"id": n, "s": 1} for n in range(99)], [{"id": n, "s": 1 + (n == 7)} for n in reversed(range(99))],
            [("reordered", "", ""), ("changed", "/7/s", "/91/s")]),
    ],
)  # fmt: skip
def test_a_change_is_named_as_a_person_would(
    name: str, old: Json, new: Json, expected: list[tuple[str, str | None, str]]
) -> None:
    assert said(old, new) == expected, name


def test_moves_are_named_one_by_one_up_to_a_number() -> None:
    numbers: list[Json] = list(range(MAX_MOVES + 1))
    assert [change.change for change in diff_values(numbers, numbers[::-1])] == [MOVED] * MAX_MOVES
    numbers.append(MAX_MOVES + 1)
    assert [change.change for change in diff_values(numbers, numbers[::-1])] == [REORDERED]


def test_the_first_changes_are_returned_up_to_the_limit() -> None:
    old: list[Json] = [[number] for number in range(9)]
    new: list[Json] = [[number, 0] for number in range(9)]
    assert len(diff_values(old, new)) == 9
    assert diff_values(old, new, limit=4) == diff_values(old, new)[:4]
    assert diff_values(old, new, limit=0) == ()


def test_deep_values_are_compared_without_recursion() -> None:
    old: Json = 1
    new: Json = 2
    for _ in range(250):
        old, new = {"a": [old]}, {"a": [new]}
    assert [change.pointer for change in diff_values(old, new)] == ["/a/0" * 250]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ([{"id": 1}, {"id": 2}], [{"id": 2}], "id"),
        ([{"name": "a", "uuid": "x"}], [{"name": "a", "uuid": "x"}, {"name": "b", "uuid": "y"}], "uuid"),
        ([{"session_id": 1}], [{"session_id": 2}, "text"], "session_id"),
        ([{"session_id": 1}, {}, {}], [], None),
        ([{"id": 1}], [{"name": "a"}], None),
        ([{"id": True}, {"id": ""}, {"id": None}, {"id": 1.5}, 3], [{"id": [1]}], None),
        ([], [{"id": 1}], "id"),
        ([], [], None),
    ],
)
def test_elements_are_identified_by_what_tells_them_apart_on_both_sides(
    old: list[Json], new: list[Json], field: str | None
) -> None:
    assert identity_field(old, new) == field


@given(st.lists(st.integers(0, 4), max_size=9), st.lists(st.integers(0, 4), max_size=9))
def test_alignment_keeps_the_longest_common_subsequence_and_pairs_all_that_is_equal(old: list[int], new: list[int]) -> None:
    kept, moved = align(old, new)
    assert all(old[i] == new[j] for i, j in (*kept, *moved))
    assert kept == sorted(kept)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(kept))
    assert len({i for i, _ in (*kept, *moved)}) == len({j for _, j in (*kept, *moved)}) == len(kept) + len(moved)
    assert len(kept) + len(moved) == sum(min(old.count(value), new.count(value)) for value in set(old))
    assert len(kept) == longest_common(old, new)


def longest_common(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    row = [0] * (len(new) + 1)
    for element in old:
        diagonal = 0
        for j, other in enumerate(new):
            diagonal, row[j + 1] = row[j + 1], diagonal + 1 if element == other else max(row[j], row[j + 1])
    return row[-1]


@pytest.mark.parametrize("repeated", [1, 7])
def test_long_sequences_that_share_little_are_aligned_in_bounded_time(repeated: int) -> None:
    chance = random.Random(7)
    old = [number // repeated for number in range(10_000)]
    new = old.copy()
    chance.shuffle(new)
    kept, moved = align(old, new)
    assert len(kept) + len(moved) == 10_000
    assert kept == sorted(kept)


# --- text ---


def patched(old: str, lines: Sequence[str]) -> str:
    """Applies a unified diff, in the strict way: every line in it has to be where it says."""
    source = old.splitlines(keepends=True) if "\r" not in old else re.findall(r"[^\n]*\n|[^\n]+", old)
    result: list[str] = []
    position = 0
    for number, line in enumerate(lines[2:], 2):
        text = line[1:] + ("" if lines[number + 1 : number + 2] == ("\\ No newline at end of file",) else "\n")
        if line.startswith("@@"):
            found = re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", line)
            assert found is not None
            start = int(found[1]) - (found[2] != "0")
            result += source[position:start]
            position = start
        elif line.startswith("+"):
            result.append(text)
        elif line.startswith((" ", "-")):
            assert source[position] == text
            position += 1
            result += [text] if line.startswith(" ") else []
    return "".join([*result, *source[position:]])


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "+\n", "--- x\n"]), max_size=30).map("".join)


@given(LINES, LINES, st.sampled_from(["", "end"]), st.sampled_from(["", "end"]))
def test_a_unified_diff_applied_to_the_old_text_gives_the_new_one(old: str, new: str, old_end: str, new_end: str) -> None:
    lines, note = diff_text((old + old_end).encode(), (new + new_end).encode(), "x")
    assert patched(old + old_end, lines) == new + new_end
    assert note == ""
    assert (lines == ()) == (old + old_end == new + new_end)


def numbered(*numbers: int) -> bytes:
    return b"".join(b"%d\n" % number for number in numbers)


def test_a_text_diff_looks_as_usual() -> None:
    old, new = numbered(*range(1, 21)), numbered(*range(1, 4), 44, *range(5, 18), 19, 20, 21)
    lines, note = diff_text(old, new, "docs/a b.md")
    assert lines == (
        "--- a/docs/a b.md", "+++ b/docs/a b.md",
        "@@ -1,7 +1,7 @@", " 1", " 2", " 3", "-4", "+44", " 5", " 6", " 7",
        "@@ -15,6 +15,6 @@", " 15", " 16", " 17", "-18", " 19", " 20", "+21",
    )  # fmt: skip
    assert note == ""


@pytest.mark.parametrize(
    ("old", "new", "lines", "note"),
    [
        (b"a", b"a\n", ["@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"], ""),
        (None, b"a\n", ["--- /dev/null", "+++ b/x", "@@ -0,0 +1 @@", "+a"], ""),
        (b"a\n", None, ["--- a/x", "+++ /dev/null", "@@ -1 +0,0 @@", "-a"], ""),
        (b"", b"a\n", ["--- a/x", "+++ b/x", "@@ -0,0 +1 @@", "+a"], ""),
        (b"a\n", b"a\r\n", ["@@ -1 +1 @@", "-a", "+a␍"], ""),
        (b"a\r\nb\r\n", b"a\r\nc\r\n", ["@@ -1,2 +1,2 @@", " a", "-b", "+c"], "all lines end with CR LF"),
        (None, b"c\r\n", ["@@ -0,0 +1 @@", "+c"], "all lines end with CR LF"),
        (b"a\x0bb\x0cc\x85d\n", b"a\n", ["@@ -1 +1 @@", "-a\x0bb\x0cc…d", "+a"], "read as Windows-1252 and UTF-8"),
        (b"\xe9\n", "é\n".encode(), [], "read as Latin-1 and UTF-8"),
        ("é\n".encode(), "\ufeffé\n".encode(), [], "read as UTF-8 and UTF-8 with byte order mark"),
        ("a\n".encode("utf-16"), "b\n".encode("utf-16"), ["@@ -1 +1 @@", "-a", "+b"], "read as UTF-16"),
        (None, b"\xe9\n", ["@@ -0,0 +1 @@", "+é"], "read as Latin-1"),
        (b"\xe9\n", None, ["@@ -1 +0,0 @@", "-é"], "read as Latin-1"),
        ("é".encode() + b"\xff\n", b"", ["@@ -1 +0,0 @@", "-é\ufffd"], "read as damaged UTF-8 and UTF-8"),
        (b"a\n", b"\x81\n", ["@@ -1 +1 @@", "-a", "+\ufffd"], "read as UTF-8 and damaged UTF-8"),
        (b"a\0", b"a", [],
            "not compared as text, the old version is binary or damaged: the last 1 NUL byte, from byte offset 1 to the end"),
        (None, b"\0" * 9, [], "not compared as text, the new version is binary or damaged: all 9 bytes are NUL"),
    ],
)  # fmt: skip
def test_what_is_special_in_a_text_is_visible(old: bytes | None, new: bytes | None, lines: list[str], note: str) -> None:
    found, said_of_it = diff_text(old, new, "x")
    assert list(found[-len(lines) :]) == lines if lines else found == ()
    assert said_of_it == note


def test_names_in_headers_stay_on_their_line() -> None:
    lines, _ = diff_text(b"", b"x", "a\nb\udcff\x1b")
    assert lines[0] == "--- a/a\\nb\\udcff\\x1b"


def test_texts_too_large_are_not_compared() -> None:
    large = b"x" * (text_module.MAX_TEXT_BYTES + 1)
    assert diff_text(b"", large, "x") == ((), "the new version is too large to compare as text (16,777,217 bytes)")


def test_long_diffs_and_long_lines_are_cut_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "MAX_TEXT_LINES", 5)
    monkeypatch.setattr(text_module, "MAX_LINE_CHARACTERS", 20)
    lines, note = diff_text(b"", b"x" * 30 + b"\n" + numbered(*range(9)), "x")
    assert lines[2:] == ("@@ -0,0 +1,10 @@", "+" + "x" * 19 + "…", "+0")
    assert note == "only the first 5 lines of the difference are given; lines are cut at 20 characters"


def test_large_texts_that_share_little_are_compared_in_bounded_time() -> None:
    chance = random.Random(7)
    old, new = ([b"%d" % chance.randrange(3_000) for _ in range(20_000)] for _ in range(2))
    lines, note = diff_text(b"\n".join(old), b"\n".join(new), "x")
    assert len(lines) == text_module.MAX_TEXT_LINES
    assert note


# --- contents ---


@pytest.mark.parametrize(
    ("kind", "old", "new", "values", "has_text", "note"),
    [
        (Kind.JSON, b"{}", b"{}", [], False, ""),
        (Kind.JSON, b'{"a": 1}', b'{"a": 2}', ["/a"], False, ""),
        (Kind.JSONL, b'{"a": 1}\n{"b": 1}\n', b'\n{"a": 1}\n\n{"b": 2}', ["/1/b"], False, ""),
        (Kind.JSON, b'{"a": 1}', b'{ "a": 1 }', [], True,
            "the values are the same; white space, order of names, spelling of values or encoding differ"),
        (Kind.JSON, b'{"a": 1}', b'{"a": ', [], True,
            "compared as text: the new version does not parse (truncated: ends inside an object that starts at line 1"),
        (Kind.JSON, b"", b"[]]", [], True,
            "compared as text: the old version does not parse (empty: has no bytes), the new version does not parse (trailing"),
        (Kind.JSON, b'{"a": NaN}', b'{"a": 1}', ["/a"], False,
            "the old version is not strict: not_a_number: at line 1 column 7"),
        (Kind.JSON, b"[]", b"[" * 300 + b"]" * 300, [], True,
            "compared as text: the new version is too large or too deeply nested to be compared by value"),
        (Kind.JSONL, b"1\n", b"1\n" + b"[" * 300 + b"]" * 300, [], True,
            "compared as text: the new version has lines that are too deeply nested"),
        (Kind.JSONL, b"1\n", b"1\nx\n", [], True, "compared as text: the new version does not parse (bad_lines: 1 of 2 lines"),
        (Kind.JSON, b"[1]", b"\0\0\0", [], False,
            "compared as text: the new version does not parse (nul_bytes: all 3 bytes are NUL); not compared as text"),
        (Kind.JSON, None, b"[1]", [], True, ""),
        (Kind.JSON, b"[1]", None, [], True, ""),
        (Kind.JSON, None, None, [], False, ""),
        (Kind.MARKDOWN, b"a", b"b", [], True, ""),
        (Kind.TEXT, b'{"a": 1}', b'{"a": 2}', [], True, ""),
    ],
)  # fmt: skip
def test_contents_are_compared_by_value_where_both_can_be_read(
    kind: Kind, old: bytes | None, new: bytes | None, values: list[str], has_text: bool, note: str
) -> None:
    found, text, said_of_it = diff_content(kind, old, new, "x")
    assert [change.pointer for change in found] == values
    assert bool(text) == has_text
    assert said_of_it[: len(note)] == note
    assert note or not said_of_it


def test_more_values_than_anyone_reads_are_cut_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "MAX_VALUES", 3)
    values, text, note = diff_content(Kind.JSON, b"[]", b"[1, 2, 3, 4]", "x")
    assert (len(values), text, note) == (3, (), "only the first 3 changed values are given")
    values, text, note = diff_content(Kind.JSON, b"[]", b"[1, 2, 3]", "x")
    assert (len(values), text, note) == (3, (), "")


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(Kind))
def test_any_two_contents_can_be_compared(old: bytes, new: bytes, kind: Kind) -> None:
    values, text, note = diff_content(kind, old, new, "x")
    assert (values, text, note) == ((), (), "") if old == new else values or text or note
    for line in text:
        line.encode()
