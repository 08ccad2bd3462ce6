"""Searches the items of one source: now, at a moment, or over all history; and follows one item through time.

    request  →  asking: attempts (as typed, last word going on, any of the words)  →  ranking  →  showing  →  Page[Hit]
                └→ scanning, for substrings and regular expressions                └→ spelling, where nothing was found
    path, place  →  following  →  ItemHistory

Each page names the snapshot it was made of in its cursor, so that the next one goes on there while backups go on.
"""

from __future__ import annotations

from archive.search.asking import Searched, search
from archive.search.catalogue import Catalogue
from archive.search.following import item_history
from archive.search.request import SearchRequest

__all__ = ["Catalogue", "SearchRequest", "Searched", "item_history", "search"]
