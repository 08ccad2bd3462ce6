"""Verifies this recovery package and restores files from it; needs Python 3.8 or later and nothing else.

    python3 restore.py verify                       is anything damaged?
    python3 restore.py list                         the moments that can be restored
    python3 restore.py list --at 20230401_120000    the files of one of them
    python3 restore.py restore --to FOLDER          the files of this package
    python3 restore.py restore --to FOLDER --at 20230401_120000 notes.md data

Each file is written under a temporary name, read back, compared with its hash and then renamed. What is damaged in the
package is named, and everything else is restored all the same. Nothing is ever written into the package.

Exit codes: 0 done; 1 something is damaged or was not restored, and was named; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys

from archive.recovery.assets.program.doing import restore, show, verify
from archive.recovery.assets.program.ground import Report, Stop, counted
from archive.recovery.assets.program.package import Package


def main() -> int:
    """Runs the command line and returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="verify | list | restore", required=True)
    here = os.path.dirname(os.path.abspath(__file__))
    for name, function in (("verify", verify), ("list", show), ("restore", restore)):
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        command.set_defaults(function=function)
        command.add_argument("--package", default=here, metavar="FOLDER", help="another package than the one this lies in")
        if name != "verify":
            command.add_argument("--at", metavar="MOMENT", help="label, number, 2023-04-01T12:00, latest, latest~1")
            command.add_argument("paths", nargs="*", metavar="PATH", help="files, folders or globs; none mean all")
        if name == "restore":
            command.add_argument("--to", metavar="FOLDER", help="where to write; by default a new folder, never in the package")
            command.add_argument("--overwrite", action="store_true", help="replace files that have another content")
            command.add_argument("--dry-run", action="store_true", help="only say what would be done")
            command.add_argument("--no-sync", action="store_true", help="do not wait until the disk has everything")
    options = parser.parse_args()
    report = Report()
    try:
        print(options.function(Package(options.package, report), options))
    except Stop as stop:
        report(str(stop))
        return 1
    if report.said:
        print(f"{counted(len(report.said), 'message')}; everything not named is as it should be", file=sys.stderr)
    return 1 if report.said else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
