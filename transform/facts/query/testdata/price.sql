-- price of offer, from what is known at the end of 2026-11-03 in Europe/Berlin.
WITH units AS ( -- who was exposed, and when their window opens and closes: until the end of 2026-11-30, the last 7d of it
  SELECT stitching, unit_id, first_exposed_at, received_at,
    greatest(first_exposed_at, TIMESTAMPTZ '2026-11-23 23:00:00+00') AS opens,
    greatest(opens, TIMESTAMPTZ '2026-11-30 23:00:00+00') AS closes,
    closes <= TIMESTAMPTZ '2026-11-03 23:00:00+00' AS matured
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
rates AS ( -- what a minor unit is worth in minor units of EUR, from an instant on
  SELECT currency, valid_from, arg_max(rate, source_id) * CASE
      WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1e2
      WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1e-1
      WHEN currency IN ('CLF', 'UYW') THEN 1e-2
      ELSE 1e0
    END AS factor
  FROM read_parquet('lake/raw/rate/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
    AND quote = 'EUR'
  GROUP BY currency, valid_from
),
invoice AS ( -- each as it was changed last
  SELECT * FROM read_parquet('lake/raw/invoice/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
  QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY changed_at DESC) = 1
),
events AS ( -- what counts, whosever it is
  SELECT account, created_at AS happened_at, paid_minor AS value, currency
  FROM invoice
  WHERE created_at < TIMESTAMPTZ '2026-11-03 23:00:00+00' -- the end of 2026-11-03
    AND paid_minor >= 0 -- money that is not negative
    AND status IN ('paid', 'open')
    AND (reason = 'subscription_create') IS NOT TRUE
),
owned AS ( -- the units that the events are of
  -- the account's
  SELECT stitching, unit_id, happened_at, value, currency
  FROM events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
),
counted AS ( -- those inside the window of their unit
  SELECT stitching, unit_id, happened_at, value, currency
  FROM owned JOIN units USING (stitching, unit_id)
  WHERE happened_at >= opens AND happened_at < closes
),
converted AS ( -- the same in EUR
  SELECT stitching, unit_id, happened_at, CASE
      WHEN c.currency = 'EUR' THEN value
      WHEN factor IS NULL THEN error('raw/rate has no rate from ' || c.currency || ' to EUR at the time of an event')
      ELSE value * factor
    END AS value
  FROM counted AS c ASOF LEFT JOIN rates AS r ON r.currency = c.currency AND r.valid_from <= c.happened_at
),
summed AS ( -- what a unit's events come to
  SELECT stitching, unit_id,
    count(*) AS count, min(happened_at) AS first_at, max(happened_at) AS last_at,
    fsum(value) AS total
  FROM converted
  GROUP BY ALL
),
denominator_events AS ( -- what counts, whosever it is
  SELECT account, device, event_at AS happened_at
  FROM read_parquet('lake/raw/product_login/*/data.parquet', hive_partitioning = true)
  WHERE dt <= DATE '2026-11-03'
    AND event_at < TIMESTAMPTZ '2026-11-03 23:00:00+00' -- the end of 2026-11-03
    AND kind = 'login'
),
denominator_owned AS ( -- the units that the events are of
  -- the account's
  SELECT stitching, unit_id, happened_at
  FROM denominator_events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching <> 'device'
  UNION ALL
  -- the device's
  SELECT stitching, unit_id, happened_at
  FROM denominator_events AS e JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
  UNION ALL
  -- of a device that is nobody's: the account's
  SELECT stitching, unit_id, happened_at
  FROM denominator_events AS e JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until
  WHERE stitching = 'device'
    AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)
),
denominator_counted AS ( -- those inside the window of their unit
  SELECT stitching, unit_id, happened_at
  FROM denominator_owned JOIN units USING (stitching, unit_id)
  WHERE happened_at >= opens AND happened_at < closes
),
denominator_summed AS ( -- what a unit's events come to
  SELECT stitching, unit_id,
    count(*) AS denominator
  FROM denominator_counted
  GROUP BY ALL
)
SELECT 'price' AS metric, stitching, unit_id,
  coalesce(total, 0)::DOUBLE AS sum,
  NULL::DOUBLE AS uncapped,
  coalesce(count, 0) AS count, first_at, last_at,
  coalesce(denominator, 0)::DOUBLE AS denominator,
  NULL::DOUBLE AS covariate,
  NULL::DOUBLE AS covariate_denominator,
  coalesce(received_at <= first_at, received_at IS NOT NULL) AS received, -- by its first event, or at all
  matured
FROM units LEFT JOIN summed USING (stitching, unit_id)
  LEFT JOIN denominator_summed USING (stitching, unit_id)
ORDER BY stitching, unit_id
