from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.items import Extractor
from archive.extract.words import has_token
from archive.query import Filter, Marker, Match, Query, near_ranges, near_terms, parse, render, snippet
from archive.query.near import distance
from archive.query.parse import MAX_CHARACTERS, MAX_TERMS
from archive.query.value import Field
from archive.search.catalogue import grouped, meets

Index = sqlite3.Connection


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    """Gives an empty index as the archive has it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE VIRTUAL TABLE f USING fts5(title, key, text, words, tokenize='unicode61 remove_diacritics 2')")
    yield connection
    connection.close()


def put(index: Index, *texts: str, title: str = "", key: str = "") -> None:
    """Makes the index hold these texts alone, as items with rowids from 1."""
    index.execute("DELETE FROM f")
    for number, text in enumerate(texts, 1):
        [item] = Extractor().of_json({"t": [{"text": text, **({"title": title} if title else {})}]})
        index.execute(
            "INSERT INTO f(rowid, title, key, text, words) VALUES (?,?,?,?,?)", (number, title, key, item.text, item.words)
        )


def found(index: Index, query: Query | str) -> list[int]:
    """Returns the rowids that a query finds."""
    match = render(parse(query) if isinstance(query, str) else query).match
    return [row for (row,) in index.execute("SELECT rowid FROM f WHERE f MATCH ? ORDER BY rowid", (match,))]


# --- what a query means


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("json memory", '"json" AND "memory"'),
        ('"json memory" x', '"json memory" AND "x"'),
        ("a OR b c", '("a" OR "b") AND "c"'),
        ("a OR b OR c", '("a" OR "b" OR "c")'),
        ("a AND b", '"a" AND "b"'),
        ("json -memory", '("json") NOT "memory"'),
        ('json -"two words" -x', '("json") NOT ("two words" OR "x")'),
        ("mem*", '"mem" *'),
        ('"two wor"*', '"two wor" *'),
        ("title:json", 'title : "json"'),
        ('key:"phase 1"', 'key : "phase 1"'),
        ("-title:json x", '("x") NOT title : "json"'),
        ("TASK-12", '"TASK-12"'),
        ("js/utils.js", '"js/utils.js"'),
        ("v3.04.87", '"v3.04.87"'),
        ("3.04.87", '("3.04.87" OR "v3.04.87")'),
        ("2025-08-16", '("2025-08-16" OR "2025-08-16T" *)'),
        ("loadJsonMemory", '("loadJsonMemory" OR "load json memory")'),
        ('"loadJsonMemory"', '"loadJsonMemory"'),
        ("C++", '"C++"'),
        ("it's", '"it\'s"'),
        ("a:b", '"a:b"'),
        ("--limit", '"--limit"'),
        ("数据库", '"数 据 库"'),
        ("使用SQLite", '("使 用" AND "SQLite")'),
        ("title:数据", '{title words} : "数 据"'),
        ("✅", '"u2705"'),
    ],
)
def test_what_people_type_means_what_they_mean(text: str, match: str) -> None:
    assert render(parse(text)) == Match(match, "")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('"unbalanced quote', '" unbalanced" AND "quote"'),
        ("OR", '"OR"'),
        ("OR a", '"OR" AND "a"'),
        ("a OR", '"a" AND "OR"'),
        ("a OR OR b", '"a" AND ("OR" OR "b")'),
        ("AND a", '"AND" AND "a"'),
        ("a NOT b", '"a" AND "NOT" AND "b"'),
        ("NEAR(a b, 2)", '"NEAR(a" AND "b," AND "2)"'),
        ("(a b)", '"(a" AND "b)"'),
        ("^a {x} b:c", '"^a" AND "{x}" AND "b:c"'),
        ("a*b", '"a*b"'),
        ("*a", '"*a"'),
        ("title:", '"title:"'),
        ("title: a", '"title:" AND "a"'),
        ("title:++", '"title:++"'),
        ("Title:a", '"Title:a"'),
        ("a\0b", '"a" AND "b"'),
        ('say"so"', '"say so "'),
        ("a - b", '"a" AND "b"'),
        ("a -> b", '"a" AND "b"'),
    ],
)
def test_what_is_not_clearly_an_operator_is_text(text: str, match: str) -> None:
    assert render(parse(text)) == Match(match, "")


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("", ()),
        ("  \n", ()),
        ("++", ("'++' has no letters or digits to look for",)),
        ("++ ->", ("'++' and '->' have no letters or digits to look for",)),
        ('""', ("empty quotes were left out",)),
        ("*", ("'*' has no letters or digits to look for",)),
        ("-", ("'-' has no letters or digits to look for",)),
    ],
)
def test_a_query_without_anything_to_look_for_is_empty_and_says_why(text: str, notes: tuple[str, ...]) -> None:
    query = parse(text)
    assert query.is_empty
    assert query.notes == notes
    assert render(query) == Match("", "")


def test_signs_among_words_are_left_out_and_it_is_said() -> None:
    query = parse("a + b")
    assert not query.is_empty
    assert query.notes == ("'+' has no letters or digits to look for",)


def test_only_words_to_leave_out_are_nothing_to_look_for() -> None:
    query = parse('-a -"b c"')
    assert query.is_empty
    assert query.notes == ("there are only words to leave out, and none to look for",)
    assert render(query) == Match("", '("a" OR "b c")')


def test_a_condition_on_documents_is_enough_to_look_for() -> None:
    query = parse("category:tasks -done")
    assert not query.is_empty
    assert query.filters == (Filter(Field.CATEGORY, "tasks"),)
    assert render(query) == Match("", '"done"')


def test_a_word_being_typed_may_go_on() -> None:
    assert render(parse("json mem", typing=True)).match == '"json" AND "mem" *'
    assert render(parse("json mem ", typing=True)).match == '"json" AND "mem"'
    assert render(parse("json me", typing=True)).match == '"json" AND "me"'
    assert render(parse('"json mem"', typing=True)).match == '"json mem"'
    assert render(parse("x -mem", typing=True)).match == '("x") NOT "mem"'
    assert render(parse("loadJsonMem", typing=True)).match == '("loadJsonMem" * OR "load json mem" *)'


@pytest.mark.parametrize(
    "text", ["word " * 2_000, "x" * 5_000, "数" * 5_000, "a-" * 3_000, "-x " * 500, "a OR " * 500, '"' * 999]
)
def test_a_very_long_query_is_cut_and_it_is_said(text: str, index: Index) -> None:
    query = parse(text)
    assert any("only the" in note for note in query.notes) or len(text) <= MAX_CHARACTERS
    assert len(query.groups) <= MAX_TERMS
    for expression in render(query):
        if expression:
            index.execute("SELECT rowid FROM f WHERE f MATCH ?", (expression,)).fetchall()


# --- conditions on documents


def accepts_document(query: Query, path: str, category: str) -> bool:
    """Does what a search does with each document."""
    groups = [(group[0].field, [one.test() for one in group]) for group in grouped(query.filters)]
    return meets(groups, {Field.PATH: path.casefold(), Field.CATEGORY: category.casefold()})


@pytest.mark.parametrize(
    ("text", "path", "accepted"),
    [
        ("path:agents", "agents/tasks.json", True),
        ("path:TASKS", "agents/tasks.json", True),
        ("path:docs", "agents/tasks.json", False),
        ("path:*.json", "agents/tasks.json", True),
        ("path:agents/*.json", "agents/deep/tasks.json", True),
        ("path:t?sks.json", "agents/tasks.json", True),
        ("path:*.md", "agents/tasks.json", False),
        ("path:a[b]*", "a[b]c.json", True),
        ("-path:agents", "agents/tasks.json", False),
        ("-path:docs", "agents/tasks.json", True),
        ("path:docs path:agents", "agents/tasks.json", True),
        ('path:"my notes"', "my notes/a.md", True),
        ("category:tasks", "x", True),
        ("category:Tasks", "x", True),
        ("category:task", "x", False),
        ("-category:tasks", "x", False),
        ("category:memory category:tasks", "x", True),
        ("category:tasks path:y", "x", False),
    ],
)
def test_conditions_choose_documents(text: str, path: str, accepted: bool) -> None:
    assert accepts_document(parse(text), path, "tasks") is accepted


def test_words_without_spaces_in_one_field_are_checked_after_the_index() -> None:
    query = parse("title:数据 -key:库")
    assert query.needs_check
    assert query.accepts_item("使用数据", "/x")
    assert not query.accepts_item("使用", "/数据")
    assert not query.accepts_item("使用数据", "/库")
    assert not parse("title:data 数据").needs_check


# --- what the index finds


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("calls loadJsonMemory()", "json memory"),
        ("calls loadJsonMemory()", "memory load"),
        ("calls loadJsonMemory()", '"json memory"'),
        ("calls load_json_memory()", "loadJsonMemory"),
        ("perf_opt_2025", "opt"),
        ("see js/utils.js", "utils"),
        ("task12 is done", "TASK-12"),
        ("TASK-12 is done", "task12"),
        ("phase_1", "phase1"),
        ("phase1", "phase 1"),
        ("at 2025-08-16T17:20:34Z", "2025-08-16"),
        ("on 2025-08-16.", "2025-08-16"),
        ("release v3.04.87", "3.04.87"),
        ("C++ and more", "C++"),
        ("it's", "it's"),
        ("naïve café", "naive CAFE"),
        ("naive cafe", "naïve café"),
        ("使用SQLite数据库", "数据"),
        ("使用SQLite数据库", "据"),
        ("使用SQLite数据库", "sqlite"),
        ("使用 SQLite 数据库", "使用SQLite数据库"),
        ("한국어 검색을", "검색"),
        ("データの備份", "備份"),
        ("ภาษาไทย", "ไทย"),
        ("all ✅done", "done ✅"),
        ("fixed🤖", "fixed"),
        ("ＡＢＣ", "abc"),
        ("memories", "memor*"),
        ("a title: b", "title:"),
    ],
)
def test_a_text_is_found_by(index: Index, text: str, query: str) -> None:
    put(index, "something else", text)
    assert found(index, query) == [2]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("json and memory", '"json memory"'),
        ("json", "json memory"),
        ("json memory", "json -memory"),
        ("数", "数据"),
        ("据数", "数据"),
        ("memories", "memor"),
        ("task 13", "TASK-12"),
        ("observer", "server"),
    ],
)
def test_a_text_is_not_found_by(index: Index, text: str, query: str) -> None:
    put(index, text)
    assert found(index, query) == []


def test_words_are_found_across_the_fields_of_an_item(index: Index) -> None:
    put(index, "body", title="heading", key="/way/to")
    assert found(index, "heading way body") == [1]
    assert found(index, "title:heading key:way") == [1]
    assert found(index, "title:body") == []


HOSTILE = (
    "", "'", '"', '""', '"""', "(", ")", "()", "*", "**", "^", "+", "-", "--", "-- x", "a -", '-"', '-""', "a AND", "NOT",
    "NOT a", "NEAR", "NEAR(", "NEAR(a b)", "NEAR/2", "a NEAR/2 b", "OR", "OR OR", "OR OR OR", "-OR", "title:", "title:*",
    "title:-a", "-title:", "title:title:a", "{title}: a", "title : a", "rowid:1", "rank:1", "f:a", "a:b:c", "a'b", "a''b",
    "';--", "\0", "a\0", "\0a", "\ud800", "a\ud800b", "\ufeff", "🎉", "👨‍👩‍👧", "e\u0301", "\u0301", "½", "①", "ﬁ", "İ",
    "ß", "\u202e", "(((((((((", '"a" "b', 'a"b"c', '"a"*"b"*', "a* *b", "*:*", "%", "_", "\\", '\\"', "[a]", "{a}",
    "a,b", "a;b", "x" * 3_000, "数" * 3_000, '" OR 1=1 --', "column:", "-path:", "path:", "path:*", "category:", "- -",
    "㎏", "₺5", "a OR -b", "-a OR b", "a OR path:x", "\u3000a\u3000b",
)  # fmt: skip


def _check(index: Index, text: str, typing: bool) -> None:
    """Does with a text all that a search does with what is typed."""
    query = parse(text, typing=typing)
    for one in (query, query.relaxed()):
        for expression in render(one) if one else ():
            if expression:
                index.execute("SELECT rowid FROM f WHERE f MATCH ?", (expression,)).fetchall()
    shown, spans = Marker(query).snippet(f"before {text} after", 40)
    assert all(0 <= start < end <= len(shown) for start, end in spans)
    accepts_document(query, text, text)
    query.accepts_item(text, text)


@pytest.mark.parametrize("typing", [False, True])
def test_no_hostile_query_is_an_error(index: Index, typing: bool) -> None:
    put(index, "a b title")
    for text in HOSTILE:
        _check(index, text, typing)


def _random_query(rng: random.Random) -> str:
    if rng.random() < 0.4:
        ranges = (0x250, 0x3000, 0x10000, 0x110000)
        return "".join(chr(rng.randrange(rng.choice(ranges))) for _ in range(rng.randint(0, 14)))
    pieces = [
        *"abcXY019_-./:'\"*()^{}[]+,;~!?@#$%&|<>=\\ \n\t\0",
        *"数据デ한üéก🎉🤖½ß\ud800\u3000\u200b\u0301",
        "OR",
        "AND",
        "NOT",
        "NEAR",
    ]
    pieces += ["title:", "key:", "path:", "category:", "loadJson", "TASK-12", "2025-01-02", " ", " ", " "]
    return "".join(rng.choice(pieces) for _ in range(rng.randint(0, 25)))


def test_ten_thousand_random_queries_are_no_errors(index: Index) -> None:
    put(index, "a b c", "数据 loadJson", "title NEAR OR")
    rng = random.Random(12)
    for number in range(10_000):
        _check(index, _random_query(rng), number % 2 == 0)


def _is_plain(query: Query) -> bool:
    return bool(query.groups) and not (query.excluded or query.filters) and all(term.field is Field.ANY for term in query.terms)


TYPED = st.one_of(
    st.text(),
    st.text(alphabet="abcXY019_-./:'\"*()+ 数据デ한é🎉🤖½\u0301ก", max_size=20),
    st.lists(
        st.sampled_from(["loadJson", "TASK-12", "数据库", "js/utils.js", "OR", "AND", "(x)", "✅", "v1.2", "-", "*"]),
        max_size=5,
    ).map(" ".join),
)


@given(TYPED)
def test_an_item_that_holds_exactly_what_is_typed_is_found(text: str) -> None:
    query = parse(text)
    if _is_plain(query):
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.execute(
            "CREATE VIRTUAL TABLE f USING fts5(title, key, text, words, tokenize='unicode61 remove_diacritics 2')"
        )
        put(connection, text)
        assert found(connection, query) == [1]
        connection.close()
    elif not (query.excluded or query.filters or query.groups):
        assert not any(map(has_token, text.split()))


# --- the second try


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a b", '("a" OR "b")'),
        ('"a b" c -d', '(("a" OR "b" OR "c")) NOT "d"'),
        ("title:a b*", '(title : "a" OR "b" *)'),
        ("a OR b c", '("a" OR "b" OR "c")'),
        ('"a + b"', '("a" OR "b")'),
    ],
)
def test_a_second_try_takes_any_of_the_words(text: str, match: str) -> None:
    relaxed = parse(text).relaxed()
    assert relaxed is not None
    assert relaxed.is_relaxed
    assert render(relaxed).match == match
    assert relaxed.relaxed() is None


@pytest.mark.parametrize("text", ["", "a", "a a", "a OR b", "-a", "path:x", '"a"'])
def test_there_is_no_second_try_that_would_be_the_same(text: str) -> None:
    assert parse(text).relaxed() is None


@given(TYPED)
def test_a_second_try_keeps_all_conditions(text: str) -> None:
    query = parse(text)
    relaxed = query.relaxed()
    assert relaxed is None or (relaxed.filters, relaxed.excluded) == (query.filters, query.excluded)


# --- showing what was found


def marked(query: str, text: str, width: int = 200) -> str:
    """Returns a snippet with its spans in square brackets."""
    shown, spans = snippet(text, parse(query), width)
    for start, end in reversed(spans):
        shown = f"{shown[:start]}[{shown[start:end]}]{shown[end:]}"
    return shown


@pytest.mark.parametrize(
    ("query", "text", "shown"),
    [
        ("json memory", "Memory of JSON", "[Memory] of [JSON]"),
        ("json", "loadJsonMemory, jsonify", "load[Json]Memory, jsonify"),
        ("json*", "jsonify it", "[json]ify it"),
        ("cafe", "Le Café, un cafe\u0301", "Le [Café], un [cafe\u0301]"),
        ("café", "cafe", "[cafe]"),
        ('"two words"', "two words, words two", "[two words], words two"),
        ("TASK-12", "task12, TASK-12, TASK-123", "[task12], [TASK-12], TASK-123"),
        ("loadJson", "load_json and loadJson", "[load_json] and [loadJson]"),
        ("js/utils.js", "in js/utils.js here", "in [js/utils.js] here"),
        ("3.04.87", "v3.04.87", "v[3.04.87]"),
        ("server", "HTTPServer, observer", "HTTP[Server], observer"),
        ("phase", "phase1 phases", "[phase]1 phases"),
        ("数据", "使用数据库", "使用[数据]库"),
        ("使用SQLite", "SQLite 使用", "[SQLite] [使用]"),
        ("✅ done", "✅done", "[✅][done]"),
        ("x -memory", "x memory", "[x] memory"),
        ("title:x y", "x y", "[x] [y]"),
        ("nothing", "some text", "some text"),
        ("a", "status: a\nagent: b\nfree\ntext", "status: [a] · agent: b free text"),
        ("", "text", "text"),
        ("++", "text", "text"),
    ],
)
def test_matched_words_are_marked(query: str, text: str, shown: str) -> None:
    assert marked(query, text) == shown


def test_a_snippet_shows_the_part_with_most_of_the_words() -> None:
    text = f"{'alpha ' * 50}{'filler ' * 50}alpha beta gamma {'filler ' * 50}"
    shown = marked("alpha beta gamma", text, 80)
    assert "[alpha] [beta] [gamma]" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_a_snippet_without_matches_shows_the_beginning() -> None:
    assert marked("x", "one two three four five six seven", 20) == "one two three four…"


@given(TYPED, st.text(alphabet="abX _-\n数é\u0301:", max_size=80), st.integers(5, 60))
def test_spans_lie_in_order_within_the_snippet(query: str, text: str, width: int) -> None:
    marker = Marker(parse(query))
    shown, spans = marker.snippet(text, width)
    assert len(shown) <= width + 2
    assert "\n" not in shown
    for places, of in ((spans, shown), (marker.spans(text), text)):
        borders = [border for span in places for border in span]
        assert borders == sorted(borders)
        assert all(0 <= span.start < span.end <= len(of) for span in places)


# --- near spellings

VOCABULARY = [
    ("memory", 90),
    ("memories", 40),
    ("memo", 9),
    ("json", 50),
    ("jason", 2),
    ("task", 30),
    ("tasks", 60),
    ("tusk", 1),
    ("a1b2c3d4", 1),
]


@pytest.mark.parametrize(
    ("term", "near"),
    [
        ("memroy", ("memory",)),
        ("Mémroy", ("memory",)),
        ("memry", ("memory",)),
        ("jsno", ("json",)),
        ("taks", ("tasks", "task")),
        ("tasc", ("task",)),
        ("jsons", ("json",)),
        ("memorise", ("memories",)),
        ("ab", ()),
        ("zzzzzz", ()),
    ],
)
def test_near_spellings_are_suggested(term: str, near: tuple[str, ...]) -> None:
    assert near_terms(term, VOCABULARY) == near


def test_the_frequent_one_of_equally_near_spellings_goes_first() -> None:
    assert near_terms("tesk", [("task", 3), ("desk", 99), ("tusk", 9)], limit=2) == ("tusk", "task")


def test_near_spellings_are_looked_for_under_the_first_two_letters() -> None:
    assert near_ranges("Émemory") == (("e", "f"), ("m", "n"))
    assert near_ranges("") == ()


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_bounded_and_the_same_both_ways(one: str, other: str) -> None:
    exact = distance(one, other, 20)
    assert exact == distance(other, one, 20)
    assert distance(one, other, 2) == min(exact, 3)
    assert (exact == 0) == (one == other)


@given(st.text("abcdef", min_size=1, max_size=8), st.data())
def test_one_change_is_a_distance_of_one(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    variants = [word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word[:at] + "x" + word[at + 1 :]]
    assert [distance(word, variant, 2) for variant in variants] == [1, 1, 1]
