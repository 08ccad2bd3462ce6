"""Makes tasks and documents for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from archive.availability import AvailabilityOptions, Evaluation, evaluate
from archive.extract.parse import kind_of, load
from archive.extract.tasks import ParsedDocument, extract_tasks
from archive.model.documents import Kind
from archive.model.tasks import Dependency, Task, TaskDraft

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
_FIELDS = [field.name for field in fields(TaskDraft)]


def task(key: str, status: str = "pending", *, needs: str | Sequence[Dependency] = (), **changes: Any) -> Task:
    """Makes a task of the scope `s`; `needs` are dependencies, or the keys of some with spaces between."""
    links = tuple(Dependency(name, raw=name) for name in needs.split()) if isinstance(needs, str) else tuple(needs)
    settled: dict[str, Any] = {"path": "a.json", "scope": "s", "pointer": f"/{key}", "ref": f"s#{key}", "id": key, "key": key}
    settled |= {"title": f"Task {key}", "status": status, "status_raw": status, "dependencies": links}
    return Task(**settled | changes)


def judged(tasks: Iterable[Task], **options: Any) -> Evaluation:
    """Evaluates as of a fixed time."""
    return evaluate(tasks, AvailabilityOptions(**{"as_of": NOW} | options))


def codes(tasks: Iterable[Task], **options: Any) -> dict[str, list[str]]:
    """Returns the codes against each task, by its name."""
    return {verdict.task.name: [reason.code for reason in verdict.reasons] for verdict in judged(tasks, **options).verdicts}


def names(tasks: Iterable[Task], **options: Any) -> list[str]:
    """Returns what is available, in order."""
    return [found.name for found in judged(tasks, **options).available()]


def document(path: str, content: object, kind: Kind | None = None) -> ParsedDocument:
    """Makes a document of bytes or text as they would stand in a file, or of a JSON value."""
    data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
    if data is None:
        data = json.dumps(content).encode()
    known = kind or kind_of(path)
    assert known is not None
    return ParsedDocument(path, known, load(known, data).value)


def lines(*records: object) -> str:
    """Returns records as JSONL."""
    return "".join(json.dumps(record) + "\n" for record in records)


def drafts_of(path: str, content: object) -> list[TaskDraft]:
    """Returns what the surest built-in adapter reads in a document; none may fail."""
    extraction = extract_tasks(document(path, content))
    assert extraction.problems == ()
    return list(extraction.drafts)


def tasks_of(documents: Mapping[str, object]) -> list[Task]:
    """Returns the tasks of several documents of one moment."""
    return [placed(draft, path) for path, content in documents.items() for draft in drafts_of(path, content)]


def placed(draft: TaskDraft, path: str) -> Task:
    """Returns a draft as a task of a document."""
    return Task(path=path, **{name: getattr(draft, name) for name in _FIELDS})


def adapter_of(path: str, content: object) -> str:
    """Returns the name of the adapter that a document goes to."""
    return extract_tasks(document(path, content)).adapter
