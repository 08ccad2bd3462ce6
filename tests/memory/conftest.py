"""Memory servers to ask: the real one where it is installed, and one that misbehaves as it is told."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from archive.model.memory import MemoryServer

REPOSITORY = Path(__file__).resolve().parents[2]
REAL = REPOSITORY / ".ci/node/node_modules/@modelcontextprotocol/server-memory/dist/index.js"
SCRIPT = Path(__file__).with_name("server.py")

GRAPH: dict[str, Any] = {
    "entities": [
        {"name": "Aino", "entityType": "person", "observations": ["draws maps", 'says "hé" – 図\n']},
        {"name": "map", "entityType": "thing", "observations": []},
    ],
    "relations": [{"from": "Aino", "to": "map", "relationType": "draws"}],
}
LINES = (
    '{"type":"entity","name":"Aino","entityType":"person","observations":["draws maps","says \\"hé\\" – 図\\n"]}\n'
    '{"type":"entity","name":"map","entityType":"thing","observations":[]}\n'
    '{"type":"relation","from":"Aino","to":"map","relationType":"draws"}'
).encode()


def server(mode: str, path: Path | str = "", *, timeout_s: float = 5.0, **more: Any) -> MemoryServer:
    """Returns how to reach the server that misbehaves."""
    return MemoryServer(command=(sys.executable, str(SCRIPT), mode, str(path)), timeout_s=timeout_s, **more)


def graph_file(path: Path, graph: Any = GRAPH) -> Path:
    path.write_text(json.dumps(graph))
    return path


@pytest.fixture
def real_server(tmp_path: Path) -> MemoryServer:
    """The reference server, with a graph of its own in `stored`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    if not REAL.exists():
        pytest.skip("the memory server is not installed; .ci/run does that")
    (tmp_path / "stored.jsonl").write_bytes(LINES)
    # Node alone may take seconds to start on a busy machine.
    return MemoryServer(command=(node, str(REAL)), env={"MEMORY_FILE_PATH": str(tmp_path / "stored.jsonl")}, timeout_s=30)
