-- watched of offer, from what is known at the end of 2026-11-03 in Europe/Berlin.
WITH units AS ( -- who was exposed, and when their window opens and closes: 14d from the first exposure on, after a delay of 1d; matured 2d later
  SELECT stitching, unit_id, first_exposed_at, received_at,
    first_exposed_at - INTERVAL 672 HOUR AS earlier, -- of the covariate
    first_exposed_at + INTERVAL 24 HOUR AS opens,
    first_exposed_at + INTERVAL 360 HOUR AS closes,
    closes <= TIMESTAMPTZ '2026-11-01 23:00:00+00' AS matured
  FROM read_parquet('lake/facts/exposure/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device', 'strict', 'latest', 'loose')
),
whose AS ( -- whose the events of an account or a device are, from one instant until another
  SELECT stitching, identifier_type, identifier, unit_id,
    coalesce(from_ts, '-infinity') AS since,
    lead(from_ts, 1, 'infinity') OVER (PARTITION BY stitching, identifier_type, identifier ORDER BY from_ts NULLS FIRST) AS until
  FROM read_parquet('lake/facts/unit_identifier/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device', 'strict', 'latest', 'loose')
),
accounts AS ( -- of those, the accounts
  SELECT stitching, identifier AS account, unit_id, since, until FROM whose WHERE identifier_type = 'account'
),
devices AS ( -- and the devices
  SELECT stitching, identifier AS device, unit_id, since, until FROM whose WHERE identifier_type = 'device'
),
used AS ( -- who used a device when, by the methods that a stitching believes
  SELECT believed.stitching, device, account, from_ts, to_ts
  FROM read_parquet('lake/core/device_timeline/dt=2026-11-03/data.parquet')
  JOIN (VALUES
    ('as_of_exposure', 'session'),
    ('as_of_exposure', 'span'),
    ('strict', 'session'),
    ('latest', 'session'),
    ('latest', 'span'),
    ('loose', 'session'),
    ('loose', 'span'),
    ('loose', 'backfill')
  ) AS believed (stitching, method) USING (method)
),
events AS ( -- what counts, whosever it is
  SELECT account, device, viewed_at AS happened_at, seconds AS value
  FROM read_parquet('lake/raw/viewing/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
    AND viewed_at < TIMESTAMPTZ '2026-11-03 23:00:00+00' -- the end of 2026-11-03
),
owned AS ( -- the units that the events are of
  -- the account's
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching <> 'device'
  UNION ALL
  -- without an account: of whoever used the device
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN used AS u ON u.device = e.device AND happened_at >= from_ts AND happened_at < to_ts
    JOIN accounts AS a USING (stitching)
  WHERE u.account = a.account AND happened_at >= since AND happened_at < until
    AND e.account IS NULL
  UNION ALL
  -- of a device that nobody known used: the device's own
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until
  WHERE stitching <> 'device'
    AND e.account IS NULL
    AND NOT EXISTS (SELECT 1 FROM used AS u WHERE u.stitching = d.stitching AND u.device = e.device AND happened_at >= from_ts AND happened_at < to_ts)
  UNION ALL
  -- the device's
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
  UNION ALL
  -- of a device that is nobody's: the account's
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
    AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)
),
counted AS ( -- those inside the window of their unit, or in the 28d before its first exposure
  SELECT stitching, unit_id, happened_at, value, happened_at < first_exposed_at AS before
  FROM owned JOIN units USING (stitching, unit_id)
  WHERE happened_at >= opens AND happened_at < closes
    OR happened_at >= earlier AND happened_at < first_exposed_at
),
summed AS ( -- what a unit's events come to
  SELECT stitching, unit_id,
    count(*) FILTER (NOT before) AS count, min(happened_at) FILTER (NOT before) AS first_at, max(happened_at) FILTER (NOT before) AS last_at,
    sum(value) FILTER (NOT before) AS total, sum(value) FILTER (before) AS covariate
  FROM counted
  GROUP BY ALL
),
valued AS ( -- every unit's value, before it is bounded
  SELECT *, coalesce(total, 0)::DOUBLE AS value FROM units LEFT JOIN summed USING (stitching, unit_id)
),
bounds AS ( -- percentiles by nearest rank, of the values that are not 0
  SELECT stitching,
    list(value ORDER BY value)[(99900000 * count(*) + 99999999) // 100000000] AS high
  FROM valued
  WHERE value <> 0
  GROUP BY stitching
)
SELECT 'watched' AS metric, stitching, unit_id,
  least(value, high)::DOUBLE AS sum,
  value AS uncapped,
  coalesce(count, 0) AS count, first_at, last_at,
  NULL::DOUBLE AS denominator,
  coalesce(covariate, 0)::DOUBLE AS covariate,
  NULL::DOUBLE AS covariate_denominator,
  coalesce(received_at <= first_at, received_at IS NOT NULL) AS received, -- by its first event, or at all
  matured
FROM valued LEFT JOIN bounds USING (stitching)
ORDER BY stitching, unit_id
