-- channels of offer, from what is known at the end of 2026-11-03 in Europe/Berlin.
WITH units AS ( -- who was exposed, and when their window opens and closes: until now, as the experiment has no end yet
  SELECT stitching, unit_id, first_exposed_at, received_at,
    first_exposed_at AS opens,
    greatest(opens, TIMESTAMPTZ '2026-11-03 23:00:00+00') AS closes,
    false AS matured
  FROM read_parquet('lake/facts/exposure/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device')
),
whose AS ( -- whose the events of an account or a device are, from one instant until another
  SELECT stitching, identifier_type, identifier, unit_id,
    coalesce(from_ts, '-infinity') AS since,
    lead(from_ts, 1, 'infinity') OVER (PARTITION BY stitching, identifier_type, identifier ORDER BY from_ts NULLS FIRST) AS until
  FROM read_parquet('lake/facts/unit_identifier/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device')
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
    ('as_of_exposure', 'span')
  ) AS believed (stitching, method) USING (method)
),
events AS ( -- what counts, whosever it is
  SELECT account, device, event_at AS happened_at, channel AS value
  FROM read_parquet('lake/raw/web_event/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
    AND event_at < TIMESTAMPTZ '2026-11-03 23:00:00+00' -- the end of 2026-11-03
    AND channel IS NOT NULL
    AND starts_with(event_name, '50%_')
    AND (platform != 'it''s' OR ((analytics_consent IS NULL OR country >= 'back\slash')) IS NOT TRUE OR (value BETWEEN -0.5 AND 1e+300 AND event_at < TIMESTAMPTZ '2026-10-31 21:00:00.5+00'))
),
owned AS ( -- the units that the events are of
  -- the device's
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until
  UNION ALL
  -- of a device that is nobody's: the account's
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)
  UNION ALL
  -- without an account too: of whoever used the device
  SELECT stitching, unit_id, happened_at, value
  FROM events AS e JOIN used AS u ON u.device = e.device AND happened_at >= from_ts AND happened_at < to_ts
    JOIN accounts AS a USING (stitching)
  WHERE u.account = a.account AND happened_at >= since AND happened_at < until
    AND e.account IS NULL
    AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)
),
counted AS ( -- those inside the window of their unit
  SELECT stitching, unit_id, happened_at, value
  FROM owned JOIN units USING (stitching, unit_id)
  WHERE happened_at >= opens AND happened_at < closes
),
summed AS ( -- what a unit's events come to
  SELECT stitching, unit_id,
    count(*) AS count, min(happened_at) AS first_at, max(happened_at) AS last_at,
    count(DISTINCT value) AS total
  FROM counted
  GROUP BY ALL
),
valued AS ( -- every unit's value, before it is bounded
  SELECT *, coalesce(total, 0)::DOUBLE AS value FROM units LEFT JOIN summed USING (stitching, unit_id)
)
SELECT 'channels' AS metric, stitching, unit_id,
  least(greatest(value, 1), 20)::DOUBLE AS sum,
  value AS uncapped,
  coalesce(count, 0) AS count, first_at, last_at,
  NULL::DOUBLE AS denominator,
  NULL::DOUBLE AS covariate,
  NULL::DOUBLE AS covariate_denominator,
  coalesce(received_at <= first_at, received_at IS NOT NULL) AS received, -- by its first event, or at all
  matured
FROM valued
ORDER BY stitching, unit_id
