"""The pages in a real browser: opened, searched, sorted, faceted, time-travelled, by keyboard, in dark and light."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.datasette.test_live import served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def site(sample: Path) -> Iterator[str]:
    with served(sample) as url:
        yield url.removesuffix("/-/archive")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, site: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page; when the test ends nothing was complained about and nothing was asked of another host."""
    context = chromium.new_context(base_url=site, **getattr(request, "param", {}))
    found = context.new_page()
    found.set_default_timeout(15_000)
    complaints: list[str] = []
    elsewhere: list[str] = []
    found.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda asked: None if asked.url.startswith((site, "data:")) else elsewhere.append(asked.url))

    def refuse(dialog: Any) -> None:
        complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()

    found.on("dialog", refuse)
    yield found
    context.close()
    assert (complaints, elsewhere) == ([], [])


PAGES = ["timeline", "document", "document?path=agents/tasks.json&a=1&b=2", "search?q=lighthouse", "tasks", "health"]


@pytest.mark.parametrize("page", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_and_can_be_read(page: Any, path: str) -> None:
    page.goto(f"/archive/-/{path}")
    assert page.locator("main").inner_text().strip()
    ratio = page.evaluate(CONTRAST)
    assert ratio["worst"] >= 4.5, ratio


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}}], indirect=True, ids=["telephone"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_narrow_screen(page: Any, path: str) -> None:
    page.goto(f"/archive/-/{path}")
    page.evaluate("document.querySelectorAll('select').forEach(one => one.append(new Option('a long project '.repeat(9))))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_pages_are_reached_from_each_other_and_from_the_tables(page: Any) -> None:
    page.goto("/-/archive")
    for name in ("Documents", "Search", "Tasks", "Health", "Timeline"):
        page.locator("nav").get_by_role("link", name=name).click()
        assert page.locator("nav [aria-current=page]").inner_text() == name
    page.get_by_role("link", name="Tables & SQL").click()
    assert page.locator("h1").inner_text().strip() == "archive"


def test_what_is_typed_is_found_and_narrowed(page: Any) -> None:
    page.goto("/archive/-/search")
    page.keyboard.type("lighthouse")  # the field has the focus
    page.keyboard.press("Enter")
    page.wait_for_url("**q=lighthouse**")
    all_ = page.locator(".hit").count()
    assert all_ >= 4
    assert page.locator("mark").first.inner_text().lower() == "lighthouse"
    page.get_by_label("Kind").select_option("jsonl")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**kind=jsonl**")
    assert 0 < page.locator(".hit").count() <= all_


def test_the_past_is_found_where_history_is_ticked(page: Any) -> None:
    page.goto("/archive/-/search?q=keeper")
    assert page.locator(".hit").count() == 0
    page.get_by_label("all of history").check()
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**history=1**")
    page.locator(".hit a.title").first.click()
    assert "docs/old.md" in page.locator("h1").inner_text()


def test_the_slider_goes_through_time(page: Any) -> None:
    page.goto("/archive/-/tasks")
    assert page.locator(".column.done").count() == 1
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url("**step=0**")
    assert page.locator(".when strong").inner_text() == "20200101_120000"
    assert page.locator(".column.done").count() == 0
    page.get_by_label("One snapshot on").click()
    assert page.locator(".when strong").inner_text() == "20200102_120000"
    page.get_by_label("Moment").last.fill("latest~1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("at=latest"))
    assert page.locator(".when strong").inner_text() == "20200103_120000"


def test_two_versions_are_chosen_and_compared(page: Any) -> None:
    page.goto("/archive/-/document?path=agents/tasks.json")
    page.get_by_label("Compare version 1 as the older one").check()
    page.get_by_label("Compare version 2 as the newer one").check()
    page.get_by_role("button", name="Compare A with B").click()
    assert "/tasks/0/status" in page.locator("#compare").inner_text()
    page.locator("#compare").get_by_role("link", name="text").click()
    assert page.locator("table.lines tr.changed").count() >= 1


def test_a_document_is_downloaded(page: Any, tmp_path: Path) -> None:
    page.goto("/archive/-/document?path=docs/roadmap.md&version=1")
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("^Download")).click()
    started.value.save_as(tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"# Roadmap\n\nFirst the map, then the lighthouse.\n"


def test_documents_are_sorted_and_narrowed_without_a_button(page: Any) -> None:
    page.goto("/archive/-/document")
    page.get_by_label("Order").select_option("size")
    page.wait_for_url("**sort=size**")
    first = page.locator("table.rows tbody tr").first.inner_text()
    assert "agents/memory.jsonl" in first
    page.get_by_label("Category").select_option(index=1)
    page.wait_for_url(re.compile("category=[a-z]"))
    assert page.locator("table.rows tbody tr").count() >= 1


def test_a_table_is_searched_faceted_and_sorted(page: Any) -> None:
    page.goto("/archive/current_items")
    page.locator("input[name=_search]").fill("lighthouse")
    page.keyboard.press("Enter")
    page.wait_for_url("**_search=lighthouse**")
    page.locator(".facet-results").get_by_role("link", name="markdown").click()
    page.wait_for_url("**document_kind=markdown**")
    assert page.locator("table.rows-and-columns tbody tr").count() >= 2
    page.goto("/archive/document_history?_sort=first_at")
    assert "20200101_120000" in page.locator("table.rows-and-columns tbody tr").first.inner_text()


def test_the_sql_behind_a_chart_is_one_click_away(page: Any) -> None:
    page.goto("/archive/-/timeline")
    page.get_by_label("SQL behind activity").click()
    page.locator("table.rows-and-columns tbody tr").first.wait_for()
    assert page.locator("table.rows-and-columns tbody tr").count() >= 4


def test_everything_can_be_reached_by_keyboard_and_the_focus_is_seen(page: Any) -> None:
    page.goto("/archive/-/timeline")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    names = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        names.add(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert any("snapshot" in name for name in names)


def test_a_script_in_a_document_or_its_name_is_text(page: Any) -> None:
    page.goto("/archive/-/document?q=script")
    page.locator("table.rows tbody a").first.click()
    assert "<script>alert(1)</script>" in page.locator("pre.code").inner_text()
    page.goto("/archive/-/search?q=alert")
    page.goto("/archive/current_documents?path__contains=script")


# The worst contrast of any text on the page with what it stands on.
CONTRAST = """() => {
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parts(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let worst = 99, where = "";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.closest("svg, script, option") || !node.checkVisibility()) continue;
    if (node.classList.contains("off")) continue;
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst) { worst = ratio; where = node.outerHTML.slice(0, 120); }
  }
  return {worst, where};
}"""
