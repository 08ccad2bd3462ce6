"""Restores files in two phases: all are staged and proven, and only then is the first one put in place.

    check_paths → stage (write, read back, compare, flush) → commit (rename, delete, attributes, look again, flush)

Whatever fails before `commit` leaves the target as it was.
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.errors import TargetFailed, UnsafePath
from archive.folders import (
    Folders,
    NotRegular,
    describe_error,
    describe_mode,
    file_stat,
    relative_to,
    unsafe_reason,
)
from archive.model.base import Value
from archive.model.files import FileStat
from archive.model.snapshots import Problem, ProblemKind
from archive.target.placing import AttributeChange, Placer
from archive.target.staging import FLUSHED_SINGLY, Place, Staging, flush_file_system, flush_folder
from archive.target.writing import StagedFile, Written, target_failed


@dataclass(frozen=True, slots=True)
class Obstacle(Value):
    """Something that is not a regular file where one is to be, or in the place of a folder above it.

    Attributes:
        path: What is in the way, relative to the target.
        message: For people; lower case, no period.
    """

    path: str
    message: str


class Target:
    """Is a folder to be restored to; it need not exist before.

    Use it as a context manager, or call `close`, at least where something was staged. Not for several threads at once.
    """

    def __init__(self, root: Path, *, protect: Collection[Path] = ()) -> None:
        """Looks at nothing yet.

        Args:
            root: The folder.
            protect: Absolute paths that are never written to, nor anything below them: the archive's own.
        """
        self._root = root
        self._protect = tuple(protect)
        self._folders: Folders | None = None
        self._staging: Staging | None = None
        self._made: list[str] = []
        self._missing = ""  # the folder that was looked for last and is not there, with a slash behind
        # A path with a slash behind starts with one of these if it is protected or below something protected.
        self._protected = tuple(place + "/" if place else "" for place in relative_to(root, protect))

    def __enter__(self) -> Target:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes what is staged and not yet in place, and closes the folders. Closing twice does nothing."""
        self.discard()
        if self._folders is not None:
            self._folders.close()
        self._folders = None

    def stat(self, path: str) -> FileStat | Obstacle | None:
        """Returns the regular file at a path, what is in the way of one, or None if nothing is there.

        Raises:
            TargetFailed: The target itself cannot be looked at.
        """
        folders = self._existing()
        if folders is None:
            return None
        if self._missing and path.startswith(self._missing):
            return None
        folder, _, name = path.rpartition("/")
        try:
            fd = self._open(folders, folder)
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except NotRegular as error:
            return Obstacle(error.path, f"{error.what} is in the place of the folder {error.path!r}")
        except OSError as error:
            return Obstacle(path, f"it cannot be looked at: {describe_error(error)}")
        if modes.S_ISREG(found.st_mode):
            return file_stat(path, found)
        return Obstacle(path, f"{describe_mode(found.st_mode)} is in its place")

    def check_paths(self, paths: Iterable[str]) -> None:
        """Makes sure that files at these paths would be inside the target and nowhere else.

        Raises:
            UnsafePath: One is not: by its text, by a link among the folders above it, or because it is protected.
            TargetFailed: The target itself cannot be looked at.
        """
        above: dict[str, str] = {}
        for path in paths:
            self._require_safe(path)
            above.setdefault(path.rpartition("/")[0], path)
        folders = self._existing()
        if folders is None:
            return
        for folder, path in sorted(above.items()):
            if self._missing and path.startswith(self._missing):
                continue
            try:
                self._open(folders, folder)
            except NotRegular as error:
                if error.is_symlink:
                    raise _unsafe(path, f"the folder {error.path!r} is a symbolic link") from error
            except OSError:
                continue  # missing, or for the commit to report

    def begin(self) -> Place:
        """Makes the staging folder; returns where it is, for another process that stages a share.

        Raises:
            TargetFailed: It cannot be made.
        """
        assert self._staging is None, "staging begins once"
        try:
            folders = self._made_root()
            self._staging = Staging(folders.root_fd, self._root)
            return self._staging.place
        except BaseException:
            self.discard()
            raise

    def stage(self, files: Iterable[StagedFile], others: Iterable[tuple[Written, bool]] = ()) -> int:
        """Writes the files to a folder inside the target, reads them back and flushes them; returns their size.

        Files are taken one at a time. After an exception, also one from `files`, the target is as it was.

        Args:
            files: What to write.
            others: What another process wrote to the same staging folder, from `stage_share`.

        Raises:
            TargetFailed: A file could not be written, or does not read back with its hash.
            UnsafePath: A path is unsafe by its text, or protected.
        """
        if self._staging is None:
            self.begin()
        staging = self._staging
        assert staging is not None
        try:
            staging.write(map(self._safe, files))
            staging.adopt(others)
            staging.flush()
        except BaseException:
            self.discard()
            raise
        return sum(file.size_bytes for file in staging.files)

    def commit(
        self,
        *,
        deletes: Collection[str] = (),
        attributes: Iterable[AttributeChange] = (),
        expected: Mapping[str, FileStat | None] | None = None,
        remove_empty: bool = False,
    ) -> tuple[Problem, ...]:
        """Puts the staged files in place, each one atomically, and makes the other changes.

        Files that are in the way of staged ones are deleted first, all others last. Files and folders are on disk when
        it returns. What fails is returned and does not stop the rest.

        Args:
            deletes: Files to remove.
            attributes: Files that only get another mode and time of modification.
            expected: What the plan saw at paths, None for nothing; a file that is different by now is left alone.
            remove_empty: Whether folders that the deletes leave empty go too.

        Returns:
            One problem for each file that is not as it was to be.

        Raises:
            UnsafePath: A path is unsafe by its text, or protected. Nothing was changed.
            TargetFailed: The target itself cannot be opened. Nothing was changed.
        """
        attributes = tuple(attributes)
        for path in (*deletes, *(change.path for change in attributes)):
            self._require_safe(path)
        folders = self._folders if self._staging is not None else self._existing()
        if folders is None:
            return tuple(Problem(change.path, ProblemKind.NOT_WRITTEN, "it is gone") for change in attributes)
        folders.forget()
        self._missing = ""
        placer = Placer(folders, self._protect, expected or {})
        problems = list(self._carry_out(placer, deletes, attributes, remove_empty=remove_empty))
        problems += _flush(folders, self._made, placer.touched)
        self._made = []
        self.discard()
        return tuple(sorted(problems, key=lambda problem: problem.path))

    def discard(self) -> None:
        """Removes what is staged and not yet in place, and the target itself if staging made it."""
        if self._staging is not None:
            self._staging.remove()
            self._staging = None
        if self._made and self._folders is not None:
            self._folders.close()
            self._folders = None
        while self._made:
            try:
                os.rmdir(self._made.pop())
            except OSError:
                self._made = []

    def _carry_out(
        self, placer: Placer, deletes: Collection[str], attributes: tuple[AttributeChange, ...], *, remove_empty: bool
    ) -> Iterator[Problem]:
        staged = self._staging.files if self._staging is not None else []
        first = _in_the_way(deletes, [file.path for file in staged])
        yield from _delete(placer, first, remove_empty=remove_empty)
        whole = self._place_folders(placer)
        placed = []
        for file in staged:
            assert self._staging is not None
            if file.is_in_tree and _top(file.path) in whole:
                # Its attributes were looked at when it was written, and nobody else knew its name.
                if self._staging.doubtful:
                    placed.append(file)
            elif problem := placer.place(file, self._staging):
                yield problem
            else:
                placed.append(file)
        yield from _delete(placer, [path for path in deletes if path not in first], remove_empty=remove_empty)
        for change in attributes:
            if problem := placer.change_attributes(change):
                yield problem
        names: dict[tuple[int, int], str] = {}
        # From the last one back: where two names are one to the file system, the last file is the one that stands.
        for file in reversed(placed):
            identity = placer.identity(file.path)
            if identity is not None and names.setdefault(identity, file.path) != file.path:
                message = f"the file system takes its name for that of {names[identity]!r}"
                yield Problem(file.path, ProblemKind.NOT_WRITTEN, message)
            elif problem := placer.verify(file.path, file.size_bytes, file.mode, file.mtime_ns):
                yield problem

    def _place_folders(self, placer: Placer) -> set[str]:
        """Puts in place what was staged as a whole folder; returns the names of those where that could be done."""
        if self._staging is None:
            return set()
        tops = {_top(file.path): True for file in self._staging.files if file.is_in_tree}
        for file in self._staging.files:
            if not placer.expects_nothing(file.path):
                tops.pop(_top(file.path), None)
        return {top for top in tops if placer.place_folder(top, self._staging)}

    def _safe(self, file: StagedFile) -> StagedFile:
        self._require_safe(file.path)
        return file

    def _require_safe(self, path: str) -> None:
        if reason := unsafe_reason(path):
            raise _unsafe(path, reason)
        if self._protected and (path + "/").startswith(self._protected):
            raise _unsafe(path, "it belongs to the archive itself")

    def _open(self, folders: Folders, folder: str) -> int:
        try:
            return folders.open(folder)
        except FileNotFoundError as error:
            # Paths come in order: the next ones are mostly below the same folder, and need not be looked for.
            self._missing = f"{error.filename}/"
            raise

    def _existing(self) -> Folders | None:
        """Returns the target's folders, or None if it does not exist."""
        if self._folders is None:
            try:
                self._folders = Folders(self._root)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise target_failed(self._root, error) from error
        return self._folders

    def _made_root(self) -> Folders:
        """Returns the target's folders, after making the target where it is missing."""
        missing = os.path.abspath(self._root)
        made = []
        while not os.path.lexists(missing):
            made.append(missing)
            missing = os.path.dirname(missing)
        try:
            for folder in reversed(made):
                os.mkdir(folder)
                self._made.append(folder)
        except OSError as error:
            raise target_failed(self._root, error) from error
        folders = self._existing()
        if folders is None:
            raise TargetFailed(f"the folder {self._root} is gone", hint="Name one that stays.", root=str(self._root))
        return folders


def _unsafe(path: str, reason: str) -> UnsafePath:
    return UnsafePath(
        f"{path!r} cannot be restored: {reason}; nothing was written",
        hint="Name the paths to restore without it, or restore to a new folder with '--to DIR'. If the archive may have been"
        " edited, run 'archive check'.",
        path=path,
        reason=reason,
    )


def _top(path: str) -> str:
    return path.partition("/")[0]


def _in_the_way(deletes: Collection[str], staged: Collection[str]) -> set[str]:
    """Returns the deletes that have to go before the staged files can be put in place.

    That is a file where a folder is needed, or a file in a folder where a file is to be.
    """
    if not deletes or not staged:
        return set()
    needed = {above for path in staged for above in _above(path)}
    places = set(staged)
    return {path for path in deletes if path in needed or any(above in places for above in _above(path))}


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _delete(placer: Placer, paths: Collection[str], *, remove_empty: bool) -> Iterator[Problem]:
    for path in sorted(paths):
        if problem := placer.delete(path):
            yield problem
    if remove_empty and paths:
        placer.delete_empty({path.rpartition("/")[0] for path in paths})


def _flush(folders: Folders, made: list[str], touched: set[str]) -> list[Problem]:
    # A folder above may have got a new entry, too.
    touched = touched | {above for folder in touched for above in (*_above(folder), "")}
    try:
        for folder in made:
            flush_folder(os.path.dirname(folder))
        if len(touched) > FLUSHED_SINGLY:
            flush_file_system(folders.root_fd)
        else:
            for folder in sorted(touched):
                os.fsync(folders.open(folder))
    except (OSError, NotRegular) as error:
        return [Problem(".", ProblemKind.NOT_WRITTEN, f"it is not certain that the disk holds all of it: {error}")]
    return []
