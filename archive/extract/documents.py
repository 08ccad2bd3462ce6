"""Takes whole documents apart into items, as far as they can be understood, and says how far that is."""

from __future__ import annotations

import json
from typing import NamedTuple

from archive.extract.items import Extractor
from archive.extract.parse import MAX_LOAD_BYTES, Loaded, kind_of, load, sniff, text_of
from archive.extract.tasks.documents import NO_TASKS, TaskReader, TaskReading
from archive.extract.words import index_words
from archive.model.documents import Kind
from archive.model.search import ItemDraft, ItemKind

# Ways in which less than all of a document's meaning is in its items.
WHOLE, PREFIX, RAW, PATH = "", "prefix", "raw", "path"


class Extraction(NamedTuple):
    """What is in a document.

    Attributes:
        drafts: Its items; the one with the empty key stands for the document and can be found by its path.
        extent: `prefix` if only a part could be understood and the rest is there as text, `raw` if all of it is, `path` if
            the document can be found by its path only; empty if nothing is missing.
        note: Why, for people.
        tasks: Its tasks.
    """

    drafts: list[ItemDraft]
    extent: str
    note: str
    tasks: TaskReading = NO_TASKS


def extract_document(path: str, data: bytes, extractor: Extractor, task_reader: TaskReader | None = None) -> Extraction:
    """Returns the items of a document, whatever its bytes, and with a reader for them its tasks.

    What it is taken for follows from its name and its bytes alone, and not from what it was in the past: so the same
    version gives the same items whenever it is looked at.
    """
    kind = kind_of(path) or sniff(data) or Kind.TEXT
    if len(data) > MAX_LOAD_BYTES:
        size, most = len(data) >> 20, MAX_LOAD_BYTES >> 20
        note = f"too_large: {size} MiB are more than the {most} MiB that are taken apart, so it is indexed as text"
        tasks = TaskReading(broken=note) if task_reader is not None else NO_TASKS
        return Extraction(_with_path(extractor.of_large_text(text_of(data)), path), RAW, note, tasks)
    loaded = load(kind, data)
    if kind is Kind.JSON:
        drafts, extent = _json(loaded, data, extractor)
    elif kind is Kind.JSONL:
        drafts, extent = _jsonl(loaded, data, extractor)
    else:
        text = text_of(data)
        drafts = extractor.of_markdown(text) if kind is Kind.MARKDOWN else extractor.of_text(text)
        extent = WHOLE
    tasks = task_reader.read(path, kind, loaded, data) if task_reader is not None else NO_TASKS
    return Extraction(_with_path(drafts, path), extent, loaded.report.error if extent else "", tasks)


def only_path(path: str, reason: str) -> Extraction:
    """Returns what is left of a document that could not be taken apart at all: it can be found by its path."""
    return Extraction(_with_path([], path), PATH, reason, TaskReading(broken=reason))


def _json(loaded: Loaded, data: bytes, extractor: Extractor) -> tuple[list[ItemDraft], str]:
    if loaded.whole:
        return extractor.of_json(loaded.value), WHOLE
    text = text_of(data)
    if not loaded.readable:
        return extractor.of_text(text), RAW
    drafts = extractor.of_json(loaded.value)
    start = len(text) - len(text.lstrip())
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        end = start  # it is readable with leniency only; then all of the text is there beside the items
    return drafts + extractor.of_text(text[end:], key="[rest]", first_line=text.count("\n", 0, end) + 1), PREFIX


def _jsonl(loaded: Loaded, data: bytes, extractor: Extractor) -> tuple[list[ItemDraft], str]:
    if not loaded.readable:
        return extractor.of_text(text_of(data)), RAW
    lines = text_of(data).split("\n") if loaded.bad_lines else []
    bad = [(number, lines[number - 1].rstrip("\r")) for number in loaded.bad_lines if number <= len(lines)]
    return extractor.of_jsonl(loaded.records, bad), PREFIX if bad else WHOLE


def _with_path(drafts: list[ItemDraft], path: str) -> list[ItemDraft]:
    """Lets the item with the empty key be found by the document's path; adds one if there is none."""
    shown = path.encode("utf-8", "replace").decode()
    words = " ".join(filter(None, (shown, index_words(shown))))
    for position, draft in enumerate(drafts):
        if draft.key == "":
            found = draft._replace(words=f"{words} {draft.words}".rstrip())
            return [*drafts[:position], found, *drafts[position + 1 :]]
    return [ItemDraft("", "", ItemKind.DOCUMENT.value, shown.rpartition("/")[2], "", words, False), *drafts]
