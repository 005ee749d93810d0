-- +goose Up
SET LOCAL ROLE owner;

CREATE TABLE warehouse.load (
  load_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dataset    text NOT NULL,
  experiment text NOT NULL,
  as_of      date NOT NULL,
  revision   integer NOT NULL,
  content    text NOT NULL,
  recipe     text NOT NULL,
  row_count  bigint NOT NULL,
  task_id    integer NOT NULL REFERENCES ledger.task,
  attempt    integer NOT NULL,
  loaded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (dataset, experiment, as_of, revision)
);
COMMENT ON COLUMN warehouse.load.content IS 'SHA-256 of the rows in the lake';
COMMENT ON COLUMN warehouse.load.recipe IS 'hash of what the rows were made by';

CREATE TABLE warehouse.published (
  dataset      text NOT NULL,
  experiment   text NOT NULL,
  load_id      bigint NOT NULL REFERENCES warehouse.load ON DELETE CASCADE,
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (dataset, experiment)
);
COMMENT ON TABLE warehouse.published IS 'the pointer: which load of a data set the views show as the latest';

CREATE TABLE warehouse.experiment_results (
  load_id         bigint NOT NULL REFERENCES warehouse.load ON DELETE CASCADE,
  metric          text NOT NULL,
  segment         text NOT NULL,
  variant         text NOT NULL,
  unit            text NOT NULL,
  estimand        text NOT NULL,
  method          text NOT NULL,
  adjustment      text NOT NULL,
  stitching       text NOT NULL,
  baseline        text NOT NULL,
  value_unit      text NOT NULL,
  matured         bigint NOT NULL,
  n               bigint NOT NULL,
  mean            double precision,
  stddev          double precision,
  diff_abs        double precision,
  diff_abs_low    double precision,
  diff_abs_high   double precision,
  diff_rel        double precision,
  diff_rel_low    double precision,
  diff_rel_high   double precision,
  rel_method      text,
  alpha           double precision NOT NULL,
  p_value         double precision,
  p_adjusted      double precision,
  srm_p           double precision,
  definition_hash text NOT NULL,
  identity_night  date NOT NULL,
  PRIMARY KEY (load_id, metric, segment, variant, unit, estimand, method, adjustment, stitching)
);

CREATE VIEW bi.experiment_results AS
SELECT l.experiment, r.metric, r.segment, r.variant, r.unit, r.estimand, r.method, r.adjustment, r.stitching,
  l.as_of, l.revision, r.baseline, r.value_unit, r.matured, r.n, r.mean, r.stddev,
  r.diff_abs, r.diff_abs_low, r.diff_abs_high, r.diff_rel, r.diff_rel_low, r.diff_rel_high, r.rel_method,
  r.alpha, r.p_value, r.p_adjusted, r.srm_p, r.definition_hash, r.identity_night, l.recipe,
  l.load_id = p.load_id AS is_latest
FROM warehouse.published p
JOIN warehouse.load newest ON newest.load_id = p.load_id
JOIN warehouse.load l ON l.dataset = p.dataset AND l.experiment = p.experiment
  AND (l.as_of, l.revision) <= (newest.as_of, newest.revision)
JOIN warehouse.experiment_results r ON r.load_id = l.load_id
WHERE p.dataset = 'experiment_results';

CREATE VIEW bi.experiment_results_latest AS
SELECT l.experiment, r.metric, r.segment, r.variant, r.unit, r.estimand, r.method, r.adjustment, r.stitching,
  l.as_of, l.revision, r.baseline, r.value_unit, r.matured, r.n, r.mean, r.stddev,
  r.diff_abs, r.diff_abs_low, r.diff_abs_high, r.diff_rel, r.diff_rel_low, r.diff_rel_high, r.rel_method,
  r.alpha, r.p_value, r.p_adjusted, r.srm_p, r.definition_hash, r.identity_night, l.recipe
FROM warehouse.published p
JOIN warehouse.load l ON l.load_id = p.load_id
JOIN warehouse.experiment_results r ON r.load_id = l.load_id
WHERE p.dataset = 'experiment_results';

-- The last attempt is that of the newest day which any of the experiment's jobs has tried; of that day's tasks, one
-- that is in trouble comes before those that are not.
CREATE VIEW bi.data_freshness AS
SELECT d.dataset, d.experiment, l.as_of, l.revision, p.published_at,
  a.day AS last_attempt_day, a.state AS last_attempt_state, a.error AS last_attempt_error
FROM (
  SELECT dataset, experiment FROM warehouse.published
  UNION
  SELECT 'experiment_results', experiment FROM ledger.task WHERE experiment <> ''
) d
LEFT JOIN warehouse.published p ON p.dataset = d.dataset AND p.experiment = d.experiment
LEFT JOIN warehouse.load l ON l.load_id = p.load_id
LEFT JOIN LATERAL (
  SELECT s.day, s.state, NULLIF(s.error, '') AS error FROM ledger.attempt_status s
  WHERE s.experiment = d.experiment AND s.is_last
  ORDER BY s.day DESC, (s.error <> '' OR s.state = 'killed') DESC, s.started_at DESC LIMIT 1
) a ON true;

-- +goose StatementBegin
DO $$
DECLARE
  name text;
  meaning text;
  view_name text;
BEGIN
  FOR name, meaning IN VALUES
    ('experiment', 'the experiment''s name'),
    ('metric', 'the metric''s name'),
    ('segment', 'the part of the units that the row is about; empty: all of them'),
    ('variant', 'the variant that the row describes and compares with baseline'),
    ('unit', 'what was randomised and counted: profile'),
    ('estimand', 'what is estimated: itt is the effect of being assigned (intention to treat)'),
    ('method', 'the test: z (two proportions) or welch (Welch''s t)'),
    ('adjustment', 'variance or multiplicity adjustment of the estimate: none'),
    ('stitching', 'how identifiers were linked to units: as_of_exposure decides'),
    ('as_of', 'the night: what was known at the end of this business day'),
    ('revision', 'counts from 1; a correction of a night is a new revision beside the old one'),
    ('baseline', 'the control variant, with which variant is compared'),
    ('value_unit', 'unit of mean, stddev and diff_abs: share, or the metric''s unit (RUB minor is kopecks)'),
    ('matured', 'units of n whose window has closed'),
    ('n', 'units in the variant'),
    ('mean', 'mean of the metric over the units, in value_unit'),
    ('stddev', 'standard deviation of the metric over the units, in value_unit'),
    ('diff_abs', 'mean of variant minus mean of baseline, in value_unit; empty for the baseline itself'),
    ('diff_abs_low', 'lower end of the interval of diff_abs at confidence 1 - alpha; empty: unbounded or unknown'),
    ('diff_abs_high', 'upper end of the interval of diff_abs at confidence 1 - alpha; empty: unbounded or unknown'),
    ('diff_rel', 'diff_abs as a share of the baseline''s mean: 0.05 is +5 %'),
    ('diff_rel_low', 'lower end of the interval of diff_rel at confidence 1 - alpha; empty: unbounded or unknown'),
    ('diff_rel_high', 'upper end of the interval of diff_rel at confidence 1 - alpha; empty: unbounded or unknown'),
    ('rel_method', 'how the interval of diff_rel was made'),
    ('alpha', 'level of the test: 0.05 goes with intervals of 95 %'),
    ('p_value', 'two-sided p-value of no difference'),
    ('p_adjusted', 'p_value adjusted for multiple comparisons, where that was done'),
    ('srm_p', 'p-value of the test for sample ratio mismatch of the experiment; a very small one makes it invalid'),
    ('definition_hash', 'hash of the experiment''s and metrics'' definitions that decided the numbers'),
    ('identity_night', 'the night whose identity (who is one person) was used'),
    ('recipe', 'hash of everything that the row was made by and from'),
    ('is_latest', 'whether this is the newest published night and revision of the experiment')
  LOOP
    FOREACH view_name IN ARRAY ARRAY['experiment_results', 'experiment_results_latest'] LOOP
      IF view_name = 'experiment_results' OR name <> 'is_latest' THEN
        EXECUTE format('COMMENT ON COLUMN bi.%I.%I IS %L', view_name, name, meaning);
      END IF;
    END LOOP;
  END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON VIEW bi.experiment_results IS 'statistics of experiments, every published night and revision: one row an '
  'experiment, metric, segment, variant, unit, estimand, method, adjustment, stitching, as_of and revision';
COMMENT ON VIEW bi.experiment_results_latest IS
  'statistics of experiments as of the newest published night and revision of each';
COMMENT ON VIEW bi.data_freshness IS
  'how fresh each data set is, by experiment, and how the last attempt to refresh it went';
COMMENT ON COLUMN bi.data_freshness.dataset IS 'the data set: experiment_results';
COMMENT ON COLUMN bi.data_freshness.experiment IS 'the experiment''s name';
COMMENT ON COLUMN bi.data_freshness.as_of IS 'the night of the latest published rows; empty: nothing was published yet';
COMMENT ON COLUMN bi.data_freshness.revision IS 'the revision of the latest published rows';
COMMENT ON COLUMN bi.data_freshness.published_at IS 'when they were published';
COMMENT ON COLUMN bi.data_freshness.last_attempt_day IS 'the newest day that was tried for this experiment';
COMMENT ON COLUMN bi.data_freshness.last_attempt_state IS
  'how that ended: running, killed, failed, published, unchanged, …';
COMMENT ON COLUMN bi.data_freshness.last_attempt_error IS 'why it failed; empty: it did not';

RESET ROLE;
