"""The derived tier: tasks over time, what they depend on, and what can be worked on.

The view `available_tasks` is the evaluation of `archive.availability` in SQL, rule by rule. The order of the loops is
fixed with CROSS JOIN, because without ANALYZE the planner guesses it wrongly, and what is used twice is MATERIALIZED.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def is_time(column: str) -> str:
    """Returns the condition that a text is a time in the form that is compared."""
    day, time = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]", "[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]"
    return f"{column} GLOB '{day}T{time}Z'"


TASKS = f"""
CREATE TABLE tasks (
  -- Tasks of all tools in one form, each row one state, valid in [first_snapshot_id, until_snapshot_id). A task that did not
  -- change keeps its row from version to version, also where its position in the document moved.
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL CONSTRAINT fk_tasks_source REFERENCES sources (id),
  document_id INTEGER NOT NULL CONSTRAINT fk_tasks_document REFERENCES documents (id),
  ref TEXT NOT NULL,  -- identity in the document: the same in all states of one task, also where it moved
  pointer TEXT NOT NULL,  -- RFC 6901, or L and a line number, in the newest version that has this state
  position INTEGER NOT NULL,  -- among the tasks of the document, from 0, in that version
  adapter TEXT NOT NULL,  -- what read it: rengine, task-master, beads …
  scope TEXT NOT NULL,  -- where ids mean something: a project, a tag, a file, a folder
  shared_scope TEXT NOT NULL,  -- a wider scope in which other documents may name it as well; '': none
  task_id TEXT NOT NULL,  -- as people write it; '': none
  key TEXT NOT NULL,  -- the id as it is compared in its scope; '': none
  parent TEXT NOT NULL,  -- key of the parent; '': none
  parent_ref TEXT NOT NULL,  -- ref of the parent where the record stands inside it; settles who the parent is
  kind TEXT NOT NULL,  -- task, subtask, phase, feature, bug, issue, epic, checkbox …
  title TEXT NOT NULL,  -- secrets are masked here and in all other texts
  description TEXT NOT NULL,
  status TEXT NOT NULL,  -- pending, in_progress, blocked, review, done, cancelled, deferred; another word is not known
  status_raw TEXT NOT NULL,  -- the word in the file
  priority TEXT NOT NULL,
  rank INTEGER NOT NULL CONSTRAINT ck_tasks_rank CHECK (rank BETWEEN 0 AND 4),  -- priority as a number, 0 is the most urgent
  assignees TEXT NOT NULL CONSTRAINT ck_tasks_assignees CHECK (json_valid(assignees)),  -- JSON array of texts
  project TEXT NOT NULL,
  project_status TEXT NOT NULL,  -- where the project has one of its own
  phase TEXT NOT NULL,
  tag TEXT NOT NULL,  -- the list it stands in, where a file holds several
  labels TEXT NOT NULL CONSTRAINT ck_tasks_labels CHECK (json_valid(labels)),  -- JSON array of texts
  created TEXT NOT NULL,  -- this and the next three: UTC, ISO-8601 with milliseconds and Z; what is no date is as in the file
  updated TEXT NOT NULL,
  due TEXT NOT NULL,
  not_before TEXT NOT NULL,
  is_work INTEGER NOT NULL CONSTRAINT ck_tasks_is_work CHECK (is_work IN (0, 1)),  -- 0: nobody works on it (a message, a gate)
  anomalies TEXT NOT NULL CONSTRAINT ck_tasks_anomalies CHECK (json_valid(anomalies)),  -- JSON array: what is odd about it
  -- not_before, else due, where it is a date
  sort_date TEXT AS (CASE WHEN {is_time("not_before")} THEN not_before WHEN {is_time("due")} THEN due END) VIRTUAL,
  sort_created TEXT AS (CASE WHEN {is_time("created")} THEN created END) VIRTUAL,  -- where it is a date
  natural_key TEXT NOT NULL,  -- the key, written so that plain order puts 2 before 10
  digest INTEGER NOT NULL,  -- of all that makes a state: tells whether a task changed
  first_snapshot_id INTEGER NOT NULL CONSTRAINT fk_tasks_first REFERENCES snapshots (id),
  until_snapshot_id INTEGER CONSTRAINT fk_tasks_until REFERENCES snapshots (id),  -- NULL: current
  CONSTRAINT ck_tasks_interval CHECK (until_snapshot_id IS NULL OR until_snapshot_id > first_snapshot_id)
) STRICT
"""

TASK_DEPENDENCIES = """
CREATE TABLE task_dependencies (
  -- What a state of a task says it depends on, or is otherwise related to, in the order of the file.
  id INTEGER PRIMARY KEY,
  task_id INTEGER NOT NULL CONSTRAINT fk_task_dependencies_task REFERENCES tasks (id),
  scope TEXT,  -- where the key is looked up, in tasks.scope and tasks.shared_scope; NULL: in that of the task
  target TEXT NOT NULL,  -- key of the other task; '' where what stands in the file cannot be an id
  type TEXT NOT NULL,
  raw TEXT NOT NULL,  -- what stands in the file
  is_blocking INTEGER NOT NULL CONSTRAINT ck_task_dependencies_is_blocking CHECK (is_blocking IN (0, 1))
) STRICT
"""

TASK_PROBLEMS = """
CREATE TABLE task_problems (
  -- What was wrong with the tasks of a document in [first_snapshot_id, until_snapshot_id).
  id INTEGER PRIMARY KEY,
  document_id INTEGER NOT NULL CONSTRAINT fk_task_problems_document REFERENCES documents (id),
  -- last_valid: it cannot be read, its tasks are those of its last version that could be; salvaged: there was none, its
  -- tasks are what could be read of it; adapter: an adapter failed.
  kind TEXT NOT NULL CONSTRAINT ck_task_problems_kind CHECK (kind IN ('last_valid', 'salvaged', 'adapter')),
  message TEXT NOT NULL,
  first_snapshot_id INTEGER NOT NULL CONSTRAINT fk_task_problems_first REFERENCES snapshots (id),
  until_snapshot_id INTEGER CONSTRAINT fk_task_problems_until REFERENCES snapshots (id)
) STRICT
"""

TASK_ADAPTERS = """
CREATE TABLE _task_adapters (
  -- The adapters of third parties that were installed when everything was last indexed from the beginning.
  name TEXT PRIMARY KEY
) STRICT
"""

INDEXES = (
    "CREATE INDEX ix_tasks_current ON tasks (id) WHERE until_snapshot_id IS NULL",
    "CREATE INDEX ix_tasks_key ON tasks (source_id, scope, key, status) WHERE until_snapshot_id IS NULL",
    """CREATE INDEX ix_tasks_shared_key ON tasks (source_id, shared_scope, key, status)
      WHERE until_snapshot_id IS NULL AND shared_scope <> ''""",
    "CREATE UNIQUE INDEX uq_tasks_ref ON tasks (document_id, ref) WHERE until_snapshot_id IS NULL",
    """CREATE UNIQUE INDEX uq_tasks_state ON tasks (document_id, ref, first_snapshot_id)
      WHERE until_snapshot_id IS NOT NULL""",
    "CREATE INDEX ix_task_dependencies_task ON task_dependencies (task_id)",
    "CREATE INDEX ix_task_problems_document ON task_problems (document_id, until_snapshot_id)",
)

# What a person wants to see of a task `t` in a document `d`.
COLUMNS = """t.id, (SELECT name FROM sources WHERE id = t.source_id) AS source, d.path, t.pointer, t.task_id, t.kind, t.title,
       t.description, t.status, t.status_raw, t.priority, t.rank, t.assignees, t.project, t.project_status, t.phase, t.tag,
       t.parent,
       (SELECT json_group_array(json_object('target', target, 'type', type, 'is_blocking', is_blocking)) FROM
         (SELECT target, type, is_blocking FROM task_dependencies x WHERE x.task_id = t.id ORDER BY x.id)) AS dependencies,
       t.labels, t.created, t.updated, t.due, t.not_before, t.anomalies, t.is_work,
       EXISTS (SELECT 1 FROM task_problems x WHERE x.document_id = t.document_id AND x.kind = 'last_valid'
         AND x.until_snapshot_id IS NULL) AS is_from_last_valid,
       t.adapter, t.scope, t.key, t.ref, t.first_snapshot_id,
       (SELECT created_at FROM snapshots WHERE id = t.first_snapshot_id) AS first_at, t.document_id"""

CURRENT_TASKS = f"""
CREATE VIEW current_tasks AS
  -- The tasks of now, also of files that are broken now (is_from_last_valid).
  SELECT {COLUMNS}
  FROM tasks t
  JOIN documents d ON d.id = t.document_id
  WHERE t.until_snapshot_id IS NULL
"""

TASK_HISTORY = """
CREATE VIEW task_history AS
  -- Every state of every task; the states of one task share their ref, also where it moved to another document.
  SELECT t.id, s.name AS source, d.path, t.pointer, t.task_id, t.kind, t.title, t.status, t.status_raw, t.priority,
         t.assignees, t.project, t.phase, t.tag, t.ref, t.first_snapshot_id, f.label AS first_label, f.created_at AS first_at,
         t.until_snapshot_id, u.label AS until_label, u.created_at AS until_at, t.until_snapshot_id IS NULL AS is_current,
         t.document_id
  FROM tasks t
  JOIN documents d ON d.id = t.document_id
  JOIN sources s ON s.id = t.source_id
  JOIN snapshots f ON f.id = t.first_snapshot_id
  LEFT JOIN snapshots u ON u.id = t.until_snapshot_id
"""

AVAILABLE_TASKS = f"""
CREATE VIEW available_tasks AS
-- The tasks that may be worked on now, the most urgent first: pending, nothing that blocks them unfinished, nothing above
-- them put off. Dates are held against the newest snapshot of the source.
WITH RECURSIVE
t AS NOT MATERIALIZED (SELECT * FROM tasks WHERE until_snapshot_id IS NULL),
-- Each blocking dependency with how many tasks it means, and the one if it is one.
resolved (dependency, task, n, target) AS MATERIALIZED (
  SELECT x.id, t.id,
         (SELECT count(*) FROM t u
          WHERE u.source_id = t.source_id AND u.scope = coalesce(x.scope, t.scope) AND u.key = x.target)
       + (SELECT count(*) FROM t u
          WHERE u.source_id = t.source_id AND u.shared_scope = coalesce(x.scope, t.scope) AND u.shared_scope <> ''
            AND u.scope <> coalesce(x.scope, t.scope) AND u.key = x.target),
         coalesce(
           (SELECT u.id FROM t u
            WHERE u.source_id = t.source_id AND u.scope = coalesce(x.scope, t.scope) AND u.key = x.target),
           (SELECT u.id FROM t u
            WHERE u.source_id = t.source_id AND u.shared_scope = coalesce(x.scope, t.scope) AND u.shared_scope <> ''
              AND u.scope <> coalesce(x.scope, t.scope) AND u.key = x.target))
  FROM t CROSS JOIN task_dependencies x ON x.task_id = t.id
  WHERE x.is_blocking AND x.target <> ''
  UNION ALL
  SELECT x.id, t.id, 0, NULL FROM t CROSS JOIN task_dependencies x ON x.task_id = t.id
  WHERE x.is_blocking AND x.target = ''),
-- A dependency is satisfied by exactly one task that is done.
unsatisfied (dependency, task, n, target) AS MATERIALIZED (
  SELECT * FROM resolved r WHERE r.n <> 1 OR (SELECT status FROM tasks WHERE id = r.target) <> 'done'),
parents (child, parent) AS MATERIALIZED (
  SELECT c.id, p.id FROM t c CROSS JOIN t p ON p.document_id = c.document_id AND p.ref = c.parent_ref
  WHERE c.parent_ref <> '' AND p.id <> c.id
  UNION ALL
  SELECT c.id, p.id FROM t c CROSS JOIN t p ON p.source_id = c.source_id AND p.scope = c.scope AND p.key = c.parent
  WHERE c.parent_ref = '' AND c.parent <> '' AND p.id <> c.id
  UNION ALL
  SELECT c.id, p.id FROM t c CROSS JOIN t p ON p.source_id = c.source_id AND p.shared_scope = c.scope
    AND p.shared_scope <> '' AND p.scope <> c.scope AND p.key = c.parent
  WHERE c.parent_ref = '' AND c.parent <> '' AND p.id <> c.id),
torn (child) AS MATERIALIZED (SELECT child FROM parents GROUP BY child HAVING count(*) > 1),
-- A dependency on a task below the one that has it does not count. To find those, climb from the target as many steps as
-- it stands deeper; where the depth is unknown (several parents, a ring of parents), to the end.
depths (task, depth) AS MATERIALIZED (
  SELECT DISTINCT parent, 0 FROM parents WHERE parent NOT IN (SELECT child FROM parents)
  UNION ALL
  SELECT p.child, depths.depth + 1 FROM depths CROSS JOIN parents p ON p.parent = depths.task
  WHERE p.child NOT IN (SELECT child FROM torn)),
inner_links (dependency, task, target, steps) AS MATERIALIZED (
  SELECT u.dependency, u.task, u.target, low.depth - high.depth
  FROM unsatisfied u LEFT JOIN depths high ON high.task = u.task LEFT JOIN depths low ON low.task = u.target
  WHERE u.n = 1 AND u.target <> u.task AND u.task IN (SELECT parent FROM parents)),
climb (dependency, task, node, steps) AS (
  SELECT l.dependency, l.task, p.parent, l.steps - 1 FROM inner_links l CROSS JOIN parents p ON p.child = l.target
  WHERE l.steps IS NULL OR l.steps > 0
  UNION
  SELECT c.dependency, c.task, p.parent, c.steps - 1 FROM climb c CROSS JOIN parents p ON p.child = c.node
  WHERE c.node <> c.task AND (c.steps IS NULL OR c.steps > 0)),
waiting (task) AS MATERIALIZED (
  SELECT DISTINCT task FROM unsatisfied WHERE dependency NOT IN (SELECT dependency FROM climb WHERE node = task)),
-- What stands below a task that is put off, or that waits itself.
held (task) AS (
  SELECT p.child FROM parents p CROSS JOIN tasks a ON a.id = p.parent
  WHERE a.status IN ('cancelled', 'deferred', 'blocked') OR a.id IN (SELECT task FROM waiting)
  UNION
  SELECT p.child FROM held h CROSS JOIN parents p ON p.parent = h.task)
SELECT {COLUMNS}
FROM t CROSS JOIN documents d ON d.id = t.document_id
WHERE t.status = 'pending'
  AND t.is_work
  AND (t.key = ''
    OR (SELECT count(*) FROM t u WHERE u.source_id = t.source_id AND u.scope = t.scope AND u.key = t.key) = 1)
  AND (t.not_before = '' OR (
    {is_time("t.not_before")}
    AND t.not_before <= (SELECT created_at FROM snapshots n WHERE n.source_id = t.source_id ORDER BY n.id DESC LIMIT 1)))
  AND t.id NOT IN (SELECT task FROM waiting)
  AND t.project_status NOT IN ('cancelled', 'deferred', 'blocked')
  AND t.id NOT IN (SELECT task FROM held)
  -- Where children are unfinished, they are the work.
  AND t.id NOT IN (SELECT p.parent FROM parents p CROSS JOIN tasks c ON c.id = p.child
                   WHERE c.is_work AND c.status NOT IN ('done', 'cancelled'))
ORDER BY t.rank, t.sort_date NULLS LAST, t.sort_created NULLS LAST, t.position, t.natural_key, d.path, t.ref
"""


def upgrade() -> None:
    """Adds the tables and views, empty; what was indexed before is indexed again, for its tasks."""
    views = (CURRENT_TASKS, AVAILABLE_TASKS, TASK_HISTORY)
    for statement in (TASKS, TASK_DEPENDENCIES, TASK_PROBLEMS, TASK_ADAPTERS, *INDEXES, *views):
        op.get_bind().exec_driver_sql(statement.strip())
    op.execute("UPDATE _indexing SET derivation = 0")
    op.execute("PRAGMA user_version = 3")
