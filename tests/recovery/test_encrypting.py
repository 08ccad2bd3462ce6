"""An encrypted package is opened by the stock age tool and by nobody without the key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.errors import ArchiveError, TargetFailed, UsageError
from archive.recovery import encrypting
from archive.recovery.encrypting import Encryption
from tests.recovery.conftest import at_terminal, leftovers, make

pyrage = pytest.importorskip("pyrage", reason="pyrage is not installed")
KEY = "age19aw7uatrwu6qk8tj8euzn9c4ap3jkdvgfayeu363c5fewt3ffuyqw9du2f"
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="there is no age here")


def test_only_the_encrypted_file_is_left(history: Archive, out: Path) -> None:
    result = make(history, out, encrypt_to=[KEY])
    assert leftovers(out) == [result.path.name]
    assert result.path.name.endswith(".zip.age")
    assert (result.folder, result.is_encrypted, result.packed) == (None, True, result.path)
    assert result.path.stat().st_mode & 0o777 == 0o600
    data = result.path.read_bytes()
    assert data.startswith(b"age-encryption.org/v1\n")
    assert b"notes.md" not in data


def test_the_folder_stays_beside_it_where_that_is_asked_for(history: Archive, out: Path) -> None:
    result = make(history, out, encrypt_to=[KEY], archive_format="tar.zst", keep_folder=True)
    assert result.folder is not None
    assert leftovers(out) == [result.folder.name, f"{result.folder.name}.tar.zst.age"]


@needs_age
def test_age_opens_it_with_the_key(history: Archive, out: Path, tmp_path: Path) -> None:
    subprocess.run(["age-keygen", "-o", "key.txt"], cwd=tmp_path, check=True, capture_output=True)
    public = subprocess.check_output(["age-keygen", "-y", "key.txt"], cwd=tmp_path, text=True).strip()
    packed = make(history, out, encrypt_to=[KEY, public]).path
    subprocess.run(["age", "-d", "-i", "key.txt", "-o", "clear.zip", str(packed)], cwd=tmp_path, check=True)
    with zipfile.ZipFile(tmp_path / "clear.zip") as clear:
        assert clear.testzip() is None
        assert any(name.endswith("/files/notes.md") for name in clear.namelist())


@pytest.mark.slow
@needs_age
@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here")
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_age_opens_it_with_an_ssh_key(history: Archive, out: Path, tmp_path: Path, kind: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", "key"], cwd=tmp_path, check=True)
    packed = make(history, out, encrypt_to=[(tmp_path / "key.pub").read_text()]).path
    subprocess.run(["age", "-d", "-i", "key", "-o", "clear.zip", str(packed)], cwd=tmp_path, check=True)
    assert zipfile.is_zipfile(tmp_path / "clear.zip")


def age_with_passphrase(packed: Path, target: Path, passphrase: str) -> int:
    return at_terminal(["age", "-d", "-o", str(target), str(packed)], [passphrase])[0]


@pytest.mark.slow  # a passphrase is meant to take long
@pytest.mark.skipif(sys.platform != "linux", reason="the terminal here is Linux's")
def test_age_opens_it_with_the_passphrase_and_with_no_other(history: Archive, out: Path, tmp_path: Path) -> None:
    packed = make(history, out, passphrase="correct horse").path
    assert age_with_passphrase(packed, tmp_path / "clear.zip", "correct horse") == 0
    assert zipfile.is_zipfile(tmp_path / "clear.zip")
    assert age_with_passphrase(packed, tmp_path / "no.zip", "wrong horse") != 0


def test_what_is_too_large_to_be_held_in_memory_is_refused_with_what_to_do_instead(
    history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypting, "PASSPHRASE_MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="with a passphrase at most") as raised:
        make(history, out, passphrase="correct horse")
    assert "Use --encrypt with a public key" in raised.value.hint
    assert leftovers(out) == []
    assert make(history, out, encrypt_to=[KEY]).is_encrypted


def test_a_folder_alone_cannot_be_encrypted(history: Archive, out: Path) -> None:
    with pytest.raises(UsageError, match="a folder cannot be encrypted"):
        make(history, out, encrypt_to=[KEY], archive_format="folder")
    assert leftovers(out) == []


@pytest.mark.parametrize(
    ("recipient", "why"),
    [
        ("age1nonsense", ""), ("nonsense", ""), ("ssh-ed25519 AAAA", ""), ("", "it is empty"),
        ("ecdsa-sha2-nistp256 AAAA", "ssh-ed25519 and ssh-rsa alone"), ("keys/me.pub", "the name of a file"),
    ],
)  # fmt: skip
def test_what_is_no_recipient_is_refused_before_anything_is_written(
    history: Archive, out: Path, recipient: str, why: str
) -> None:
    with pytest.raises(UsageError, match=f"is no recipient: .*{why}"):
        make(history, out, encrypt_to=[recipient])
    assert not list(out.parent.glob("*package*"))


@pytest.mark.parametrize("key", ["AGE-SECRET-KEY-1XYZ", "age-secret-key-1xyz", "-----BEGIN OPENSSH PRIVATE KEY-----\nXYZ"])
def test_a_secret_key_given_as_a_recipient_is_never_repeated(history: Archive, out: Path, key: str) -> None:
    with pytest.raises(UsageError, match="that is a secret key") as caught:
        make(history, out, encrypt_to=[key])
    said = f"{caught.value!r} {caught.value.message} {caught.value.hint} {caught.value.context}"
    assert "XYZ" not in said.upper()
    assert leftovers(out) == []


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"encrypt_to": [KEY], "passphrase": "x"}, "not both"),
        ({"passphrase": ""}, "the passphrase is empty"),
        ({"passphrase": " \n"}, "the passphrase is empty"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(history: Archive, out: Path, wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make(history, out, **wishes)
    assert leftovers(out) == []


def test_without_pyrage_the_error_says_what_to_install(history: Archive, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(ArchiveError, match="needs the package pyrage") as raised:
        make(history, out, encrypt_to=[KEY])
    assert "pip install 'rengine-archive[crypt]'" in raised.value.hint
    assert leftovers(out) == []


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_the_form_of_a_file_for_recipients_is_checked_to_the_byte(tmp_path: Path, size: int) -> None:
    (tmp_path / "clear").write_bytes(os.urandom(size))
    Encryption([KEY], None).encrypt(tmp_path / "clear", tmp_path / "target")
    assert (tmp_path / "target").stat().st_size > size


@pytest.mark.slow
def test_an_encrypted_file_that_was_cut_off_is_not_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clear").write_bytes(b"x" * 100_000)
    for wish, name in ((([KEY], None), "encrypt_io"), (([], "pass"), "encrypt")):
        encryption = Encryption(*wish)
        owner = pyrage if name == "encrypt_io" else pyrage.passphrase
        real = getattr(owner, name)

        def cut(*arguments: object, real: object = real, name: str = name) -> object:
            if name == "encrypt":
                return real(*arguments)[:-1]  # type: ignore[operator]
            source, target, keys = arguments
            import io

            whole = io.BytesIO()
            real(source, whole, keys)  # type: ignore[operator]
            target.write(whole.getvalue()[:-1])  # type: ignore[attr-defined]
            return None

        monkeypatch.setattr(owner, name, cut)
        with pytest.raises(TargetFailed, match="does not read back"):
            encryption.encrypt(tmp_path / "clear", tmp_path / f"target-{name}")
