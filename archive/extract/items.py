"""Makes the searchable items of documents; the front of everything that does.

    json value    →  of_json   →  an item for each object, and for each text of long lists
    jsonl records →  of_jsonl  →  an item for each record, more for large ones; one for each line that cannot be read
    markdown      →  of_markdown → an item for each section
    any text      →  of_text   →  an item for each stretch

All items of one call have different keys. Making the items of the same content again gives the same items.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archive.extract.identity import content_key, escape_key, numbered
from archive.extract.jsonitems import JsonItems
from archive.extract.largetext import pieces
from archive.extract.markdown import Section, split_sections
from archive.extract.rawtext import MAX_CHUNK, Chunk, clean, split_text
from archive.extract.secrets import SecretRules
from archive.extract.words import scan
from archive.model.base import Json
from archive.model.search import ItemDraft, ItemKind

__all__ = ["FRONT_MATTER", "Extractor", "ItemDraft", "SecretRules"]

FRONT_MATTER = "[front matter]"
"""The key of the block before a Markdown document."""

_MAX_TITLE = 120
_SECTION, _RAW = ItemKind.SECTION.value, ItemKind.RAW.value
_Keyed: TypeAlias = tuple[str, str, str, Chunk]  # key, kind, title, text and lines


class Extractor:
    """Makes items; keep one for many documents, it remembers what it learned of names.

    Not for several threads at once. The same rules in another process give the same items.

    Args:
        rules: What to mask; the default masks what `archive.extract.secrets` names.
    """

    def __init__(self, rules: SecretRules | None = None) -> None:
        self._rules = rules or SecretRules()
        self._json = JsonItems(self._rules)

    def of_json(self, value: Json) -> list[ItemDraft]:
        """Returns the items of a JSON value, what is around something before it.

        The value must come from a reader that bounds its nesting, as `archive.extract.parse` does.
        """
        return self._json.of_document(value)

    def of_jsonl(self, records: Sequence[tuple[int, Json]], bad_lines: Sequence[tuple[int, str]] = ()) -> list[ItemDraft]:
        """Returns the items of records, each given with the number of its line, and then of lines that are not records."""
        items = self._json.of_records(records)
        found: list[_Keyed] = []
        for number, text in bad_lines:
            masked = clean(self._rules.mask(text))
            found += [(f"[bad]{content_key(c.text)}", _RAW, "", c) for c in split_text(masked, number)]
        return items + self._drafts(found)

    def of_markdown(self, text: str) -> list[ItemDraft]:
        """Returns the items of the sections of a Markdown text.

        The key of a section is its way of headings, each behind a `/`. A very long one is cut into stretches.
        """
        found: list[_Keyed] = []
        # Masked before it is cut, for a secret may go over several lines, and masking keeps their number.
        for section in split_sections(clean(self._rules.mask(text))):
            key = FRONT_MATTER if section.is_front_matter else "".join(f"/{escape_key(name)}" for name in section.headings)
            found += [(key + step, _SECTION, section.title, chunk) for step, chunk in _stretches(section)]
        return self._drafts(found)

    def of_text(self, text: str, *, key: str = "", first_line: int = 1) -> list[ItemDraft]:
        """Returns the items of a text, one for each stretch; of a short text there is one, whose key is `key` alone.

        Args:
            key: What the keys begin with, for a text that is only part of a document, as what follows a valid prefix.
            first_line: The number of the text's first line in the document.
        """
        chunks = split_text(clean(self._rules.mask(text)), first_line)
        if len(chunks) == 1:
            return self._drafts([(key, _RAW, _first_line(chunks[0]), chunks[0])])
        return self._drafts([(key + content_key(c.text), _RAW, "" if n else _first_line(c), c) for n, c in enumerate(chunks)])

    def of_large_text(self, text: str) -> list[ItemDraft]:
        """Returns the same as `of_text`, in memory of a few times the text's size whatever is in it."""
        drafts: list[ItemDraft] = []
        for piece, first_line in pieces(text, self._rules.mask):
            chunks = split_text(clean(piece), first_line)
            drafts += self._drafts([(content_key(chunk.text), _RAW, "", chunk) for chunk in chunks])
        keys = [draft.key for draft in drafts]
        unique = numbered([key[: len("[~00000000]")] for key in keys])
        return [draft if draft.key == key else draft._replace(key=key) for draft, key in zip(drafts, unique, strict=True)]

    def _drafts(self, found: list[_Keyed]) -> list[ItemDraft]:
        keys = numbered([key for key, *_ in found])
        titles = [" ".join(title.split()) for _, _, title, _ in found]
        words = scan([f"{title}\n{one[3].text}" for title, one in zip(titles, found, strict=True)]).words
        return [
            ItemDraft(key, f"L{first}-L{last}", kind, title, text, more, False, first, last)
            for key, (_, kind, _, (text, first, last)), title, more in zip(keys, found, titles, words, strict=True)
        ]


def _stretches(section: Section) -> list[tuple[str, Chunk]]:
    """Returns the text of a section in one piece, or in several with a step each that tells them apart."""
    if len(section.text) <= MAX_CHUNK:
        return [("", Chunk(section.text, section.first_line, section.last_line))]
    body_line = section.last_line - section.text.count("\n")
    return [(content_key(chunk.text), chunk) for chunk in split_text(section.text, body_line)]


def _first_line(chunk: Chunk) -> str:
    """Returns the first line of a text as its title, if it has a word in it and is short enough for one."""
    line = chunk.text.split("\n", 1)[0].strip()
    return line if len(line) <= _MAX_TITLE and any(map(str.isalnum, line)) else ""
