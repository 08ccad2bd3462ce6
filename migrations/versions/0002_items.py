"""The derived tier: items, their full-text index, and how far indexing has come.

Nothing here is the only copy of anything: `archive reindex` drops the rows and makes them again from the versions.
"""

from alembic import op
from sqlalchemy import Connection

revision = "0002"
down_revision = "0001"

ITEMS = """
CREATE TABLE items (
  -- The searchable unit inside versions, valid in [first_snapshot_id, until_snapshot_id). An item that did not change keeps its
  -- row from version to version, also where its position in the document moved.
  id INTEGER PRIMARY KEY,  -- 2^62 lower once the item is past: so searching what is current never meets what was
  document_id INTEGER NOT NULL CONSTRAINT fk_items_document REFERENCES documents (id),
  key TEXT NOT NULL,  -- identity in the document: the pointer with list positions replaced by ids
  pointer TEXT NOT NULL,  -- RFC 6901, or lines as L10-L20, in the newest version that has the item
  kind TEXT NOT NULL CONSTRAINT ck_items_kind CHECK (kind IN ('document', 'object', 'text', 'record', 'section', 'raw')),
  title TEXT NOT NULL,
  text TEXT NOT NULL,  -- what is searched and shown; secrets are masked
  words TEXT NOT NULL,  -- further tokens for the index: parts of names, single characters of unspaced scripts
  is_boilerplate INTEGER NOT NULL CONSTRAINT ck_items_is_boilerplate CHECK (is_boilerplate IN (0, 1)),
  first_snapshot_id INTEGER NOT NULL CONSTRAINT fk_items_first REFERENCES snapshots (id),
  until_snapshot_id INTEGER CONSTRAINT fk_items_until REFERENCES snapshots (id),  -- NULL: current
  CONSTRAINT ck_items_id CHECK ((id > 0) = (until_snapshot_id IS NULL))
) STRICT
"""

# Only content="items" with double quotes is taken for the index of `items` by Datasette and sqlite-utils.
# `text` comes first, since FTS5 writes the column of each token but where it is the first: that saves a fifth of the index.
ITEMS_FTS = """
CREATE VIRTUAL TABLE items_fts USING fts5(
  text, title, key, words, content="items", content_rowid="id", tokenize="unicode61 remove_diacritics 2"
)
"""

# Terms gather in memory up to this size before they are written; SQLite's megabyte makes indexing take twice as long.
HASH_BYTES = 64 * 1024 * 1024
# So many parts of the index of about one size are merged into one. SQLite's 4 leave an index that grows in small steps a
# tenth larger.
MERGED = 2
# Weights of text, title, key and words.
RANK = "bm25(1.0, 8.0, 3.0, 1.0)"

INDEXING = """
CREATE TABLE _indexing (
  -- How far indexing has come; one row.
  id INTEGER PRIMARY KEY CONSTRAINT ck_indexing_id CHECK (id = 1),
  derivation INTEGER NOT NULL,  -- number of the rules that made the items; 0: there are none yet
  masking TEXT NOT NULL CONSTRAINT ck_indexing_masking CHECK (json_valid(masking)),  -- JSON: names masked, by source
  version_id INTEGER NOT NULL,  -- all versions up to this one are indexed
  snapshot_id INTEGER NOT NULL  -- all removals up to this snapshot are
) STRICT
"""

INDEX_NOTES = """
CREATE TABLE index_notes (
  -- Versions of which less than everything could be indexed, and why.
  version_id INTEGER PRIMARY KEY CONSTRAINT fk_index_notes_version REFERENCES versions (id),
  extent TEXT NOT NULL CONSTRAINT ck_index_notes_extent CHECK (extent IN ('prefix', 'raw', 'path')),
  note TEXT NOT NULL
) STRICT
"""

INDEXES = (
    # Its entries end with the row's id, so a document's current items are found by `document_id = ? AND id > 0`.
    "CREATE INDEX ix_items_document ON items (document_id)",
)

CURRENT_ITEMS = """
CREATE VIEW current_items AS
  -- Everything that can be found now: one row for each object, record, section or stretch of text.
  SELECT i.id, s.name AS source, d.path, d.category, d.kind AS document_kind, i.kind, i.key, i.pointer, i.title, i.text,
         i.is_boilerplate, i.first_snapshot_id, f.created_at AS first_at, i.document_id
  FROM items i
  JOIN documents d ON d.id = i.document_id
  JOIN sources s ON s.id = d.source_id
  JOIN snapshots f ON f.id = i.first_snapshot_id
  WHERE i.id > 0
"""

ITEM_HISTORY = """
CREATE VIEW item_history AS
  -- Every state of every item; the states of one item share path and key.
  SELECT i.id, s.name AS source, d.path, d.category, d.kind AS document_kind, i.kind, i.key, i.pointer, i.title, i.text,
         i.is_boilerplate, i.first_snapshot_id, f.created_at AS first_at, i.until_snapshot_id, u.created_at AS until_at,
         i.until_snapshot_id IS NULL AS is_current, i.document_id
  FROM items i
  JOIN documents d ON d.id = i.document_id
  JOIN sources s ON s.id = d.source_id
  JOIN snapshots f ON f.id = i.first_snapshot_id
  LEFT JOIN snapshots u ON u.id = i.until_snapshot_id
"""


def tune(connection: Connection) -> None:
    """Sets the index up for much text at once."""
    for name, value in (("hashsize", HASH_BYTES), ("automerge", MERGED), ("rank", RANK)):
        connection.exec_driver_sql("INSERT INTO items_fts (items_fts, rank) VALUES (?, ?)", (name, value))


def upgrade() -> None:
    """Adds the derived tier, empty; the next backup or search fills it."""
    for statement in (ITEMS, ITEMS_FTS, INDEXING, INDEX_NOTES, *INDEXES, CURRENT_ITEMS, ITEM_HISTORY):
        op.get_bind().exec_driver_sql(statement.strip())
    tune(op.get_bind())
    op.execute("INSERT INTO _indexing (id, derivation, masking, version_id, snapshot_id) VALUES (1, 0, '{}', 0, 0)")
    op.execute("PRAGMA user_version = 2")
