"""What the module that is dropped into a project, `json_backup_system`, is made of: a list of files, kept in one archive."""

from __future__ import annotations

from archive.json_backup.answering import CATEGORIES, AgentsMemory
from archive.json_backup.keeping import back_up, make_package, restore, search
from archive.json_backup.project import ListedFiles, current_folder, make_backup_dir
from archive.json_backup.report import describe

__all__ = [
    "CATEGORIES",
    "AgentsMemory",
    "ListedFiles",
    "back_up",
    "current_folder",
    "describe",
    "make_backup_dir",
    "make_package",
    "restore",
    "search",
]
