"""Finds the project, its settings and its archive from where the user stands.

    root      the ROOT argument or --root, else the nearest folder at or above the current one that holds archive.toml,
              .archive or a pyproject.toml with [tool.archive], else the current folder
    archive   --db, else ARCHIVE_DB, else `db` in archive.toml or [tool.archive], else ROOT/.archive/archive.db
    source    --source, else `source` in the settings, else the one that stands at the root where there are several

What was named comes before what is written down, and that before what is found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from archive.config import CONFIG_NAME, Config, load_config
from archive.errors import ArchiveFull, ArchiveLocked, ArchiveReadOnly, ConfigError, UsageError
from archive.rules import Rules

if TYPE_CHECKING:
    from archive.api import Archive
    from archive.api.opening import OnProgress

DB_VARIABLE = "ARCHIVE_DB"
FOLDER = ".archive"
DEFAULT_WAIT_S = 30.0


@dataclass(frozen=True)
class Place:
    """Where a command works.

    Attributes:
        root: The project's folder, absolute.
        db_given: What --db or the environment say of the archive's file, absolute; None where they say nothing.
        source: What --source says.
        wait_s: How long to wait for another writer [s].
    """

    root: Path
    db_given: Path | None
    source: str | None
    wait_s: float

    @cached_property
    def config(self) -> Config:
        """The settings of the project; read when they are first needed, since --db alone is enough to look back.

        Raises:
            ConfigError: They cannot be understood.
        """
        return load_config(self.root)

    @cached_property
    def db(self) -> Path:
        """The archive's file, absolute."""
        if self.db_given is not None:
            return self.db_given
        if self.config.db is not None:
            return _absolute(self.root / self.config.db)
        return self.root / FOLDER / "archive.db"

    def open(self, mode: Literal["read", "write"] = "read") -> Archive:
        """Opens the archive; the source is chosen by where the user stands, unless it was named."""
        from archive.api import Archive

        source = self.source
        if source is None and self.db_given is None:
            source = self.config.source
        if source is None:
            # Opened for reading, so that finding the source waits for nobody.
            archive = Archive.open(self.db, wait_s=self.wait_s)
            try:
                source = archive.source_name = self._source_here(archive)
            except BaseException:
                archive.close()
                raise
            if mode == "read":
                return archive
            archive.close()
        return Archive.open(self.db, mode=mode, source=source, wait_s=self.wait_s)

    def open_whole(self, mode: Literal["read", "write"] = "read") -> Archive:
        """Opens the archive for what concerns all of it; looks for no source, since even that may be damaged."""
        from archive.api import Archive

        return Archive.open(self.db, mode=mode, wait_s=self.wait_s)

    def open_indexed(self, on_progress: OnProgress | None = None, *, whole: bool = False) -> Archive:
        """Opens the archive for reading; indexes first what backups left, unless somebody else writes or nobody may.

        Then what is asked says itself what is missing.
        """
        from archive.api import Archive

        archive = self.open_whole() if whole else self.open()
        try:
            if archive.count_waiting():
                with (
                    suppress(ArchiveLocked, ArchiveReadOnly, ArchiveFull),
                    Archive.open(self.db, mode="write", wait_s=0) as writer,
                ):
                    writer.index(on_progress=on_progress)
        except BaseException:
            archive.close()
            raise
        return archive

    def require_root(self) -> None:
        """Raises unless the root can be listed; before anything is written to it or for it.

        Raises:
            SourceUnreadable: It cannot.
        """
        from archive.source.scan import scan

        try:
            os.scandir(self.root).close()
        except OSError:
            scan(self.root, Rules())  # raises the error that says what is the matter

    def document_path(self, text: str) -> str:
        """Returns the path or pattern relative to the root, for what a user types behind a command.

        Paths are those that `archive ls` prints. A path that is absolute or begins with `./` or `../` is taken from the
        file system instead, and so is one that exists from the current folder and not from the root.

        Raises:
            UsageError: It leads out of the root.
        """
        here = Path.cwd()
        if not (text.startswith(("/", "./", "../")) or text in (".", "..") or self._is_meant_from(here, text)):
            return text
        path = os.path.normpath(here / text)
        if path == str(self.root):
            return "."
        if not Path(path).is_relative_to(self.root):
            raise UsageError(
                f"{text} is not below {self.root}", hint="Give paths as 'archive ls' prints them, relative to the root."
            )
        return Path(path).relative_to(self.root).as_posix()

    def document_paths(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        """Returns all of the paths and patterns relative to the root."""
        return tuple(map(self.document_path, texts))

    def require_source_here(self, archive: Archive) -> None:
        """Raises unless the source stands where the user does, so that no command surprises another folder.

        Raises:
            UsageError: It stands elsewhere.
        """
        from archive.sources import root_of

        for source in archive.sources():
            if archive.source_name in (None, source.name):
                found = root_of(source, archive.path)
                if not _is_at_or_below(self.root, found):
                    raise UsageError(
                        f"the archive belongs to {found}, and this is {self.root}",
                        hint=f"Add --root {found} to write there, or --to FOLDER to write elsewhere.",
                        source_root=str(found),
                        root=str(self.root),
                    )

    def _source_here(self, archive: Archive) -> str | None:
        """Returns the source whose folder is the nearest at or above the root, or None where there is no choice."""
        from archive.sources import root_of

        sources = archive.sources()
        if len(sources) < 2:
            return None
        roots = [(root_of(source, archive.path), source.name) for source in sources]
        above = [(len(root.parts), name) for root, name in roots if _is_at_or_below(self.root, root)]
        return max(above)[1] if above else None

    def _is_meant_from(self, here: Path, text: str) -> bool:
        if here == self.root or not here.is_relative_to(self.root):
            return False
        return os.path.lexists(here / text) and not os.path.lexists(self.root / text)


def find_place(
    *,
    root: str | None,
    db: str | None,
    source: str | None,
    wait_s: float,
    environment: Mapping[str, str] = os.environ,
) -> Place:
    """Returns where a command works, from its options and the environment."""
    db = db or environment.get(DB_VARIABLE) or None
    return Place(
        root=_absolute(Path(root)) if root is not None else find_root(_current_folder()),
        db_given=_absolute(Path(db)) if db is not None else None,
        source=source,
        wait_s=wait_s,
    )


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder is gone", hint="Change to the project's folder, or name it with --root.") from None


def find_root(start: Path) -> Path:
    """Returns the nearest folder at or above `start` that is marked as a project's root, else `start`."""
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file() or (folder / FOLDER).is_dir() or _has_settings(folder):
            return folder
    return start


def _has_settings(folder: Path) -> bool:
    """Whether the folder has settings in a file that is not called after us."""
    try:
        return load_config(folder).file is not None
    except ConfigError:
        return True  # that there is something wrong with them is said when they are needed


def _is_at_or_below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
