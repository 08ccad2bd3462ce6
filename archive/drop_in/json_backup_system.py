"""Backs up the JSON files and documents of a project of agents, and gives them back when they are broken or gone.

    from json_backup_system import backup_json_files, load_json_memory_fallback

    m = backup_json_files()
    print(f"Backup completed: {len(m['files_backed_up'])} files backed up")

    memory = load_json_memory_fallback()
    print(memory["tasks"])

Everything is relative to the current directory. The settings below may be changed at run time. The backups are one archive,
`archive.db` in `BACKUP_DIR`, which `archive --help` and any SQLite can read. `python -m json_backup_system` says how things
stand, and writes nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from archive import Archive, Rules, SystemClock, __version__
from archive.availability import AvailabilityOptions, evaluate
from archive.clock import to_iso
from archive.config import load_config
from archive.errors import ArchiveError, ArchiveExists, ArchiveReadOnly, SnapshotNotFound, UsageError
from archive.extract.tasks import ParsedDocument, extract_tasks
from archive.memory import MemoryRequest, load_without_archive
from archive.model.documents import Kind
from archive.model.memory import Memory, MemoryDocument
from archive.model.snapshots import BackupResult
from archive.model.tasks import Status, Task, TaskDraft
from archive.rules import is_virtual
from archive.sources import is_root

AGENTS_DIR = "agents"
BACKUP_DIR = "backups/agents_json"
CORE_JSON_FILES = [
    "agents/agents.json",
    "agents/decisions.json",
    "agents/errors.json",
    "agents/functions.json",
    "agents/memory.json",
    "agents/performance.json",
    "agents/preferences.json",
    "agents/recentissues.json",
    "agents/structure.json",
    "agents/styles.json",
    "agents/tasks.json",
    "agents/variables.json",
]
CRITICAL_FILES = [
    "agents/unified-workflow.md",
    "agents/notes/naming-guidelines.md",
    "agents/notes/consolidated-development-guide.md",
    "docs/roadmap.md",
    "docs/changelog.md",
]

_ARCHIVE_NAME = "archive.db"
_SOURCE = "agents"
_SAFETY = "safety"  # the tag of what is taken in before a restore; never what "the last backup" means
_DEFAULT_AGENTS_DIR = "agents"
_HITS = 100
# Categories as callers know them, and the names of their files.
_CATEGORIES = {
    "agents": "agents",
    "tasks": "tasks",
    "memory": "memory",
    "functions": "functions",
    "issues": "recentissues",
    "performance": "performance",
    "decisions": "decisions",
    "errors": "errors",
    "preferences": "preferences",
    "structure": "structure",
    "styles": "styles",
    "variables": "variables",
}


def ensure_backup_dir() -> str:
    """Makes the folder of the backups where it is missing, and returns its path."""
    Path(BACKUP_DIR).mkdir(parents=True, exist_ok=True)
    return BACKUP_DIR


def backup_json_files() -> dict[str, Any]:
    """Adds a snapshot of the core files and the critical ones, and returns what is in it.

    Files that cannot be parsed are stored all the same, and are among `problems`; so is a file that lost most of its
    content since the last backup. Files that do not exist are in `missing`. `backup_timestamp` is what
    `restore_from_backup` takes.
    """
    with _open() as archive:
        result = _backup(archive)
        assert result.snapshot is not None
        documents = archive.documents(at=str(result.snapshot.id))
    present = {document.path for document in documents}
    return {
        "backup_timestamp": result.snapshot.label,
        "backup_version": __version__,
        "files_backed_up": [
            {"source": each.path, "size": each.size_bytes, "type": _type(each.path), "status": _status(each.path, result)}
            for each in documents
        ],
        "backup_location": BACKUP_DIR,
        "snapshot": result.snapshot.to_json(),
        "problems": [problem.to_json() for problem in result.problems],
        "missing": [path for path in _files() if path not in present],
    }


def restore_from_backup(timestamp: str | None = None) -> dict[str, Any]:
    """Brings all files back, byte for byte, as they were in the backup of that time; in the last one by default.

    The state before is backed up first. Files that did not exist then are left alone, and listed in `files_left`. Either all
    is ready to be put in place, or nothing is touched.

    Raises:
        SnapshotNotFound: There is no such backup; the message names those nearest to it.
        ArchiveNotFound: There is no backup at all.
    """
    root = Path.cwd()
    with Archive.open(_path(), mode="write", source=_SOURCE) as archive:
        snapshot = archive.snapshot(_last_backup(archive) if timestamp is None else _named(archive, timestamp))
        (source,) = (each for each in archive.sources() if each.name == _SOURCE)
        if not is_root(source, archive.path, root):
            # The project was moved or copied: it is here now, and what is here is as precious.
            archive.backup(root, rules=_rules(), message="before restoring", tags=[_SAFETY], moved=True)
        plan = archive.plan_restore(at=str(snapshot.id))
        result = archive.restore(plan)
    failed = {problem.path for problem in result.problems}
    done = [file for file in plan.files if file.action.value in ("create", "overwrite", "attributes")]
    return {
        "restored_timestamp": snapshot.label,
        "safety_timestamp": result.safety.label if result.safety is not None else None,
        "files_restored": [file.path for file in done if file.path not in failed],
        "files_unchanged": result.unchanged,
        "files_left": [file.path for file in plan.files if file.action.value == "extra"],
        "problems": [problem.to_json() for problem in result.problems],
    }


def load_json_memory_fallback() -> dict[str, Any]:
    """Returns the memory of the project, each category from its file, or from the last reliable version in the archive.

    A category of which nothing is left is an empty dict. `provenance` says of each category where it is from and what was
    wrong with what would have been better; nothing is broken silently. Nothing is written.
    """
    documents = _memory_documents()
    found = {name: documents.get(_core_path(file)) for name, file in _CATEGORIES.items()}
    sources = sorted({document.source.value for document in found.values() if document is not None})
    return {
        "timestamp": to_iso(SystemClock().now()),
        "source": " and ".join(sources) or "none",
        **{name: _content(document) for name, document in found.items()},
        "provenance": {name: _provenance(document) for name, document in found.items()},
    }


def get_available_tasks_from_json() -> dict[str, Any]:
    """Returns the projects of `tasks.json`, how far they are, and the phases that can be worked on, the most urgent first.

    The counts go by what a status means: `waiting`, `ready` and `assigned` are pending, `testing` is neither of the three.
    """
    path = _core_path("tasks")
    content = _content(_memory_documents().get(path))
    drafts = extract_tasks(ParsedDocument(path, Kind.JSON, content)).drafts
    tasks = [Task(**{each.name: getattr(draft, each.name) for each in fields(TaskDraft)}, path=path) for draft in drafts]
    evaluation = evaluate(tasks, AvailabilityOptions(as_of=SystemClock().now()))
    states = Counter(task.status for task in tasks if task.is_work)
    members = content if isinstance(content, dict) else {}
    projects = members.get("active_projects", {})
    return {
        "active_projects": projects,
        "task_templates": members.get("task_templates", {}),
        "summary": {
            "total_projects": len(projects) if isinstance(projects, dict | list) else 0,
            "pending_phases": states[Status.PENDING.value],
            "in_progress_phases": states[Status.IN_PROGRESS.value],
            "completed_phases": states[Status.DONE.value],
        },
        "available_tasks": [task.to_json() for task in evaluation.available()],
    }


def search_json_memory(query: str) -> list[dict[str, Any]]:
    """Returns what matches in the core files and the critical ones, the most relevant first.

    What changed since the last backup is backed up first, where that is possible, so that the answer is of now. `location`
    is what `archive cat` takes.
    """
    with _open_up_to_date() as archive:
        page = archive.search(query, limit=_HITS)
    return [
        {
            "type": hit.category,
            "location": f"{hit.path}#{hit.pointer}" if hit.pointer else hit.path,
            "content": f"{hit.title}: {hit.snippet}" if hit.title and hit.title != hit.snippet else hit.snippet or hit.title,
            "relevance": hit.score,
        }
        for hit in page.items
    ]


def create_emergency_recovery_package() -> str:
    """Makes a folder in the backup folder that brings everything back without this program, and returns its path."""
    with _open_up_to_date() as archive:
        return str(archive.recovery_package(ensure_backup_dir()).path)


def main() -> int:
    """Prints how things stand; returns 1 if something is lost or damaged."""
    try:
        lines, is_well = _report()
    except ArchiveError as error:
        lines, is_well = [f"error: {error.message}", f"hint:  {error.hint}"], False
    print("\n".join(lines))
    return 0 if is_well else 1


def _report() -> tuple[list[str], bool]:
    """Returns the lines of the report, and whether all is well."""
    documents = _memory_documents()
    files = _files()
    lines = [
        f"json_backup_system {__version__} in {Path.cwd()}",
        f"files: {sum(Path(path).is_file() for path in files)} of {len(files)} exist",
        f"backups: {_describe_backups()}",
    ]
    for path, document in sorted(documents.items()):
        instead = f"; the version of {document.label} stands in" if document.valid else ""
        lines += [f"  {path}: {trouble.kind.value}: {trouble.message}{instead}" for trouble in document.troubles]
    whole = sum(document.valid for document in documents.values())
    tasks = get_available_tasks_from_json()
    lines += [
        f"memory: {whole} of {len(documents)} documents whole",
        f"tasks: {len(tasks['available_tasks'])} available, {tasks['summary']['pending_phases']} pending",
    ]
    return lines, whole == len(documents)


def _describe_backups() -> str:
    try:
        with Archive.open(_path(), source=_SOURCE) as archive:
            snapshots = archive.snapshots()
    except ArchiveError as error:
        return error.message
    return f"{len(snapshots)} in {_path()}, the last one {snapshots[-1].label}" if snapshots else f"none in {_path()}"


def _path() -> Path:
    return Path(BACKUP_DIR) / _ARCHIVE_NAME


def _open() -> Archive:
    """Opens the archive for writing; makes it where there is none."""
    ensure_backup_dir()
    if not _path().exists():
        try:
            return Archive.create(_path(), source=_SOURCE)
        except ArchiveExists:
            pass  # another process was quicker
    return Archive.open(_path(), mode="write", source=_SOURCE)


def _open_up_to_date() -> Archive:
    """Opens the archive with what is on disk now in it; as it is, where it can only be read."""
    try:
        archive = _open()
    except (OSError, ArchiveReadOnly):
        return Archive.open(_path(), source=_SOURCE)
    try:
        _backup(archive, only_if_changed=True)
    except BaseException:
        archive.close()
        raise
    return archive


def _backup(archive: Archive, *, only_if_changed: bool = False) -> BackupResult:
    memory = load_config(Path.cwd()).memory
    # The archive lies in the project, so wherever it is found, that is the project.
    return archive.backup(Path.cwd(), rules=_rules(), memory=memory, only_if_changed=only_if_changed, moved=True)


def _memory_documents() -> dict[str, MemoryDocument]:
    """Returns the documents of the memory by path."""
    memory = _load_memory()
    return {document.path: document for category in memory.categories for document in category.documents}


def _load_memory() -> Memory:
    root, rules = Path.cwd(), _rules()
    settings = replace(load_config(root).memory, server=None)  # the files are what is asked for here
    try:
        with Archive.open(_path(), source=_SOURCE) as archive:
            return archive.load_memory(root, rules=rules, settings=settings)
    except ArchiveError as error:
        request = MemoryRequest(root=root, rules=rules, settings=settings)
        return load_without_archive(error, request, SystemClock())


def _files() -> list[str]:
    """Returns the paths of all files that are backed up, relative to the current directory.

    Raises:
        UsageError: A setting names something outside of it.
    """
    return list(dict.fromkeys(map(_relative, [*CORE_JSON_FILES, *CRITICAL_FILES])))


def _relative(path: str) -> str:
    """Returns a path of the settings in the one form in which the archive has it, in `AGENTS_DIR` if that was changed."""
    if path.startswith(f"{_DEFAULT_AGENTS_DIR}/"):
        path = AGENTS_DIR + path[len(_DEFAULT_AGENTS_DIR) :]
    found = Path(os.path.relpath(path)).as_posix()
    if found in (".", "..") or found.startswith("../"):
        raise UsageError(f"{path} is not below the current directory", hint="Change to the project's directory first.")
    return _as_spelled(found)


def _as_spelled(path: str) -> str:
    """Returns the path as the file's name is spelled: `docs/roadmap.md` means `docs/ROADMAP.md` where there is only that."""
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return path
    spelled = [each for each in names if each.casefold() == name.casefold()]
    return path if name in spelled or len(spelled) != 1 else os.path.join(folder, spelled[0])


def _core_path(name: str) -> str:
    """Returns the path of a core file by its name."""
    for path in CORE_JSON_FILES:
        if Path(path).stem == name:
            return _relative(path)
    return _relative(f"{_DEFAULT_AGENTS_DIR}/{name}.json")


def _rules() -> Rules:
    return Rules.only(_files(), origin="json_backup_system")


def _last_backup(archive: Archive) -> str:
    for snapshot in reversed(archive.snapshots()):
        if _SAFETY not in snapshot.tags:
            return str(snapshot.id)
    return "latest"


def _named(archive: Archive, timestamp: str) -> str:
    try:
        return str(archive.snapshot(timestamp).id)
    except SnapshotNotFound as error:
        nearest = error.context.get("nearest")
        names = ", ".join(map(str, nearest)) if isinstance(nearest, list) and nearest else "none"
        raise SnapshotNotFound(f"{error.message}; nearest: {names}", hint=error.hint, **error.context) from error


def _type(path: str) -> str:
    return "graph" if is_virtual(path) else "json" if path.endswith((".json", ".jsonl")) else "document"


def _status(path: str, result: BackupResult) -> str:
    for status in ("added", "changed", "touched"):
        if path in getattr(result, status):
            return status
    return "kept" if any(each.path == path and each.kind not in _OF_CONTENT for each in result.problems) else "unchanged"


_OF_CONTENT = ("invalid", "suspicious")


def _content(document: MemoryDocument | None) -> Any:
    return {} if document is None or document.content is None else document.content


def _provenance(document: MemoryDocument | None) -> dict[str, Any]:
    if document is None:
        return {"source": "none", "valid": False, "troubles": [{"kind": "missing", "message": "there never was such a file"}]}
    known = document.to_json()
    return {name: known[name] for name in ("path", "source", "snapshot", "label", "age_s", "valid", "troubles")}


if __name__ == "__main__":
    raise SystemExit(main())
