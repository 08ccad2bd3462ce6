"""Makes the two corpora: `medium`, many files of one moment, and `history`, few files through many states.

Everything follows from the seed, each file of `medium` from the seed and its own number alone, so that files can be
made in any order and by several processes. A change to what is generated makes old caches invalid by itself: the name
of a cached corpus contains a hash of the sources that make it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmark import documents, edits, vocabulary
from benchmark.documents import DECISIONS, EPOCH, LOG, MEMORY, NOTES, SESSION, TASKS, Document, make_document
from benchmark.vocabulary import Vocabulary

JSON_SHAPES = (TASKS, MEMORY, DECISIONS, SESSION)
CHUNK = 500
DAMAGED = 0.03


@dataclass(frozen=True)
class Medium:
    """A project of many files: four in five JSON of 1 to 50 KB, the others Markdown, in nested folders."""

    seed: str = "1"
    files: int = 20_000

    def document(self, number: int) -> Document:
        """Returns the file of that number as it is before any edit."""
        words = _vocabulary(self.seed)
        rng = random.Random(f"{self.seed}/medium/{number}")
        project = words.words[200 + (number * 7919 % 400) // 10]
        agent = documents.AGENTS[number % len(documents.AGENTS)]
        if number % 5 == 4:
            folder = f"projects/{project}/docs/{words.words[300 + number % 11]}"
            path = f"{folder}/{words.slug(rng, 2)}-{number:05d}.md"
            return make_document(rng, words, NOTES, path, 1000 + rng.getrandbits(13))
        shape = JSON_SHAPES[rng.choices(range(4), (40, 30, 20, 10))[0]]
        path = f"projects/{project}/agents/{agent}/{shape.name}/{words.slug(rng, 2)}-{number:05d}.json"
        return make_document(rng, words, shape, path, round(1600 * 30 ** (rng.random() ** 1.5)))

    def write(self, root: Path, numbers: range) -> None:
        """Writes the files of those numbers below the folder."""
        for number in numbers:
            document = self.document(number)
            _write(root / document.path, document.render())

    def generate(self, cache: Path) -> Path:
        """Returns the folder in the cache that holds the corpus, made now unless it is complete there already."""
        root = cache / f"medium-{self.seed}-{self.files}-{_sources_hash()}"
        complete = root.with_name(root.name + ".complete")
        if complete.exists():
            return root
        if root.exists():
            shutil.rmtree(root)
        chunks = [range(start, min(start + CHUNK, self.files)) for start in range(0, self.files, CHUNK)]
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(self.write, [root] * len(chunks), chunks))
        complete.touch()
        return root

    def edit_one_percent(self, root: Path, round_number: int) -> tuple[str, ...]:
        """Edits one file in a hundred in a small way; no file twice in the first hundred rounds.

        Returns:
            The paths of the edited files.
        """
        words = _vocabulary(self.seed)
        order = list(range(self.files))
        random.Random(f"{self.seed}/edited").shuffle(order)
        count = max(1, self.files // 100)
        start = round_number * count % self.files
        paths = []
        for number in order[start : start + count]:
            document = self.document(number)
            rng = random.Random(f"{self.seed}/edit/{round_number}/{number}")
            before = document.render()
            while document.render() == before:
                edits.edit(rng, words, document, document.updated + timedelta(minutes=1 + rng.getrandbits(12)))
            _write(root / document.path, document.render())
            paths.append(document.path)
        return tuple(paths)


class History:
    """A project of few larger files that is edited again and again; state 1 is what `write` leaves.

    Files keep about their size, since old records make room for new ones as in a log that is rotated: what a store grows by
    is then the cost of the past and not that of a larger present.

    The states are replayed in place and only forwards. A damaged file keeps its damage for one to six states and is
    then put right as it was; the documents here never hold the damage.

    Attributes:
        state: Number of the state in the folder; 0 before `write`.
    """

    def __init__(self, seed: str = "1", files: int = 100, mean_bytes: int = 235_000) -> None:
        self.state = 0
        self._seed = seed
        self._words = _vocabulary(seed)
        self._documents = [self._make(number, files, mean_bytes) for number in range(files)]
        self._sizes = [document.size() for document in self._documents]
        self._damaged: dict[int, int] = {}

    def write(self, root: Path) -> None:
        """Writes the first state."""
        for document in self._documents:
            _write(root / document.path, document.render())
        self.state = 1

    def states(self, root: Path, count: int) -> Iterator[int]:
        """Brings the folder from state to state and yields the number of each, the first included."""
        self.write(root)
        yield 1
        for number in range(2, count + 1):
            self.apply_state(root, number)
            yield number

    def apply_state(self, root: Path, number: int) -> tuple[str, ...]:
        """Brings the folder from the state before to this one: one to six files change.

        Returns:
            The paths of the changed files.
        """
        assert number == self.state + 1, "states can only be replayed in order"
        rng = random.Random(f"{self._seed}/history/{number}")
        when = EPOCH + timedelta(days=300, minutes=17 * number)
        contents = self._repair(number)
        wanted = max(len(contents), rng.choices((1, 2, 3, 4, 5, 6), (17, 19, 20, 18, 14, 12))[0])
        while len(contents) < wanted:
            index = min(rng.randrange(len(self._documents)), rng.randrange(len(self._documents)))
            if index not in contents and index not in self._damaged:
                contents[index] = self._change(rng, index, number, when)
        for index, data in contents.items():
            _write(root / self._documents[index].path, data)
        self.state = number
        return tuple(self._documents[index].path for index in contents)

    def _repair(self, number: int) -> dict[int, bytes]:
        """Returns the files, by index, whose damage ends with this state, as they were before it."""
        due = [index for index, until in self._damaged.items() if until <= number]
        for index in due:
            del self._damaged[index]
        return {index: self._documents[index].render() for index in due}

    def _change(self, rng: random.Random, index: int, number: int, when: datetime) -> bytes:
        """Returns a file after one to four edits, or now and then damaged as it is."""
        document = self._documents[index]
        if rng.random() < DAMAGED and len(self._damaged) < len(self._documents) // 10:
            self._damaged[index] = number + 1 + rng.getrandbits(8) % 6
            return edits.damage(rng, document.render())
        for _ in range(rng.choices((1, 2, 3, 4), (45, 30, 15, 10))[0]):
            edits.edit(rng, self._words, document, when)
        edits.trim(rng, document, self._sizes[index])
        return document.render()

    def _make(self, number: int, files: int, mean_bytes: int) -> Document:
        rng = random.Random(f"{self._seed}/history/file/{number}")
        shape = (TASKS, MEMORY, LOG, TASKS, DECISIONS, LOG, MEMORY, TASKS, SESSION, NOTES)[number % 10]
        share = (number * 37 % files + 0.5) / files
        size = round(mean_bytes * (0.25 + 2.25 * share**2))
        folder = {"log": "logs", "notes": "docs", "session": "agents/sessions"}.get(shape.name, "agents")
        path = f"{folder}/{shape.name}-{self._words.slug(rng, 1)}-{number:03d}{shape.suffix}"
        return make_document(rng, self._words, shape, path, size)


def tree_digest(root: Path) -> str:
    """Returns a hash over the paths and bytes of all files below a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def _vocabulary(seed: str) -> Vocabulary:
    return Vocabulary(seed)


def _sources_hash() -> str:
    sources = (vocabulary.__file__, documents.__file__, edits.__file__, __file__)
    return hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()[:12]


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
