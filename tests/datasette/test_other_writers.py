"""Other processes back up while Datasette has the archive open; their locks and its own must hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from archive import Archive
from tests.cli.conftest import program_environment
from tests.conftest import write_tree
from tests.datasette.test_live import served

pytestmark = pytest.mark.slow


def test_what_other_programs_back_up_is_there_on_the_next_page_however_often(copied: Path) -> None:
    root = copied.parent / "growing"
    root.mkdir()
    with Archive.open(copied) as archive:
        before = int(str(archive.sql("SELECT count(*) FROM snapshots").rows[0][0]))
    backup = [sys.executable, "-m", "archive", "backup", str(root), "--db", str(copied), "--source", "growing", "--quiet"]
    with served(copied) as address:
        base = address.removesuffix("/-/archive") + "/archive"
        for number in range(1, 6):
            # Tables have many cells, and each of them is drawn by the plugin.
            with urlopen(f"{base}/current_documents", timeout=30) as page:
                assert page.status == 200
            write_tree(root, {f"{number}.md": b"# another\n"})
            assert subprocess.run(backup, env=program_environment(), check=False).returncode == 0
            with urlopen(f"{base}.json?sql=SELECT+count(*)+AS+n+FROM+snapshots&_shape=array", timeout=30) as answer:
                assert json.load(answer)[0]["n"] == before + number
    with Archive.open(copied) as archive:
        assert archive.check().is_good
