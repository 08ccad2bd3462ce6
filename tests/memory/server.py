"""A memory server that speaks the protocol by hand, so that it can misbehave at any point; run as a program.

    python server.py MODE [GRAPH]

It reads the graph, the JSON of `{"entities": …, "relations": …}`, from a file at each request.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

EMPTY: dict[str, Any] = {"entities": [], "relations": []}


def send(message: dict[str, Any]) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def greeting(mode: str) -> dict[str, Any]:
    version = "1999-01-01" if mode == "wrong_version" else "2025-06-18"
    return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "test", "version": "1"}}


def answer(mode: str, graph: Any) -> dict[str, Any]:
    text = json.dumps(graph)
    if mode == "error":
        return {"content": [{"type": "text", "text": "Unexpected token } in JSON at position 7"}], "isError": True}
    if mode == "repeated":
        text = text[:-1] + ', "entities": []}'
    if mode in ("text_only", "repeated"):
        return {"content": [{"type": "text", "text": text}]}
    if mode == "prose":
        return {"content": [{"type": "text", "text": "I remember nothing."}]}
    if mode == "nothing":
        return {"content": []}
    if mode == "wrong_shape":
        return {"content": [], "structuredContent": {"entities": "many", "relations": []}}
    if mode == "wrong_result":
        return {"content": "none of your business"}
    return {"content": [{"type": "text", "text": text}], "structuredContent": graph}


def main(mode: str, path: str = "") -> None:
    if mode == "noisy":
        print("Knowledge graph server running", file=sys.stderr, flush=True)
        print("listening …", flush=True)  # no message, and no reason to give up
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        method, number = request["method"], request.get("id")
        if number is None:
            continue
        if method == "initialize":
            send({"id": number, "result": greeting(mode)})
        elif method != "tools/call":
            send({"id": number, "error": {"code": -32601, "message": "Method not found"}})
        elif mode in ("hang", "stubborn"):
            time.sleep(60)
        elif mode == "die":
            sys.stderr.write("out of memory\n")
            os._exit(1)
        elif mode == "die_in_the_middle":
            sys.stdout.write('{"jsonrpc": "2.0", "id": ' + str(number) + ', "result": {"content": [')
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        elif mode == "huge":
            while True:
                sys.stdout.write("x" * 1_000_000)
        elif mode == "other_id":
            send({"id": 4711, "result": answer(mode, EMPTY)})
        else:
            graph = json.loads(Path(path).read_text()) if path else EMPTY
            send({"id": number, "result": answer(mode, graph)})


if __name__ == "__main__":
    main(*sys.argv[1:])
