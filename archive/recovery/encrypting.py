"""Encrypts a packed file with age, so that the `age` command, or any program for age files, can decrypt it.

The one thing that cannot be proven here is that a recipient has the key; what a recipient's file looks like is checked, and
what was encrypted with a passphrase is decrypted again and compared.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, TargetFailed, UsageError
from archive.recovery.output import new_file, write_new

SUFFIX = ".age"

# What age makes of a passphrase takes a gigabyte of memory, here and where it is opened; beside that the file is held three
# times, since pyrage cannot do it piece by piece. More than this would be the larger part.
PASSPHRASE_MAX_BYTES = 512 * 1024 * 1024

_SHOWN = 16  # characters of what may be a passphrase in the wrong place
_RECIPIENT_HINT = (
    "Give a public key: age1… (age-keygen prints it) or a line of an SSH key, ssh-ed25519 … or ssh-rsa …, as in"
    ' --encrypt "$(cat key.pub)".'
)

_HEADER = b"age-encryption.org/v1\n"
_HEADER_MAX_BYTES = 1 << 20
_NONCE_BYTES, _CHUNK_BYTES, _TAG_BYTES = 16, 64 * 1024, 16


class Encryption:
    """Is how a package is to be encrypted: to recipients, who have a key each, or with a passphrase.

    Raises:
        UsageError: Both or neither were given, or one of the recipients cannot be understood.
        ArchiveError: The package that does it is not installed.
    """

    def __init__(self, recipients: Sequence[str], passphrase: str | None) -> None:
        if (passphrase is not None) == bool(recipients):
            raise UsageError(
                "a package is encrypted to recipients or with a passphrase, not both",
                hint="age files have either; run the command twice to make two packages.",
            )
        if passphrase is not None and not passphrase.strip():
            raise UsageError("the passphrase is empty", hint="Give one, or name recipients with --encrypt.")
        self._pyrage = _pyrage()
        self._passphrase = passphrase
        self._recipients = [self._recipient(text.strip()) for text in recipients]

    def encrypt(self, clear: Path, target: Path) -> None:
        """Writes the encrypted form of a file to a new one, and proves it as far as that can be done.

        To recipients it is done piece by piece. With a passphrase the file is held in memory three times.

        Raises:
            UsageError: It is too large for a passphrase. Nothing was written.
            OSError: It could not be written.
            TargetFailed: It is not what it should be.
        """
        if self._passphrase is not None:
            if (size := clear.stat().st_size) > PASSPHRASE_MAX_BYTES:
                raise _too_large(size)
            data = clear.read_bytes()
            write_new(target, self._pyrage.passphrase.encrypt(data, self._passphrase))
            expected = hashlib.sha256(data).digest()
            del data
            is_right = hashlib.sha256(self._decrypted(target)).digest() == expected
        else:
            with clear.open("rb") as source, new_file(target) as file:
                self._pyrage.encrypt_io(source, file, self._recipients)
            is_right = _has_the_form(target, clear.stat().st_size)
        if not is_right:
            raise TargetFailed(
                "the encrypted file does not read back as it was written; nothing was left there",
                hint="Check the disk, or name a place on another one.",
            )

    def _decrypted(self, target: Path) -> bytes:
        try:
            data = self._pyrage.passphrase.decrypt(target.read_bytes(), self._passphrase)
        except self._pyrage.DecryptError:
            return b""
        return bytes(data)

    def _recipient(self, text: str) -> Any:
        if "SECRET" in text.upper() or "PRIVATE KEY" in text:
            raise UsageError(  # which is not repeated: what is printed is kept by terminals and logs
                "that is a secret key, and to encrypt takes the public one that belongs to it",
                hint="Run 'age-keygen -y FILE' to see it: it begins with age1. Keep the secret one to decrypt with.",
            )
        kind = self._pyrage.ssh if text.startswith("ssh-") else self._pyrage.x25519
        try:
            return kind.Recipient.from_str(text)
        except self._pyrage.RecipientError as error:
            begins = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
            raise UsageError(f"{begins!r} is no recipient: {_reason(text, error)}", hint=_RECIPIENT_HINT) from error


def _reason(text: str, error: Exception) -> str:
    if not text:
        return "it is empty"
    if text.startswith(("ecdsa-", "sk-", "ssh-dss")):
        return "of SSH's keys age takes ssh-ed25519 and ssh-rsa alone"
    if text.endswith((".pub", ".txt")) or "/" in text.partition(" ")[0]:
        return "it looks like the name of a file, and what is in it is wanted"
    return str(error)


def _too_large(size: int) -> UsageError:
    most = PASSPHRASE_MAX_BYTES // 1_000_000
    return UsageError(
        f"the packed package has {size // 1_000_000:,} MB, and with a passphrase at most {most:,} MB are encrypted",
        hint="Use --encrypt with a public key (age-keygen makes one), which has no limit, or --no-history.",
    )


def _pyrage() -> Any:
    try:
        return import_module("pyrage")
    except ImportError as error:
        raise ArchiveError(
            "encryption needs the package pyrage, which is not installed",
            hint="Run: pip install 'rengine-archive[crypt]'",
        ) from error


def _has_the_form(target: Path, clear_bytes: int) -> bool:
    """Whether a file has the header of an age file, and behind it as many bytes as the clear text takes."""
    with target.open("rb") as file:
        start = file.read(_HEADER_MAX_BYTES)
    body = start.find(b"\n", start.find(b"\n--- ") + 1) + 1
    chunks = max(-(-clear_bytes // _CHUNK_BYTES), 1)
    size = body + _NONCE_BYTES + clear_bytes + chunks * _TAG_BYTES
    return start.startswith(_HEADER + b"-> ") and b"\n--- " in start and os.path.getsize(target) == size
