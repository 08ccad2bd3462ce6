"""Lists problems."""

from __future__ import annotations

from archive.cli import options
from archive.cli.group import command as as_command
from archive.cli.locate import Place
from archive.cli.output import Output
from archive.cli.trouble import show_problems
from archive.model.base import Json


@as_command("problems", "archive problems", "archive problems --at latest~1 --json")
@options.at
@options.output()
@options.place()
def command(place: Place, output: Output, at: str) -> None:
    """List what could not be read, understood or taken in.

    These are the problems that stood when the snapshot was made; a file that cannot be parsed is stored all the same.

    With --json: an object with `snapshot` and `problems`, a list; each problem has its `severity` too.
    """
    with place.open() as archive:
        snapshot = archive.snapshot(at)
        found = archive.problems(at=str(snapshot.id))
    if output.as_json:
        problems: list[Json] = [{**problem.to_json(), "severity": problem.severity.value} for problem in found]
        output.json({"snapshot": snapshot.to_json(), "problems": problems})
    elif not found:
        output.say(f"no problems in snapshot {snapshot.id} ({snapshot.label})")
    else:
        show_problems(output, found, limit=len(found))
