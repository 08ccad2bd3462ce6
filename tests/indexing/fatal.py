"""Takes documents apart as the archive does, and dies at one of them: what an out-of-memory killer would do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from archive import extracting

_real = extracting.extract_blobs


def extract_blobs(
    path: Path, wanted: Sequence[tuple[str, int, int]], masking: str, is_careful: bool = False
) -> Iterator[tuple[Any, ...]]:
    for one in wanted:
        if one[0] == "fatal.json":
            os._exit(9)
        yield from _real(path, [one], masking, is_careful)
