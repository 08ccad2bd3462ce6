"""Reads the tasks of whole documents, broken ones too, with their secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from archive.extract.parse import Loaded
from archive.extract.secrets import SecretRules
from archive.extract.tasks.adapter import ParsedDocument
from archive.extract.tasks.drafting import name_without_id
from archive.extract.tasks.registry import LoadedAdapters, extract_tasks, installed_adapters
from archive.extract.tasks.salvage import salvage, salvage_lines
from archive.model.documents import Kind, ParseState
from archive.model.tasks import Anomaly, AnomalyCode, Dependency, TaskDraft

_NO_ID = "~"  # what the name of a record without an id begins with; see `name_without_id`


@dataclass(frozen=True, slots=True)
class TaskReading:
    """The tasks of one version of a document.

    Attributes:
        adapter: Name of the adapter that read it; empty if none knows it.
        drafts: In document order, complete, secrets masked.
        broken: Why the document cannot be read as a whole; then the drafts are only what could be salvaged of it. Empty
            if it can.
        problems: What went wrong in adapters; lower case, no period.
    """

    adapter: str = ""
    drafts: tuple[TaskDraft, ...] = ()
    broken: str = ""
    problems: tuple[str, ...] = ()


NO_TASKS = TaskReading()


class TaskReader:
    """Reads tasks; keep one for many documents.

    Args:
        rules: What to mask; the default masks what `archive.extract.secrets` names.
        adapters: The adapters to use; by default the built-in ones and those of installed packages.
    """

    def __init__(self, rules: SecretRules | None = None, adapters: LoadedAdapters | None = None) -> None:
        self._rules = rules or SecretRules()
        self._adapters = (adapters or installed_adapters()).adapters

    def read(self, path: str, kind: Kind, loaded: Loaded, data: bytes) -> TaskReading:
        """Returns the tasks of a document, whatever its bytes.

        JSON that cannot be read as a whole, also where a first part can, is broken. In JSONL, Markdown and text every line or
        section stands for itself: they are broken only where something is wrong with them and no task is left.
        """
        if kind is Kind.JSON and not loaded.whole:
            return self._salvaged(path, loaded, data)
        value, lines = loaded.value, list[int]()
        if loaded.bad_lines and isinstance(value, list):
            extra = salvage_lines(data, loaded.bad_lines, value)
            value, lines = [*value, *(record for _, record in extra)], [line for line, _ in extra]
        found = extract_tasks(ParsedDocument(path, kind, value, data), self._adapters)
        drafts = _in_lines(found.drafts, len(value) - len(lines), lines) if lines and isinstance(value, list) else found.drafts
        is_lost = not drafts and loaded.report.state is ParseState.INVALID
        return TaskReading(found.adapter, self._masked(drafts), loaded.report.error if is_lost else "", found.problems)

    def _salvaged(self, path: str, loaded: Loaded, data: bytes) -> TaskReading:
        broken = loaded.report.error or "it is too large to be read"
        found = [extract_tasks(ParsedDocument(path, Kind.JSON, value), self._adapters) for value in salvage(data)]
        found = [side for side in found if side.drafts or side.problems]
        if not found:
            return TaskReading(broken=broken)
        drafts = self._masked(_merged([side.drafts for side in found]))
        problems = dict.fromkeys(problem for side in found for problem in side.problems)
        return TaskReading(found[0].adapter, drafts, broken, tuple(problems))

    def _masked(self, drafts: tuple[TaskDraft, ...]) -> tuple[TaskDraft, ...]:
        # One look at all of it settles nearly every document. Each text stands on lines of its own, as it does alone.
        everything = "\n".join([text for draft in drafts for text in _texts(draft)])
        if self._rules.mask(everything) == everything:
            return drafts
        masked = tuple(map(self._without_secrets, drafts))
        if all(one is other for one, other in zip(masked, drafts, strict=True)):
            return masked
        return _renamed(drafts, masked)

    def _without_secrets(self, draft: TaskDraft) -> TaskDraft:
        mask = self._rules.mask
        everything = "\n".join(_texts(draft))
        if mask(everything) == everything:
            return draft
        changes: dict[str, object] = {}
        for name in ("title", "description", "phase", "project", "tag", "status_raw"):
            text = getattr(draft, name)
            if text and (masked := mask(text)) != text:
                changes[name] = masked
        for name in ("assignees", "labels"):
            words = getattr(draft, name)
            if words and (safe := tuple(map(mask, words))) != words:
                changes[name] = safe
        dependencies = tuple(_masked_raw(dependency, mask(dependency.raw)) for dependency in draft.dependencies)
        if dependencies != draft.dependencies:
            changes["dependencies"] = dependencies
        anomalies = tuple(Anomaly(one.code, mask(one.message)) for one in draft.anomalies)
        if anomalies != draft.anomalies:
            changes["anomalies"] = anomalies
        return replace(draft, **changes) if changes else draft  # type: ignore[arg-type]


def _in_lines(drafts: Sequence[TaskDraft], first: int, lines: Sequence[int]) -> tuple[TaskDraft, ...]:
    """Gives the tasks of records from the first one on their lines for pointers, since no pointer leads into a bad line."""
    note = Anomaly(AnomalyCode.BROKEN_LINE, "the line cannot be read as a whole; this is a record in it that can")

    def placed(draft: TaskDraft) -> TaskDraft:
        number = draft.pointer.removeprefix("/").partition("/")[0]
        if not (number.isdecimal() and int(number) >= first):
            return draft
        return replace(draft, pointer=f"L{lines[int(number) - first]}", anomalies=(*draft.anomalies, note))

    return tuple(map(placed, drafts))


def _texts(draft: TaskDraft) -> list[str]:
    """Returns all texts of a task that may hold a secret."""
    return [
        *(draft.title, draft.description, draft.phase, draft.project, draft.tag, draft.status_raw),
        *draft.assignees,
        *draft.labels,
        *[dependency.raw for dependency in draft.dependencies],
        *[anomaly.message for anomaly in draft.anomalies],
    ]


def _masked_raw(dependency: Dependency, raw: str) -> Dependency:
    return dependency if raw == dependency.raw else replace(dependency, raw=raw)


def _renamed(before: Sequence[TaskDraft], after: Sequence[TaskDraft]) -> tuple[TaskDraft, ...]:
    """Keeps what was masked out of the names of records without an id, which are made of titles and headings."""
    parts = {
        part
        for one, other in zip(before, after, strict=True)
        for text, masked in ((one.title, other.title), (one.phase, other.phase), (one.project, other.project))
        if text != masked
        for piece in (text, *text.split(" > "))
        if (part := name_without_id(piece).removeprefix(_NO_ID))
    }
    names: dict[str, str] = {}
    for draft in before:
        place, _, name = draft.ref.partition(_NO_ID)
        if any(part in name for part in parts):
            names[draft.ref] = f"{place}{_NO_ID}{blake2b(draft.ref.encode(), digest_size=8).hexdigest()}"
    return tuple(
        replace(draft, ref=names.get(draft.ref, draft.ref), parent_ref=names.get(draft.parent_ref, draft.parent_ref))
        for draft in after
    )


def _merged(sides: Sequence[tuple[TaskDraft, ...]]) -> tuple[TaskDraft, ...]:
    """Returns the tasks of the first side, then those that only another side has; where they differ, that is noted."""
    found = {draft.ref: draft for draft in sides[0]}
    for side in sides[1:]:
        for draft in side:
            own = found.get(draft.ref)
            if own is None:
                found[draft.ref] = draft
            elif difference := ", ".join(_differences(own, draft)):
                note = Anomaly(AnomalyCode.CONFLICT_MARKERS, f"the other side of the conflict has {difference}")
                found[draft.ref] = replace(own, anomalies=(*own.anomalies, note))
    return tuple(replace(draft, order=order) for order, draft in enumerate(found.values()))


def _differences(one: TaskDraft, other: TaskDraft) -> Iterator[str]:
    for name in ("status", "title", "priority"):
        if getattr(one, name) != getattr(other, name):
            yield f"{name} {getattr(other, name)}"
    if one.dependencies != other.dependencies:
        yield "other dependencies"
