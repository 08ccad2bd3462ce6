"""Names that the house rules forbid stand nowhere, and the search for them does find them."""

from __future__ import annotations

import pytest

from tests.architecture.source_rules import Finding, banned, listed, sources, swallowing, unfinished

LIBRARY = "archive/backup.py"


def test_no_forbidden_name_stands_in_the_source() -> None:
    found: list[Finding] = []
    for path, text in sources("archive", "migrations", "scripts"):
        found += banned(path, text)
    assert listed(found) == ""


def test_no_unexpected_error_is_dropped_silently() -> None:
    found: list[Finding] = []
    for path, text in sources("archive", "migrations", "scripts"):
        found += swallowing(path, text)
    assert listed(found) == ""


def test_nothing_is_marked_as_unfinished() -> None:
    found: list[Finding] = []
    for path, text in sources("archive", "migrations", "scripts"):
        found += unfinished(path, text)
    assert listed(found) == ""


@pytest.mark.parametrize(
    "text",
    [
        "metadata.create_all(engine)",
        "connection.executescript('SELECT 1')",
        "print('x')",
        "show = print",
        "import sys\nsys.stderr.write('x')",
        "from sys import stdout as out\nout.write('x')",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime\ndatetime.utcnow()",
        "from datetime import datetime as dt\nask = dt.now",
        "import datetime as d\nd.date.today()",
        "import time\ntime.time()",
        "from time import time as now\nnow()",
        "def f():\n    import time\n    return time.monotonic()",
        "import os\nos.environ['HOME']",
        "from os import environ\nenviron.get('HOME')",
        "import os\nos.getenv('HOME')",
        "from pathlib import Path\nPath.home()",
        "from pathlib import Path\nPath('~').expanduser()",
        "raise NotImplementedError",
    ],
)
def test_a_planted_name_is_found(text: str) -> None:
    assert len(banned(LIBRARY, text + "\n")) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("archive/cli/main.py", "import os\nprint(os.environ)"),
        ("archive/json_backup_system.py", "print('x')"),
        ("archive/clock.py", "import time\ntime.monotonic()"),
        ("scripts/benchmark/report.py", "import time\nprint(time.time())"),
        (LIBRARY, "clock.now()\nclock.monotonic()"),
        (LIBRARY, "from datetime import time\ntime.fromisoformat('12:00')"),
        (LIBRARY, "'print(x)'  # print(x)"),
        (LIBRARY, "self.print = blueprint(sys.version)"),
    ],
)
def test_what_only_looks_alike_or_is_allowed_there_is_not_found(path: str, text: str) -> None:
    assert banned(path, text + "\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    x = 1",
        "try:\n    f()\nexcept (ValueError, BaseException):\n    ...",
        "for x in y:\n    try:\n        f()\n    except Exception as error:\n        continue",
        "import contextlib\nwith contextlib.suppress(Exception):\n    f()",
        "from contextlib import suppress as hush\nwith hush(KeyError, Exception):\n    f()",
    ],
)
def test_a_planted_swallowing_is_found(text: str) -> None:
    assert len(swallowing(LIBRARY, text + "\n")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    f()\nexcept OSError:\n    pass",
        "try:\n    f()\nexcept BaseException:\n    undo()\n    raise",
        "try:\n    f()\nexcept Exception as error:\n    report(error)",
        "from contextlib import suppress\nwith suppress(FileNotFoundError):\n    f()",
    ],
)
def test_an_error_that_is_named_raised_or_reported_is_not_swallowed(text: str) -> None:
    assert swallowing(LIBRARY, text + "\n") == []


@pytest.mark.parametrize("text", ["x = 1  # TODO: more", '"""FIXME later."""', "# XXX", "# HACK around it"])
def test_a_planted_mark_of_unfinished_work_is_found(text: str) -> None:
    assert len(unfinished(LIBRARY, text + "\n")) == 1


@pytest.mark.parametrize("text", ["status = 'todo'", "HACKERNEWS = 1", "# the todo.txt format"])
def test_a_word_that_contains_such_a_mark_is_not_found(text: str) -> None:
    assert unfinished(LIBRARY, text + "\n") == []
