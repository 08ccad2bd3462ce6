"""Views that are questions: what is wrong, what takes the room; and version ids where one would want to go on from.

The views of the first schema are made anew, with each column explained where it stands. One table is new: when the archive
was checked, and what was found.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

CHECKS = """
CREATE TABLE checks (
  -- Each check that was made and could be written down, so that people see when the archive was last found sound.
  id INTEGER PRIMARY KEY,
  created_at TEXT NOT NULL,  -- when it began, UTC
  depth TEXT NOT NULL CONSTRAINT ck_checks_depth CHECK (depth IN ('structure', 'full')),  -- full: all content was hashed again
  verdict TEXT NOT NULL CONSTRAINT ck_checks_verdict CHECK (verdict IN ('good', 'bad', 'unknown')),
  snapshot_id INTEGER  -- the newest snapshot that it saw
    CONSTRAINT fk_checks_snapshot REFERENCES snapshots (id) ON DELETE SET NULL,
  good_count INTEGER NOT NULL,  -- objects that are good
  bad_count INTEGER NOT NULL,  -- objects that are not
  unknown_count INTEGER NOT NULL,  -- objects that were not examined
  findings TEXT NOT NULL  -- JSON array of [object, verdict, message]
    CONSTRAINT ck_checks_findings CHECK (json_valid(findings)),
  bytes_hashed INTEGER NOT NULL,  -- content that was read and hashed again
  duration_ms INTEGER NOT NULL  -- how long it took
) STRICT
"""

CURRENT_DOCUMENTS = """
CREATE VIEW current_documents AS
  -- What is there now, with its content: content ->> '$.metadata.version' looks into JSON, text has all that is no JSON.
  -- Both are NULL where it is not UTF-8; contents.data has that.
  SELECT d.id,  -- the document, the same through all of its versions
         s.name AS source,  -- name of the source
         d.path,  -- relative to the root of the source, with /
         d.kind,  -- json, jsonl, markdown or text
         d.category,  -- agent, config, docs …, as the newest backup sorted it
         v.number AS version,  -- number of the version, from 1 in the document
         v.size_bytes,  -- size of the content
         v.parse_state,  -- valid, lenient, invalid or unchecked
         v.parse_error,  -- why it is not valid: a code, a colon, a message
         v.mtime_ns / 1000000000 AS mtime,  -- time of modification, seconds since 1970
         n.id AS snapshot_id,  -- the snapshot that brought this version
         n.created_at AS changed_at,  -- its time, UTC
         b.hash,  -- sha256 of the content
         iif(typeof(c.data) = 'text' AND json_valid(c.data), c.data, NULL) AS content,  -- as JSON text; NULL: it is not JSON
         iif(typeof(c.data) = 'text' AND NOT json_valid(c.data), c.data, NULL) AS text,  -- Markdown, JSONL, torn JSON …
         v.id AS version_id  -- what archive_content, archive_json and archive_diff take
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
  SELECT v.id AS version_id,  -- what archive_content, archive_json and archive_diff take
         s.name AS source,  -- name of the source
         d.path,  -- relative to the root of the source, with /
         v.number AS version,  -- number of the version, from 1 in the document
         v.size_bytes,  -- size of the content
         v.parse_state,  -- valid, lenient, invalid or unchecked
         v.parse_error,  -- why it is not valid: a code, a colon, a message
         v.first_snapshot_id,  -- the snapshot that brought it
         f.label AS first_label,  -- that snapshot's label
         f.created_at AS first_at,  -- that snapshot's time, UTC
         v.until_snapshot_id,  -- the snapshot in which it was no longer so; NULL: current
         u.label AS until_label,  -- that snapshot's label
         u.created_at AS until_at,  -- that snapshot's time, UTC
         v.until_snapshot_id IS NULL AS is_current,  -- 1: so it is now
         v.mode,  -- permission bits
         v.mtime_ns,  -- time of modification, nanoseconds since 1970
         b.hash,  -- sha256 of the content
         v.document_id  -- the document
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
  SELECT v.first_snapshot_id AS snapshot_id,  -- the snapshot
         n.label,  -- its label
         n.created_at,  -- its time, UTC
         d.path,  -- the document, relative to the root of its source
         CASE WHEN p.id IS NULL THEN 'added'
              WHEN p.until_snapshot_id < v.first_snapshot_id THEN 'returned'
              WHEN p.blob_id = v.blob_id THEN 'touched'
              ELSE 'modified' END AS change,  -- added, returned, modified, touched (mode or time only) or removed
         v.number AS version,  -- number of the version that it brought; for a removal, of the last one
         p.size_bytes AS old_size_bytes,  -- size before; NULL where there was no version before
         v.size_bytes,  -- size of the version
         v.parse_state,  -- valid, lenient, invalid or unchecked; NULL for a removal
         v.parse_error,  -- why it is not valid: a code, a colon, a message
         v.document_id,  -- the document
         v.id AS version_id,  -- the version that it brought; for a removal, the last one
         p.id AS old_version_id  -- the version before; archive_diff(old_version_id, version_id) says what changed
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN snapshots n ON n.id = v.first_snapshot_id
  LEFT JOIN versions p ON p.document_id = v.document_id AND p.number = v.number - 1
  UNION ALL
  SELECT v.until_snapshot_id, n.label, n.created_at, d.path, 'removed', v.number, v.size_bytes, NULL, NULL, NULL,
         v.document_id, v.id, v.id
  FROM versions v
  JOIN documents d ON d.id = v.document_id
  JOIN snapshots n ON n.id = v.until_snapshot_id
  WHERE NOT EXISTS (
    SELECT 1 FROM versions x WHERE x.document_id = v.document_id AND x.first_snapshot_id = v.until_snapshot_id)
"""

PROBLEM_HISTORY = """
CREATE VIEW problem_history AS
  -- Every problem there ever was, and how long it stood.
  SELECT p.id,  -- the problem
         s.name AS source,  -- name of the source
         p.path,  -- the file or folder; '.' is the root
         p.kind,  -- invalid, suspicious, unreadable, vanished, symlink …
         p.severity,  -- incomplete: the snapshot lacks something; warning; skipped: left out by rule
         p.message,  -- what is wrong, for people
         p.first_snapshot_id,  -- the snapshot in which it was first seen
         f.label AS first_label,  -- that snapshot's label
         f.created_at AS first_at,  -- that snapshot's time, UTC
         p.until_snapshot_id,  -- the snapshot in which it was gone; NULL: it stands
         u.label AS until_label,  -- that snapshot's label
         u.created_at AS until_at,  -- that snapshot's time, UTC
         p.until_snapshot_id IS NULL AS is_current,  -- 1: it stands
         d.id AS document_id  -- the document, where the archive holds one of that path
  FROM problems p
  JOIN sources s ON s.id = p.source_id
  JOIN snapshots f ON f.id = p.first_snapshot_id
  LEFT JOIN snapshots u ON u.id = p.until_snapshot_id
  LEFT JOIN documents d ON d.source_id = p.source_id AND d.path = p.path
"""

CURRENT_PROBLEMS = """
CREATE VIEW current_problems AS
  -- What is wrong now: files and folders that could not be read, understood or taken in.
  SELECT id,  -- the problem
         source,  -- name of the source
         path,  -- the file or folder; '.' is the root
         kind,  -- invalid, suspicious, unreadable, vanished, symlink …
         severity,  -- incomplete: the snapshot lacks something; warning; skipped: left out by rule
         message,  -- what is wrong, for people
         first_snapshot_id,  -- the snapshot in which it was first seen
         first_label,  -- that snapshot's label
         first_at,  -- that snapshot's time, UTC
         document_id  -- the document, where the archive holds one of that path
  FROM problem_history
  WHERE is_current
"""

# One grouping over versions and contents together: a join of two sums would compare every document with every other.
STORAGE_BY_DOCUMENT = """
CREATE VIEW storage_by_document AS
  -- What each document costs. Content that several documents share is counted for the first of them.
  SELECT d.id,  -- the document
         s.name AS source,  -- name of the source
         d.path,  -- relative to the root of the source, with /
         d.kind,  -- json, jsonl, markdown or text
         d.category,  -- as the newest backup sorted it
         w.is_current,  -- 1: it exists now
         w.versions,  -- how many versions it has
         w.current_bytes,  -- size now; NULL where it is removed
         w.versions_bytes,  -- size of all versions, if each was stored whole
         w.stored_bytes  -- bytes of content in the archive, without rows and indexes
  FROM (
    SELECT document_id, max(is_current) AS is_current, sum(versions) AS versions, max(current_bytes) AS current_bytes,
           sum(versions_bytes) AS versions_bytes, sum(stored_bytes) AS stored_bytes
    FROM (
      SELECT document_id, until_snapshot_id IS NULL AS is_current, 1 AS versions,
             CASE WHEN until_snapshot_id IS NULL THEN size_bytes END AS current_bytes, size_bytes AS versions_bytes,
             0 AS stored_bytes
      FROM versions
      UNION ALL
      SELECT min(v.document_id), 0, 0, NULL, 0, CASE WHEN x.blob_id IS NULL THEN b.size_bytes ELSE length(x.data) END
      FROM versions v CROSS JOIN blobs b ON b.id = v.blob_id LEFT JOIN deltas x ON x.blob_id = v.blob_id
      GROUP BY v.blob_id)
    GROUP BY document_id) w
  CROSS JOIN documents d ON d.id = w.document_id
  JOIN sources s ON s.id = d.source_id
"""

ANEW = ("current_documents", "document_history", "snapshot_changes")
VIEWS = (
    CURRENT_DOCUMENTS,
    DOCUMENT_HISTORY,
    SNAPSHOT_CHANGES,
    PROBLEM_HISTORY,
    CURRENT_PROBLEMS,
    STORAGE_BY_DOCUMENT,
)
# Datasette and people look for the versions of one content and the problems of one path.
INDEXES = ("CREATE INDEX ix_problems_path ON problems (source_id, path)",)


def upgrade() -> None:
    """Makes the views and the table; no row changes."""
    op.get_bind().exec_driver_sql(CHECKS.strip())
    for name in ANEW:
        op.get_bind().exec_driver_sql(f"DROP VIEW {name}")
    for statement in (*VIEWS, *INDEXES):
        op.get_bind().exec_driver_sql(statement.strip())
    op.execute("PRAGMA user_version = 4")
