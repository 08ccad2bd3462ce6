"""Reads what `archive.toml` says of a project's memory, the tables `[memory]` and `[mcp]`; pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from archive.model.memory import SERVER_TIMEOUT_S, SHRUNKEN_BELOW, MemoryServer, MemorySettings

Fail = Callable[[str, str, str], NoReturn]
"""Raises the error: the name that is wrong, what is wrong, a hint."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HINT = "Correct the value; 'archive init' writes a file with examples."

EXAMPLE = f"""\
# The memory server of the project (Model Context Protocol). Each backup stores its knowledge graph as a document, and
# 'archive memory' asks it first. Give either a command or a url; paths are relative to this file.
# [mcp]
# command = ["npx", "-y", "@modelcontextprotocol/server-memory"]
# url = "http://localhost:3000/mcp"
# env = {{ MEMORY_FILE_PATH = "/home/me/project/memory.jsonl" }}
# headers = {{ Authorization = "Bearer …" }}
# The server's own file, read where the server does not answer.
# file = "memory.jsonl"
# Seconds that start and answer may take together; npx alone may need more.
# timeout = {SERVER_TIMEOUT_S}
# name = "memory"

# A document with less than this share of the items that it had is suspicious to 'archive backup', and 'archive memory'
# falls back to the version before; 0 turns this off.
# [memory]
# shrunken_below = {SHRUNKEN_BELOW}
""".splitlines()


def memory_settings(tables: Mapping[str, Mapping[str, object]], fail: Fail) -> MemorySettings:
    """Returns the settings; what cannot be used ends in `fail`."""
    memory = _Table("memory", tables.get("memory", {}), ("shrunken_below",), fail)
    return MemorySettings(
        shrunken_below=memory.number("shrunken_below", SHRUNKEN_BELOW, least=0.0, most=1.0),
        server=_server(tables["mcp"], fail) if "mcp" in tables else None,
    )


def _server(table: Mapping[str, object], fail: Fail) -> MemoryServer:
    mcp = _Table("mcp", table, ("command", "url", "env", "headers", "file", "timeout", "name"), fail)
    command, url, file = mcp.command(), mcp.text("url"), mcp.text("file")
    env, headers = mcp.texts("env"), mcp.texts("headers")
    name = mcp.text("name") or "memory"
    if bool(command) == bool(url) and (command or not file):
        fail("mcp", "[mcp] has to have either a command or a url", "Keep one of them.")
    if url and not re.match(r"https?://[^/\s]+", url):
        fail("url", f"url has to begin with http:// or https://, and {url!r} does not", _HINT)
    if env and not command:
        fail("env", "env is for a command", "Remove it.")
    if headers and not url:
        fail("headers", "headers are for a url", "Remove them.")
    if not _NAME.fullmatch(name):
        fail("name", f"{name!r} is no name of a document", "Use letters, digits, '-', '_' and '.'.")
    stored = env.get("MEMORY_FILE_PATH", "")
    return MemoryServer(
        command=command,
        url=url,
        # Where the reference server keeps its graph, if it was told so; relative paths mean its own folder and not ours.
        file=file or (stored if stored.startswith("/") else ""),
        env=env,
        headers=headers,
        timeout_s=mcp.number("timeout", SERVER_TIMEOUT_S, least=0.01, most=600.0),
        name=name,
    )


class _Table:
    """Reads one table, name by name."""

    def __init__(self, table: str, values: Mapping[str, object], names: tuple[str, ...], fail: Fail) -> None:
        self._values = values
        self._fail = fail
        for key in values:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"The names are {', '.join(names)}."
                fail(key, f"{key!r} is not a setting of [{table}]", hint)

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        value = self._values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self._fail(key, f"{key} has to be a number from {least:g} to {most:g}", _HINT)
        return float(value)

    def text(self, key: str) -> str:
        value = self._values.get(key, "")
        if not isinstance(value, str) or (key in self._values and not value.strip()) or "\0" in value:
            self._fail(key, f"{key} has to be a text that is not empty", _HINT)
        return value

    def texts(self, key: str) -> dict[str, str]:
        value = self._values.get(key, {})
        if not isinstance(value, Mapping) or not all(isinstance(text, str) and "\0" not in text for text in value.values()):
            self._fail(key, f"{key} has to be a table of texts", _HINT)
        return dict(value)

    def command(self) -> tuple[str, ...]:
        value = self._values.get("command", [])
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(part, str) and "\0" not in part for part in listed):
            self._fail("command", 'command has to be a list of texts, as in ["npx", "-y", "server"]', _HINT)
        if "command" in self._values and (not listed or not listed[0].strip()):
            self._fail("command", "command has to name a program", _HINT)
        return tuple(listed)
