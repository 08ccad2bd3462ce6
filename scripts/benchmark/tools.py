"""Puts the archive and the three peers behind one small interface: each keeps the states of one folder in one store.

Every tool runs with its defaults, in a home of its own, quietly. restic with its usual cache and its default
compression, on an encrypted repository since it knows no other; Borg without encryption and with its default lz4; git
as `add -A` and `commit` in one shell, without automatic gc, with its folder outside the tree. A moment is named by the
number of the backup, counted from 1, in all of them.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.process import Runner, Taken, folder_bytes

ROOT = Path(__file__).resolve().parents[2]


class Store(ABC):
    """The backups of one folder by one tool.

    Attributes:
        count: Number of backups that succeeded, unchanged ones included.
    """

    def __init__(self, root: Path, folder: Path, extra: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.count = 0
        self._root, self._folder, self._extra = root, folder, extra
        self._runner = Runner(folder / "home")
        for command in self._prepare():
            self._run(command)

    def backup(self, *, count_syncs: bool = False) -> Taken:
        """Backs the folder up once more."""
        taken = self._run(self._backup(self.count + 1), count_syncs=count_syncs)
        self.count += 1
        return taken

    def restore(self, moment: int, folder: Path, *, verified: bool = False) -> Taken:
        """Writes the state of that moment into the folder, which exists and is empty.

        Args:
            moment: Number of the backup.
            folder: Where to.
            verified: Whether to ask for the tool's own verification where that is an option.
        """
        return self._run(self._restore(moment, folder, verified), cwd=folder)

    def list_files(self, moment: int) -> Taken:
        """Lists all paths of that moment."""
        return self._run(self._list(moment))

    def size_bytes(self) -> int:
        """Returns what the store takes on the disk."""
        return folder_bytes(self._data())

    def packed_bytes(self) -> int:
        """Returns what it takes after housekeeping that the tool does not do by itself; the store stays as it is."""
        return self.size_bytes()

    def _run(self, command: Sequence[str], *, cwd: Path | None = None, count_syncs: bool = False) -> Taken:
        return self._runner.run(command, cwd=cwd or self._root, extra=self._extra, count_syncs=count_syncs)

    def _prepare(self) -> Sequence[Sequence[str]]:
        return ()

    @abstractmethod
    def _data(self) -> Path: ...

    @abstractmethod
    def _backup(self, moment: int) -> Sequence[str]: ...

    @abstractmethod
    def _restore(self, moment: int, folder: Path, verified: bool) -> Sequence[str]: ...

    @abstractmethod
    def _list(self, moment: int) -> Sequence[str]: ...


class Tool(ABC):
    """A program that can be measured.

    Attributes:
        name: Title of its column.
        version_command: Prints its version, and is the least it can do.
        extra: Variables of the environment it needs.
    """

    name: str
    version_command: Sequence[str]
    extra: Mapping[str, str]

    def version(self, runner: Runner) -> str:
        """Returns the version as the tool says it, or an empty text when it is not there."""
        lines = runner.output(self.version_command, self.extra).splitlines()
        return " ".join(lines[0].removeprefix("git version ").split()[:2]) if lines else ""

    def start(self, runner: Runner) -> Taken:
        """Runs the command that prints the version."""
        return runner.run(self.version_command, extra=self.extra)

    @abstractmethod
    def open(self, root: Path, folder: Path) -> Store:
        """Prepares an empty store for the folder `root`, unmeasured; everything of it lies in `folder`."""


class ArchiveTool(Tool):
    """This project.

    Args:
        command: How to start it; by default the installed command beside this Python, else the package in this tree.
        backup_options: Further options of `archive backup`.
        name: Title of its column, for measuring it twice with different options.
    """

    def __init__(self, command: Sequence[str] = (), backup_options: Sequence[str] = (), name: str = "archive") -> None:
        installed = Path(sys.executable).with_name("archive")
        from_tree = not command and not installed.exists()
        self.name = name
        self.extra = {"PYTHONPATH": str(ROOT)} if from_tree else {}
        self.command = command or ([sys.executable, "-m", "archive"] if from_tree else [str(installed)])
        self.backup_options = backup_options
        self.version_command = [*self.command, "version"]

    def without_index(self) -> ArchiveTool:
        """Returns the same tool ending its backups when the snapshot is durable, which is where other tools end theirs."""
        return self._with(["--no-index"], self.name)

    def named(self, name: str) -> ArchiveTool:
        """Returns the same tool with a column of its own."""
        return self._with([], name)

    def _with(self, options: Sequence[str], name: str) -> ArchiveTool:
        other = ArchiveTool(self.command, [*self.backup_options, *options], name)
        other.extra = self.extra
        return other

    def open(self, root: Path, folder: Path) -> Store:
        """Prepares nothing: the first backup makes the archive."""
        return ArchiveStore(self, root, folder)


class ArchiveStore(Store):
    """An archive file; moments are ids of snapshots."""

    def __init__(self, tool: ArchiveTool, root: Path, folder: Path) -> None:
        self._tool = tool
        super().__init__(root, folder, tool.extra)

    def size_bytes(self) -> int:
        """Returns the size of the file with its write-ahead log."""
        return folder_bytes(self._data()) + folder_bytes(self._data().with_name("archive.db-wal"))

    def command(self, *arguments: str) -> list[str]:
        """Returns a command on this archive, for scenarios that only it can take part in."""
        return [*self._tool.command, *arguments, "--db", str(self._data())]

    def reindex(self) -> Taken:
        """Makes the index anew, for an archive that was filled without one."""
        return self._run(self.command("reindex"))

    @property
    def database(self) -> Path:
        """The archive's file."""
        return self._data()

    def _data(self) -> Path:
        return self._folder / "archive.db"

    def _backup(self, moment: int) -> Sequence[str]:
        return self.command("backup", str(self._root), "--quiet", *self._tool.backup_options)

    def _restore(self, moment: int, folder: Path, verified: bool) -> Sequence[str]:
        return self.command("restore", "--at", str(moment), "--to", str(folder), "--quiet")

    def _list(self, moment: int) -> Sequence[str]:
        return self.command("ls", "--at", str(moment))


class ResticStore(Store):
    """A restic repository; moments are tags."""

    def _restic(self, *arguments: str) -> Sequence[str]:
        return ["restic", "--quiet", "--repo", str(self._data()), *arguments]

    def _prepare(self) -> Sequence[Sequence[str]]:
        return [self._restic("init")]

    def _data(self) -> Path:
        return self._folder / "repository"

    def _backup(self, moment: int) -> Sequence[str]:
        return self._restic("backup", "--tag", f"s{moment}", ".")

    def _restore(self, moment: int, folder: Path, verified: bool) -> Sequence[str]:
        options = ["--verify"] if verified else []
        return self._restic("restore", "latest", "--tag", f"s{moment}", "--target", str(folder), *options)

    def _list(self, moment: int) -> Sequence[str]:
        return self._restic("ls", "latest", "--tag", f"s{moment}")


class BorgStore(Store):
    """A Borg repository; moments are names of archives."""

    def _prepare(self) -> Sequence[Sequence[str]]:
        return [["borg", "init", "--encryption", "none", str(self._data())]]

    def _data(self) -> Path:
        return self._folder / "repository"

    def _name(self, moment: int) -> str:
        return f"{self._data()}::s{moment}"

    def _backup(self, moment: int) -> Sequence[str]:
        return ["borg", "create", self._name(moment), "."]

    def _restore(self, moment: int, folder: Path, verified: bool) -> Sequence[str]:
        return ["borg", "extract", self._name(moment)]

    def _list(self, moment: int) -> Sequence[str]:
        return ["borg", "list", "--short", self._name(moment)]


class GitStore(Store):
    """A git repository whose work tree is the folder; moments are commits, an unchanged one is an empty commit.

    Its size is that of its objects: the index, the reflog and the folder's files are not counted.
    """

    def packed_bytes(self) -> int:
        """Returns what the objects take after `git gc`, done on a copy."""
        copy = self._folder / f"packed-{self.count}"
        shutil.copytree(self._repository(), copy)
        self._run(["git", f"--git-dir={copy}", "gc", "--quiet"])
        return folder_bytes(copy / "objects")

    def _repository(self) -> Path:
        return self._folder / "git"

    def _git(self, *arguments: str, work_tree: Path | None = None) -> list[str]:
        return ["git", f"--git-dir={self._repository()}", f"--work-tree={work_tree or self._root}", *arguments]

    def _prepare(self) -> Sequence[Sequence[str]]:
        configured = {"gc.auto": "0", "user.name": "bench", "user.email": "bench@example.org"}
        settings = [self._git("config", name, value) for name, value in configured.items()]
        return [self._git("init", "--quiet", "--template="), *settings]

    def _data(self) -> Path:
        return self._repository() / "objects"

    def _backup(self, moment: int) -> Sequence[str]:
        add = shlex.join(self._git("add", "-A"))
        commit = shlex.join(self._git("commit", "--quiet", "--allow-empty", "-m", f"s{moment}"))
        return ["sh", "-c", f"{add} && {commit}"]

    def _commit(self, moment: int) -> str:
        return f"HEAD~{self.count - moment}"

    def _restore(self, moment: int, folder: Path, verified: bool) -> Sequence[str]:
        index = self._folder / "restore.index"  # not the one of the tree, which would be turned back
        index.unlink(missing_ok=True)
        checkout = self._git("checkout", self._commit(moment), "--", ".", work_tree=folder)
        return ["env", f"GIT_INDEX_FILE={index}", *checkout]

    def _list(self, moment: int) -> Sequence[str]:
        return self._git("ls-tree", "-r", "--name-only", self._commit(moment))


class Peer(Tool):
    """A program of others, found on the path."""

    def __init__(self, store: type[Store], version_command: Sequence[str], extra: Mapping[str, str]) -> None:
        self.name = version_command[0]
        self.version_command = version_command
        self.extra = extra
        self._store = store

    def open(self, root: Path, folder: Path) -> Store:
        """Makes the repository."""
        return self._store(root, folder, self.extra)


def peers() -> tuple[Tool, ...]:
    """Returns the programs the archive is measured against, installed or not."""
    borg = {"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
    return (
        Peer(ResticStore, ["restic", "version"], {"RESTIC_PASSWORD": "benchmark"}),
        Peer(BorgStore, ["borg", "--version"], borg),
        Peer(GitStore, ["git", "--version"], {"GIT_CONFIG_NOSYSTEM": "1"}),
    )
