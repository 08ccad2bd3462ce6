"""Puts the memory of a project together from whatever source can give it: the memory server, the files, the archive."""

from __future__ import annotations

from archive.memory.graph import graph_path, virtual_documents
from archive.memory.loading import load_memory, load_without_archive
from archive.memory.request import SOURCES, MemoryRequest

__all__ = ["SOURCES", "MemoryRequest", "graph_path", "load_memory", "load_without_archive", "virtual_documents"]
