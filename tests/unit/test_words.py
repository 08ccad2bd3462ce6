from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.extract.words import MAX_IDENTIFIER, TOKEN, has_token, identifier_parts, index_words, split_unspaced


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("loadJsonMemory", "load json memory"),
        ("HTTPServer", "http server"),
        ("parseHTTPResponse2", "parse http response 2"),
        ("phase1", "phase 1"),
        ("gpt4o", "gpt 4 o"),
        ("APIs", "api s"),
        ("SQLite", "sq lite"),
        ("éclairAuChocolat", "éclair au chocolat"),
        ("word", ""),
        ("Word", ""),
        ("WORD", ""),
        ("v3", ""),
        ("16t17", ""),
        ("34Z", ""),
        ("aGVsbG8gd29ybGQ", ""),  # encoded data has parts too short for a name
        ("aB" * MAX_IDENTIFIER, ""),
    ],
)
def test_a_name_from_code_has_parts(word: str, parts: str) -> None:
    assert identifier_parts(word) == parts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("plain text, perf_opt_2025 and js/utils.js v3.04.87", ""),
        ("It starts With capitals. So It Does", ""),
        ("at 2025-08-16T17:20:34Z", ""),
        ("calls loadJsonMemory() twice: loadJsonMemory", "load json memory"),
        ("fetchAll, saveOne", "fetch all save one"),
        ("“quoted” text — with dashes… and cafés", ""),
        ("数据库", "数 据 库"),
        ("使用SQLite数据库 now", "sq lite 使 用 SQLite 数 据 库"),
        ("한국어 검색", "한 국 어 검 색"),
        ("データ", "デ ー タ"),
        ("ภาษา", "ภ า ษ า"),
        ("✅ done", "u2705"),
        ("🤖done", "u1f916 done"),  # a picture newer than FTS5's tables is glued to the word
        ("ＡＢＣ", "ABC"),
        ("₺100", "100"),
    ],
)
def test_the_words_hidden_in_a_text_are_found(text: str, words: str) -> None:
    assert index_words(text) == words


@given(st.text(alphabet="abcdefghij .,;:-_/()\n"))
def test_plain_text_has_no_hidden_words(text: str) -> None:
    assert index_words(text) == ""


@given(st.text())
def test_any_text_is_searched_for_words_without_an_error(text: str) -> None:
    words = index_words(text)
    assert words == " ".join(words.split())


def test_a_long_run_of_letters_takes_no_longer_than_its_length_explains() -> None:
    for text in ("a" * 2_000_000, "aB" * 1_000_000, "数" * 200_000, "aB1" * 500_000):
        assert len(index_words(text)) <= 2 * len(text)


def _tokens(text: str) -> set[str]:
    """Returns the tokens that FTS5 makes of a text."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'row')")
    connection.execute("INSERT INTO t VALUES (?)", (text,))
    found = {term for (term,) in connection.execute("SELECT term FROM v")}
    connection.close()
    return found


def test_fts5_makes_a_token_of_each_character_that_is_taken_for_one() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and TOKEN.match(chr(code))]
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(x, tokenize = 'unicode61 remove_diacritics 2')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
    connection.executemany("INSERT INTO t(rowid, x) VALUES (?, ?)", ((ord(one), one) for one in characters))
    known = {doc for (doc,) in connection.execute("SELECT doc FROM v")}
    connection.close()
    assert [one for one in characters if ord(one) not in known] == []


@given(st.text(alphabet="数据库の検索한국어검ก文x9", min_size=1), st.data())
def test_each_character_of_a_text_without_spaces_is_a_token(text: str, data: st.DataObject) -> None:
    assert _tokens(" ".join(split_unspaced(text))) >= set("数据库の検索한국어검ก文") & set(unicodedata.normalize("NFKC", text))
    assert has_token(text)


@pytest.mark.parametrize("text", ["", " ", "++", "-", "…", "“”", "\u200b", "\u0301", "\u232a", "\uff9e"])
def test_signs_are_no_tokens(text: str) -> None:
    assert not has_token(text)
    assert not _tokens(index_words(text))


@pytest.mark.parametrize("text", ["a", "C++", "9", "½", "é", "数", "✅", "🎉", "(x)"])
def test_letters_digits_and_pictures_are_tokens(text: str) -> None:
    assert has_token(text)
