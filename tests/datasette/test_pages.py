"""The five pages: they answer, escape everything, change nothing, and link to the SQL behind them."""

from __future__ import annotations

import html
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st

from archive import Archive, CheckDepth
from archive.cli.commands.inspect import make
from archive.datasette_plugin.serving import PAGES
from tests.datasette.conftest import Site
from tests.sql.sample import FIRST, NASTY, NOT_UTF8, STATES

EVERY = [
    *(f"./-/{page}" for page in PAGES),
    "./-/timeline?offset=1",
    *(f"./-/document?id={number}" for number in range(1, len(FIRST) + 1)),
    *(f"./-/document?id={number}&version=1" for number in range(1, len(FIRST) + 1)),
    "./-/document?path=agents/tasks.json&a=1&b=2",
    "./-/document?path=agents/tasks.json&a=1&b=3&diff=text",
    "./-/document?path=agents/memory.json&a=1&b=2",
    "./-/document?path=docs/roadmap.md&a=1&b=2",
    "./-/document?path=docs/old.md&at=latest",
    "./-/document?at=2&sort=size&q=docs&category=docs",
    "./-/document?go=step&step=1",
    "./-/search?q=lighthouse",
    "./-/search?q=lighthouse&history=1",
    "./-/search?q=lighthouse&at=2",
    "./-/search?q=keeper",
    "./-/search?q=lighthouse&kind=jsonl&since=2019-01-01&until=now&path=agents",
    "./-/search?q=lihgthouse",
    "./-/tasks?at=1",
    "./-/tasks?go=step&step=1",
    "./-/tasks?judge=1",
    "./-/health?check=1",
]


class Page(HTMLParser):
    """Collects what a page refers to and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.files: list[str] = []
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        if tag in ("link", "script", "img", "iframe"):
            self.files.append(str(values.get("href") or values.get("src")))
        if tag == "script":
            self.scripts.append(str(values.get("src")))
        self.handlers += [name for name in values if name.startswith("on") or name == "style"]
        if tag not in ("meta", "link", "input", "br", "img", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(tag)


@pytest.mark.parametrize("path", EVERY)
def test_every_page_answers_with_sound_html_and_nothing_from_elsewhere(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 200, response.text
    page = Page(response.text)
    assert (page.wrong, page.open) == ([], [])
    assert set(page.files) == {"data:,", "/-/archive/style.css", "/-/archive/page.js"}
    assert page.scripts == ["/-/archive/page.js"]
    assert page.handlers == []
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", EVERY)
def test_nothing_that_comes_from_files_is_markup(site: Site, path: str) -> None:
    text = site.get(path).text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>accident" not in text


@pytest.mark.parametrize("path", [f"./-/{page}" for page in PAGES] + EVERY[5:8] + ["./-/search?q=lighthouse"])
def test_every_page_links_to_sql_that_runs(site: Site, path: str) -> None:
    links = [link for link in Page(site.get(path).text).links if "?sql=" in link]
    assert links or path == "./-/search"
    for link in set(links):
        parts = urlsplit(link)
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert site.get(link).status_code in (200, 302)  # 1.0 knows the address of before, and sends on
        response = site.query(parts.path.removeprefix("/"), **parameters)
        assert response.status_code == 200, (link, response.text)


@pytest.mark.parametrize("path", [f"./-/{page}" for page in PAGES] + ["./-/document?id=1"])
def test_no_link_of_a_page_is_dead(site: Site, path: str) -> None:
    for link in sorted(set(Page(site.get(path).text).links)):
        if link.startswith("/"):
            assert site.get(link.partition("#")[0]).status_code in (200, 302), link


def test_the_timeline_shows_each_snapshot_with_what_it_changed(site: Site) -> None:
    text = site.get("./-/timeline").text
    assert text.count('class="card snapshot"') == len(STATES)
    assert "an &lt;b&gt;accident&lt;/b&gt;" in text
    assert text.count('class="chart"') == 2
    assert "2020-01-02: 1 snapshot, 0 added, 1 changed, 0 removed" in text


def test_two_versions_are_compared_by_value_or_by_line(site: Site) -> None:
    by_value = site.get("./-/document?path=agents/tasks.json&a=1&b=2").text
    assert "/tasks/0/status" in by_value
    assert re.search(
        r'<td class="old"><pre>&#34;pending&#34;</pre></td><td class="new"><pre>&#34;done&#34;</pre></td>', by_value
    )
    by_line = site.get("./-/document?path=docs/roadmap.md&a=1&b=2").text
    assert re.search(
        r"First the map, then the lighthouse\.</pre></td><td class=\"n\">3</td><td class=\"new\"><pre>The tides", by_line
    )


def test_a_document_can_be_seen_as_it_was(site: Site) -> None:
    assert "&#34;pending&#34;" in site.get("./-/document?path=agents/tasks.json&at=1").text
    gone = site.get("./-/document?path=docs/old.md&at=latest").text
    assert "It did not exist in snapshot 4" in gone
    assert 'class="state removed"' in gone
    assert site.get("./-/document?path=docs/old.md&at=2020-01-02").text.count("It did not exist") == 0


@pytest.mark.parametrize("path", [NASTY, NOT_UTF8, "agents/tasks.json"])
def test_a_download_is_the_file_byte_for_byte_and_nothing_a_browser_would_run(site: Site, sample: Path, path: str) -> None:
    with Archive.open(sample) as archive:
        shown = os_name(path)
        number = int(str(archive.sql("SELECT id FROM documents WHERE path = ?", [shown]).rows[0][0]))
    response = site.get(f"./-/document?id={number}&download=1")
    assert response.content == FIRST[path]
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"].startswith("attachment; ")
    assert "\n" not in response.headers["content-disposition"]
    assert (
        "sandbox" in response.headers["content-security-policy"]
        or "default-src 'none'" in response.headers["content-security-policy"]
    )


def os_name(path: str) -> str:
    from archive.storage.paths import to_text

    return to_text(path)


def test_the_commands_about_a_document_are_safe_to_paste(site: Site, sample: Path) -> None:
    with Archive.open(sample) as archive:
        number = int(str(archive.sql("SELECT id FROM documents WHERE path = ?", [NASTY]).rows[0][0]))
    text = site.get(f"./-/document?id={number}").text
    said = []
    for command in map(html.unescape, re.findall(r'data-copy="([^"]*)"', text)):
        script = f"archive() {{ printf '%s\\0' \"$@\"; }}; {command}"
        ran = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        said.append(ran.stdout.decode().split("\0"))
    assert ["restore", "--at", "1", "--", NASTY, ""] in said
    assert ["cat", "--at", "1", "--", NASTY, ""] in said


def test_search_marks_words_and_says_what_is_past(site: Site) -> None:
    text = site.get("./-/search?q=lighthouse").text
    assert text.count("<mark>") >= 4
    assert 'class="state removed">past' not in text
    assert 'class="state removed">past' in site.get("./-/search?q=keeper&history=1").text


def test_tasks_are_those_of_the_moment_with_reasons(site: Site) -> None:
    now, then = site.get("./-/tasks").text, site.get("./-/tasks?at=1").text
    assert 'aria-label="done"' in now
    assert 'aria-label="done"' not in then
    assert "1 is pending" in then
    assert re.search(r"Ready to be worked on <span class=\"count\">1</span>", now)
    assert re.search(r"Ready to be worked on <span class=\"count\">2</span>", then)


def test_health_shows_what_is_wrong_and_what_shrank(site: Site) -> None:
    text = site.get("./-/health").text
    assert "agents/memory.json" in text
    assert "ends inside a string" in text
    assert re.search(r'<b class="removed">−9\d %</b>', text)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("./-/document?id=999", 404),
        ("./-/document?path=../../etc/passwd", 404),
        ("./-/document?path=/etc/passwd", 404),
        ("./-/document?id=-1", 400),
        ("./-/document?id=1%20OR%201", 400),
        ("./-/document?id=99999999999999999999", 400),
        ("./-/document?id=1&version=99", 404),
        ("./-/document?id=1&a=1&b=99", 404),
        ("./-/document?id=1&download=99", 404),
        ("./-/document?at=nonsense", 400),
        ("./-/document?at=99", 404),
        ("./-/tasks?at=<script>", 400),
        ("./-/tasks?source=other", 404),
        ("./-/search?q=x&kind=nothing", 400),
        ("./-/search?q=x&cursor=nothing", 400),
        ("./-/search?q=" + "x" * 3000, 400),
        ("./-/timeline?offset=x", 400),
    ],
)
def test_a_request_that_makes_no_sense_is_told_so_on_a_page(site: Site, path: str, status: int) -> None:
    response = site.get(path)
    assert response.status_code == status, response.text
    page = Page(response.text)
    assert (page.wrong, page.open) == ([], [])
    assert "<script>" not in response.text.partition("<body>")[2]
    assert "That did not work" in response.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_pages_are_only_read(site: Site, method: str) -> None:
    assert site.request(method, "/-/timeline").status_code in (403, 405)


@pytest.mark.parametrize(
    "path", ["/-/archive/../__init__.py", "/-/archive/%2e%2e/__init__.py", "/-/archive/base.html", "/..%2f..%2fetc/-/timeline"]
)
def test_no_path_leads_to_other_files(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code in (302, 400, 404)
    assert "root:" not in response.text


def test_our_own_files_are_served_with_their_types(site: Site) -> None:
    assert site.get("/-/archive/style.css").headers["content-type"].startswith("text/css")
    assert site.get("/-/archive/page.js").headers["content-type"].startswith("text/javascript")
    style = site.get("/-/archive/style.css").text
    assert "prefers-color-scheme: dark" in style
    assert "url(" not in style


@given(
    page=st.sampled_from(sorted(PAGES)),
    name=st.sampled_from(["at", "id", "path", "q", "a", "b", "step", "source", "project", "sort", "offset", "cursor", "kind"]),
    value=st.text(max_size=30),
)
def test_no_parameter_makes_a_page_fail(site: Site, page: str, name: str, value: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in value):
        return
    response = site.get(f"./-/{page}?{name}={quote(value)}&go=step")
    assert response.status_code in (200, 400, 404), (response.status_code, response.text)


def test_what_takes_too_long_is_given_up(sample: Path, sites: Callable[[Any], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.datasette_plugin.serving.TIME_LIMIT_S", 0.05)
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    monkeypatch.setattr("archive.datasette_plugin.pages.timeline.DAYS", endless)
    response = sites(make(sample)).get("./-/timeline")
    assert response.status_code == 503
    assert "took longer than 0.05 s" in response.text


def test_who_may_not_see_the_database_sees_no_page(sample: Path, sites: Callable[[Any], Site]) -> None:
    for rule in (
        {"allow": False},
        {"databases": {"archive": {"allow": False}}},
        {"databases": {"archive": {"allow_sql": False}}},
    ):
        site = sites(Datasette([str(sample)], **{"config" if hasattr(Datasette, "set_column_metadata") else "metadata": rule}))
        for page in PAGES:
            assert site.get(f"./-/{page}").status_code == 403, (rule, page)


def test_an_empty_archive_says_what_to_do(tmp_path: Path, sites: Callable[[Any], Site]) -> None:
    Archive.create(tmp_path / "archive.db").close()
    site = sites(make(tmp_path / "archive.db"))
    for page in PAGES:
        response = site.get(f"./-/{page}")
        assert response.status_code == 200, (page, response.text)
        assert Page(response.text).wrong == []
    assert "archive backup" in site.get("./-/timeline").text


def test_versions_of_the_same_bytes_say_what_else_is_another(tmp_path: Path, root: Path, sites: Callable[[Any], Site]) -> None:
    file = root / "a.json"
    with Archive.create(tmp_path / "archive.db") as archive:
        for mtime, mode in ((1_500_000_000, 0o644), (1_500_000_060, 0o644), (1_500_000_060, 0o600)):
            file.write_bytes(b'{"a": 1}')
            file.chmod(mode)
            os.utime(file, (mtime, mtime))
            archive.backup(root)
    site = sites(make(tmp_path / "archive.db"))
    text = site.get("./-/document?path=a.json&a=1&b=2").text
    assert "The content is the same, byte for byte. Another time of modification: 2017-07-14 02:40:00.000 →" in text
    assert text.count(">same</span>") == 2
    text = site.get("./-/document?path=a.json&a=2&b=3").text
    assert "byte for byte. Another mode: 0644 → 0600." in text


def test_health_says_when_the_archive_was_last_checked_and_warns_where_that_is_long_ago(
    copied: Path, sites: Callable[[Any], Site]
) -> None:
    site = sites(make(copied))
    text = site.get("./-/health").text
    assert re.search(r'>good</span> [\d,]+ days ago <span class="dim small">2020-01-\d\d', text)
    assert "every byte of content" in text
    assert "All content was last read" in text
    with Archive.open(copied, mode="write") as archive:
        archive.check(depth=CheckDepth.STRUCTURE)
    text = site.get("./-/health").text
    assert re.search(r">good</span> just now .*the structure only", text)
    assert "the last one that read all content" in text
    assert "All content was last read" in text
    with Archive.open(copied, mode="write") as archive:
        assert archive.check().is_recorded
    text = site.get("./-/health").text
    assert "every byte of content" in text
    assert "All content was last read" not in text


@pytest.mark.usefixtures("damaged_on_purpose")
def test_health_shows_what_the_last_check_found_and_that_none_was_made(copied: Path, sites: Callable[[Any], Site]) -> None:
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("DELETE FROM checks")
    site = sites(make(copied))
    assert "No check was ever recorded." in site.get("./-/health").text
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        connection.execute("UPDATE deltas SET data = zeroblob(length(data))")
    with Archive.open(copied, mode="write") as archive:
        assert archive.check().is_recorded
    text = site.get("./-/health").text
    assert re.search(r'state bad">bad</span> <b class="removed">\d+ objects are bad</b> just now', text)
    assert "it does not decode" in text


def test_the_check_of_a_page_is_not_recorded(copied: Path, sites: Callable[[Any], Site]) -> None:
    site = sites(make(copied))
    before = site.json("./checks.json", _shape="array")
    assert "Checked just now" in site.get("./-/health?check=1").text
    assert site.json("./checks.json", _shape="array") == before


def test_health_checks_the_structure_when_it_is_asked_to(site: Site) -> None:
    assert "Checked just now" not in site.get("./-/health").text
    text = site.get("./-/health?check=1").text
    assert re.search(r"Checked just now, all but the contents: [\d,]+ objects are good\.", text)


def test_tasks_too_many_to_be_judged_in_passing_are_judged_when_one_asks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = site.get("./-/tasks").text
    monkeypatch.setattr("archive.datasette_plugin.pages.tasks.JUDGED_AT_ONCE", 2)
    text = site.get("./-/tasks").text
    assert "3 tasks are too many to judge in passing" in text
    assert re.findall(r'aria-label="(\w+)">\s*<h3>', text) == re.findall(r'aria-label="(\w+)">\s*<h3>', whole)
    assert "chart the tides" in text
    judged = site.get("./-/tasks?judge=1").text
    assert 'Ready to be worked on <span class="count">1</span>' in judged
