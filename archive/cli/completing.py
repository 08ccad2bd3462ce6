"""Completes moments and documents in a shell from what the archive holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from archive.cli.locate import Place, find_place
from archive.errors import ArchiveError

MOST = 200


def moments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Returns labels of snapshots, newest first, with their messages."""

    def find() -> list[CompletionItem[Any]]:
        with _place(ctx).open() as archive:
            found = [CompletionItem("latest")]
            found += [CompletionItem(each.label, help=each.message) for each in reversed(archive.snapshots())]
        return [item for item in found if item.value.startswith(incomplete)]

    return _quietly(find)


def documents(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Returns paths of documents at the moment that was given."""

    def find() -> list[CompletionItem[Any]]:
        with _place(ctx).open() as archive:
            paths = [document.path for document in archive.documents(at=ctx.params.get("at") or "latest")]
        # The scripts that shells run read one completion a line.
        return [CompletionItem(path) for path in paths if path.startswith(incomplete) and path.isprintable()]

    return _quietly(find)


def _place(ctx: click.Context) -> Place:
    given = ctx.params
    return find_place(root=given.get("root"), db=given.get("db"), source=given.get("source"), wait_s=0)


def _quietly(find: Callable[[], list[CompletionItem[Any]]]) -> list[CompletionItem[Any]]:
    """Runs a search for completions; where there is no archive, or a busy one, there is nothing to complete."""
    try:
        return find()[:MOST]
    except (ArchiveError, OSError):
        return []
