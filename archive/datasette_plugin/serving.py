"""Answers requests: finds the archive, lets a page read it in one transaction, and writes HTML.

Pages only ever read, through the library and on a connection of their own that is opened for reading. Whatever a request
says goes into parameters of SQL or into the library's own checked arguments; the file that is read is the one that
Datasette serves, and no part of a request can name another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasette.utils import tilde_decode
from datasette.utils.asgi import NotFound, Response

from archive.api import Archive
from archive.clock import SystemClock
from archive.datasette_plugin import compat
from archive.datasette_plugin.databases import archives, is_archive
from archive.datasette_plugin.drawing import render
from archive.datasette_plugin.pages import document, health, search, tasks, timeline
from archive.datasette_plugin.view import Download, Links, Redirect, View
from archive.errors import ArchiveError, ArchiveLocked, UsageError
from archive.errors import NotFound as ArchiveNotFound

TIME_LIMIT_S = 3.0
# For what a page offers as a second step, saying that it takes longer.
LONG_LIMIT_S = 30.0
PAGES = {
    "timeline": "Timeline",
    "document": "Documents",
    "search": "Search",
    "tasks": "Tasks",
    "health": "Health",
}
_MAKERS: dict[str, Callable[[View], dict[str, Any] | Download | Redirect]] = {
    "timeline": timeline.page,
    "document": document.page,
    "search": search.page,
    "tasks": tasks.page,
    "health": health.page,
}
_STATIC = {"style.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"}
_HEADERS = {
    # The pages need one style sheet and one script of our own, and nothing else from anywhere.
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


def routes() -> Sequence[tuple[str, Callable[..., Any]]]:
    """Returns the patterns of the paths and what answers them."""
    names = "|".join(PAGES)
    files = "|".join(name.replace(".", r"\.") for name in _STATIC)
    return [
        (r"/-/archive$", _first),
        (rf"/-/archive/(?P<name>{files})$", _static),
        (rf"/(?P<database>[^/]+)/-/(?P<page>{names})$", _page),
    ]


async def _first(datasette: Any) -> Any:
    for name, _ in archives(datasette):
        return Response.redirect(f"{datasette.urls.database(name)}/-/timeline")
    raise NotFound("no archive is being served")


async def _static(request: Any) -> Any:
    name = request.url_vars["name"]
    body = (Path(__file__).parent / "static" / name).read_text(encoding="utf-8")
    return Response(
        body, headers={"cache-control": "max-age=300", "x-content-type-options": "nosniff"}, content_type=_STATIC[name]
    )


async def _page(datasette: Any, request: Any) -> Any:
    route = tilde_decode(request.url_vars["database"])
    database = next((found for found in datasette.databases.values() if (found.route or found.name) == route), None)
    if database is None or not is_archive(database):
        raise NotFound(f"{route} is no archive")
    await compat.require_view(datasette, request.actor, database.name)
    links = Links(
        str(datasette.urls.database(database.name)), str(datasette.urls.path("/-/archive")), str(datasette.urls.instance())
    )
    if request.method not in ("GET", "HEAD"):
        return _html(render("error.html", _around(links, "", {}, UsageError("pages are only read"))), 405)
    arguments = {key: request.args.get(key) for key in request.args}
    page = request.url_vars["page"]

    def work() -> Any:
        return _answer(page, str(database.path), links, arguments)

    return await asyncio.get_running_loop().run_in_executor(None, work)


def _answer(page: str, path: str, links: Links, arguments: dict[str, str]) -> Any:
    """Makes the response; runs in a thread, with an archive of its own."""
    around: dict[str, Any] = _around(links, page, arguments)
    is_long = "1" in (arguments.get("judge"), arguments.get("check"))
    limit_s = LONG_LIMIT_S if is_long else TIME_LIMIT_S
    try:
        with Archive.open(path, wait_s=TIME_LIMIT_S) as archive, archive.one_moment(time_limit_s=limit_s):
            view = View(archive, links, page, arguments, SystemClock().now())
            made = _MAKERS[page](view)
            if isinstance(made, Redirect):
                return Response.redirect(made.url)
            if isinstance(made, Download):
                return _download(made)
            return _html(render(f"{page}.html", {**around, **view.around(), **made}), 200)
    except ArchiveError as error:
        return _html(render("error.html", _around(links, page, arguments, error)), _status(error))


def _around(links: Links, page: str, arguments: dict[str, str], error: ArchiveError | None = None) -> dict[str, Any]:
    return {
        "pages": PAGES,
        "page": page,
        "links": links,
        "arguments": arguments,
        "error": error,
        "title": PAGES.get(page, "Archive"),
    }


def _status(error: ArchiveError) -> int:
    if isinstance(error, ArchiveNotFound):
        return 404
    if error.context.get("interrupted") or isinstance(error, ArchiveLocked):
        return 503
    return 400 if isinstance(error, UsageError) else 500


def _html(body: str, status: int) -> Any:
    return Response(body, status=status, headers=dict(_HEADERS), content_type="text/html; charset=utf-8")


def _download(made: Download) -> Any:
    headers = {**_HEADERS, "content-disposition": made.disposition()}
    return Response(made.data, headers=headers, content_type="application/octet-stream")
