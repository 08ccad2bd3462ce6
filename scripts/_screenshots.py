"""Takes pictures of the pages of `archive inspect` in a real Chromium, in light and dark, for README."""

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

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "scripts" / "pictures"
WIDTH, HEIGHT = 1180, 780
MAX_BYTES = 150_000
# What each picture shows; `{document}` is the document with the most versions.
PAGES = {
    "timeline": "/-/timeline",
    "document": "/-/document?path={document}&a={older}&b={newer}",
    "search": "/-/search?q=inventory+price",
    "tasks": "/-/tasks",
    "health": "/-/health",
}


def main() -> int:
    """Takes the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/screenshots", description=__doc__, epilog="Example: scripts/screenshots .archive/archive.db"
    )
    parser.add_argument("archive", type=Path, help="archive to show")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="DIR", help=f"folder for the pictures ({FOLDER})")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("there is no Chromium (apt-get install chromium)", file=sys.stderr)
        return 1
    options.to.mkdir(parents=True, exist_ok=True)
    with served(options.archive) as base:
        return take(base, chromium, options.to, most_changed(options.archive))


def most_changed(archive: Path) -> dict[str, str]:
    """Returns what the picture of a document shows: the last two versions of the one that has the most valid ones."""
    sys.path.insert(0, str(ROOT))
    from archive import Archive

    with Archive.open(archive) as opened:
        path, newer = opened.sql(
            "SELECT path, max(version) FROM document_history WHERE parse_state = 'valid' AND path LIKE '%.json'"
            " GROUP BY document_id ORDER BY count(*) DESC, path LIMIT 1"
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


def take(base: str, chromium: str, folder: Path, shown: dict[str, str]) -> int:
    """Takes all pictures; returns 1 if one is too large to be kept with the source."""
    from playwright.sync_api import sync_playwright

    heavy = 0
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, viewport={"width": WIDTH, "height": HEIGHT})
            page = context.new_page()
            for name, path in PAGES.items():
                page.goto(base + path.format(**shown))
                file = folder / f"{name}-{scheme}.png"
                page.screenshot(path=file)
                size = file.stat().st_size
                heavy |= size > MAX_BYTES
                print(f"{file}  {size // 1000} KB{'  too large' if size > MAX_BYTES else ''}")
            context.close()
        browser.close()
    return heavy


if __name__ == "__main__":
    sys.exit(main())
