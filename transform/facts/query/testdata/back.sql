-- back of offer, from what is known at the end of 2026-11-03 in Europe/Berlin.
WITH units AS ( -- who was exposed, and when their window opens and closes: days 7 to 13 after the first exposure
  SELECT stitching, unit_id, first_exposed_at, received_at,
    first_exposed_at + INTERVAL 168 HOUR AS opens,
    first_exposed_at + INTERVAL 336 HOUR AS closes,
    closes <= TIMESTAMPTZ '2026-11-03 23:00:00+00' AS matured
  FROM read_parquet('s3://bucket/it''s/facts/exposure/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device')
),
whose AS ( -- whose the events of an account or a device are, from one instant until another
  SELECT stitching, identifier_type, identifier, unit_id,
    coalesce(from_ts, '-infinity') AS since,
    lead(from_ts, 1, 'infinity') OVER (PARTITION BY stitching, identifier_type, identifier ORDER BY from_ts NULLS FIRST) AS until
  FROM read_parquet('s3://bucket/it''s/facts/unit_identifier/experiment=offer/dt=2026-11-03/data.parquet')
  WHERE stitching IN ('as_of_exposure', 'device')
),
accounts AS ( -- of those, the accounts
  SELECT stitching, identifier AS account, unit_id, since, until FROM whose WHERE identifier_type = 'account'
),
devices AS ( -- and the devices
  SELECT stitching, identifier AS device, unit_id, since, until FROM whose WHERE identifier_type = 'device'
),
events AS ( -- what counts, whosever it is
  SELECT account, device, event_at AS happened_at
  FROM read_parquet('s3://bucket/it''s/raw/product_login/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
    AND event_at < TIMESTAMPTZ '2026-11-03 23:00:00+00' -- the end of 2026-11-03
),
owned AS ( -- the units that the events are of
  -- the account's
  SELECT stitching, unit_id, happened_at
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching <> 'device'
  UNION ALL
  -- the device's
  SELECT stitching, unit_id, happened_at
  FROM events AS e JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
  UNION ALL
  -- of a device that is nobody's: the account's
  SELECT stitching, unit_id, happened_at
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
    AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)
),
counted AS ( -- those inside the window of their unit
  SELECT stitching, unit_id, happened_at
  FROM owned JOIN units USING (stitching, unit_id)
  WHERE happened_at >= opens AND happened_at < closes
),
summed AS ( -- what a unit's events come to
  SELECT stitching, unit_id,
    count(*) AS count, min(happened_at) AS first_at, max(happened_at) AS last_at,
    least(count(*), 1) AS total
  FROM counted
  GROUP BY ALL
)
SELECT 'back' AS metric, stitching, unit_id,
  coalesce(total, 0)::DOUBLE AS sum,
  NULL::DOUBLE AS uncapped,
  coalesce(count, 0) AS count, first_at, last_at,
  NULL::DOUBLE AS denominator,
  NULL::DOUBLE AS covariate,
  NULL::DOUBLE AS covariate_denominator,
  coalesce(received_at <= first_at, received_at IS NOT NULL) AS received, -- by its first event, or at all
  matured
FROM units LEFT JOIN summed USING (stitching, unit_id)
ORDER BY stitching, unit_id
