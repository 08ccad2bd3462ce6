"""Says what a backup of a folder would take in and what it would leave out, each with the reason; reads no contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from archive.model.base import Value
from archive.model.snapshots import Problem
from archive.rules import Decision, Rules
from archive.source.scan import scan

LARGEST = 5
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SizedPath(Value):
    """A file with its size."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class CategorySurvey(Value):
    """The files of one category.

    Attributes:
        reasons: Why they are taken in, each with the number of files, the most frequent first.
    """

    category: str
    files: int
    size_bytes: int
    largest: SizedPath
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LeftOut(Value):
    """What is left out for one reason.

    Attributes:
        files: Files that were judged one by one.
        folders: Folders that were not gone into; what is in them is not counted.
        examples: Some of them; folders with a slash behind.
    """

    reason: str
    files: int
    folders: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey(Value):
    """What the rules make of a folder.

    Attributes:
        categories: By number of files, the most first.
        largest: The largest files, the largest first.
        left_out: By number of entries, the most first.
        skipped: What was asked for by name and cannot be taken in: links, special files, files over the limit.
        problems: What could not be looked at.
    """

    files: int
    size_bytes: int
    categories: tuple[CategorySurvey, ...]
    largest: tuple[SizedPath, ...]
    left_out: tuple[LeftOut, ...]
    skipped: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def survey(root: Path, rules: Rules, *, exclude_paths: Collection[Path] = ()) -> Survey:
    """Looks at a folder as a backup would.

    Raises:
        SourceUnreadable: The folder itself cannot be read.
    """
    judged: dict[str, Decision] = {}

    def remember(path: str, is_dir: bool, decision: Decision) -> None:
        if not (is_dir and decision.included):
            judged[path + "/" * is_dir] = decision

    found = scan(root, rules, exclude_paths=exclude_paths, on_decision=remember)
    files = [SizedPath(stat.path, stat.size_bytes) for stat in found.files]
    reasons = {file.path: _reason(judged.get(file.path)) for file in files}
    by_category: dict[str, list[SizedPath]] = {}
    for file in files:
        by_category.setdefault(rules.category(file.path), []).append(file)
    categories = [_category(category, members, reasons) for category, members in by_category.items()]
    taken = reasons.keys() | {problem.path for problem in (*found.skipped, *found.problems)}
    return Survey(
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        categories=tuple(sorted(categories, key=lambda each: (-each.files, each.category))),
        largest=tuple(sorted(files, key=lambda file: (-file.size_bytes, file.path))[:LARGEST]),
        left_out=_left_out({path: decision.reason for path, decision in judged.items() if path not in taken}),
        skipped=tuple(found.skipped),
        problems=tuple(found.problems),
    )


def _reason(decision: Decision | None) -> str:
    if decision is None:
        return "asked for"
    return "holds JSON" if decision.by_content else decision.reason


def _category(category: str, files: list[SizedPath], reasons: dict[str, str]) -> CategorySurvey:
    counted = Counter(reasons[file.path] for file in files)
    return CategorySurvey(
        category=category,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        largest=max(files, key=lambda file: file.size_bytes),
        reasons=tuple(counted.most_common()),
    )


def _left_out(reasons: dict[str, str]) -> tuple[LeftOut, ...]:
    paths: dict[str, list[str]] = {}
    for path, reason in sorted(reasons.items()):
        paths.setdefault(reason, []).append(path)
    found = []
    for reason, members in paths.items():
        folders = sum(path.endswith("/") for path in members)
        found.append(LeftOut(reason, len(members) - folders, folders, tuple(members[:EXAMPLES])))
    return tuple(sorted(found, key=lambda each: (-each.files - each.folders, each.reason)))
