-- +goose Up
SET LOCAL ROLE owner;

-- +goose StatementBegin
DO $$
DECLARE
  name text;
  meaning text;
  view_name text;
BEGIN
  FOR name, meaning IN VALUES
    ('unit', 'what was randomised and counted: profile, or group (the devices that were linked before the first exposure)'),
    ('method', 'the test: z (two proportions), welch (Welch''s t), delta (ratios of sums); or quantile, which has none'),
    ('mean', 'mean of the metric over the units, in value_unit; of a ratio its sums'' ratio, of a quantile that quantile'),
    ('stddev', 'standard deviation of the metric over the units, in value_unit; of a ratio by the delta method')
  LOOP
    FOREACH view_name IN ARRAY ARRAY['experiment_results', 'experiment_results_latest'] LOOP
      EXECUTE format('COMMENT ON COLUMN bi.%I.%I IS %L', view_name, name, meaning);
    END LOOP;
  END LOOP;
END
$$;
-- +goose StatementEnd

RESET ROLE;
