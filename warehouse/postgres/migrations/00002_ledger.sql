-- +goose Up
CREATE SCHEMA ledger AUTHORIZATION owner;
CREATE SCHEMA warehouse AUTHORIZATION owner;
CREATE SCHEMA bi AUTHORIZATION owner;
SET LOCAL ROLE owner;

GRANT USAGE ON SCHEMA bi TO bi;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA bi GRANT SELECT ON TABLES TO bi;

COMMENT ON SCHEMA ledger IS 'runs, tasks and their attempts';
COMMENT ON SCHEMA warehouse IS 'the tables behind the views of bi: a load of the lake';
COMMENT ON SCHEMA bi IS 'views for analysts and BI tools';

CREATE TABLE ledger.run (
  run_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  command    text NOT NULL,
  version    text NOT NULL,
  host       text NOT NULL,
  pid        integer NOT NULL,
  backend    integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at   timestamptz,
  exit_code  integer
);
COMMENT ON COLUMN ledger.run.backend IS 'the server process of the session that holds the run''s locks';

CREATE TABLE ledger.task (
  task_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job        text NOT NULL,
  experiment text NOT NULL,
  day        date NOT NULL,
  attempt    integer NOT NULL DEFAULT 0,
  UNIQUE (job, day)
);
COMMENT ON COLUMN ledger.task.experiment IS 'empty for jobs of no experiment';
COMMENT ON COLUMN ledger.task.attempt IS 'the last attempt''s number, which is its fencing token';
CREATE INDEX ON ledger.task (experiment, day);
CREATE INDEX ON ledger.task (day);

CREATE TABLE ledger.attempt (
  task_id          integer NOT NULL REFERENCES ledger.task,
  attempt          integer NOT NULL,
  run_id           bigint NOT NULL REFERENCES ledger.run,
  state            text NOT NULL DEFAULT 'running' CHECK (state <> ''),
  started_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at         timestamptz,
  rows_in          bigint NOT NULL DEFAULT 0,
  rows_out         bigint NOT NULL DEFAULT 0,
  rows_quarantined bigint NOT NULL DEFAULT 0,
  recipe           text NOT NULL DEFAULT '',
  error            text NOT NULL DEFAULT '',
  PRIMARY KEY (task_id, attempt)
);
CREATE INDEX ON ledger.attempt (run_id);

-- Who holds which lock now: class 17228 is a run, 17229 a task. A session's locks end with the session.
CREATE VIEW ledger.held AS
SELECT l.classid::bigint::integer AS class, l.objid::bigint AS id, l.pid AS backend
FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
  AND l.classid IN (17228, 17229) AND d.datname = current_database();

-- An attempt or a run that has not ended, and whose session is gone, was killed.
CREATE VIEW ledger.attempt_status AS
SELECT a.task_id, a.attempt, a.attempt = t.attempt AS is_last, t.job, t.experiment, t.day, a.run_id, r.host, r.pid,
  CASE WHEN a.state = 'running' AND NOT EXISTS (
    SELECT FROM ledger.held h WHERE h.class = 17229 AND h.id = a.task_id AND h.backend = r.backend
  ) THEN 'killed' ELSE a.state END AS state,
  a.started_at, a.ended_at, a.ended_at - a.started_at AS duration,
  a.rows_in, a.rows_out, a.rows_quarantined, a.recipe, a.error
FROM ledger.attempt a JOIN ledger.task t USING (task_id) JOIN ledger.run r USING (run_id);

CREATE VIEW ledger.run_status AS
SELECT r.run_id, r.command, r.version, r.host, r.pid, r.started_at, r.ended_at, r.exit_code,
  CASE WHEN r.ended_at IS NOT NULL THEN 'ended'
    WHEN EXISTS (
      SELECT FROM ledger.held h WHERE h.class = 17228 AND h.id = r.run_id AND h.backend = r.backend
    ) THEN 'running'
    ELSE 'killed' END AS state
FROM ledger.run r;

RESET ROLE;
