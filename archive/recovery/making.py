"""Makes emergency packages.

    archive → copy (VACUUM INTO) → folder, all of it from the copy → its own restore.py verifies it and restores on trial,
    and meanwhile it is packed and read back → encrypted → synced → renamed into place

All of it happens in a private folder beside the place, which is removed again whatever happens: a package is there, and
proven, or it is not there. Nothing of the archive is locked meanwhile; backups go on.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.clock import Clock
from archive.errors import ArchiveFull, CorruptArchive, UsageError
from archive.model.documents import DocumentState
from archive.model.recovery import PackageFormat, RecoveryPackage
from archive.model.snapshots import Progress, Snapshot, Source, Stage
from archive.recovery.encrypting import SUFFIX, Encryption
from archive.recovery.filling import DATABASE, SUMS, Filled, Filler
from archive.recovery.output import PRIVATE_FOLDER, hash_of, package_failed
from archive.recovery.packing import Packing
from archive.recovery.proving import require_restorable, require_verified, trial_folder
from archive.recovery.workshop import flush, put_in_place, workshop
from archive.storage import audit, snapshots
from archive.storage.connection import Database
from archive.storage.documents import documents_at
from archive.storage.export import all_versions, copy_archive

_NAME_LENGTH = 60
_PACKED = (PackageFormat.ZIP, PackageFormat.TAR_ZST)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRequest:
    """What package to make, and where.

    Attributes:
        dest: An existing folder, in which the package gets a name of its own; or the name of the package.
        history: Whether to take in every other version and a copy of the archive. Without it the package holds one moment
            and nothing else.
        archive_format: `zip` or `tar.zst`, as which the folder is packed into one file as well, or `folder` for no such file;
            None takes it from the ending of the name, and a zip where it says nothing.
        encrypt_to: Public keys: `age1…`, or lines of SSH keys.
        passphrase: To encrypt with, instead.
        keep_folder: Whether the folder stays, in clear, beside an encrypted file.
        dry_run: Whether to write nothing and only say what would be made.
    """

    dest: Path
    history: bool = True
    archive_format: str | None = None
    encrypt_to: Sequence[str] = ()
    passphrase: str | None = None
    keep_folder: bool = False
    dry_run: bool = False


def make_package(
    archive_path: Path,
    source: Source,
    snapshot: Snapshot,
    request: PackageRequest,
    *,
    made_by: str,
    clock: Clock,
    on_progress: Callable[[Progress], None] | None = None,
) -> RecoveryPackage:
    """Makes a package of one moment of a source, and returns when the disk has it.

    Raises:
        UsageError: Something is at the place already, or the format or a recipient cannot be understood.
        CorruptArchive: The archive cannot be read as a whole. Contents alone that are damaged are problems of the result.
        TargetFailed: It could not be written, or not be proven.

    After any of them nothing is left at the place.
    """
    started = clock.monotonic()
    encryption = None
    if request.encrypt_to or request.passphrase is not None:
        encryption = Encryption(request.encrypt_to, request.passphrase)
    kind = _kind(request)
    if encryption is not None and kind is PackageFormat.FOLDER:
        raise UsageError("a folder cannot be encrypted", hint="Leave the format out, or ask for zip or tar.zst.")
    keeps_folder = encryption is None or request.keep_folder
    packed_bytes = None
    try:
        place = _place(request.dest, source, snapshot)
        if request.dry_run:
            _require_writable(place.parent)
            filled = _previewed(archive_path, source, snapshot, history=request.history)
        else:
            with workshop(place.parent) as work:
                making = _Making(archive_path, source, snapshot, work / place.name, made_by, clock, on_progress or _ignore)
                filled = making.folder(history=request.history, for_zip=kind is PackageFormat.ZIP)
                made = [making.target] if keeps_folder else []
                if kind is PackageFormat.FOLDER:
                    making.prove(filled)
                else:
                    made.append(making.proven_and_packed(filled, kind, encryption))
                    packed_bytes = made[-1].stat().st_size
                flush(work)
                put_in_place(made, place.parent)
    except OSError as error:
        raise package_failed(error, request.dest) from error
    except ArchiveFull as error:  # it tells of the copy by a name that nobody knows
        raise package_failed(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), request.dest) from error
    packed = None
    if kind is not PackageFormat.FOLDER:
        packed = place.with_name(f"{place.name}.{kind.value}{'' if encryption is None else SUFFIX}")
    return RecoveryPackage(
        is_made=not request.dry_run,
        path=place if keeps_folder or packed is None else packed,
        folder=place if keeps_folder else None,
        packed=packed,
        is_encrypted=encryption is not None,
        snapshot=snapshot,
        has_history=request.history,
        snapshots=len(filled.snapshots),
        documents=filled.documents,
        versions=filled.versions,
        other_sources=filled.other_sources,
        size_bytes=filled.size_bytes,
        packed_bytes=packed_bytes,
        duration_ms=round((clock.monotonic() - started) * 1000),
        problems=tuple(filled.problems),
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """Is one package while it is made."""

    archive_path: Path
    source: Source
    snapshot: Snapshot
    target: Path
    made_by: str
    clock: Clock
    on_progress: Callable[[Progress], None]

    def folder(self, *, history: bool, for_zip: bool) -> Filled:
        """Writes the folder; with history all of it from the copy, so that it is one moment of the archive."""
        self.target.mkdir(PRIVATE_FOLDER)
        path = self.archive_path
        if history:
            path = self.target / DATABASE
            copy_archive(self.archive_path, path)
        database = Database(path, writable=False)
        try:
            with database.reading() as connection:
                if history and (found := audit.integrity(connection)):
                    raise CorruptArchive(
                        f"the copy of the archive is not sound: {found[0]}",
                        hint="Run 'archive check'; with --no-history a package can still be made of what can be read.",
                    )
                filler = Filler(
                    self.target,
                    connection,
                    self.source,
                    self.snapshot,
                    made_by=self.made_by,
                    clock=self.clock,
                    for_zip=for_zip,
                    on_progress=self.on_progress,
                )
                return filler.fill(history=history)
        finally:
            database.close()

    def prove(self, filled: Filled) -> None:
        """Has the package verify itself and restore on trial; compares that with the archive, not with the copy."""
        ids = list(dict.fromkeys([self.snapshot.id, filled.snapshots[0]]))
        self.on_progress(Progress(Stage.VERIFY, 0, 1 + len(ids)))
        require_verified(self.target, filled.lost)

        def moments() -> Iterator[tuple[int, list[DocumentState]]]:
            for done, at in enumerate(ids, start=1):
                self.on_progress(Progress(Stage.VERIFY, done, 1 + len(ids)))
                yield at, self._documents(at)

        with trial_folder(self.target.parent) as scratch:
            require_restorable(self.target, scratch, moments(), frozenset(filled.lost))
        self.on_progress(Progress(Stage.VERIFY, 1 + len(ids), 1 + len(ids)))

    def proven_and_packed(self, filled: Filled, kind: PackageFormat, encryption: Encryption | None) -> Path:
        """Proves the folder, and at the same time packs it and reads it back; then encrypts that and returns the one file."""
        target = self.target.with_name(f"{self.target.name}.{kind.value}")
        sums = {**filled.sums, SUMS: hash_of(self.target / SUMS)[0]}
        with Packing(self.target, target, sums, kind) as packing:
            self.prove(filled)
            packing.wait(lambda done, total: self.on_progress(Progress(Stage.WRITE, done, total)))
        if encryption is None:
            return target
        encrypted = target.with_name(target.name + SUFFIX)
        encryption.encrypt(target, encrypted)
        target.unlink()
        return encrypted

    def _documents(self, snapshot_id: int) -> list[DocumentState]:
        database = Database(self.archive_path, writable=False)
        try:
            with database.reading() as connection:
                return documents_at(connection, self.source.id, snapshot_id)
        finally:
            database.close()


def _previewed(archive_path: Path, source: Source, snapshot: Snapshot, *, history: bool) -> Filled:
    """What would be in the folder, as far as that is known without making it."""
    filled = Filled(documents=snapshot.documents, versions=snapshot.documents, size_bytes=snapshot.size_bytes)
    filled.snapshots = [snapshot.id]
    if history:
        database = Database(archive_path, writable=False)
        try:
            with database.reading() as connection:
                filled.versions = len(all_versions(connection, source.id))
                filled.snapshots = [each.id for each in snapshots.all_snapshots(connection, source.id)]
                filled.other_sources = tuple(each.name for each in snapshots.sources(connection) if each.id != source.id)
        finally:
            database.close()
    return filled


def _require_writable(folder: Path) -> None:
    os.listdir(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _kind(request: PackageRequest) -> PackageFormat:
    """How to pack: as it is said, or as the ending of the place says, where these do not differ; else as a zip."""
    meant = _ending(request.dest)[1]
    if request.archive_format is None:
        return meant or PackageFormat.ZIP
    try:
        kind = PackageFormat(request.archive_format)
    except ValueError as error:
        known = ", ".join(PackageFormat)
        raise UsageError(f"no package format is called {request.archive_format!r}", hint=f"There are: {known}.") from error
    if meant not in (None, kind):
        raise UsageError(
            f"{request.dest.name} is the name of a {meant}, and the format is to be {kind}",
            hint="Leave out the ending of the name, or the format.",
        )
    return kind


def _ending(dest: Path) -> tuple[str, PackageFormat | None]:
    """The name of a place without an ending that says how to pack, and what that says; an existing folder has none."""
    name = dest.name.removesuffix(SUFFIX)
    for each in _PACKED:
        if name.endswith(f".{each.value}") and name != f".{each.value}" and not dest.is_dir():
            return name.removesuffix(f".{each.value}"), each
    return dest.name, None


def _place(dest: Path, source: Source, snapshot: Snapshot) -> Path:
    """The folder's path: in an existing folder under a name that is free, else as it was given."""
    if not dest.is_dir():
        place = Path(os.path.abspath(dest)).with_name(_ending(dest)[0])
        if _taken(place):
            raise UsageError(f"{place} is there already", hint="Name another place; nothing is ever replaced.")
        return place
    name = re.sub(r"[^\w.-]+", "_", f"recovery-{source.name}"[:_NAME_LENGTH]) + f"-{snapshot.label}"
    place, number = Path(os.path.abspath(dest)) / name, 1
    while _taken(place):
        number += 1
        place = place.with_name(f"{name}-{number}")
    return place


def _taken(place: Path) -> bool:
    endings = [f".{kind.value}{suffix}" for kind in _PACKED for suffix in ("", SUFFIX)]
    return any(os.path.lexists(f"{place}{ending}") for ending in ["", *endings])


def _ignore(progress: Progress) -> None:
    """Is the callback where the caller wants no reports."""
