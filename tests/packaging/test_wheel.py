"""What is built is what is needed: the wheel, made from the sdist, works in a clean environment."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from email.message import Message
from pathlib import Path

import pytest

import archive
from tests.architecture.source_rules import ROOT

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a command that must succeed, and returns what it printed."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from that sdist and not from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as file:
        name = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(file.read(name))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a clean environment with the wheel and what it asks for, in the versions of the lock file."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder / "venv", with_pip=True)
    # Without hashes: pip checks either all packages by hash or none, and the wheel was only just built.
    lock = re.sub(r" *\\\n +--hash=\S+", "", (ROOT / "requirements.lock").read_text(encoding="utf-8"))
    (folder / "constraints.txt").write_text(lock, encoding="utf-8")
    python = folder / "venv" / "bin" / "python"
    options = ["--quiet", "--disable-pip-version-check", "--constraint", str(folder / "constraints.txt")]
    run(python, "-m", "pip", "install", *options, wheel, cwd=folder, env=clean_environment())
    return folder / "venv" / "bin"


def clean_environment() -> dict[str, str]:
    """Returns the environment without anything that would let this checkout shine through."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ARCHIVE_"))}


def test_the_wheel_holds_every_module_and_every_migration_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = {name for name in file.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "archive").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {
        "archive/_migrations/" + path.relative_to(ROOT / "migrations").as_posix()
        for path in (ROOT / "migrations").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == {path.removeprefix("archive/drop_in/") for path in expected}
    assert "archive/_migrations/env.py" in inside


def test_the_sdist_holds_what_it_takes_to_test_and_build_again(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as file:
        inside = {name.split("/", 1)[1] for name in file.getnames() if "/" in name}
    for name in ("pyproject.toml", "requirements.lock", "LICENSE", "README.md", "scripts/test", "tests/conftest.py"):
        assert name in inside


def test_the_metadata_says_what_a_package_index_shows(metadata: Message) -> None:
    assert metadata["Name"] == "rengine-archive"
    assert metadata["Version"] == archive.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra", [])) == {"crypt", "mcp"}
    description = metadata.get_payload(decode=True)
    assert isinstance(description, bytes)
    assert description.strip() == (ROOT / "README.md").read_bytes().strip()


def test_an_installed_archive_makes_backs_up_and_checks_an_archive_far_from_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "agents").mkdir(parents=True)
    (project / "agents" / "tasks.json").write_text('{"tasks": []}\n')
    environment = clean_environment()

    def run_archive(*arguments: str) -> str:
        return run(installed / "archive", *arguments, cwd=project, env=environment)

    assert archive.__version__ in run_archive("version")
    run_archive("init")
    run_archive("backup")
    run_archive("check")
    assert run_archive("cat", "agents/tasks.json") == '{"tasks": []}\n'
    place = run(installed / "python", "-c", "import archive; print(archive.__file__)", cwd=project, env=environment)
    assert Path(place.strip()).is_relative_to(installed.parent)


def test_an_installed_archive_brings_all_it_needs(installed: Path, tmp_path: Path) -> None:
    run(installed / "python", "-m", "pip", "check", cwd=tmp_path, env=clean_environment())
    every_module = (
        "import importlib, pkgutil, archive\n"
        "optional = {'datasette_plugin', 'sqlite_utils_plugin', 'drop_in', '_migrations'}\n"
        "for module in pkgutil.walk_packages(archive.__path__, 'archive.'):\n"
        "    if module.name.split('.')[1] not in optional: importlib.import_module(module.name)\n"
    )
    run(installed / "python", "-c", every_module, cwd=tmp_path, env=clean_environment())
