"""The same tests pass with the oldest Datasette that is promised and with the alphas of 1.0, each in an environment of its own.

The tests of the tables, of the pages and of the program run there as they run here. There, too, the project is installed as
users install it, so that a plain `datasette archive.db` finds the plugin by itself.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from archive import Archive
from tests.conftest import write_tree

ROOT = Path(__file__).parents[2]
SAME = ("test_tables.py", "test_pages.py", "test_live.py")
# The client of the oldest, which these tests ask, needs an httpx of its time.
VERSIONS = {"oldest": ("datasette==0.64.*", "httpx<0.27"), "1.0": ("datasette>=1.0a0,<2",)}

pytestmark = pytest.mark.slow


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COVERAGE"))}


def install(folder: Path, *packages: str) -> Path:
    """Makes an environment with the packages and returns its folder of programs; skips where they cannot be had."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env=plain_environment())
    programs = folder / "bin"
    done = subprocess.run(
        [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
    )
    if done.returncode:
        pytest.skip(f"{packages[0]} cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return programs


@pytest.fixture(scope="module", params=list(VERSIONS.values()), ids=list(VERSIONS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with another Datasette, and with the project."""
    return install(tmp_path_factory.mktemp("other") / "venv", *request.param, str(ROOT), "pytest", "hypothesis")


@pytest.fixture(scope="module", params=list(VERSIONS.values()), ids=list(VERSIONS))
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of an environment with a Datasette and nothing of ours."""
    return install(tmp_path_factory.mktemp("bare") / "venv", *request.param)


def test_the_tests_of_this_folder_pass_with_it(installed: Path, tmp_path: Path) -> None:
    files = [str(Path(__file__).with_name(name)) for name in SAME]
    done = subprocess.run(
        [str(installed / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "t"), *files],
        cwd=ROOT,
        env={**plain_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 150


@contextmanager
def datasette(programs: Path, *arguments: str) -> Iterator[str]:
    """Runs the program `datasette`; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(programs / "datasette"), *arguments, "--port", str(port)],
        env=plain_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:  # until it says that it listens
            said += line
            if "Uvicorn running on" in line:
                break
        else:
            pytest.fail(said)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stderr.close()


def read(url: str) -> str:
    with urlopen(url, timeout=30) as response:
        return str(response.read().decode())


def test_a_plain_datasette_finds_the_plugin_where_the_project_is_installed(installed: Path, sample: Path) -> None:
    with datasette(installed, str(sample)) as url:
        assert "snapshots; the latest" in read(f"{url}/archive/-/timeline")
        page = read(f"{url}/archive/items?_search=lighthouse")
        assert 'name="_search"' in page
        assert "lighthouse" in page
        assert "what is searched and shown" in read(f"{url}/archive/items")


def test_sqlite_utils_has_the_functions_where_the_project_is_installed(installed: Path, sample: Path) -> None:
    command = [str(installed / "sqlite-utils"), "query", str(sample), "SELECT archive_json(1, '') IS NOT NULL AS found"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain_environment())
    assert (done.stdout.strip(), done.stderr) == ('[{"found": 1}]', "")


def test_the_copy_in_an_emergency_package_opens_without_anything_of_ours(bare: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    with Archive.create(tmp_path / "archive.db") as archive:
        write_tree(root, {"agents/tasks.json": b'{"tasks": [{"id": 1, "title": "lighthouse", "status": "pending"}]}'})
        archive.backup(root)
        package = archive.recovery_package(tmp_path / "package").path
    copy = package / "archive.db"
    before = copy.read_bytes()
    with datasette(bare, "-i", str(copy)) as url:
        assert 'name="_search"' in read(f"{url}/archive/items")
        assert "lighthouse" in read(f"{url}/archive/items?_search=lighthouse")
        for name in ("current_documents", "available_tasks", "snapshot_changes", "storage_by_document"):
            assert "agents/tasks.json" in read(f"{url}/archive/{name}.json?_shape=array")
        assert '<a href="/archive/snapshots/1">' in read(f"{url}/archive/versions")  # foreign keys are links
        with pytest.raises(HTTPError) as caught:
            read(f"{url}/archive/-/timeline")
        caught.value.close()
    assert copy.read_bytes() == before
    assert sorted(file.name for file in package.iterdir() if file.name.startswith("archive.db")) == ["archive.db"]
