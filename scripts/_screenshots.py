"""Takes the pictures of the pages of `archive inspect` that README shows, in a real Chromium."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "scripts" / "pictures"
# What each look is called, and how it is got.
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1180, "height": 780}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1180, "height": 780}},
    "telephone": {"color_scheme": "light", "viewport": {"width": 390, "height": 800}},
}
SHOWN = {("timeline", "light"), ("document", "light"), ("tasks", "dark"), ("search", "light"), ("health", "dark")}
MAX_BYTES = 150_000
# What each picture shows; `{document}` is the document with the most versions.
PAGES = {
    "timeline": "/-/timeline",
    "document": "/-/document?path={document}&a={older}&b={newer}",
    "search": "/-/search?q=inventory+price",
    "tasks": "/-/tasks",
    "health": "/-/health",
    "documents": "/-/document",
}


def main() -> int:
    """Takes the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/screenshots", description=__doc__, epilog="Example: scripts/screenshots .archive/archive.db"
    )
    parser.add_argument("archive", type=Path, help="archive to show")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="DIR", help=f"folder for the pictures ({FOLDER})")
    parser.add_argument("--all", action="store_true", help="every page in every look and in full length, to look at")
    options = parser.parse_args()
    if options.all and options.to == FOLDER:
        parser.error("--all is for looking, and needs --to")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("there is no Chromium (apt-get install chromium)", file=sys.stderr)
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    with served(options.archive) as base:
        return take(base, chromium, options.to, most_changed(options.archive), everything=options.all)


def most_changed(archive: Path) -> dict[str, str]:
    """Returns what the picture of a document shows: the last change of the JSON document that changed most often."""
    sys.path.insert(0, str(ROOT))
    from archive import Archive

    with Archive.open(archive) as opened:
        path, newer = opened.sql(
            "SELECT path, max(version) FROM snapshot_changes WHERE change = 'modified' AND parse_state = 'valid'"
            " AND path LIKE '%.json' GROUP BY document_id ORDER BY count(*) DESC, path LIMIT 1"
        ).rows[0]
    return {"document": str(path), "newer": str(newer), "older": str(int(str(newer)) - 1)}


@contextmanager
def served(archive: Path) -> Iterator[str]:
    """Runs `archive inspect`; gives the address of the database."""
    command = [sys.executable, "-m", "archive", "inspect", "--db", str(archive.resolve()), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("}"):
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield f"{json.loads(said)['url'].removesuffix('/-/archive')}/{archive.stem}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def take(base: str, chromium: str, folder: Path, shown: dict[str, str], *, everything: bool) -> int:
    """Takes the pictures; returns 1 if one is too large to be kept with the source."""
    from playwright.sync_api import sync_playwright

    heavy = 0
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for look, how in LOOKS.items():
            context = browser.new_context(**how)
            page = context.new_page()
            for name, path in PAGES.items():
                if not everything and (name, look) not in SHOWN:
                    continue
                page.goto(base + path.format(**shown))
                file = folder / f"{name}-{look}.png"
                page.screenshot(path=file, full_page=everything)
                size = file.stat().st_size
                heavy |= size > MAX_BYTES and not everything
                print(f"{file}  {size // 1000} KB{'  too large' if size > MAX_BYTES and not everything else ''}")
            context.close()
        browser.close()
    return heavy


if __name__ == "__main__":
    sys.exit(main())
