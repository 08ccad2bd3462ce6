"""What is done."""

from __future__ import annotations

import argparse
import errno
import fnmatch
import os
import stat
from typing import Any, Callable

from archive.recovery.assets.program.ground import (
    ALWAYS,
    DATABASE,
    HELD,
    HISTORY,
    MODE_BITS,
    SUMS,
    Row,
    Stop,
    counted,
    place,
    read_plain,
    sha256,
    shown,
    unsafe,
    why,
)
from archive.recovery.assets.program.lists import parse_sums, render_sums
from archive.recovery.assets.program.package import Package

LOST = "lost before the package was made"
HOPELESS = (errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))


def put(target: str, row: Row, data: bytes, options: argparse.Namespace, report: Callable[[str], None]) -> str:
    """Writes a file, whole or not at all, and returns what was done; an error says why it was not."""
    if unsafe(row["path"]):
        raise OSError(errno.EINVAL, "its path could lead out of the folder")
    folder: Any = target
    for step in row["path"].split("/")[:-1]:
        folder = place(folder, step)
        if os.path.lexists(folder) and not stat.S_ISDIR(os.lstat(folder).st_mode):
            raise OSError(errno.ENOTDIR, "a link or file is in the place of its folder")
    path = place(folder, row["path"].split("/")[-1])
    exists = os.path.lexists(path)
    if exists and not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EEXIST, "something that is no file is in its place")
    if exists and not options.overwrite:
        if sha256(read_plain(path)) == row["sha256"]:
            return "as it should be already"
        raise OSError(errno.EEXIST, "another content is there; --overwrite replaces it")
    if not options.dry_run:
        os.makedirs(folder, exist_ok=True)
        temporary = place(folder, ".restore-" + os.urandom(6).hex())
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        mode = int(row["mode"], 8) & MODE_BITS
        try:
            with os.fdopen(os.open(temporary, flags, mode & 0o777), "w+b") as file:
                file.write(data)
                file.flush()
                file.seek(0)
                if sha256(file.read()) != row["sha256"]:
                    raise OSError(errno.EIO, "it did not read back as it was written")
            try:
                os.utime(temporary, ns=(row["mtime_ns"], row["mtime_ns"]))
                if os.stat(temporary).st_mode & 0o7777 != mode:
                    os.chmod(temporary, mode)
            except (OSError, OverflowError) as error:
                report(f"the mode or time of some files could not be set: {why(error)}")
            os.replace(temporary, path)
        except BaseException:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
    return "overwritten" if exists else "created"


def verify(package: Package, options: argparse.Namespace) -> str:
    """Reads everything in the package and compares it with its hashes."""
    expected: dict[str, str] = {}
    for row in package.documents:
        if not row.get("lost"):
            package.document(row)
            expected[package.name(row)] = row["sha256"]
    for folder in HELD:
        for name in package.lying(folder):
            if name not in expected:
                package.report(f"unexpected: {shown(name)}: it was not in the package when it was made")
    try:
        raw = package.read(SUMS)
    except OSError as error:
        raw = b""
        package.report(f"damaged: {SUMS}: {why(error)}")
    sums = parse_sums(raw)
    has_history = package.manifest["has_history"]
    own = [*ALWAYS, *((HISTORY, DATABASE) if has_history or sums.keys() & {HISTORY, DATABASE} else ())]
    for name in own:
        try:
            if package.digest(name) != sums.get(name):
                package.report(f"damaged: {name}: it does not match its line in {SUMS}")
        except OSError as error:
            package.report(f"damaged: {name}: {why(error)}")
        expected[name] = sums.get(name, "")
    if raw != render_sums(expected) and not package.is_guessed:
        package.report(f"damaged: {SUMS}: it is not what it was")
    if has_history:
        held = {sha256(data) for name, data in package.history(package.report)} | set(expected.values())
        for row in package.versions:
            if row["sha256"] not in held and not row.get("lost"):
                package.report("damaged: version {} of {}: its content is lost".format(row["version"], shown(row["path"])))
    word = "read, and not all is well" if package.report.said else "verified"
    lost = [row for row in (*package.documents, *package.versions) if row.get("lost")]
    for row in lost:
        package.report("{}: version {} of {}".format(LOST, row["version"], shown(row["path"])))
    there = ([row for row in rows if not row.get("lost")] for rows in (package.documents, package.versions))
    nouns = zip((*there, package.snapshots), ("file", "other version", "snapshot"))
    but = f", but not all that there was: {counted(len(lost), 'content')} {LOST}" if lost else ""
    return "{}, {} and {} {}{}".format(*(counted(len(rows), noun) for rows, noun in nouns), word, but)


def show(package: Package, options: argparse.Namespace) -> str:
    """Prints the snapshots, or with a moment its files."""
    if options.at is None and not options.paths:
        for number, row in sorted(package.snapshots.items()):
            here = "*" if number == package.manifest["snapshot"] else " "
            print("{}{:>6}  {:<17}  {}  {}".format(here, number, row["label"], row["created_at"], shown(row["message"])))
        return "* is what lies in files; 'list --at LABEL' shows the files of a snapshot"
    snapshot = package.find(options.at or "")
    rows = chosen(package, snapshot, options.paths)
    for row in rows:
        print("{:>12}  {}  {}".format(row["size_bytes"], row["sha256"][:12], shown(row["path"])))
    return "{} in snapshot {} ({})".format(counted(len(rows), "file"), snapshot["id"], snapshot["label"])


def chosen(package: Package, snapshot: Row, patterns: list[str]) -> list[Row]:
    """Returns the files of a snapshot that are meant by paths, folders and globs; none mean all."""
    rows, kept = package.state(snapshot["id"]), {}
    for given in patterns:
        pattern = os.fsencode(given).decode("utf-8", "surrogateescape").rstrip("/")
        fitting = [
            row for row in rows if (row["path"] + "/").startswith(pattern + "/") or fnmatch.fnmatchcase(row["path"], pattern)
        ]
        if not fitting:
            package.report("nothing fits {} in snapshot {}".format(shown(pattern), snapshot["label"]))
        kept.update({row["path"]: row for row in fitting})
    return list(kept.values()) if patterns else rows


def lies_in(folder: str, path: str) -> bool:
    """Says whether a place is a folder or inside of it."""
    return (os.path.realpath(path) + os.sep).startswith(folder + os.sep)


def restore(package: Package, options: argparse.Namespace) -> str:
    """Writes the chosen files of a snapshot below a folder."""
    snapshot = package.find(options.at or "")
    inside = os.path.realpath(package.folder)
    name = "restored-" + snapshot["label"]
    target = os.path.abspath(options.to or (name if not lies_in(inside, name) else os.path.join(os.path.dirname(inside), name)))
    if lies_in(inside, target):
        raise Stop(f"{shown(target)} lies inside this package, which stays as it is; name another place with --to")
    rows: dict[str, list[Row]] = {}
    for row in chosen(package, snapshot, options.paths):
        rows.setdefault(row["sha256"], []).append(row)
    if rows and not options.dry_run:
        try:
            os.makedirs(target, exist_ok=True)
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise Stop(f"nothing was restored: cannot make {shown(target)}: {said}; name another place with --to") from None
    done: dict[str, int] = {}
    for digest, data in package.contents(rows):
        for row in rows[digest]:
            try:
                if data is None:
                    lost = "its content was lost before the package was made"
                    raise OSError(errno.EIO, lost if row.get("lost") else "its content could not be read from the package")
                action = put(target, row, data, options, package.report)
                done[action] = done.get(action, 0) + 1
                if options.dry_run:
                    print("{}: {}".format(action, shown(row["path"])))
            except (OSError, ValueError) as error:
                package.report("not restored: {}: {}".format(shown(row["path"]), why(error)))
                if isinstance(error, OSError) and error.errno in HOPELESS:
                    raise Stop(f"stopped, since nothing more can be written to {shown(target)}") from None
    if hasattr(os, "sync") and not options.no_sync:
        os.sync()
    counts = ", ".join(f"{count} {action}" for action, count in sorted(done.items())) or "no files"
    dry = "; this was a dry run, nothing was written" if options.dry_run else ""
    return "snapshot {} in {}: {}{}".format(snapshot["label"], shown(target), counts, dry)
