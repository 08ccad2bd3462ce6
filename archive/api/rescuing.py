"""Making what brings a project back when this program is not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archive import __version__
from archive.api.opening import OnProgress, Opening

if TYPE_CHECKING:
    from archive.model.recovery import RecoveryPackage


class Rescuing(Opening):
    """Makes emergency packages."""

    def recovery_package(
        self,
        dest: Path | str = ".",
        *,
        at: str = "latest",
        history: bool = True,
        archive_format: str | None = None,
        encrypt_to: Sequence[str] = (),
        passphrase: str | None = None,
        keep_folder: bool = False,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
    ) -> RecoveryPackage:
        """Makes a folder that brings everything back without this program, and a zip that holds the same.

        The package is made under another name. Only when its own program has verified it and restored from it, and that was
        the same as what the archive says, does it get its name: a package that is there is proven. The archive is only read.

        Args:
            dest: An existing folder, in which the package gets a name of its own; or the name of the package, where an ending
                `.zip` or `.tar.zst` says which file is to lie beside the folder.
            at: The moment whose files lie plainly in the package.
            history: Whether to take in every other version and a copy of the archive.
            archive_format: `zip` or `tar.zst`: which file is to lie beside the folder; `folder`: none.
            encrypt_to: Public keys (`age1…`, or lines of SSH keys) to encrypt that file to with age.
            passphrase: What to encrypt it with instead.
            keep_folder: Leave the folder, in clear, beside an encrypted file.
            dry_run: Write nothing; the result says what would be made, as far as that is known without making it.
            on_progress: Called with each step.

        Raises:
            UsageError: Something is at the place already, or a wish makes no sense. Nothing was written.
            SnapshotNotFound: No snapshot fits.
            TargetFailed: It could not be written or not be proven. Nothing is left there.
            CorruptArchive: The archive cannot be read as a whole. Single contents that are lost are problems of the result.
        """
        from archive.recovery import PackageRequest, make_package

        with self._reading() as (connection, source):
            snapshot = self._resolve(connection, source, at)
        request = PackageRequest(
            dest=Path(dest),
            history=history,
            archive_format=archive_format,
            encrypt_to=tuple(encrypt_to),
            passphrase=passphrase,
            keep_folder=keep_folder,
            dry_run=dry_run,
        )
        made_by = f"rengine-archive {__version__}"
        return make_package(self.path, source, snapshot, request, made_by=made_by, clock=self._clock, on_progress=on_progress)
