"""What looks like a secret is in the documents, and on no page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive import Archive
from archive.cli.commands.inspect import make
from archive.datasette_plugin.serving import PAGES
from archive.rules import Rules
from tests.conftest import FixedClock, write_tree
from tests.datasette.conftest import Site

SECRETS = [f"hunter{number}x" for number in range(14)]
_OPEN = "loosely said"


def tree(first: int) -> dict[str, bytes]:
    """Returns documents of four kinds with seven secrets."""
    one, two, three, four, five, six, seven = SECRETS[first : first + 7]
    config = {
        "api_key": one,
        "n": first,
        "login": {"password": [two]},
        "note": f"use --token {three} for it",
        "house_word": _OPEN,
    }
    return {
        "config.json": json.dumps(config).encode(),
        "torn.json": json.dumps({"password": four, "n": first}).encode()[:-1],
        "notes.md": f"# Notes\n\npassword: {five}\n\nstate {first}\n".encode(),
        "deploy.yaml": f"secret:\n  - {six}\nstate: {first}\n".encode(),
        "log.jsonl": f'{{"token": "{seven}", "n": {first}}}\n'.encode(),
    }


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two states of such documents."""
    root = tmp_path_factory.mktemp("secrets")
    path = root / "archive.db"
    (root / "project").mkdir()
    with Archive.create(path, clock=FixedClock()) as archive:
        for first in (0, 7):
            write_tree(root / "project", tree(first))
            archive.backup(root / "project")
    return path


@pytest.fixture
def site(holder: Path, sites: Callable[[Any], Site]) -> Site:
    return sites(make(holder))


def shown(site: Site, address: str) -> str:
    response = site.get(address)
    assert response.status_code == 200, address
    return str(response.text)


def test_no_page_shows_a_secret_and_each_says_that_something_is_masked(site: Site, holder: Path) -> None:
    with Archive.open(holder) as archive:
        numbers = {str(path): number for number, path in archive.sql("SELECT id, path FROM documents").rows}
    assert len(numbers) == 5
    for path, number in sorted(numbers.items()):
        for query in ("", "&version=1", "&as=stored", "&version=1&as=stored", "&a=1&b=2", "&a=1&b=2&diff=text"):
            text = shown(site, f"./-/document?id={number!s}{query}")
            assert not [secret for secret in SECRETS if secret in text], (path, query)
            assert "[masked]" in text
            assert "What looks like a secret is masked here" in text
    for page in PAGES:
        assert not [secret for secret in SECRETS if secret in shown(site, f"./-/{page}?q=token&history=1")]


@pytest.mark.parametrize(
    "table",
    ["current_documents", "contents", "current_items", "item_history", "items", "snapshot_changes", "document_history"],
)
def test_no_table_shows_a_secret(site: Site, table: str) -> None:
    text = shown(site, f"./{table}")
    assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("function", ["archive_content(v.id)", "archive_diff(w.id, v.id)", "archive_json(v.id, '')"])
def test_no_answer_to_sql_shows_a_secret_that_has_its_name_beside_it(site: Site, function: str) -> None:
    statement = (
        f"SELECT {function} AS value FROM versions v JOIN versions w ON w.document_id = v.document_id AND w.number = 1"
        " WHERE v.number = 2 AND v.parse_state = 'valid'"
    )
    text = str(site.get("/archive/-/query" if site.is_one else "/archive", sql=statement).text)
    assert "[masked]" in text
    assert not [secret for secret in SECRETS if secret in text]


def test_what_is_downloaded_and_what_sql_gives_as_data_is_the_document_itself(site: Site) -> None:
    response = site.get("./-/document?path=config.json&download=1")
    assert response.content == tree(0)["config.json"]
    rows = site.query(sql="SELECT content ->> '$.api_key' AS key FROM current_documents", _shape="array").json()
    assert {"key": SECRETS[7]} in rows


def test_names_of_the_project_s_own_are_masked_too(
    site: Site, holder: Path, tmp_path: Path, sites: Callable[[Any], Site]
) -> None:
    assert _OPEN in shown(site, "./-/document?path=config.json")
    path = tmp_path / "archive.db"
    (tmp_path / "project").mkdir()
    write_tree(tmp_path / "project", tree(0))
    with Archive.create(path, clock=FixedClock()) as archive:
        archive.backup(tmp_path / "project", rules=Rules(secret_names=("house_word",), not_secret=("api_key",)))
    own = sites(make(path))
    for address in ("./-/document?path=config.json", "./current_documents"):
        text = shown(own, address)
        assert _OPEN not in text
        assert SECRETS[0] in text
        assert SECRETS[1] not in text
