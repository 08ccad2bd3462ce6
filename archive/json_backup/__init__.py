"""What the module that is dropped into a project, `json_backup_system`, is made of: a list of files, kept in one archive."""

from __future__ import annotations

from archive.json_backup.answering import CATEGORIES, AgentsMemory
from archive.json_backup.keeping import back_up, make_package, restore, search
from archive.json_backup.project import ListedFiles
from archive.json_backup.report import describe

__all__ = ["CATEGORIES", "AgentsMemory", "ListedFiles", "back_up", "describe", "make_package", "restore", "search"]
