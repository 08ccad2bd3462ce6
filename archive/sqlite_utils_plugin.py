"""Gives sqlite-utils the SQL functions of an archive: `sqlite-utils archive.db "SELECT archive_content(1)"`."""

from __future__ import annotations

from sqlite_utils import hookimpl

from archive.clock import SystemClock
from archive.storage.functions import Driver, register


@hookimpl
def prepare_connection(conn: Driver) -> None:
    """Registers the functions on each connection that sqlite-utils opens."""
    register(conn, SystemClock())
