"""Makes prose and identifiers that look like the notes of people and agents who work on software.

Word frequencies follow Zipf's law over several thousand invented words behind the common English ones, so that a search
index meets very common, middling and rare words. Identifiers of the usual forms are strewn in. Everything follows from
the random generator that is passed in: the same seed gives the same text on any machine and Python.
"""

from __future__ import annotations

import random
import struct
from datetime import datetime

SLOTS = 1 << 16


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_COMMON = _listed(
    "the to of and a in is for that with it on as be was this are not by from or an at when which has we but if all "
    "can no one will should so after before then only more must its there out up file files task tasks agent memory "
    "state error test tests change update backup restore search data json status list value user first new old last "
    "each every same other next read write run fix add remove check load save path name key time date"
)
_ONSETS = _listed("b c d f g h k l m n p r s t v w b c d f l m n p r s t br ch cl cr dr gr pl pr sh sp st tr")
_NUCLEI = _listed("a e i o u a e i o u ai ea ee ou")
_CODAS = ("", "", "", "", "n", "r", "s", "t", "l", "m", "nd", "nt", "st", "ck")
_ENDINGS = ("", "", "", "", "", "ing", "ed", "er", "ion", "ly", "able", "ment", "al", "s")
_VERBS = _listed("load save parse merge check build index fetch update render sync resolve validate compute")
_NOUNS = _listed("Json Memory Task State Table Filter Session Index Backup Agent Cache Score Chip Modal Report Handoff")
_FOLDERS = _listed("js src lib agents docs tests scripts components services utils")
_EXTENSIONS = _listed("js py ts json md css html yaml")
_FOREIGN = _listed(
    "café naïve Größe Übersicht déjà señal façade résumé Zürich łódź 記憶 任务 データ 備份 復元 복원 검색 память ✅ →"
)
_KNOWN = ("loadJsonMemory", "perf_opt_2025", "js/utils.js", "TASK-123", "v3.04.87", "C++", "it's", "x = a:b")


class Vocabulary:
    """Draws words and sentences; equal seeds draw equally.

    Args:
        seed: Decides which words exist and how common each is.
        size: Number of different words, the common English ones included.
    """

    def __init__(self, seed: str, size: int = 6000) -> None:
        rng = random.Random(f"{seed}/vocabulary")
        self.words = _invent_words(rng, size)
        self.identifiers = _invent_identifiers(rng, self.words, 1500)
        self._slots = _fill_slots(rng, self.words, self.identifiers)

    def draw(self, rng: random.Random, count: int) -> list[str]:
        """Returns that many words in the proportions of prose; some carry a comma."""
        slots = self._slots
        return [slots[index] for index in struct.unpack(f"<{count}H", rng.randbytes(2 * count))]

    def phrase(self, rng: random.Random, count: int) -> str:
        """Returns words without any commas, for titles and names."""
        return " ".join(self.draw(rng, count)).replace(",", "")

    def sentence(self, rng: random.Random, count: int) -> str:
        """Returns words as one sentence."""
        return _sentence(self.draw(rng, count))

    def prose(self, rng: random.Random, count: int) -> str:
        """Returns about that many words as sentences of 7 to 18 words."""
        words = self.draw(rng, count)
        sentences = []
        start = 0
        while start < count:
            end = min(count, start + 7 + rng.getrandbits(8) % 12)
            sentences.append(_sentence(words[start:end]))
            start = end
        return " ".join(sentences)

    def identifier(self, rng: random.Random) -> str:
        """Returns a name from code: a function, a snake-case key, a path of a file, or the number of a task."""
        return self.identifiers[rng.getrandbits(16) % len(self.identifiers)]

    def slug(self, rng: random.Random, count: int) -> str:
        """Returns words fit for the name of a file or folder."""
        indexes = [rng.getrandbits(16) % len(self.words) for _ in range(count)]
        return "-".join(self.words[index] for index in indexes)


def iso(moment: datetime) -> str:
    """Writes a time the way most of these files do."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def _sentence(words: list[str]) -> str:
    first = words[0]
    head = first.capitalize() if first.islower() and first.isascii() else first
    return " ".join([head, *words[1:]]).rstrip(",") + "."


def _invent_words(rng: random.Random, size: int) -> list[str]:
    """Returns different words, the commonest first: English ones, then invented ones that tend to grow longer."""
    invented: dict[str, float] = {}
    while len(invented) < size - len(_COMMON):
        syllables = 1 + rng.getrandbits(8) % 3
        stem = "".join(rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(syllables))
        word = stem + rng.choice(_ENDINGS)
        if len(word) >= 4 and word not in _COMMON:
            invented.setdefault(word, len(word) + 6 * rng.random())
    return [*_COMMON, *sorted(invented, key=lambda word: (invented[word], word))]


def _invent_identifiers(rng: random.Random, words: list[str], size: int) -> list[str]:
    names = dict.fromkeys(_KNOWN)
    while len(names) < size:
        word, other = rng.choice(words), rng.choice(words)
        form = rng.getrandbits(8) % 5
        if form == 0:
            name = rng.choice(_VERBS) + rng.choice(_NOUNS) + rng.choice(_NOUNS)
        elif form == 1:
            name = f"{word}_{other}_{2023 + rng.getrandbits(8) % 4}"
        elif form == 2:
            name = f"{rng.choice(_FOLDERS)}/{word}.{rng.choice(_EXTENSIONS)}"
        elif form == 3:
            name = f"TASK-{100 + rng.getrandbits(16) % 9900}"
        else:
            name = f"{rng.choice(_VERBS)}_{word}_{other}"
        names.setdefault(name)
    return list(names)


def _fill_slots(rng: random.Random, words: list[str], identifiers: list[str]) -> list[str]:
    """Returns a table in which each word stands as often as it is common, so that drawing is one look-up."""
    weights = [1 / (rank + 2.7) for rank in range(len(words))]
    scale = SLOTS / sum(weights)
    slots = [word for word, weight in zip(words, weights, strict=True) for _ in range(max(1, round(weight * scale)))]
    rng.shuffle(slots)
    slots = (slots * 2)[:SLOTS] if len(slots) < SLOTS else slots[:SLOTS]
    for index in range(0, SLOTS, 37):
        slots[index] = identifiers[(index // 37) % len(identifiers)]
    for index in range(5, SLOTS, 17):
        slots[index] += ","
    for index in range(11, SLOTS, 401):
        slots[index] = _FOREIGN[(index // 401) % len(_FOREIGN)]
    return slots
