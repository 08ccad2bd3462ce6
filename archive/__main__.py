"""Runs the command line, as `archive` and as `python -m archive`."""

from __future__ import annotations

import sys


def run() -> None:
    """Runs the program; Ctrl-C before it has even been loaded ends it as quietly as later."""
    try:
        from archive.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
