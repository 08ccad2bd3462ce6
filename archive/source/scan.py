"""Walks over a source and lists what is to be backed up, without reading contents.

    folder → its entries → rules by name and place → `.gitignore` → stat → FileStat, or a Problem that says why not

Links are listed and never followed, special files are listed and never opened. Contents are read in three places only:
the first bytes of files without an extension that are no documents yet, `.gitignore` files, and markers of caches.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Container, Iterable
from pathlib import Path

from archive.errors import SourceUnreadable, UnsafePath
from archive.extract.parse import sniff
from archive.folders import (
    Folders,
    NotRegular,
    describe_error,
    describe_mode,
    file_stat,
    open_file,
    relative_to,
    unsafe_reason,
)
from archive.model.files import FileStat, Scan
from archive.model.snapshots import Problem, ProblemKind
from archive.rules import FOLDER_MARKERS, MOST_FILE_BYTES, Decision, Rules
from archive.source.gitignore import GITIGNORE, INFO_EXCLUDE, IgnoreFiles, ignored_by, parse_ignore_file

# Enough to tell JSON from anything else.
SNIFF_BYTES = 64 * 1024
_GITIGNORE_MAX_BYTES = 16 * 1024 * 1024

OnDecision = Callable[[str, bool, Decision], None]
OnFile = Callable[[FileStat], None]


def scan(
    root: Path,
    rules: Rules,
    *,
    exclude_paths: Collection[Path] = (),
    extra_paths: Collection[str] = (),
    known: Container[str] = frozenset(),
    on_decision: OnDecision | None = None,
    on_file: OnFile | None = None,
) -> Scan:
    """Returns the files below the root that the rules take in, and what was left out or could not be looked at.

    A file that disappears between two looks at it, or a folder that cannot be listed, is a problem of the scan, and its
    path is among `unreadable_folders`: nothing may be concluded from its absence.

    Args:
        root: The folder; a link to a folder will do.
        rules: What to take in.
        exclude_paths: Absolute paths of files and folders that are never opened nor listed, whatever they are called.
        extra_paths: Relative paths of files to take in whatever the rules and the size limit say.
        known: Paths that are documents already. One without an extension stays one, even if it no longer holds JSON.
        on_decision: Called with path, whether it is a folder, and the decision, for every entry judged; in no order.
        on_file: Called with each file that is taken in, as soon as it is found.

    Raises:
        SourceUnreadable: The root is missing, is no folder, or cannot be listed.
        UnsafePath: One of `extra_paths` is not a path below the root.
    """
    for path in extra_paths:
        if reason := unsafe_reason(path):
            hint = "Give paths relative to the root."
            raise UnsafePath(f"{path!r} is not a path below the root: {reason}", hint=hint, path=path)
    try:
        folders = Folders(root)
    except OSError as error:
        raise _unreadable_root(root, error) from error
    with folders:
        walk = _Walk(folders, rules, _Hidden(root, exclude_paths), frozenset(extra_paths), known, on_decision, on_file)
        try:
            walk.start()
        except OSError as error:
            raise _unreadable_root(root, error) from error
        walk.add_extra()
    skipped, problems = sorted(walk.skipped, key=_by_path), sorted(walk.problems, key=_by_path)
    return Scan(sorted(walk.files), skipped, problems, walk.unknown)


class _Hidden:
    """Answers what must not be touched.

    Opening and closing an SQLite file that this process has open would drop the locks it holds, so these are known by
    their inodes as well, under whatever name a link gives them.
    """

    def __init__(self, root: Path, paths: Collection[Path]) -> None:
        self._places = relative_to(root, paths) - {""}
        self._inodes = set()
        for path in paths:
            try:
                found = os.stat(path)
            except OSError:
                continue
            self._inodes.add((found.st_ino, found.st_dev))

    def is_place(self, path: str) -> bool:
        return path in self._places

    def is_below_place(self, path: str) -> bool:
        return any(path == place or path.startswith(place + "/") for place in self._places)

    def is_inode(self, found: os.stat_result) -> bool:
        return bool(self._inodes) and (found.st_ino, found.st_dev) in self._inodes


class _Walk:
    """Collects what one scan finds."""

    def __init__(
        self,
        folders: Folders,
        rules: Rules,
        hidden: _Hidden,
        extra: frozenset[str],
        known: Container[str],
        on_decision: OnDecision | None,
        on_file: OnFile | None,
    ) -> None:
        self.files: list[FileStat] = []
        self.skipped: list[Problem] = []
        self.problems: list[Problem] = []
        self._folders = folders
        self._rules = rules
        self._hidden = hidden
        self._extra = extra
        self._known = known
        self._tell = on_decision or _ignore
        self._tell_file = on_file or _ignore_stat
        # Folders still to be looked into, with whether they were asked for by name, and the ignore files above them.
        self._pending: list[tuple[str, bool, IgnoreFiles]] = []

    @property
    def unknown(self) -> tuple[str, ...]:
        """Where nothing may be concluded from absence."""
        return tuple(sorted({problem.path for problem in self.problems if problem.kind is not ProblemKind.SUSPICIOUS}))

    def start(self) -> None:
        """Walks over the whole tree; an error in listing the root is raised."""
        entries = self._list("")
        ignores = self._info_exclude() if self._rules.gitignore else ()
        self._look_at(entries, "", ignores)
        while self._pending:
            folder, is_forced, ignores = self._pending.pop()
            try:
                entries = self._list(folder)
                marker = None if is_forced or not self._rules.default_excludes else self._marker(entries, folder)
            except OSError as error:
                self._problem(folder, ProblemKind.FOLDER_UNREADABLE, describe_error(error))
            except NotRegular as error:
                self._problem(folder, ProblemKind.FOLDER_UNREADABLE, f"it became {error.what} while it was looked at")
            else:
                if marker:
                    self._tell(folder, True, Decision(False, f"is {marker}"))
                else:
                    self._look_at(entries, folder + "/", ignores)

    def add_extra(self) -> None:
        """Takes in those files asked for by path that the rules did not."""
        seen = {file.path for file in self.files} | {problem.path for problem in (*self.skipped, *self.problems)}
        for path in sorted(self._extra - seen):
            if self._hidden.is_below_place(path):
                continue
            folder, _, name = path.rpartition("/")
            try:
                found = os.stat(name, dir_fd=self._folders.open(folder), follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._problem(path, ProblemKind.UNREADABLE, describe_error(error))
            except NotRegular as error:
                kind = ProblemKind.SYMLINK if error.is_symlink else ProblemKind.SPECIAL_FILE
                self.skipped.append(Problem(path, kind, f"the folder {error.path!a} is {error.what}"))
            else:
                if not self._skip(path, found) and not self._hidden.is_inode(found):
                    self._take_in(path, found)

    def _list(self, folder: str) -> list[os.DirEntry[str]]:
        with os.scandir(self._folders.open(folder)) as entries:
            return list(entries)

    def _look_at(self, entries: list[os.DirEntry[str]], prefix: str, ignores: IgnoreFiles) -> None:
        if self._rules.gitignore:
            ignores = (*ignores, *self._gitignore(entries, prefix))
        for entry in entries:
            path = prefix + entry.name
            if self._hidden.is_place(path):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    self._look_at_folder(path, ignores)
                else:
                    self._look_at_file(entry, path, ignores)
            except FileNotFoundError:
                # Nothing is lost with a file that was no document and, for all that is known, not to become one.
                if self._rules.decide(path).included or path in self._known:
                    self._problem(path, ProblemKind.VANISHED, "it was gone when it was looked at")
            except OSError as error:
                self._problem(path, ProblemKind.UNREADABLE, describe_error(error))

    def _look_at_folder(self, path: str, ignores: IgnoreFiles) -> None:
        decision = self._judge(path, ignores, is_dir=True)
        if not decision.included:
            return
        if "/" not in path and (reason := unsafe_reason(path)):
            self._problem(path, ProblemKind.FOLDER_UNREADABLE, f"it could not be restored: {reason}")
            return
        self._pending.append((path, decision.is_forced, ignores))

    def _look_at_file(self, entry: os.DirEntry[str], path: str, ignores: IgnoreFiles) -> None:
        decision = self._judge(path, ignores, is_dir=False)
        if not (decision.included or decision.by_content):
            # A link to a folder has hardly ever a name that is asked for; had it been a folder, we had gone there.
            if entry.is_symlink() and entry.is_dir() and self._judge(path, ignores, is_dir=True, tell=False).included:
                self._skip(path, entry.stat(follow_symlinks=False))
            return
        found = entry.stat(follow_symlinks=False)
        if self._skip(path, found) or self._hidden.is_inode(found):
            return
        if decision.by_content and path not in self._known and not self._holds_json(entry.name, path, found):
            return
        if "/" not in path and (reason := unsafe_reason(path)):
            self._problem(path, ProblemKind.UNREADABLE, f"it could not be restored: {reason}")
        elif found.st_size > (limit := self._limit(path)):
            message = f"{found.st_size} bytes, over the limit of {limit}"
            self.skipped.append(Problem(path, ProblemKind.TOO_LARGE, message))
        else:
            self._take_in(path, found)

    def _take_in(self, path: str, found: os.stat_result) -> None:
        taken = file_stat(path, found)
        self.files.append(taken)
        self._tell_file(taken)

    def _limit(self, path: str) -> int:
        return MOST_FILE_BYTES if path in self._extra else min(self._rules.max_file_bytes, MOST_FILE_BYTES)

    def _judge(self, path: str, ignores: IgnoreFiles, *, is_dir: bool, tell: bool = True) -> Decision:
        decision = self._rules.decide(path, is_dir=is_dir)
        may_be_ignored = ignores and not decision.is_forced and (decision.included or decision.by_content)
        if may_be_ignored and (reason := ignored_by(ignores, path, is_dir=is_dir)):
            decision = Decision(False, reason)
        if tell:
            self._tell(path, is_dir, decision)
        return decision

    def _skip(self, path: str, found: os.stat_result) -> bool:
        """Lists what is no regular file among the things skipped; returns whether it is none."""
        if stat.S_ISREG(found.st_mode):
            return False
        if not stat.S_ISDIR(found.st_mode):
            kind = ProblemKind.SYMLINK if stat.S_ISLNK(found.st_mode) else ProblemKind.SPECIAL_FILE
            self.skipped.append(Problem(path, kind, f"it is {describe_mode(found.st_mode)}"))
        return True

    def _holds_json(self, name: str, path: str, found: os.stat_result) -> bool:
        if found.st_size == 0:
            return False
        folder = path.rpartition("/")[0]
        data = self._read_start(name, path, folder, SNIFF_BYTES)
        return data is not None and sniff(data) is not None

    def _read_start(self, name: str, path: str, folder: str, limit: int) -> bytes | None:
        """Returns the first bytes of a file, or None if it became something else meanwhile."""
        try:
            fd = open_file(path, name, self._folders.open(folder))
        except NotRegular:
            return None
        try:
            return os.read(fd, limit)
        finally:
            os.close(fd)

    def _marker(self, entries: Iterable[os.DirEntry[str]], folder: str) -> str:
        """Returns what kind of place marked as uninteresting the folder is, or an empty text."""
        for entry in entries:
            if entry.name in FOLDER_MARKERS and entry.is_file(follow_symlinks=False):
                what, start = FOLDER_MARKERS[entry.name]
                try:
                    if not start or self._read_start(entry.name, folder, folder, len(start)) == start:
                        return what
                except PermissionError:  # which is a matter of this file alone, and will be said of it
                    continue
        return ""

    def _gitignore(self, entries: Iterable[os.DirEntry[str]], prefix: str) -> IgnoreFiles:
        if not any(entry.name == GITIGNORE for entry in entries):
            return ()
        return self._ignore_file(prefix, prefix + GITIGNORE)

    def _info_exclude(self) -> IgnoreFiles:
        return self._ignore_file("", INFO_EXCLUDE)

    def _ignore_file(self, base: str, path: str) -> IgnoreFiles:
        folder, _, name = path.rpartition("/")
        try:
            data = self._read_start(name, path, folder, _GITIGNORE_MAX_BYTES)
        except (FileNotFoundError, NotRegular):
            return ()
        except OSError as error:
            message = f"nothing is ignored by it, since it cannot be read: {describe_error(error)}"
            self.problems.append(Problem(path, ProblemKind.SUSPICIOUS, message))
            return ()
        return () if data is None else (parse_ignore_file(base, path, data),)

    def _problem(self, path: str, kind: ProblemKind, message: str) -> None:
        self.problems.append(Problem(path, kind, message))


def _unreadable_root(root: Path, error: OSError) -> SourceUnreadable:
    return SourceUnreadable(
        f"the folder {root} cannot be read: {describe_error(error)}",
        hint="Name a folder that exists and that you may read, as in 'archive backup PATH'.",
        root=str(root),
    )


def _by_path(problem: Problem) -> tuple[str, str]:
    return problem.path, problem.message


def _ignore_stat(found: FileStat) -> None:
    """Is the callback where the caller waits for the whole list."""


def _ignore(path: str, is_dir: bool, decision: Decision) -> None:
    """Is the callback where the caller does not want to know."""
