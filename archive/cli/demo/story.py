"""Tells the story: each step is a sentence, the command a user would type, and what it really prints."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from archive.cli.demo import sample
from archive.cli.demo.sample import Tree
from archive.cli.output import Output, styled
from archive.model.base import Value

WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult(Value):
    """What the demonstration showed.

    Attributes:
        folder: Where the sample project was written.
        is_kept: Whether it is still there.
        files: How many files the project had in the morning.
        commands: The commands in the order in which they were run.
        restored_exactly: Whether every file had the hash of the morning again.
        undone_exactly: Whether every file had the hash of the night again after that.
        is_good: Whether both are so, and each command did what it should.
    """

    folder: str
    is_kept: bool
    files: int
    commands: tuple[str, ...]
    restored_exactly: bool
    undone_exactly: bool
    is_good: bool
    duration_ms: int


@dataclass(slots=True)
class Story:
    """Runs the commands in the project's folder, one after the other.

    Attributes:
        program: The command line itself.
        failed: Commands that did not exit with 0.
    """

    program: click.Command
    output: Output
    folder: Path
    commands: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def tell(self, *, is_kept: bool) -> DemoResult:
        """Tells the whole story in the folder, which must be empty."""
        started = time.monotonic()
        morning = sample.morning()
        write_tree(self.folder, morning)
        self._say(f"A project, {len(morning)} files of JSON and Markdown, in {self.folder}. Remember it as it is:")
        self._note(f"cd {shlex.quote(str(self.folder))}")
        self._run("archive backup -m 'a good day'")

        night = sample.night(morning)
        write_tree(self.folder, night)
        self._say(
            "The night is worse. Work goes on in three files; but functions.json is cut off while it is written, a merge"
            " leaves conflict markers in structure.json, an agent forgets nine tenths of memory.json, and docs/roadmap.md"
            " is deleted. The next backup takes all of it in, and says what cannot be read:"
        )
        self._run("archive backup -m 'after a bad night'")
        self._look_back()
        restored = self._restore(morning)
        self._say("Was that wrong? Take it back: everything is as it was before the restore.")
        self._run("archive undo --yes")
        undone = self._compare(night, "before the restore")
        self._say("And the proof that all of it is still readable, byte for byte:")
        self._run("archive check")
        return DemoResult(
            folder=str(self.folder),
            is_kept=is_kept,
            files=len(morning),
            commands=tuple(self.commands),
            restored_exactly=restored,
            undone_exactly=undone,
            is_good=restored and undone and not self.failed,
            duration_ms=round((time.monotonic() - started) * 1000),
        )

    def _look_back(self) -> None:
        self._say("What is there to go back to, and what happened in between?")
        self._run("archive snapshots")
        self._run("archive diff 1 2 --stat")
        self._run(f"archive diff 1 2 {sample.TASKS} {sample.CHANGELOG}")
        self._say("One file through time: which version was the last one that could be read?")
        self._run(f"archive log {sample.FUNCTIONS}")
        self._say("An old version, or one value of it, without restoring anything:")
        self._run(f"archive cat {sample.ROADMAP} --at 1")
        self._run(f"archive cat '{sample.MEMORY}#/entities/lighthouses/Eddystone' --at 1")

        self._say("What did memory.json know of that lighthouse? Search finds what is gone, too:")
        self._run("archive search eddystone --history")
        self._say("What can be worked on now, and why can the rest not be?")
        self._run("archive tasks --available")
        self._run("archive tasks --why phase_3")
        self._say("The whole memory of the project, each part from the best source that is in order:")
        self._run("archive memory")

    def _restore(self, morning: Tree) -> bool:
        self._say("Everything back to the good day. Before a file is touched, its present state goes into a snapshot.")
        self._run("archive restore --at 1 --delete-extra --yes")
        return self._compare(morning, "of the good day")

    def _compare(self, expected: Tree, when: str) -> bool:
        found = {path: hashlib.sha256(data).digest() for path, data in read_tree(self.folder).items()}
        wanted = {path: hashlib.sha256(data).digest() for path, data in expected.items()}
        same = sum(found.get(path) == hash_ for path, hash_ in wanted.items())
        is_exact = found == wanted
        if not self.output.as_json:
            verdict = styled("byte-exact", "green") if is_exact else styled("NOT the same", "red")
            extra = len(found.keys() - wanted.keys())
            also = f", {extra} more files" if extra else ""
            self.output.say(verdict, f": {same} of {len(wanted)} files have the SHA-256 {when}{also}")
        return is_exact

    def _run(self, line: str) -> None:
        self.commands.append(line)
        self._note(line)
        arguments = shlex.split(line)[1:]
        # The user's own archive must not be taken for the demonstration's.
        extra: dict[str, Any] = {"obj": {"environment": {}}}
        silence: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
        if self.output.as_json:
            silence = lambda: contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))  # noqa: E731
        with contextlib.chdir(self.folder), silence():
            code = self.program.main(arguments, standalone_mode=False, **extra)
        if code:
            self.failed.append(line)

    def _say(self, sentence: str) -> None:
        if not self.output.as_json:
            if self.commands:
                self.output.say()
            width = min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH) - len("# ")
            for line in click.wrap_text(sentence, width).splitlines():
                self.output.say(styled(f"# {line}", "cyan"))

    def _note(self, line: str) -> None:
        if not self.output.as_json:
            self.output.say(styled(f"$ {line}", "bold"))


def write_tree(folder: Path, tree: Tree) -> None:
    """Makes the folder hold exactly these files, the archive apart."""
    for path in read_tree(folder).keys() - tree.keys():
        (folder / path).unlink()
    for path, data in tree.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != data:
            file.write_bytes(data)


def read_tree(folder: Path) -> Tree:
    """Returns the files of the folder by path, the archive apart."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    paths = {file.relative_to(folder).as_posix(): file for file in files}
    return {path: file.read_bytes() for path, file in paths.items() if not path.startswith(".archive/")}
