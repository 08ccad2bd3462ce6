"""Every command that the instructions give a person in a hurry is run here as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from archive import Archive
from tests.conftest import write_tree
from tests.recovery.conftest import entries, made_folder, make, stored


def commands(package: Path) -> list[str]:
    text = (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def execute(package: Path, command: str) -> str:
    program = command.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    done = subprocess.run(["sh", "-c", command], cwd=package, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout


def test_every_command_works_and_does_what_is_said_of_it(history: Archive, package: Path) -> None:
    said = {command: execute(package, command) for command in commands(package)}
    beside = package.parent
    assert len(said) == 17
    assert entries(beside / "restored") == stored(history)
    assert entries(beside / "restored-by-program") == stored(history)
    assert entries(beside / "restored-one") == {"agents/memory.json": stored(history)["agents/memory.json"]}
    assert entries(beside / "restored-older") == stored(history, "1")
    assert (beside / "one-file").read_bytes() == history.read("agents/memory.json")
    assert said["sha256sum -c --quiet SHA256SUMS"] == ""
    assert said["python3 restore.py verify"].endswith(" verified\n")
    (found,) = [out for command, out in said.items() if command.startswith("grep")]
    assert found.count("\n") == 1
    for version in history.history("notes.md").versions[1:2]:
        assert (beside / "history" / "versions" / version.hash[7:]).read_bytes() == history.read("notes.md", at="2")


def test_every_command_works_where_every_name_has_to_be_quoted(archive: Archive, root: Path, out: Path) -> None:
    for number in (1, 2):
        write_tree(root, {"it's.json": b"{}", "my notes (old) & new; #1.json": b'{"number": %d}' % number})
        archive.backup(root)
    package = made_folder(make(archive, out))
    assert "'my notes (old) & new; #1.json'" in (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    for command in commands(package):
        execute(package, command)
    assert entries(package.parent / "restored-one").keys() == {"my notes (old) & new; #1.json"}


def test_every_command_works_without_history_too(history: Archive, out: Path) -> None:
    package = made_folder(make(history, out, history=False))
    assert len(commands(package)) == 7
    for command in commands(package):
        execute(package, command)


@pytest.mark.skipif(shutil.which("shasum") is None, reason="there is no shasum here")
def test_the_sums_can_be_checked_as_on_macos(package: Path) -> None:
    execute(package, "shasum -a 256 -c SHA256SUMS")


def test_the_instructions_have_no_place_left_to_fill_in(history: Archive, package: Path, out: Path) -> None:
    for folder in (package, made_folder(make(history, out, history=False))):
        text = (folder / "RECOVERY_INSTRUCTIONS.md").read_text()
        assert not re.search(r"@[A-Z_]+@", text)
        assert "\n\n\n" not in text


@pytest.mark.slow
def test_a_name_that_means_something_to_markdown_or_a_shell_does_no_harm(
    archive: Archive, root: Path, out: Path, tmp_path: Path
) -> None:
    (root / "$(touch evil).json").write_text("{}")
    (root / "it's.md").write_text("# x\n")
    archive.backup(root, message="*bold*\n# heading")
    package = made_folder(make(archive, out))
    text = (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    assert "touch evil" not in text
    for command in commands(package):
        if "path/of/a/file" not in command:
            execute(package, command)
    assert not (package / "evil").exists()
