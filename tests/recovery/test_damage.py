"""Whatever is damaged in a package is found and named, and everything that is not damaged is restored all the same."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive import Archive
from archive.recovery.program import restore_program
from tests.conftest import FixedClock, Tree
from tests.recovery.conftest import copy_package, entries, made_folder, make, run, stored


def flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def blank(data: bytes, rng: random.Random) -> bytes:
    start, length = rng.randrange(len(data)), rng.randrange(1, 5000)
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def lengthen(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randrange(1, 600))


def remove_part(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, 700) :]


def swap(data: bytes, rng: random.Random) -> bytes:
    half = rng.randrange(len(data))
    return data[half:] + data[:half]


def case(data: bytes, rng: random.Random) -> bytes:
    return data.swapcase()


CHANGES = (flip, flip, flip, blank, cut, lengthen, remove_part, swap, case)


def damage(package: Path, rng: random.Random) -> str:
    """Damages one file of a package in some way; returns its name, or an empty text where nothing changed."""
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    own = [name for name in names if "/" not in name]
    name = rng.choice([*names, *own * 3])
    path = package / name
    kind = rng.randrange(12)
    if kind == 0:
        path.unlink()
    elif kind == 1:
        path.unlink()
        path.mkdir()
    elif kind == 2:
        path.unlink()
        path.symlink_to(os.devnull)
    elif kind == 3:
        (package / "files" / "agents" / "stranger.json").write_bytes(b"{}")
        return "files/agents/stranger.json"
    else:
        before = path.read_bytes()
        after = rng.choice(CHANGES)(before, rng) if before else b"no longer empty"
        path.write_bytes(after)
        return name if after != before else ""
    return name


@pytest.fixture
def rich(archive: Archive, root: Path, write: Callable[[Tree], None], clock: FixedClock, out: Path) -> tuple[Archive, Path]:
    """A package with enough history for several streams of it."""
    rng = random.Random("rich")
    trees: list[Tree] = []
    for _ in range(4):
        tree = (
            dict(trees[-1]) if trees else {f"agents/{n}.json": b"" for n in range(6)} | {"empty.md": b"", "d/e/f.md": b"# x\n"}
        )
        for path in rng.sample(sorted(tree), 4):
            tree[path] = json.dumps({"n": [rng.random() for _ in range(rng.choice((5, 6000)))]}).encode()
        trees.append(tree)
        write(tree)
        archive.backup(root)
        clock.tick(minutes=1)
    return archive, made_folder(make(archive, out))


def usable(package: Path) -> dict[str, bytes]:
    """Every content of the archive that is still somewhere undamaged in a package, by hash, found without the program.

    In the history, that is what lies in streams that `xz` can unpack to their end.
    """
    found = {}
    for path in (package / "files").rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            found[hashlib.sha256(data).hexdigest()] = data
    history = package / "history.tar.xz"
    if history.is_file():
        for stream in re.split(b"(?=\xfd7zXZ\0)", history.read_bytes()):
            done = subprocess.run(["xz", "-dc"], input=stream, capture_output=True, check=False)
            if stream and done.returncode == 0:
                found.update(members(done.stdout))
    return found


def members(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at + 512 <= len(data) and data[at : at + 9] == b"versions/":
        size = int(data[at + 124 : at + 135], 8)
        yield data[at + 9 : at + 73].decode(), data[at + 512 : at + 512 + size]
        at += 512 + -(-size // 512) * 512


def require_found_and_rest_restored(archive: Archive, package: Path, name: str, scratch: Path, rng: random.Random) -> None:
    seen = run(package, "verify")
    assert not seen.stdout.endswith(" verified\n"), name
    if name == "restore.py":
        # A damaged program may not even start. The sums say what is damaged, and any other copy of it restores.
        checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=package, capture_output=True, check=False)
        assert checked.returncode == 1
        assert b"restore.py: FAILED" in checked.stdout
        if (package / name).is_dir():
            (package / name).rmdir()
        else:
            (package / name).unlink(missing_ok=True)
        (package / name).write_text(restore_program())
    else:
        assert seen.returncode == 1
        assert "Traceback" not in seen.stderr
        assert name in seen.stderr, (name, seen.stderr)
    here = usable(package)
    for snapshot in rng.sample(archive.snapshots(), 2):
        target = scratch / snapshot.label
        done = run(package, "restore", "--at", snapshot.label, "--to", str(target))
        assert "Traceback" not in done.stderr
        expected, restored = stored(archive, str(snapshot.id)), entries(target)
        assert {path: restored[path] for path in restored} == {path: expected[path] for path in restored}, name
        for path in expected.keys() - restored.keys():
            assert hashlib.sha256(expected[path][0]).hexdigest() not in here, (name, path)
            assert path in done.stderr
            assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_random_damage_is_found_and_everything_undamaged_is_restored(
    rich: tuple[Archive, Path], tmp_path: Path, part: int
) -> None:
    archive, package = rich
    for seed in range(25 * part, 25 * part + 25):
        rng = random.Random(f"damage {seed}")
        copy, scratch = tmp_path / f"copy-{seed}", tmp_path / f"scratch-{seed}"
        name = ""
        while not name:
            name = damage(copy_package(package, copy), rng)
        require_found_and_rest_restored(archive, copy, name, scratch, rng)


def test_a_damaged_file_is_named_and_all_others_are_restored(history: Archive, package: Path, tmp_path: Path) -> None:
    (package / "files" / "notes.md").write_bytes(b"# First\n\nbad words\n")
    (package / "archive.db").unlink()
    assert "damaged: files/notes.md" in run(package, "verify").stderr
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "damaged: files/notes.md: its content is not what it was" in done.stderr
    assert "not restored: notes.md" in done.stderr
    assert entries(tmp_path / "a") == {path: entry for path, entry in stored(history).items() if path != "notes.md"}


def test_a_damaged_file_is_taken_from_the_copy_of_the_archive(history: Archive, package: Path, tmp_path: Path) -> None:
    (package / "files" / "notes.md").unlink()
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "found in archive.db: notes.md" in done.stderr
    assert entries(tmp_path / "a") == stored(history)


def test_with_a_damaged_manifest_its_copy_in_the_history_is_used(history: Archive, package: Path, tmp_path: Path) -> None:
    manifest = package / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"notes.md", b"votes.md"))
    assert "damaged: manifest.json: it does not match its checksum" in run(package, "verify").stderr
    for at in ("1", "2", "3"):
        done = run(package, "restore", "--at", at, "--to", str(tmp_path / at))
        assert "using the copy of manifest.json in history.tar.xz" in done.stderr
        assert entries(tmp_path / at) == stored(history, at)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", 5), ("path", None), ("path", "\ud800"), ("sha256", None), ("sha256", "x"),
        ("mode", "xyz"), ("mode", 7), ("mtime_ns", "x"), ("mtime_ns", 10**30), ("from", "1"), ("until", "x"), ("stored", 5),
        ("snapshot", 99), ("snapshots", {}), ("documents", None), ("documents", [1]), ("versions", "x"),
    ],
)  # fmt: skip
def test_a_manifest_whose_rows_make_no_sense_is_damaged_whatever_its_checksum_says(
    package: Path, tmp_path: Path, name: str, value: object
) -> None:
    whole = run(package, "list").stdout
    manifest = json.loads((package / "manifest.json").read_bytes())
    if name in manifest:
        manifest[name] = value
    else:
        manifest["documents"][0][name] = value
    del manifest["checksum"]
    head = json.dumps(manifest, indent=0)[:-2].encode("ascii") + b',\n"checksum": "'
    digest = hashlib.sha256(head[: -len(b'"checksum": "')]).hexdigest().encode()
    (package / "manifest.json").write_bytes(head + digest + b'"\n}\n')
    done = run(package, "restore", "--to", str(tmp_path / "restored"))
    assert "Traceback" not in done.stderr
    assert "damaged: manifest.json: it" in done.stderr
    assert "match its checksum" not in done.stderr
    assert "using the copy of manifest.json in history.tar.xz" in done.stderr
    assert run(package, "list").stdout == whole


def test_without_any_manifest_the_files_are_restored_as_they_lie_there(history: Archive, out: Path, tmp_path: Path) -> None:
    package = made_folder(make(history, out, history=False))
    (package / "manifest.json").write_bytes(b"")
    (package / "files" / "notes.md").write_bytes(b"changed")
    assert run(package, "verify").returncode == 1
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "damaged: files/notes.md" in done.stderr
    assert entries(tmp_path / "a") == {path: entry for path, entry in stored(history).items() if path != "notes.md"}


@pytest.mark.parametrize("at", ["1", "2023-04-01", "2023-04-01T12:00", "latest~1"])
def test_without_any_manifest_no_moment_is_passed_off_as_another(history: Archive, out: Path, tmp_path: Path, at: str) -> None:
    package = made_folder(make(history, out))
    for name in ("manifest.json", "history.tar.xz", "archive.db"):
        (package / name).write_bytes((package / name).read_bytes()[:40])
    restored = run(package, "restore", "--at", at, "--to", str(tmp_path / "then"))
    assert (restored.returncode, (tmp_path / "then").exists()) == (1, False)
    assert "nothing says any more what was when" in restored.stderr
    said = run(package, "verify").stderr
    assert [name for name in ("manifest.json", "history.tar.xz", "archive.db") if f"damaged: {name}:" in said] == [
        "manifest.json",
        "history.tar.xz",
        "archive.db",
    ]
    assert "damaged: SHA256SUMS" not in said


def test_files_that_nothing_proves_any_more_are_restored_and_named(history: Archive, out: Path, tmp_path: Path) -> None:
    package = made_folder(make(history, out, history=False))
    (package / "manifest.json").unlink()
    (package / "SHA256SUMS").unlink()
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "not proven: files/notes.md: it has no line in SHA256SUMS" in done.stderr
    assert entries(tmp_path / "a") == stored(history)


@pytest.mark.parametrize("change", [b"A", b""], ids=["a letter in upper case", "a line left out"])
def test_the_sums_are_checked_too(package: Path, change: bytes) -> None:
    sums = package / "SHA256SUMS"
    lines = sums.read_bytes().splitlines(keepends=True)
    index = next(number for number, line in enumerate(lines) if line.endswith(b"  files/notes.md\n"))
    lines[index] = lines[index].upper().replace(b"FILES/NOTES.MD", b"files/notes.md") if change else b""
    sums.write_bytes(b"".join(lines))
    done = run(package, "verify")
    assert done.returncode == 1
    assert "damaged: SHA256SUMS: it is not what it was" in done.stderr


def test_a_file_that_was_put_in_is_named_since_a_plain_copy_would_take_it(package: Path) -> None:
    (package / "files" / "agents" / "evil.json").write_text("{}")
    assert "unexpected: files/agents/evil.json" in run(package, "verify").stderr


def test_a_link_in_the_place_of_a_file_is_not_followed(history: Archive, package: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (package / "files" / "notes.md").unlink()
    (package / "files" / "notes.md").symlink_to(tmp_path / "secret")
    (package / "archive.db").unlink()
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert "damaged: files/notes.md: it is not a regular file" in done.stderr
    assert "notes.md" not in entries(tmp_path / "a")


def test_files_that_were_renamed_are_found_by_their_content(history: Archive, package: Path, tmp_path: Path) -> None:
    (package / "files" / "notes.md").rename(package / "files" / "NOTES~1.MD")
    (package / "archive.db").unlink()
    (package / "files" / "link.md").symlink_to("NOTES~1.MD")
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "damaged: files/notes.md: it is missing" in done.stderr
    assert "found under another name: files/NOTES~1.MD" in done.stderr
    assert entries(tmp_path / "a") == stored(history)


def test_damage_to_one_part_of_the_history_costs_that_part_only(rich: tuple[Archive, Path], tmp_path: Path) -> None:
    _archive, package = rich
    whole = (package / "history.tar.xz").read_bytes()
    starts = [match.start() for match in re.finditer(b"\xfd7zXZ\0", whole)]
    assert len(starts) > 3
    manifest = json.loads((package / "manifest.json").read_text())
    total = {row["sha256"] for row in manifest["versions"]}
    lost_ever: set[str] = set()
    for number, start in enumerate(starts[:-2]):  # the last two hold the manifest and the end of the tar
        damaged = copy_package(package, tmp_path / f"damaged-{number}")
        (damaged / "history.tar.xz").write_bytes(whole[: start + 40] + b"\0\0\0\0" + whole[start + 44 :])
        lost = set(re.findall(r"damaged: version (\d+ of \S+):", run(damaged, "verify").stderr))
        assert lost
        assert len(lost) < len(total)
        assert not lost & lost_ever
        lost_ever |= lost


def test_what_the_archive_itself_has_lost_is_said_and_the_rest_is_packed(
    history: Archive, out: Path, tmp_path: Path, damaged_on_purpose: None
) -> None:
    (lost,) = [state for state in history.documents() if state.path == "notes.md"]
    old = history.history("agents/tasks.json").versions[0]
    with history._database.writing() as connection:
        connection.execute("UPDATE contents SET data = 'rotten' WHERE blob_id = ?", (lost._blob_id,))
        connection.execute("UPDATE deltas SET data = x'00' WHERE blob_id = (SELECT id FROM blobs WHERE hash = ?)", (old.hash,))
    result = make(history, out)
    package = made_folder(result)
    assert not result.is_complete
    assert {problem.path for problem in result.problems} >= {"notes.md", "agents/tasks.json"}
    assert "Of" in (package / "RECOVERY_INSTRUCTIONS.md").read_text()
    verified = run(package, "verify")
    assert verified.returncode == 1
    said = set(re.findall(r"lost before the package was made: version (\d+) of (.*)", verified.stderr))
    assert said >= {("3", "notes.md"), ("1", "agents/tasks.json")}
    assert verified.stdout.startswith("2 files, ")
    assert f"verified, but not all that there was: {len(said)} contents lost before the package was made" in verified.stdout
    done = run(package, "restore", "--to", str(tmp_path / "a"))
    assert done.returncode == 1
    assert "not restored: notes.md: its content was lost before the package was made" in done.stderr
    assert sorted(entries(tmp_path / "a")) == ["agents/memory.json", "agents/tasks.json"]


def test_files_whose_mode_forbids_reading_are_not_taken_for_damaged(archive: Archive, root: Path, out: Path) -> None:
    (root / "a.md").write_text("# a\n")
    (root / "a.md").chmod(0o400)
    archive.backup(root)
    package = made_folder(make(archive, out))
    os.chmod(package / "files" / "a.md", 0o600)  # what other file systems do
    assert run(package, "verify").returncode == 0
