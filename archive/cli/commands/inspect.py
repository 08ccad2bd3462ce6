"""Shows the archive in a browser."""

from __future__ import annotations

import copy
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output, styled
from archive.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
NAMES_OF_THIS_MACHINE = frozenset({LOOPBACK, "localhost", "::1"})
_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)
# Milliseconds for one statement of a user, and for each facet.
SETTINGS = {"sql_time_limit_ms": 3_000, "facet_time_limit_ms": 300, "allow_download": False, "num_sql_threads": 3}


@as_command(
    "inspect",
    "archive inspect --open",
    "archive inspect --port 0   # any port that is free",
    "archive inspect --db backup/archive.db --port 8010",
)
@click.option("-p", "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0 for any.")
@click.option("--host", default=LOOPBACK, show_default=True, metavar="ADDRESS", help="Address to listen at.")
@click.option("--open", "to_open", is_flag=True, help="Open the browser.")
@options.output()
@options.place()
def command(place: Place, output: Output, port: int, host: str, to_open: bool) -> None:
    """Show the archive in a browser, with Datasette.

    The timeline, documents and what differs between their versions, search, tasks and health; behind all of it the tables,
    with a search box, facets and SQL. Reading only, and safe while backups run: what was not written when a page began is
    not on it. Ctrl-C ends it.

    It listens at this machine's own address. With --host others can read everything in the archive: there is no password.

    With --json: one line when it is ready, an object with `url` and `database`.
    """
    with place.open_whole() as archive:
        archive.sources()  # says what is the matter with the file, if anything is, before a server starts
    listening = _listen(host, port)
    number = listening.getsockname()[1]
    datasette = make(place.db)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{number}/-/archive"
    if output.as_json:
        output.json({"url": url, "database": str(place.db)})
    else:
        output.say("reading ", str(place.db))
        output.say(styled(url, "bold"))
        if host not in NAMES_OF_THIS_MACHINE:
            output.warn(styled("warning:", "yellow"), " whoever can reach this address can read the whole archive")
        output.say(styled("Ctrl-C ends it", "dim"))
    app = datasette.app() if host not in NAMES_OF_THIS_MACHINE else _for_this_machine(datasette.app())
    _serve(datasette, app, listening, (lambda: click.launch(url)) if to_open else None)


def make(path: Path) -> Any:
    """Returns a Datasette that serves an archive with our plugin; it is registered where no installation has done so."""
    from datasette.app import Datasette
    from datasette.plugins import pm

    import archive.datasette_plugin as plugin
    from archive.api import Archive
    from archive.datasette_plugin import compat
    from archive.datasette_plugin.metadata import metadata
    from archive.storage.connection import uri_of

    if not pm.is_registered(plugin):
        pm.register(plugin, name="archive")
    with Archive.open(path) as opened:
        found = metadata(opened.schema())
    # Where nothing may be written, SQLite can only read a file that it is told will not change.
    is_immutable = "immutable=1" in uri_of(path, writable=False)
    files = {"immutables": [str(path)]} if is_immutable else {"files": [str(path)]}
    config: dict[str, Any] = {}
    if hasattr(Datasette, "set_column_metadata"):
        compat.configure(config, path.stem, found)
        return Datasette(**files, config=config, settings=SETTINGS)
    made = Datasette(**files, metadata={"databases": {path.stem: copy.deepcopy(found)}}, settings=SETTINGS)
    setattr(made, compat.TOLD, True)
    return made


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host}, port {port}: {(error.strerror or str(error)).lower()}",
            hint="Choose another port with --port, or --port 0 for any that is free.",
        ) from error
    listening.listen(128)
    return listening


def _for_this_machine(app: Any) -> Any:
    """Refuses requests for any other name than this machine's own.

    A page of a stranger can have its own name lead to 127.0.0.1, and would then read the archive in the user's browser.
    """

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        named = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if _OWN_HOST.fullmatch(named):
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send(
            {"type": "http.response.body", "body": b"only this machine may ask: open the address 'archive inspect' printed\n"}
        )

    return guarded


def _serve(datasette: Any, app: Any, listening: socket.socket, when_ready: Callable[[], Any] | None) -> None:
    import asyncio

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))

    async def run() -> None:
        await datasette.invoke_startup()
        if when_ready is not None:
            when_ready()
        await server.serve(sockets=[listening])

    asyncio.run(run())
