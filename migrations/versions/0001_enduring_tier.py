"""The enduring tier: sources, snapshots, documents, versions, blobs, problems, restores.

The statements are written out because their comments stay in the file (`SELECT sql FROM sqlite_master`): the schema
explains itself to whoever opens it, long after this program is gone. archive/FORMAT.md is the contract.
"""

from alembic import op

revision = "0001"
down_revision = None

# "rArc": tells `file(1)` and us that this SQLite database is an archive.
APPLICATION_ID = 0x72417263

SOURCES = """
CREATE TABLE sources (
  -- A folder tree that is backed up. One archive may hold several.
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL CONSTRAINT uq_sources_name UNIQUE,
  root TEXT NOT NULL,  -- where it stood at its last backup: absolute, or relative to this file's folder if that lies inside
  rules TEXT NOT NULL CONSTRAINT ck_sources_rules CHECK (json_valid(rules))  -- JSON object: what its last backup took in
) STRICT
"""

SNAPSHOTS = """
CREATE TABLE snapshots (
  -- The immutable record of a source at one moment.
  id INTEGER PRIMARY KEY,  -- gives the order; created_at does not (two in one second, a clock put back)
  source_id INTEGER NOT NULL CONSTRAINT fk_snapshots_source REFERENCES sources (id),
  label TEXT NOT NULL,  -- local wall clock as YYYYMMDD_HHMMSS, then _2, _3 … within one second
  created_at TEXT NOT NULL,  -- UTC, ISO-8601 with milliseconds and Z
  message TEXT NOT NULL DEFAULT '',
  tags TEXT NOT NULL DEFAULT '[]' CONSTRAINT ck_snapshots_tags CHECK (json_valid(tags)),  -- JSON array of texts
  is_complete INTEGER NOT NULL CONSTRAINT ck_snapshots_is_complete CHECK (is_complete IN (0, 1)),  -- 0: it lacks something
  documents_count INTEGER NOT NULL,  -- documents that existed at the moment
  documents_bytes INTEGER NOT NULL,  -- their size
  added_count INTEGER NOT NULL,  -- new, or there again
  changed_count INTEGER NOT NULL,  -- other content
  touched_count INTEGER NOT NULL,  -- same content, other mode or time of modification
  removed_count INTEGER NOT NULL,
  problems_count INTEGER NOT NULL,  -- problems that stood, skipped files not counted
  bytes_read INTEGER NOT NULL,  -- read from files
  bytes_stored INTEGER NOT NULL,  -- content added to this file, after compression
  duration_ms INTEGER NOT NULL,
  digest TEXT NOT NULL,  -- sha256 over the source's previous digest and this snapshot's changes
  CONSTRAINT uq_snapshots_label UNIQUE (source_id, label)
) STRICT
"""

DOCUMENTS = """
CREATE TABLE documents (
  -- What keeps its identity through time, known by its path.
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL CONSTRAINT fk_documents_source REFERENCES sources (id),
  path TEXT NOT NULL,  -- relative to the root, with /; bytes that are not UTF-8 are shown as \\xNN
  path_bytes BLOB,  -- the exact name where it is not UTF-8, else NULL
  kind TEXT NOT NULL CONSTRAINT ck_documents_kind CHECK (kind IN ('json', 'jsonl', 'markdown', 'text')),
  category TEXT NOT NULL  -- as the newest backup that saw it sorted it
) STRICT
"""

VERSIONS = """
CREATE TABLE versions (
  -- One content of a document, valid in [first_snapshot_id, until_snapshot_id).
  id INTEGER PRIMARY KEY,
  document_id INTEGER NOT NULL CONSTRAINT fk_versions_document REFERENCES documents (id),
  number INTEGER NOT NULL,  -- 1, 2, 3 … in the document
  blob_id INTEGER NOT NULL CONSTRAINT fk_versions_blob REFERENCES blobs (id),
  first_snapshot_id INTEGER NOT NULL
    CONSTRAINT fk_versions_first REFERENCES snapshots (id) DEFERRABLE INITIALLY DEFERRED,
  until_snapshot_id INTEGER  -- the snapshot in which it was no longer so; NULL: current
    CONSTRAINT fk_versions_until REFERENCES snapshots (id) DEFERRABLE INITIALLY DEFERRED,
  mode INTEGER NOT NULL,  -- permission bits
  mtime_ns INTEGER NOT NULL,  -- nanoseconds since 1970
  size_bytes INTEGER NOT NULL,
  parse_state TEXT NOT NULL
    CONSTRAINT ck_versions_parse_state CHECK (parse_state IN ('valid', 'lenient', 'invalid', 'unchecked')),
  parse_error TEXT NOT NULL DEFAULT '',  -- 'code: message' where not valid
  CONSTRAINT uq_versions_number UNIQUE (document_id, number),
  CONSTRAINT uq_versions_first UNIQUE (document_id, first_snapshot_id),
  CONSTRAINT ck_versions_interval CHECK (until_snapshot_id IS NULL OR until_snapshot_id > first_snapshot_id)
) STRICT
"""

BLOBS = """
CREATE TABLE blobs (
  -- Content, once per hash. Its bytes are in exactly one of contents and deltas.
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,  -- 'sha256:' and 64 hexadecimal digits
  size_bytes INTEGER NOT NULL
) STRICT
"""

CONTENTS = """
CREATE TABLE contents (
  -- The plain bytes of every blob that is current somewhere: TEXT, or BLOB where they are not UTF-8 or hold a NUL.
  blob_id INTEGER PRIMARY KEY CONSTRAINT fk_contents_blob REFERENCES blobs (id),
  data ANY NOT NULL
) STRICT
"""

DELTAS = """
CREATE TABLE deltas (
  -- The bytes of every other blob, as a zstd frame.
  blob_id INTEGER PRIMARY KEY CONSTRAINT fk_deltas_blob REFERENCES blobs (id),
  base_id INTEGER CONSTRAINT fk_deltas_base REFERENCES blobs (id),  -- its bytes are the dictionary; NULL: a keyframe
  height INTEGER NOT NULL,  -- the longest chain of deltas that leads here (keyframe: 0); bounds decoding to 32 steps
  data BLOB NOT NULL
) STRICT
"""

PROBLEMS = """
CREATE TABLE problems (
  -- A file or folder that could not be read, understood or taken in; it stood in [first_snapshot_id, until_snapshot_id).
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL CONSTRAINT fk_problems_source REFERENCES sources (id),
  path TEXT NOT NULL,  -- as in documents; the root is '.'
  kind TEXT NOT NULL,
  severity TEXT NOT NULL CONSTRAINT ck_problems_severity CHECK (severity IN ('incomplete', 'warning', 'skipped')),
  message TEXT NOT NULL,
  first_snapshot_id INTEGER NOT NULL
    CONSTRAINT fk_problems_first REFERENCES snapshots (id) DEFERRABLE INITIALLY DEFERRED,
  until_snapshot_id INTEGER
    CONSTRAINT fk_problems_until REFERENCES snapshots (id) DEFERRABLE INITIALLY DEFERRED
) STRICT
"""

RESTORES = """
CREATE TABLE restores (
  -- Each restore in place, recorded before its first file is replaced, so that it can be undone even if it was cut short.
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL CONSTRAINT fk_restores_source REFERENCES sources (id),
  created_at TEXT NOT NULL,
  snapshot_id INTEGER NOT NULL CONSTRAINT fk_restores_snapshot REFERENCES snapshots (id),  -- what was restored
  safety_snapshot_id INTEGER NOT NULL CONSTRAINT fk_restores_safety REFERENCES snapshots (id),  -- the state before
  changes TEXT NOT NULL CONSTRAINT ck_restores_changes CHECK (json_valid(changes))  -- JSON array of [path, action]
) STRICT
"""

STAT_CACHE = """
CREATE TABLE _stat_cache (
  -- How each current document's file looked when it was read; lets a backup skip files that did not change. Disposable.
  document_id INTEGER PRIMARY KEY CONSTRAINT fk_stat_cache_document REFERENCES documents (id),
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  is_racy INTEGER NOT NULL  -- 1: changed so shortly before it was read that a second change could look the same
) STRICT
"""

INDEXES = (
    # A document's exact name is unique in its source; a TEXT and a BLOB are never equal.
    "CREATE UNIQUE INDEX ux_documents_path ON documents (source_id, coalesce(path_bytes, path))",
    # Content is there once. Half of each digest tells all apart, and makes an index of half the size.
    "CREATE UNIQUE INDEX ux_blobs_hash ON blobs (substr(hash, 8, 32))",
    # At most one version is current, and finding the current ones costs their number, not the history's.
    "CREATE UNIQUE INDEX ux_versions_current ON versions (document_id) WHERE until_snapshot_id IS NULL",
    "CREATE INDEX ix_versions_current_blob ON versions (blob_id) WHERE until_snapshot_id IS NULL",
    "CREATE INDEX ix_versions_first ON versions (first_snapshot_id)",
    "CREATE INDEX ix_versions_until ON versions (until_snapshot_id) WHERE until_snapshot_id IS NOT NULL",
    "CREATE INDEX ix_deltas_base ON deltas (base_id) WHERE base_id IS NOT NULL",
    "CREATE INDEX ix_problems_current ON problems (source_id) WHERE until_snapshot_id IS NULL",
    "CREATE INDEX ix_restores_source ON restores (source_id)",
)

CURRENT_DOCUMENTS = """
CREATE VIEW current_documents AS
  -- What is there now, with its content: SELECT content ->> '$.metadata.version' FROM current_documents WHERE path = …
  SELECT d.id, s.name AS source, d.path, d.kind, d.category, v.number AS version, v.size_bytes,
         v.parse_state, v.parse_error, v.mtime_ns / 1000000000 AS mtime, n.id AS snapshot_id, n.created_at AS changed_at,
         b.hash, c.data AS content
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN sources s ON s.id = d.source_id
  JOIN snapshots n ON n.id = v.first_snapshot_id
  JOIN blobs b ON b.id = v.blob_id
  JOIN contents c ON c.blob_id = v.blob_id
  WHERE v.until_snapshot_id IS NULL
"""

DOCUMENT_HISTORY = """
CREATE VIEW document_history AS
  -- Every version of every document: when it came, when it went, whether it could be read.
  SELECT v.id AS version_id, s.name AS source, d.path, v.number AS version, v.size_bytes, v.parse_state, v.parse_error,
         v.first_snapshot_id, f.label AS first_label, f.created_at AS first_at,
         v.until_snapshot_id, u.label AS until_label, u.created_at AS until_at,
         v.until_snapshot_id IS NULL AS is_current, v.mode, v.mtime_ns, b.hash, v.document_id
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN sources s ON s.id = d.source_id
  JOIN snapshots f ON f.id = v.first_snapshot_id
  LEFT JOIN snapshots u ON u.id = v.until_snapshot_id
  JOIN blobs b ON b.id = v.blob_id
"""

SNAPSHOT_CHANGES = """
CREATE VIEW snapshot_changes AS
  -- What each snapshot changed: one row for each document added, returned, modified, touched or removed in it.
  SELECT v.first_snapshot_id AS snapshot_id, n.label, n.created_at, d.path,
         CASE WHEN p.id IS NULL THEN 'added'
              WHEN p.until_snapshot_id < v.first_snapshot_id THEN 'returned'
              WHEN p.blob_id = v.blob_id THEN 'touched'
              ELSE 'modified' END AS change,
         v.number AS version, p.size_bytes AS old_size_bytes, v.size_bytes, v.parse_state, v.parse_error, v.document_id
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN snapshots n ON n.id = v.first_snapshot_id
  LEFT JOIN versions p ON p.document_id = v.document_id AND p.number = v.number - 1
  UNION ALL
  SELECT v.until_snapshot_id, n.label, n.created_at, d.path, 'removed', v.number, v.size_bytes, NULL, NULL, NULL,
         v.document_id
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN snapshots n ON n.id = v.until_snapshot_id
  WHERE NOT EXISTS (
    SELECT 1 FROM versions x WHERE x.document_id = v.document_id AND x.first_snapshot_id = v.until_snapshot_id)
"""

TABLES = (
    SOURCES,
    SNAPSHOTS,
    DOCUMENTS,
    BLOBS,
    VERSIONS,
    CONTENTS,
    DELTAS,
    PROBLEMS,
    RESTORES,
    STAT_CACHE,
)
VIEWS = (CURRENT_DOCUMENTS, DOCUMENT_HISTORY, SNAPSHOT_CHANGES)


def upgrade() -> None:
    """Creates the enduring tier in an empty database."""
    op.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in (*TABLES, *INDEXES, *VIEWS):
        op.get_bind().exec_driver_sql(statement.strip())
    op.execute("PRAGMA user_version = 1")
