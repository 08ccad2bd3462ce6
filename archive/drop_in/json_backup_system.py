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

from typing import Any

from archive import ArchiveError, SystemClock, __version__, json_backup

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


def ensure_backup_dir() -> str:
    """Makes the folder of the backups where it is missing, and returns its path."""
    json_backup.make_backup_dir(_listed())
    return BACKUP_DIR


def backup_json_files() -> dict[str, Any]:
    """Adds a snapshot of the core files and the critical ones, and returns what is in it.

    Files that cannot be parsed are stored all the same, and are among `problems`; so is a file that lost most of its
    content since the last backup, or one behind a symbolic link. Files that do not exist are in `missing`.
    `backup_timestamp` is what `restore_from_backup` takes.
    """
    return {"backup_version": __version__, **json_backup.back_up(_listed())}


def restore_from_backup(timestamp: str | None = None) -> dict[str, Any]:
    """Brings all files back, byte for byte, as they were in the backup of that time; in the last one by default.

    The state before is backed up first. Files that did not exist then are left alone, and listed in `files_left`. Either all
    is ready to be put in place, or nothing is touched.

    Raises:
        SnapshotNotFound: There is no such backup; the message names those nearest to it.
        ArchiveNotFound: There is no backup at all.
        TargetFailed: Something is in the place of a file; the message names it.
    """
    return json_backup.restore(_listed(), timestamp)


def load_json_memory_fallback() -> dict[str, Any]:
    """Returns the memory of the project, each category from its file, or from the last reliable version in the archive.

    A category of which nothing is left is an empty dict. `provenance` says of each category where it is from and what was
    wrong with what would have been better; nothing is broken silently. Nothing is written.
    """
    return json_backup.AgentsMemory(_listed()).whole()


def get_available_tasks_from_json() -> dict[str, Any]:
    """Returns the projects of `tasks.json`, how far they are, and the phases that can be worked on, the most urgent first.

    The counts go by what a status means: `waiting`, `ready` and `assigned` are pending, `testing` is neither of the three.
    """
    return json_backup.AgentsMemory(_listed()).tasks()


def search_json_memory(query: str) -> list[dict[str, Any]]:
    """Returns what matches in the core files and the critical ones, the most relevant first.

    What changed since the last backup is backed up first, where that is possible, so that the answer is of now. `location`
    is what `archive cat` takes.
    """
    return json_backup.search(_listed(), query)


def create_emergency_recovery_package() -> str:
    """Makes a folder in the backup folder that brings everything back without this program, and returns its path."""
    return json_backup.make_package(_listed())


def main() -> int:
    """Prints how things stand; returns 1 if something is lost or damaged."""
    try:
        listed = _listed()
        lines, is_well = json_backup.describe(listed)
    except ArchiveError as error:
        print(f"error: {error.message}\nhint:  {error.hint}")
        return 1
    print("\n".join([f"json_backup_system {__version__} in {listed.root}", *lines]))
    return 0 if is_well else 1


def _listed() -> json_backup.ListedFiles:
    """Returns what the settings say at this moment, of the folder that is the current one."""
    return json_backup.ListedFiles(
        root=json_backup.current_folder(),
        agents_dir=AGENTS_DIR,
        backup_dir=BACKUP_DIR,
        core=CORE_JSON_FILES,
        critical=CRITICAL_FILES,
        clock=SystemClock(),
    )


if __name__ == "__main__":
    raise SystemExit(main())
