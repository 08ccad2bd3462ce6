"""Understands what people type into a search, and shows why something was found.

    text  →  parse  →  Query  →  render  →  Match, for FTS5
                         └→  relaxed, a second try with any of the words
    text of a hit, Query  →  Marker.snippet  →  a part of the text, and where the matched words are
    word, vocabulary      →  near_terms      →  spellings to try instead

A query is never an error. Whatever is not clearly an operator is text.
"""

from __future__ import annotations

from archive.query.marking import Marker, snippet
from archive.query.near import near_ranges, near_terms
from archive.query.parse import parse
from archive.query.render import Match, is_any_enough, render, render_titled, title_test
from archive.query.value import Field, Filter, Query, Term

__all__ = [
    "Field",
    "Filter",
    "Marker",
    "Match",
    "Query",
    "Term",
    "is_any_enough",
    "near_ranges",
    "near_terms",
    "parse",
    "render",
    "render_titled",
    "snippet",
    "title_test",
]
