"""Makes emergency packages."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from archive.cli import faults, options, progress, units
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import EXIT_INCOMPLETE, UsageError
from archive.model.recovery import PackageFormat, RecoveryPackage

_INTERRUPTED = "interrupted; no package was left behind"


@as_command(
    "recovery-package",
    "archive recovery-package",
    "archive recovery-package /media/stick --format folder",
    "archive recovery-package --at 20230401_120000 --no-history ../then",
    "archive recovery-package --passphrase --format tar.zst /media/stick",
)
@click.argument("dest", required=False, type=click.Path(path_type=Path))
@options.at
@click.option("--no-history", is_flag=True, help="Hold this one moment only: no older versions, no copy of the archive.")
@click.option(
    "--format",
    "archive_format",
    type=click.Choice([kind.value for kind in PackageFormat]),
    help="Which file of the same to make beside the folder (by default a zip); folder makes none.",
)
@click.option(
    "--encrypt",
    "encrypt_to",
    multiple=True,
    metavar="RECIPIENT",
    help="Encrypt with age to a public key (age1… or an SSH key); may be given several times.",
)
@click.option(
    "--passphrase",
    "has_passphrase",
    is_flag=True,
    help="Encrypt with a passphrase, asked for on a terminal and else read as a line of the standard input.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be made, and write nothing.")
@click.option("--keep-folder", is_flag=True, help="Leave the folder, which is not encrypted, beside an encrypted file.")
@options.output(quiet=True)
@options.place()
@click.pass_context
def command(
    ctx: click.Context,
    place: Place,
    output: Output,
    dest: Path | None,
    at: str,
    no_history: bool,
    archive_format: str | None,
    encrypt_to: tuple[str, ...],
    has_passphrase: bool,
    dry_run: bool,
    keep_folder: bool,
) -> None:
    """Make a folder that brings it all back without this program.

    DEST is an existing folder, in which the package gets a name of its own, or the name of the package itself; without it,
    the package is made in the current folder. It holds the files as they were, every other version, a copy of the archive,
    a page to search them in a browser, a program that needs Python alone, and instructions. Beside it lies a zip of the same,
    which any computer opens.

    Before the package appears, its own program has verified it and restored from it on trial, and the zip was read back.

    Exits with 3 if the archive could not give back some of the versions; all others are in the package.

    With --json: `is_made`, `path`, `folder`, `packed`, `is_encrypted`, `snapshot`, `has_history`, the numbers of `snapshots`,
    `documents` and `versions`, `other_sources`, `size_bytes`, `packed_bytes`, `duration_ms` and `problems`.
    """
    ctx.meta[faults.INTERRUPTED_KEY] = _INTERRUPTED
    passphrase = _passphrase(dry_run=dry_run) if has_passphrase else None
    with place.open() as archive, progress.shown(output) as on_progress:
        package = archive.recovery_package(
            dest or Path(),
            at=at,
            history=not no_history,
            archive_format=archive_format,
            encrypt_to=encrypt_to,
            passphrase=passphrase,
            keep_folder=keep_folder,
            dry_run=dry_run,
            on_progress=on_progress,
        )
    if output.as_json:
        output.json(package.to_json())
    else:
        _show(output, package)
    if not package.is_complete:
        ctx.exit(EXIT_INCOMPLETE)


def _passphrase(*, dry_run: bool) -> str:
    if dry_run:
        return "asked for when it is used"
    if sys.stdin.isatty():
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt="The passphrase again", err=True))
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("the passphrase is not UTF-8", hint="Give one that can be typed where it is opened.") from None


def _show(output: Output, package: RecoveryPackage) -> None:
    if package.is_made:
        output.say(styled("made and proven: ", "green"), styled(str(package.path), "bold"))
    else:
        output.say(styled("dry run, nothing was written", "bold"))
        output.say("would be made: ", styled(str(package.path), "bold"))
    if package.packed is not None and package.packed != package.path:
        size = "" if package.packed_bytes is None else f", {units.size(package.packed_bytes)}"
        output.say("  and the same in one file: ", styled(str(package.packed), "bold"), size)
    bytes_kept = package.size_bytes if package.folder is not None or package.packed_bytes is None else package.packed_bytes
    size = units.size(bytes_kept)
    took = f"{size} in {units.seconds(package.duration_ms)}" if package.is_made else f"{size} of files"
    history = f", {units.count(package.versions, 'version')}, {units.count(package.snapshots, 'snapshot')}"
    output.say(
        f"  snapshot {package.snapshot.id} ({package.snapshot.label}): {units.count(package.documents, 'file')}"
        f"{history if package.has_history else '; no history'}; {took}"
    )
    if package.other_sources:
        output.say(f"  its copy of the archive also holds: {', '.join(package.other_sources)}")
    if package.is_made and package.is_encrypted and package.packed is not None:
        clear = package.packed.name.removesuffix(".age")
        output.say(styled(f"  to open it: age -d -o {shlex.quote(clear)} {shlex.quote(package.packed.name)}", "dim"))
    for problem in package.problems:
        output.warn(styled("lost:", "red"), f" {problem.path}: {problem.message}")
