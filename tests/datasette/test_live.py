"""The archive is opened while it is written to, where nothing may be written, and as the copy in an emergency package."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from datasette.app import Datasette

from archive import Archive
from archive.cli.commands.inspect import make
from archive.datasette_plugin import serving
from archive.datasette_plugin.view import View
from tests.cli.conftest import program_environment
from tests.conftest import FixedClock, write_tree
from tests.datasette.conftest import Site
from tests.faults import in_child
from tests.sql.sample import STATES


@contextmanager
def served(db: Path, *arguments: str) -> Iterator[str]:
    """Runs `archive inspect` as a program; gives the address of its database."""
    process = subprocess.Popen(
        [sys.executable, "-m", "archive", "inspect", "--db", str(db), "--port", "0", "--json", *arguments],
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Datasette says a lot when it is asked for nonsense
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("}"):
            break
    # Datasette writes tracebacks to the standard output; nobody reading them would make it wait.
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    reader.start()
    try:
        ready = json.loads(said)
        assert ready == {"url": ready["url"], "database": str(db)}
        yield str(ready["url"])
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join()
        process.stdout.close()


def test_inspect_serves_at_loopback_only_and_ends_quietly(sample: Path) -> None:
    with served(sample) as url:
        assert url.startswith("http://127.0.0.1:")
        with urlopen(url, timeout=30) as response:
            assert "Timeline" in response.read().decode()
        port = int(url.rpartition(":")[2].partition("/")[0])
        addresses = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
        listening = [line.split()[1] for line in addresses.splitlines()[1:] if line.split()[3] == "0A"]
        mine = [address for address in listening if int(address.partition(":")[2], 16) == port]
        assert mine in ([], [f"0100007F:{port:04X}"])


def test_a_port_that_is_taken_is_said_with_what_to_do(sample: Path) -> None:
    with served(sample) as url:
        port = url.rpartition(":")[2].partition("/")[0]
        done = subprocess.run(
            [sys.executable, "-m", "archive", "inspect", "--db", str(sample), "--port", port],
            env=program_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert "--port 0" in done.stderr


def test_who_comes_by_another_name_is_turned_away(sample: Path) -> None:
    """A page elsewhere could make its own name lead here, and read on in the browser of whoever looks at it."""
    with served(sample) as url:
        address = url.replace("/-/archive", "/archive.json")
        port = url.rpartition(":")[2].partition("/")[0]
        others = (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1.evil.example",
            "",
            "[",
            "localhost@evil.example",
            "0.0.0.0",
        )
        for name, status in [*((name, 403) for name in others), (f"localhost:{port}", 200), ("[::1]", 200), ("127.0.0.1", 200)]:
            assert status_of(Request(address, headers={"host": name})) == status, name


def status_of(request: Request) -> int:
    try:
        with urlopen(request, timeout=30) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code


def test_no_request_can_write(sample: Path) -> None:
    before = sample.read_bytes()
    with served(sample) as url:
        base = url.removesuffix("/-/archive") + "/archive"
        for method in ("POST", "PUT", "DELETE"):
            for path in ("/-/timeline", "/snapshots", "/-/create", "/snapshots/-/insert", "?sql=DELETE+FROM+versions"):
                request = Request(base + path, method=method, data=b"{}", headers={"content-type": "application/json"})
                status = status_of(request)
                # A Datasette of 1.0 shows a table whatever the method is, and changes nothing all the same.
                assert status >= 400 or (path, status) == ("/snapshots", 200)
                assert status == 405 or path != "/-/timeline"
        with pytest.raises(HTTPError) as caught:
            urlopen(base + "?sql=DELETE+FROM+versions", timeout=30)
        caught.value.close()
    assert sample.read_bytes() == before


def test_a_page_never_shows_half_a_snapshot(copied: Path, sites: Callable[[Any], Site], clock: FixedClock) -> None:
    """Each backup adds as many documents as its number says; what a page shows has to agree with itself."""
    root = copied.parent / "growing"
    root.mkdir()
    site = sites(make(copied))

    def write() -> None:
        with Archive.open(copied, mode="write", source="growing", clock=FixedClock()) as archive:
            for number in range(1, 26):
                write_tree(root, {f"{place}.md": f"# {place}\n".encode() for place in range(number * 10)})
                archive.backup(root, message=f"state {number}")

    # A process of its own, as a backup is: what one process does to its locks another must not feel.
    writer = in_child(write)
    seen: set[int] = set()
    try:
        while os.waitpid(writer, os.WNOHANG) == (0, 0):
            text = site.get("./-/timeline?source=growing").text
            found = [
                int(count.replace(",", "")) for count in re.findall(r"state \d+</span>.*?· ([\d,]+) documents", text, re.DOTALL)
            ]
            total = re.search(r"([\d,]+) snapshots?; the latest", text)
            numbers = [int(number) for number in re.findall(r'class="message">state (\d+)', text)]
            assert found == [number * 10 for number in numbers]
            if total and numbers:
                assert int(total[1]) == numbers[0]
                seen.add(numbers[0])
    finally:
        with suppress(ChildProcessError, ProcessLookupError):
            os.kill(writer, signal.SIGKILL)  # only where the test has failed already
    assert len(seen) > 3
    assert "250 documents" in site.get("./-/timeline?source=growing").text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_it_can_be_read_where_nothing_may_be_written(copied: Path, sites: Callable[[Any], Site]) -> None:
    copied.parent.chmod(0o500)
    copied.chmod(0o400)
    try:
        site = sites(make(copied))
        assert site.get("./-/timeline").status_code == 200
        assert site.json("./snapshots.json", _shape="objects")["rows"]
    finally:
        copied.parent.chmod(0o700)


def test_it_can_be_read_where_nothing_may_be_written_whoever_reads(
    copied: Path, sites: Callable[[Any], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system is made to say that it may not."""
    monkeypatch.setattr("archive.storage.connection.os.access", lambda path, mode: False)
    site = sites(make(copied))
    assert not site.datasette.databases["archive"].is_mutable
    for page in ("timeline", "document", "search?q=lighthouse", "tasks", "health"):
        assert site.get(f"./-/{page}").status_code == 200
    assert site.json("./snapshots.json", _shape="objects")["rows"]


def test_the_copy_in_an_emergency_package_opens_as_well(sample: Path, tmp_path: Path, sites: Callable[[Any], Site]) -> None:
    with Archive.open(sample) as archive:
        package = archive.recovery_package(tmp_path)
    assert package.folder is not None
    copy = next(package.folder.rglob("archive.db"))
    site = sites(Datasette(immutables=[str(copy)]))
    assert len(site.json("./snapshots.json", _shape="objects")["rows"]) == len(STATES)
    assert site.json("./current_documents.json", _shape="objects")["rows"]
    assert 'name="_search"' in site.get("./items").text
    assert site.get("./-/timeline").status_code == 200


def test_an_archive_of_another_version_is_told_apart_on_its_page(copied: Path, sites: Callable[[Any], Site]) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(copied)) as connection:
        connection.execute("PRAGMA user_version = 1")
    response = sites(Datasette([str(copied)])).get("./-/timeline")
    assert response.status_code == 500
    assert "archive upgrade" in response.text


def test_what_was_written_is_there_on_the_next_page(copied: Path, sites: Callable[[Any], Site]) -> None:
    site = sites(make(copied))
    assert site.get("./-/timeline").text.count('class="card snapshot"') == len(STATES)
    root = copied.parent / "other"
    write_tree_new(root)
    with Archive.open(copied, mode="write", clock=FixedClock()) as archive:
        archive.backup(root, message="just now")
    assert "just now" in site.get("./-/timeline?source=other").text
    assert 'name="source"' in site.get("./-/timeline").text


def write_tree_new(root: Path) -> None:
    root.mkdir()
    write_tree(root, {"a.json": b"{}"})


def test_a_page_that_takes_long_keeps_no_other_waiting(
    copied: Path, sites: Callable[[Any], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over = threading.Event()
    slow, quick = serving._MAKERS["timeline"], serving._MAKERS["tasks"]

    def waiting(view: View) -> Any:
        assert is_over.wait(30), "the other page was never made"
        return slow(view)

    def telling(view: View) -> Any:
        made = quick(view)
        is_over.set()
        return made

    monkeypatch.setitem(serving._MAKERS, "timeline", waiting)
    monkeypatch.setitem(serving._MAKERS, "tasks", telling)
    site = sites(make(copied))
    assert [response.status_code for response in site.get_all("./-/timeline", "./-/tasks")] == [200, 200]
