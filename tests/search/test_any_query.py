from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import Archive
from archive.errors import QueryError, UsageError
from archive.model.search import NoteKind
from archive.model.snapshots import Progress, Stage
from archive.search import scanning
from tests.search.conftest import Remember

HOSTILE = (
    *("", " ", "\0", "a\0b", "\ud800", "\udcff x", '"', '""', '"unbalanced', 'un"balanced', "'", "it's", "a:b", "a:", ":a"),
    *(
        "-",
        "--",
        "-a",
        "- a",
        "--a",
        "*",
        "a*",
        "*a",
        "**",
        "a**",
        "(",
        ")",
        "()",
        "(a OR",
        "a OR",
        "OR",
        "OR OR",
        "AND",
        "NOT",
    ),
    *("NOT a", "a NOT b", "NEAR", "NEAR(a b)", "NEAR(a b, 3)", "a NEAR/2 b", "{title} : a", "title : a", "title:", "title:*"),
    *("title:-a", "-title:a", "nosuch:a", "rowid:1", "rank", "^a", "a ^ b", "a + b", "a.b", "a/b", "a\\b", "a%b", "_", "__"),
    *(
        "TASK-12",
        "js/utils.js",
        "v3.04.87",
        "C++",
        "C#",
        ".NET",
        "🚀",
        "👩\u200d🚀",
        "\u202e",
        "\ufeff",
        "\u0301",
        "ﬁ",
        "㎏",
        "ｆｕｌｌ",
    ),
    *(
        "';DROP TABLE items;--",
        "1=1",
        "%",
        "?",
        ":x",
        "@x",
        "$x",
        "${HOME}",
        "$(id)",
        "<script>",
        "&amp;",
        "\\d+",
        "[a-z]",
        "a|b",
    ),
    *(
        "path:",
        "path:*",
        "path:**",
        "path:[",
        "path:[!a]",
        "path:\0",
        "-path:x",
        "category:",
        "category:nope x",
        "key:/",
        "key:~1",
    ),
    *(
        "a " * 5_000,
        "a" * 50_000,
        "(" * 5_000,
        '"' * 5_001,
        "-a " * 2_000,
        "a OR " * 2_000,
        "字" * 3_000,
        "a*" * 2_000,
        "x:" * 3_000,
    ),
    *("\t\n\r\v\f", "a\nb", "\x1b[31m", "\x7f", "\u2028", "٣", "Ⅷ", "ß", "İ", "ı", "ﷺ", "𝕊", "\U0010ffff", "\ufffe"),
)


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_an_error(sample: Archive, query: str) -> None:
    for options in (dict[str, Any](), {"history": True}, {"at": "latest"}, {"substring": True}):
        page = sample.search(query, **options)
        assert len(page.items) <= page.limit
        for hit in page.items:
            for text, spans in (
                (hit.place, hit.place_spans), (hit.title, hit.title_spans), (hit.snippet, hit.snippet_spans),
            ):  # fmt: skip
                assert all(0 <= start < end <= len(text) for start, end in spans)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(query=st.text(max_size=40))
def test_no_text_of_any_letters_is_an_error(sample: Archive, query: str) -> None:
    page = sample.search(query)
    assert page.total >= len(page.items)


@pytest.mark.slow
def test_ten_thousand_texts_of_any_letters_are_no_errors(sample: Archive) -> None:
    chance = random.Random(20250816)
    known = ["memory", "task", '"', "OR", "-", "*", ":", "title:", "path:", "字", "🚀", "\0", "(", " ", "NEAR", "é"]
    for _ in range(10_000):
        parts = [chance.choice(known) for _ in range(chance.randrange(4))]
        parts += [
            chr(chance.randrange(chance.choice((0x80, 0x300, 0x3100, 0x10000, 0x110000)))) for _ in range(chance.randrange(8))
        ]
        chance.shuffle(parts)
        sample.search("".join(parts))


@pytest.mark.parametrize(("text", "found"), [("lickeri", "[id=TASK-12]"), ("EÑA", "/Beatriz Peña"), ("库迁", "部署")])
def test_a_substring_is_found_inside_words(sample: Archive, text: str, found: str) -> None:
    hits = sample.search(text, substring=True).items
    assert [hit for hit in hits if found in hit.key]
    for hit in hits:
        for shown, spans in ((hit.title, hit.title_spans), (hit.snippet, hit.snippet_spans)):
            assert all(len(shown[start:end]) == len(text) for start, end in spans)
        assert hit.title_spans or hit.snippet_spans


def test_a_regular_expression_is_found(sample: Archive) -> None:
    page = sample.search(r"^priority: \w+|TASK-1[34]", regex=True)
    assert {hit.key for hit in page.items} >= {"/tasks[id=TASK-13]", "/tasks[id=TASK-14]"}


@pytest.mark.parametrize("options", [{"substring": True}, {"regex": True}])
def test_looking_at_every_item_is_reported(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr("archive.search.scanning._LOOKED_AT_ONCE", 10)
    remember({"a.json": json.dumps([{"id": n, "text": f"word{n}"} for n in range(4000)]).encode()})
    seen: list[Progress] = []
    assert archive.search("word3999x", on_progress=seen.append, **options).items == ()
    assert {one.stage for one in seen} == {Stage.SCAN}
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert 3_900 < seen[-1].done <= seen[-1].total <= 4_010


@pytest.mark.parametrize("pattern", ["(", "[", "*", "(?P<", "a{2,1}", "\\"])
def test_what_is_no_regular_expression_is_refused_with_a_reason(sample: Archive, pattern: str) -> None:
    with pytest.raises(QueryError, match="no regular expression"):
        sample.search(pattern, regex=True)


def test_a_regular_expression_that_never_ends_is_ended(
    archive: Archive, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "TIME_LIMIT_S", 1)
    remember({"a.txt": b"a" * 60 + b"!"})
    started = time.monotonic()
    with pytest.raises(QueryError, match="took longer than 1 second"):
        archive.search(r"(a+)+$", regex=True)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_limit_that_makes_no_sense_is_refused(sample: Archive, limit: int) -> None:
    with pytest.raises(UsageError):
        sample.search("a", limit=limit)


def test_words_to_leave_out_alone_find_nothing_and_the_page_says_so(sample: Archive) -> None:
    page = sample.search("-redis")
    assert not page.items
    assert NoteKind.EMPTY in {note.kind for note in page.notes}


def test_a_filter_alone_lists_what_is_there(sample: Archive) -> None:
    page = sample.search("path:operations.md", limit=100)
    assert page.total == len(page.items) == len({hit.key for hit in page.items}) > 4
    assert {hit.path for hit in page.items} == {"docs/operations.md"}
