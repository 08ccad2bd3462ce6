"""The page opens in a real browser from a file, finds documents, and takes nothing in them for anything but text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import Archive
from archive.model.documents import DocumentState, Kind, ParseState
from archive.recovery import page as page_module
from archive.recovery.page import page_entry, text_limit
from tests.conftest import Tree
from tests.recovery.conftest import made_folder, make

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
browser_test = pytest.mark.browser

EVIL = '</script><script>document.title="pwned"</script><img src=x onerror="document.title=\'pwned\'"><!-- <b>'
PROJECT: Tree = {
    "agents/tasks.json": b'{"title": "The tasks", "tasks": [{"title": "Wire the \xc3\x9cberfall alarm"}]}\n',
    "agents/memory.json": b'{"memory": "the quick brown fox"}\n',
    "agents/broken.json": b'{"memory": <<<<<<< HEAD\n',
    "docs/guide.md": b"# How to begin\n\nRead this first, then look for the needle.\n",
    "docs/evil.md": EVIL.encode() + b"\n\n# " + EVIL.encode() + b"\n",
    "a b#c?d%41.md": b"# Odd name\n",
    "top.md": b"# At the top\n",
}


def documents_of(folder: Path) -> list[Any]:
    text = (folder / "index.html").read_text()
    (data,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    found: list[Any] = json.loads(data)["documents"]
    return found


@pytest.fixture
def project(archive: Archive, root: Path, write: Callable[[Tree], None]) -> Archive:
    write(PROJECT)
    archive.backup(root, message='"quoted" & <b>bold</b>')
    return archive


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, started once; each page is opened in a context of its own."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, folder: Path, **context: Any) -> Iterator[Page]:
    """Opens a package's page from its file; fails on any error it logs, and on any request that leaves the folder."""
    logged: list[str] = []
    with browser.new_context(**context) as fresh:
        page = fresh.new_page()
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("request", lambda request: logged.append(request.url) if not request.url.startswith(folder.as_uri()) else None)
        page.goto((folder / "index.html").as_uri())
        page.locator("#results a").first.wait_for()
        yield page
    assert logged == []


def names(page: Page) -> list[str]:
    return page.locator("#results a b").all_inner_texts()


@browser_test
def test_all_documents_are_listed_and_a_search_finds_the_right_one(browser: Browser, project: Archive, out: Path) -> None:
    with opened(browser, made_folder(make(project, out))) as page:
        assert page.inner_text("#count") == "7 documents"
        assert sorted(names(page)) == sorted(path.split("/")[-1] for path in PROJECT)
        page.keyboard.press("/")
        page.keyboard.type("NEEDLE first")
        page.get_by_text("1 document found").wait_for()
        assert names(page) == ["guide.md"]
        assert [mark.lower() for mark in page.locator("#results mark").all_inner_texts()] == ["first", "needle"]
        page.keyboard.press("Enter")
        page.locator("article h2", has_text="How to begin").wait_for()
        assert page.inner_text("article pre") == PROJECT["docs/guide.md"].decode()
        assert page.locator("article mark").count() == 2


@pytest.mark.slow
@browser_test
def test_words_are_found_in_names_titles_and_texts_whatever_their_case(browser: Browser, project: Archive, out: Path) -> None:
    with opened(browser, made_folder(make(project, out))) as page:
        for query, expected in {
            "überFALL": ["tasks.json"],
            "memory": ["memory.json", "broken.json"],
            "agents/ fox": ["memory.json"],
            "begin": ["guide.md"],
            "(.*": [],
            "nowhere": [],
        }.items():
            page.fill("#query", query)
            count = f"{len(expected)} document{'' if len(expected) == 1 else 's'} found"
            page.locator("#count", has_text=re.compile(f"^{count}$")).wait_for()
            assert names(page) == expected


@pytest.mark.slow
@browser_test
def test_the_whole_page_can_be_used_from_the_keyboard(browser: Browser, project: Archive, out: Path) -> None:
    with opened(browser, made_folder(make(project, out))) as page:
        page.keyboard.press("/")
        page.keyboard.type("md")
        page.locator("#count", has_text="found").wait_for()
        found = names(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.locator("article h2").wait_for()
        assert page.inner_text("article .place").endswith(found[1])
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        assert page.evaluate("document.activeElement.id") == "query"
        page.keyboard.press("Escape")
        page.locator("#count", has_text=re.compile("^7 documents$")).wait_for()
        assert page.input_value("#query") == ""


@pytest.mark.slow
@browser_test
def test_each_match_in_a_document_can_be_gone_to(browser: Browser, archive: Archive, root: Path, out: Path) -> None:
    (root / "long.md").write_text("needle one\n" + "hay\n" * 300 + "needle two\n" + "hay\n" * 300 + "needle three\n")
    archive.backup(root)
    with opened(browser, made_folder(make(archive, out))) as page:
        page.keyboard.press("/")
        page.keyboard.type("needle")
        page.locator("#results mark").first.wait_for()
        page.keyboard.press("Enter")
        seen = []
        for key in ("n", "n", "n", "p"):
            page.locator("mark.here").wait_for()
            seen.append((page.inner_text("#hit"), page.evaluate(
                "document.querySelector('mark.here').getBoundingClientRect().bottom < innerHeight"
                " && document.elementFromPoint(document.querySelector('article h2').getBoundingClientRect().x + 5,"
                "   document.querySelector('article h2').getBoundingClientRect().y + 5).tagName == 'H2'")))  # fmt: skip
            page.keyboard.press(key)
        assert seen == [("1 of 3", True), ("2 of 3", True), ("3 of 3", True), ("1 of 3", True)]
        assert page.inner_text("#hit") == "3 of 3"


@browser_test
def test_what_looks_like_html_in_a_document_is_text(browser: Browser, project: Archive, out: Path) -> None:
    with opened(browser, made_folder(make(project, out))) as page:
        assert '"quoted" & <b>bold</b>' in page.inner_text("header p")
        page.fill("#query", "onerror")
        page.locator("#results a", has_text="evil.md").click()
        page.locator("article pre", has_text="</script><script>").wait_for()
        assert page.title() == f"project, {project.snapshot().label}"
        assert page.locator("img").count() == 0


@pytest.mark.slow
@browser_test
def test_every_document_leads_to_its_file(browser: Browser, project: Archive, out: Path) -> None:
    folder = made_folder(make(project, out))
    with opened(browser, folder) as page:
        for path in PROJECT:
            page.locator("#results a", has_text=path.rsplit("/", maxsplit=1)[-1]).first.click()
            page.locator("article .place", has_text=path).wait_for()
            href = page.get_by_text("open the file").get_attribute("href")
            url = page.evaluate("href => new URL(href, location.href).href", href)
            assert url == (folder / "files" / path).as_uri()


@pytest.mark.slow
@browser_test
def test_on_a_narrow_screen_the_list_and_the_document_take_turns(browser: Browser, project: Archive, out: Path) -> None:
    with opened(browser, made_folder(make(project, out)), viewport={"width": 360, "height": 640}) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.locator("#results a", has_text="guide.md").click()
        page.locator("article h2").wait_for()
        assert not page.locator("#results").is_visible()
        page.locator("#back").click()
        page.locator("#results").wait_for()
        page.locator("#results a", has_text="guide.md").click()
        page.fill("#query", "fox")
        page.locator("#results a", has_text="memory.json").wait_for()


@pytest.mark.slow
@browser_test
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(browser: Browser, project: Archive, out: Path, scheme: str) -> None:
    contrast = """() => {
      const parse = (text) => text.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const ground = (node) => { for (; node; node = node.parentElement) {
        const colour = parse(getComputedStyle(node).backgroundColor); if (colour.length < 4 || colour[3]) return colour; }
        return [255, 255, 255]; };
      return [...document.querySelectorAll("h1,h2,p,b,span,a,li,pre,mark,button,summary")]
        .filter((e) => e.offsetParent && e.textContent)
        .map((e) => { const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
          return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; })
        .filter(([ratio]) => ratio < 4.5);
    }"""
    with opened(browser, made_folder(make(project, out)), color_scheme=scheme) as page:
        page.fill("#query", "memory")
        page.locator("#count", has_text="found").wait_for()
        page.keyboard.press("Enter")
        page.locator("article mark").first.wait_for()
        assert page.evaluate(contrast) == []


@browser_test
@pytest.mark.slow
def test_many_documents_are_shown_a_part_at_a_time(
    browser: Browser, archive: Archive, root: Path, write: Callable[[Tree], None], out: Path
) -> None:
    write({f"folder{number % 7}/{number:04}.md": b"# Number %d\n" % number for number in range(1500)})
    archive.backup(root)
    with opened(browser, made_folder(make(archive, out, history=False))) as page:
        assert page.locator("#results a").count() == 200
        page.locator("#more").click()
        assert page.locator("#results a").count() == 400
        page.locator("summary").click()
        page.locator("#folders button", has_text="folder3/").click()
        page.locator("#count", has_text=re.compile("^214 documents found$")).wait_for()


def test_without_a_browser_too_the_page_takes_nothing_from_outside(project: Archive, out: Path) -> None:
    text = (made_folder(make(project, out)) / "index.html").read_text()
    head = text[: text.index('<script id="data"')]
    assert "default-src 'none'" in head
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text[: text.index('<script id="data"')])
    assert "url(" not in head
    assert "@import" not in head
    assert text.count("</script>") == 2
    assert "<!--" not in text


def test_a_name_that_is_not_utf_8_is_shown_escaped_and_linked_exactly(archive: Archive, root: Path, out: Path) -> None:
    with open(bytes(root) + b"/caf\xe9.md", "wb") as file:
        file.write(b"# Caf\xe9\n")
    archive.backup(root)
    ((shown, kind, size, _, title, text, note, flag, link),) = documents_of(
        made_folder(make(archive, out, archive_format="folder"))
    )
    assert (shown, kind, size, title, note, flag) == ("caf\\xe9.md", "markdown", 7, "Caf\ufffd", "", "invalid text")
    assert text == "# Caf\ufffd\n"
    assert link == "files/caf%E9.md"


def test_a_project_too_large_for_the_page_is_cut_fairly_and_says_so(
    project: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "text_limit", lambda sizes: text_limit(sizes, 200))
    monkeypatch.setattr("archive.recovery.filling.text_limit", lambda sizes: text_limit(sizes, 200))
    folder = made_folder(make(project, out))
    rows = {row[0]: row for row in documents_of(folder)}
    assert rows["top.md"][5] == "# At the top\n"
    assert rows["top.md"][6] == ""
    assert rows["docs/evil.md"][5] == EVIL[: len(rows["docs/evil.md"][5])]
    assert rows["docs/evil.md"][6].startswith("Only the first ")
    assert sum(len(row[5].encode()) for row in rows.values()) <= 200
    assert "All names and titles are here, but of larger documents only the first" in (folder / "index.html").read_text()


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(0, 5000))
def test_the_limit_is_the_largest_that_keeps_to_the_total(sizes: list[int], total: int) -> None:
    limit = text_limit(sizes, total)
    if limit is None:
        assert sum(sizes) <= total
    else:
        assert sum(min(size, limit) for size in sizes) <= total < sum(min(size, limit + 1) for size in sizes)


def state(kind: Kind) -> DocumentState:
    return DocumentState(
        path="x", kind=kind, category="", version=1, hash="", size_bytes=0, mode=0, mtime_ns=0, state=ParseState.VALID,
        error="", since=1, _version_id=1, _blob_id=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "title"),
    [
        (Kind.MARKDOWN, b"intro\n# Title here #\n\n## Second\n", "Title here"),
        (Kind.MARKDOWN, b"no title\n", ""),
        (Kind.JSON, b'{"id": 1, "title": "A \\u00fc \\"b\\""}', 'A ü "b"'),
        (Kind.JSON, b'{"metadata": {"purpose": "What for"}}', "What for"),
        (Kind.JSON, b'{"title": "cut off', ""),
        (Kind.JSON, b'{"title": "\\q"}', ""),
        (Kind.JSON, b'{"title": "\\ud800"}', "?"),
        (Kind.TEXT, b"title: x\n", ""),
    ],
)
def test_a_title_is_found_where_there_is_one(kind: Kind, data: bytes, title: str) -> None:
    assert page_entry(state(kind), data, "files/x", None).title == title


def test_a_text_is_cut_between_characters_and_what_is_no_text_is_left_out() -> None:
    assert page_entry(state(Kind.TEXT), "aü日x".encode(), "files/x", 5).text == "aü"
    assert page_entry(state(Kind.TEXT), b"a\xff" * 10, "files/x", None).text == "a\ufffd" * 10
    entry = page_entry(state(Kind.TEXT), b"a\0b", "files/x", None)
    assert entry.text == ""
    assert "not text" in entry.note


@given(st.binary(max_size=200), st.integers(0, 250))
def test_any_bytes_can_be_on_the_page(data: bytes, limit: int) -> None:
    for kind in Kind:
        entry = page_entry(state(kind), data, "files/x", limit)
        entry.text.encode()
        entry.title.encode()
