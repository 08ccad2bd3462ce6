"""Runs the command line, as `archive` and as `python -m archive`."""

from __future__ import annotations

import gc
import signal
import sys
from types import FrameType


def run() -> None:
    """Runs the program; Ctrl-C before it has even been loaded ends it as quietly as later.

    Whoever logs out or shuts down ends it as Ctrl-C does: what was begun is cleared away, and other programs that it started
    are ended. A signal that is ignored, as by nohup, stays so.
    """
    # What a command makes are mostly values that are part of no cycle, and to look through them costs it a twentieth.
    gc.set_threshold(100_000, 50, 50)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    try:
        from archive.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)


if __name__ == "__main__":
    run()
