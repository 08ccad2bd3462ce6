"""Compares two contents of one document: by value where both are JSON that can be read, else as text."""

from __future__ import annotations

from archive.diff.content import diff_content
from archive.diff.items import diff_items, items_of, plural
from archive.diff.states import diff_states
from archive.diff.text import diff_text
from archive.diff.values import diff_values

__all__ = ["diff_content", "diff_items", "diff_states", "diff_text", "diff_values", "items_of", "plural"]
