"""requirements.lock pins everything, by hash, and names no place on the net."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_rules import ROOT

ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; [^\\]+?)?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
ADDRESS = re.compile(r"://|^\s*-|\s@\s|\bgit\+|^\s*[./]", re.MULTILINE)


class Pin(NamedTuple):
    """Is one line of the lock: a version and how many files it may come as."""

    version: str
    hashes: int


def read_lock(text: str) -> dict[str, Pin]:
    """Reads a lock file; raises ValueError for a line that is anything but a pinned, hashed release."""
    pins: dict[str, Pin] = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        if not line or line.startswith("#"):
            continue
        entry = ENTRY.fullmatch(line)
        if not entry or ADDRESS.search(line):
            raise ValueError(line)
        pins[canonicalize_name(entry["name"])] = Pin(entry["version"], entry["hashes"].count("--hash"))
    return pins


def declared() -> list[Requirement]:
    """Returns everything pyproject.toml asks for: to run, for each extra, to develop and to build."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = config["project"]
    groups = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *config["dependency-groups"].values(),
        config["build-system"]["requires"],
    ]
    return [Requirement(text) for group in groups for text in group]


def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_every_entry_is_pinned_and_hashed() -> None:
    assert len(read_lock(lock_text())) > 30


def test_the_lock_holds_no_address() -> None:
    text = lock_text()
    assert "http" not in re.sub(r"^(httpx|httpcore|httpx2|httpcore2|httpx2-jsfetch)==", "", text, flags=re.MULTILINE)
    assert not ADDRESS.search(re.sub(r"^ +--hash=", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: str(requirement.name))
def test_each_declared_dependency_is_in_the_lock_in_a_version_that_fits(requirement: Requirement) -> None:
    pin = read_lock(lock_text())[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin.version)


def test_packages_with_compiled_parts_are_locked_for_more_than_one_machine() -> None:
    pins = read_lock(lock_text())
    for name in ("orjson", "sqlalchemy", "zstandard", "pyyaml"):
        assert pins[name].hashes > 10, name


GOOD_HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        "click",
        "click==8.1",
        f"click>=8.1 {GOOD_HASH}",
        "click==8.1 --hash=md5:0123",
        f"--index-url=https://example.org/simple {GOOD_HASH}",
        "-i https://example.org/simple",
        "--find-links /wheels",
        f"click @ https://example.org/click.whl {GOOD_HASH}",
        "./click.whl",
        "-e .",
    ],
)
def test_a_line_that_is_no_pinned_hashed_release_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        read_lock(line + "\n")


def test_an_entry_is_read_with_marker_and_several_hashes() -> None:
    text = f"colorama==0.4.6 ; os_name == 'nt' \\\n    {GOOD_HASH} \\\n    {GOOD_HASH}\n"
    assert read_lock(text) == {"colorama": Pin("0.4.6", 2)}
