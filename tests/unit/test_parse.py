"""What is said of the bytes of documents, and what is read out of them, in every condition they come in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.extract import strict
from archive.extract.jsontext import LongInteger
from archive.extract.parse import MAX_LOAD_BYTES, classify, kind_of, load, read_lines, sniff, text_of
from archive.extract.strict import READABLE_DEPTH, is_strict_lean, parse_strict, strict_value
from archive.model.documents import Kind, ParseState
from tests.unit.conditions import BYTES, CONFLICT
from tests.unit.json_strategies import VALUES, damaged, exact, reference, texts

VALID, INVALID = ParseState.VALID, ParseState.INVALID
J, L, M, T = Kind.JSON, Kind.JSONL, Kind.MARKDOWN, Kind.TEXT


@pytest.mark.parametrize(
    ("kind", "data", "state", "error"), [pytest.param(*case, id=f"{case[0]}: {name}") for name, *case in BYTES]
)
def test_each_condition_gets_its_verdict(kind: Kind, data: bytes, state: ParseState, error: str) -> None:
    report = classify(kind, data)
    assert (report.state, report.error[: len(error)]) == (state, error)
    assert error or not report.error
    assert load(kind, data).report == report


def test_jsonl_in_a_json_file_is_recognised() -> None:
    assert classify(J, b'{"a": 1}\n\n{"a": 2}\n').error.endswith("; every line is a document of its own, as in JSONL")


def test_a_pretty_document_in_jsonl_is_recognised() -> None:
    assert classify(L, b'{\n"a": 1\n}').error.endswith("; the file as a whole is one JSON document")


@given(damaged())
@example(b'{"a":1,"a":1}')
@example(rb'{"a":":","a":"\u003a"}')
@example(rb'{"a":"\\u003a","b":1}')
def test_json_is_valid_exactly_if_the_standard_library_reads_it_strictly(data: bytes) -> None:
    report = classify(J, data)
    assert (report.state is VALID) == (reference(data) is not None)
    assert (report.error == "") == (report.state is VALID)


@given(st.binary(max_size=64) | damaged(), st.sampled_from(Kind))
def test_any_bytes_get_a_verdict_that_can_be_stored_and_shown(data: bytes, kind: Kind) -> None:
    report = classify(kind, data)
    report.error.encode()
    assert report.error.isprintable()
    assert len(report.error) < 4_000
    assert load(kind, data).report == report
    sniff(data)
    text_of(data).encode("utf-8", "strict")


@given(damaged())
def test_values_are_those_of_the_standard_library(data: bytes) -> None:
    expected, loaded = reference(data), load(J, data)
    if expected is not None:
        assert loaded.whole
        assert exact(loaded.value) == exact(expected[0])
        assert json.dumps(loaded.value) == json.dumps(expected[0])  # order of names too
    elif loaded.report.state is INVALID:
        assert not loaded.whole


@given(st.binary(max_size=40) | damaged())
def test_the_quick_checks_never_say_yes_to_what_is_not_strict(data: bytes) -> None:
    expected = reference(data)
    for found in (parse_strict(data), strict_value(data)):
        assert found is None or expected is not None
    assert not is_strict_lean(data) or expected is not None
    exactly = strict_value(data)
    if exactly is not None and expected is not None:
        assert exact(exactly[0]) == exact(expected[0])


@given(texts())
def test_the_lean_check_knows_all_that_is_strict(data: bytes) -> None:
    doubtful = rb"\\u" in data  # an escaped backslash before a u
    assert doubtful or is_strict_lean(data)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", ":", "a:"]), st.sampled_from(["1", '":"', '{"a": ":"}'])), max_size=5))
def test_a_dropped_name_is_always_noticed(members: list[tuple[str, str]]) -> None:
    data = "{" + ",".join(f'"{name}": {value}' for name, value in members) + "}"
    names = [name for name, _ in members]
    assert (parse_strict(data.encode()) is None) == (len(set(names)) < len(names))


@pytest.mark.parametrize(
    ("data", "strict"),
    [
        (rb'["\ud83d\ude00"]', True),
        (rb'["\ud83d"]', False),
        (rb'["\ude00"]', False),
        (rb'["\ud83d\ud83d\ude00"]', False),
        (rb'["\ud83d\ude00\ude00"]', False),
        (rb'["\\ud83d\ude00"]', False),
        (b"[" * 1_000 + b"]" * 1_000 + b"]", False),
        (b"[" * 1_001 + b"]" * 1_001, False),
        (b"[NaN]", False),
        (b'{"a": 1, "a": 1}', False),
        (b"\xff", False),
    ],
)
def test_large_documents_are_checked_for_the_same_without_building_them(data: bytes, strict: bool) -> None:
    assert is_strict_lean(data) is strict


def test_a_large_document_is_checked_as_exactly_as_a_small_one() -> None:
    start, end = b'{"fill": [' + b'"0123456789",' * 100_000, b"0]}"
    assert len(start) > strict._LEAN_FROM_BYTES
    assert classify(J, start + end).state is VALID
    assert classify(J, start).error.startswith("truncated: ends inside an array that starts at line 1 column 10, after 100,000")
    assert classify(J, start + b'{"k": 1, "k": 2},' + end).code == "duplicate_keys"
    assert classify(J, start + rb'"\ud800",' + end).code == "lone_surrogate"
    assert classify(J, start + end + end).code == "trailing_data"


def test_a_dense_large_document_is_not_checked_where_it_would_take_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strict, "_LEAN_MEMORY_BYTES", 1_000)
    assert not is_strict_lean(b"[" + b"[]," * 100 + b"0]")
    assert is_strict_lean(b"[" + b"1," * 100 + b"0]")


def test_integers_are_exact_whatever_their_length() -> None:
    text = b"[%s, %s, %s, 12345678901234567890.0]" % (b"9" * 25, b"-" + b"9" * 19, b"9" * 5_000)
    value = load(J, text).value
    assert value == [int("9" * 25), -int("9" * 19), "9" * 5_000, 12345678901234567890.0]
    assert isinstance(value, list)
    assert isinstance(value[2], LongInteger)


def test_integers_longer_than_python_is_allowed_to_convert_are_texts() -> None:
    allowed = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert load(J, b"9" * 641).value == LongInteger("9" * 641)
    finally:
        sys.set_int_max_str_digits(allowed)


def test_of_a_name_that_occurs_twice_the_last_value_counts() -> None:
    assert load(J, b'{"a": 1, "b": 2, "a": 3}').value == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1} {"a": 2}', {"a": 1}),
        (b"[1]]", [1]),
        (b"[1]\n\0\0\0", [1]),
        (b"null x", None),
    ],
)
def test_a_whole_first_document_can_be_read_whatever_follows(data: bytes, value: object) -> None:
    loaded = load(J, data)
    assert (loaded.readable, loaded.whole, loaded.value) == (True, False, value)


@pytest.mark.parametrize("data", [b"", b'{"a": 1', b"[1,,2]", b"\xff", b"\0", CONFLICT])
def test_what_has_no_whole_document_has_no_value(data: bytes) -> None:
    loaded = load(J, data)
    assert (loaded.readable, loaded.whole, loaded.value) == (False, False, None)


def test_no_value_is_nested_deeper_than_readers_can_go() -> None:
    for depth, readable in ((READABLE_DEPTH, True), (READABLE_DEPTH + 1, False)):
        data = b"[" * depth + b"]" * depth
        assert load(J, data).report.state is VALID
        assert load(J, data).readable is readable
        assert load(L, b"1\n" + data).bad_lines == (() if readable else (2,))
        assert load(L, b"1\n" + data).whole is readable


def test_documents_above_the_limit_are_classified_and_not_turned_into_values() -> None:
    loaded = load(J, b"[" + b" " * MAX_LOAD_BYTES + b"]")
    assert (loaded.report.state, loaded.readable, loaded.value) == (VALID, False, None)


def test_good_lines_are_read_whatever_stands_between_them() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\n\nx\n[2]{}\r\n"three"\r\n{"b'
    loaded = load(L, data)
    assert loaded.records == ((1, {"a": 1}), (5, "three"))
    assert loaded.value == [{"a": 1}, "three"]
    assert loaded.bad_lines == (3, 4, 6)
    assert (loaded.readable, loaded.whole) == (True, False)
    assert tuple(read_lines(data)) == loaded.records


@given(st.lists(damaged() | texts(), max_size=5))
def test_a_jsonl_document_is_valid_exactly_if_all_its_lines_are(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    numbered = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        assert classify(L, data).state is not VALID
    elif b"\0" not in data:
        good = {number: value for number, line in numbered if (value := reference(line)) is not None}
        loaded = load(L, data)
        assert (loaded.report.state is VALID) == (len(good) == len(numbered))
        records = {number: exact(value) for number, value in loaded.records}
        assert {number: records.get(number) for number in good} == {n: exact(value[0]) for n, value in good.items()}
        assert records.keys() | set(loaded.bad_lines) == {number for number, _ in numbered}


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_jsonl_in_utf16_is_read(values: list[object]) -> None:
    text = "\n".join(json.dumps(value) for value in values)
    assert load(L, text.encode("utf-16")).value == values


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffé\r\n".encode(), "é\r\n"),
        ("é".encode("utf-16"), "é"),
        (b"na\xefve", "naïve"),
        (b"\x93x\x94", "“x”"),
        ("é".encode() + b"\xe9", "é\ufffd"),
        (b"\x81", "\ufffd"),
    ],
)
def test_text_is_read_in_the_encoding_it_seems_to_have(data: bytes, text: str) -> None:
    loaded = load(T, data)
    assert (loaded.value, loaded.readable) == (text, True)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.json", J), ("agents/A.JSON", J), (".json", J), (".claude.json", J), ("x.jsonl", L), ("x.ndjson", L), ("x.md", M),
        ("x.yaml", T), ("x.json.bak", T), ("x.py", T), ("README", None), ("agents/memory", None), ("v1.2/memory", None),
        (".gitignore", None), ("odd.", None), ("", None), ("a\udcff.json", J),
    ],
)  # fmt: skip
def test_the_kind_follows_from_the_name(path: str, kind: Kind | None) -> None:
    assert kind_of(path) is kind


LONG = b'{"type": "entity", "name": "' + b"x" * 70_000 + b'"}'


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("an object", b'{"a": 1}', J),
        ("an object and a newline", b'{"a": 1}\n', J),
        ("a pretty object", b'{\n  "a": [\n    1\n  ]\n}\n', J),
        ("a pretty array of arrays", b"[\n[1, 2],\n[3, 4],\n[5, 6]\n]\n", J),
        ("an empty array", b"[]", J),
        ("a damaged object", b'{"a": 1,, }', J),
        ("an object cut", b'{"a": {"b"', J),
        ("a byte order mark", b'\xef\xbb\xbf{"a": 1}', J),
        ("UTF-16", '{"a": 1}'.encode("utf-16"), J),
        ("a comment inside", b"[ // list\n1]", J),
        ("one long object", LONG, J),
        ("records", b'{"a": 1}\n{"a": 2}\n', L),
        ("records without a final newline", b'{"a": 1}\n\n{"a": 2}', L),
        ("records, the last torn", b'{"a": 1}\n{"a": 2}\n{"a"', L),
        ("records, the first bad", b'{"a": 1\n{"a": 2}\n{"a": 3}\n', L),
        ("long records", LONG[:40_000] + b'"}\n' + LONG, L),
        ("CRLF records", b"[1]\r\n[2]\r\n", L),
        ("nothing", b"", None),
        ("prose", b"see README", None),
        ("a scalar", b"42", None),
        ("an INI file", b"[core]\n\tbare = false\n[filter]\n", None),
        ("a link", b"[1]: https://example.org\n", None),
        ("footnotes", b"[1] first\n[2] second\n", None),
        ("a wiki link", b"[[Page]] text", None),
        ("a shell test", b'[ -z "$PS1" ] && return\n', None),
        ("another shell test", b'[ "$1" ] && exit\n', None),
        ("a shell block", b"{ echo x; }\n", None),
        ("a program", b"\x7fELF\0\0", None),
    ],
)
def test_files_without_an_extension_are_known_by_their_content(name: str, data: bytes, kind: Kind | None) -> None:
    assert sniff(data) is kind, name


STATES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "rengine-agents.tar.xz"


@pytest.mark.skipif(not STATES.exists(), reason="needs the real data")
def test_the_damaged_files_of_a_real_project_are_found_and_no_others() -> None:
    import tarfile

    damaged_files = {}
    with tarfile.open(STATES) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                data = stream.read()
                report = classify(kind_of(member.name) or sniff(data) or T, data)
                if report.state is not VALID:
                    damaged_files["/".join(Path(member.name).parts[-3:])] = report.code
    assert damaged_files == {
        "20250816_182517/agents/functions.json": "trailing_data",
        "20250816_182517/agents/structure.json": "trailing_data",
        "20250818_000551/agents/handoff.json": "trailing_data",
        "20250818_000551/agents/structure.json": "trailing_data",
        "20250822_223404/agents/bootstrap-config.json": "empty",
        "20250822_223404/agents/handoff.json": "trailing_data",
        "20250822_223404/agents/structure.json": "trailing_data",
    }


@given(
    st.sampled_from(["zqsecret", "zq secret", 'zq\\"secret', "7311995533"]),
    st.sampled_from(['{{"a": 1}}{{"password": {}}}', '{{"a": {} "b"}}', "[{} {}]", "{}", '{{"a": 1}}\n{}', '{{"k" {}']),
    st.booleans(),
    st.integers(0, 40),
    st.sampled_from([J, L]),
)
def test_no_verdict_repeats_a_value(secret: str, form: str, is_quoted: bool, cut: int, kind: Kind) -> None:
    value = f'"{secret}"' if is_quoted else secret
    data = form.format(*[value] * form.count("{}")).encode()
    for damaged_ in (data, data[: max(1, len(data) - cut)]):
        error = classify(kind, damaged_).error
        assert "secret" not in error
        assert "7311" not in error
