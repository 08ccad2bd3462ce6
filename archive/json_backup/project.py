"""Knows which files of a project are listed, by the names that they have on disk, and where their archive is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.clock import Clock
from archive.config import load_config
from archive.errors import ConfigError, UsageError
from archive.model.memory import MemorySettings
from archive.rules import Rules

_ARCHIVE_NAME = "archive.db"
_DEFAULT_AGENTS_DIR = "agents"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFiles:
    """The files of a project that are backed up, and nothing else of it.

    Attributes:
        root: The project's folder.
        agents_dir: What stands for the `agents/` that the paths below begin with.
        backup_dir: The folder of the archive, relative to the root.
        core: Paths of the JSON files, relative to the root.
        critical: Paths of the documents.
    """

    root: Path
    agents_dir: str
    backup_dir: str
    core: Sequence[str]
    critical: Sequence[str]
    clock: Clock

    @property
    def archive_path(self) -> Path:
        """Where the archive is, or will be."""
        return self.root / self.backup_dir / _ARCHIVE_NAME

    @property
    def shown_archive_path(self) -> str:
        """The same as the settings have it."""
        return str(Path(self.backup_dir) / _ARCHIVE_NAME)

    def paths(self) -> list[str]:
        """Returns the paths of all files, relative to the root and as they are spelled on disk.

        Raises:
            UsageError: One of them is not below the root.
        """
        return list(dict.fromkeys(map(self._found, [*self.core, *self.critical])))

    def core_path(self, name: str) -> str:
        """Returns the path of a core file by its name without an ending, listed or not."""
        listed = (path for path in self.core if Path(path).stem == name)
        return self._found(next(listed, f"{_DEFAULT_AGENTS_DIR}/{name}.json"))

    def rules(self) -> Rules:
        """Returns the rules by which these files are taken in, and no others."""
        return Rules.only(self.paths(), origin="json_backup_system")

    def memory_settings(self) -> MemorySettings:
        """Returns what the project's own settings say of its memory; the defaults where they cannot be read.

        These calls are what is left when things are broken, and the settings are one of them.
        """
        try:
            return load_config(self.root).memory
        except ConfigError:
            return MemorySettings()

    def _found(self, path: str) -> str:
        if path.startswith(f"{_DEFAULT_AGENTS_DIR}/"):
            path = self.agents_dir + path[len(_DEFAULT_AGENTS_DIR) :]
        found = Path(os.path.relpath(self.root / path, self.root)).as_posix()
        if found in (".", "..") or found.startswith("../"):
            raise UsageError(f"{path} is not below the current directory", hint="Change to the project's directory first.")
        return self._as_spelled(found)

    def _as_spelled(self, path: str) -> str:
        """`docs/roadmap.md` means `docs/ROADMAP.md` where there is only that."""
        folder, name = os.path.split(path)
        try:
            names = os.listdir(self.root / folder)
        except OSError:
            return path
        spelled = [each for each in names if each.casefold() == name.casefold()]
        return path if name in spelled or len(spelled) != 1 else os.path.join(folder, spelled[0])


def current_folder() -> Path:
    """Returns the folder of the project, which is where the process is.

    Raises:
        UsageError: It is gone.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder is gone", hint="Change to the project's folder, and try again.") from None


def make_backup_dir(listed: ListedFiles) -> None:
    """Makes the folder of the archive where it is missing.

    Raises:
        UsageError: There is, or on the way there is, something else than a folder.
    """
    folder = listed.root / listed.backup_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(
            f"the backups cannot be put into {listed.backup_dir}: it is no folder, or is below a file",
            hint="Move that file away, or set BACKUP_DIR to another place.",
            path=str(folder),
        ) from None
