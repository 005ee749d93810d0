"""DuckDB beside our pass: facts.py MODE WORLD [EXPERIMENTS METRICS [FILE]].

prepare   makes what an analyst would keep beside the lake: every unit of every experiment and stitching has an integer, and
          accounts, devices and the spans of the timeline are joined to it beforehand. It is not timed. Ours has no such
          files: it resolves the lake's 128-bit identifiers within its time
run       makes the facts of so many of the experiments, and sums up what it made as ours does
compare   makes them and holds every row of FILE, which ours wrote, against them

The last line is JSON.

What was tried for five metrics of three experiments, processor seconds of two cores, 20 million events, 3.5 million units:

    18  a row an event and experiment, of four scans with their joins in one UNION ALL, aggregated once: kept
    18  the same with the accounts of both stitchings joined at once: no faster, and a quarter more memory
    20  the same over the events as a materialised CTE, so that they are read once: twice the memory
    21  a device's own experiments excluded by an anti join instead of a mask
    22  units of all experiments in a row of the device's table, three columns each
    22  a statement a stitching
    35  dense arrays of aggregates (perfect_ht_threshold 23), 5 GB
  > 30  a row an event, three columns of units, and fifteen times the aggregates, each with its FILTER

Of one experiment a device's unit or else its account's is found by two outer joins, without a mask: 8 instead of 9. Sums of
doubles in place of integers, and counting nested windows by their pieces, changed less than a run differs from the next.
"""

import json
import os
import resource
import sys
import time

import duckdb

mode, world = sys.argv[1:3]
lake, prepared = os.path.join(world, "lake"), os.path.join(world, "duckdb")
DAY = 86_400_000_000

# The metrics, by hand: days of the window from the first exposure, what else must hold, what is summed.
METRICS = {
    "watched": {"days": (0, 28), "sum": "seconds"},
    "viewers": {"days": (0, 7), "where": "seconds >= 60", "share": True},
    "views": {"days": (0, 14), "count": True},
    "returned": {"days": (7, 14), "share": True},
    "habit": {"days": (0, 14), "sum": "seconds", "before": 14},
    "titles": {"days": (0, 14), "distinct": "title"},
}
EXPERIMENTS = ["cashback", "player", "trailers"]

con = duckdb.connect()
con.execute(f"set threads = 2; set preserve_insertion_order = false; set temp_directory = '{world}/duckdb.tmp'")


def prepare():
    os.makedirs(prepared + ".unfinished", exist_ok=True)
    bit = "case experiment " + " ".join(f"when '{e}' then {1 << i}" for i, e in enumerate(EXPERIMENTS)) + " end::tinyint as bit"
    con.execute(f"""
        create table unit as select (row_number() over (order by stitching, experiment, unit_id) - 1)::integer as u, stitching,
            experiment, {bit}, unit_id, epoch_us(first_exposed_at) as first_at, epoch_us(received_at) as received_at
            from read_parquet('{lake}/facts/exposure/*/*/data.parquet', hive_partitioning = true);
        create table link as select i.stitching, i.identifier_type, i.identifier, epoch_us(i.from_ts) as from_at,
            coalesce(lead(epoch_us(i.from_ts)) over (partition by i.stitching, i.experiment, i.identifier_type, i.identifier
                order by i.from_ts), 9e18::bigint) as to_at, unit.u, unit.bit, unit.first_at
            from read_parquet('{lake}/facts/unit_identifier/*/*/data.parquet', hive_partitioning = true) i
            join unit using (stitching, experiment, unit_id);
        create view account as select identifier as account, u, bit, first_at from link where stitching = 'as_of_exposure';
        create view device as select identifier as device, u, bit, first_at from link
            where stitching = 'device' and identifier_type = 'device';
        create view account_device as select identifier as account, from_at, to_at, u, bit, first_at from link
            where stitching = 'device' and identifier_type = 'account';
        create view span as select t.device, epoch_us(t.from_ts) as from_at, epoch_us(t.to_ts) as to_at, u, bit, first_at
            from read_parquet('{lake}/core/device_timeline/*/data.parquet') t join account using (account)
            where method in ('session', 'span')""")
    for name in ["unit", "account", "device", "account_device", "span"]:
        con.execute(f"copy {name} to '{prepared}.unfinished/{name}.parquet'")
    os.rename(prepared + ".unfinished", prepared)


def facts(experiments, metrics):
    """The statement, whose result has a row a unit and columns a metric."""
    bits = (1 << experiments) - 1
    of = lambda name: f"(select * from '{prepared}/{name}.parquet' where bit & {bits} <> 0)"
    columns = "epoch_us(viewed_at) as t, seconds" + (", title" if "titles" in metrics else "")
    events = lambda more: f"(select {columns}, {more} from read_parquet('{lake}/raw/viewing/*/data.parquet', hive_partitioning = false))"
    earliest = -max(METRICS[m].get("before", 0) for m in metrics)
    latest = max(METRICS[m]["days"][1] for m in metrics)
    hit = lambda u, first: (f"select {u} as u, t - {first} as since, t, seconds" + (", title" if "titles" in metrics else ""),
                            f"t - {first} >= {earliest * DAY} and t - {first} < {latest * DAY}")
    (of_a, when_a), (of_both, when_both) = hit("a.u", "a.first_at"), hit("coalesce(d.u, a.u)", "coalesce(d.first_at, a.first_at)")
    hits = f"""
        {of_a} from {events("account")} v join {of("account")} a using (account) where {when_a}
        union all
        {of_a} from {events("account, device")} v join {of("span")} a
            on v.device = a.device and t >= from_at and t < to_at where v.account is null and {when_a}
        union all"""
    if experiments == 1:
        hits += f"""
        {of_both} from {events("account, device")} v left join {of("device")} d using (device) left join {of("account_device")} a
            on case when d.u is null then v.account end = a.account and t >= from_at and t < to_at where {when_both}"""
    else:
        hits += f"""
        {of_a} from {events("device")} v join {of("device")} a using (device) where {when_a}
        union all
        {of_a} from {events("account, device")} v
            left join (select device, bit_or(bit) as own from {of("device")} group by device) using (device)
            join {of("account_device")} a
            on v.account = a.account and t >= from_at and t < to_at and coalesce(own, 0) & bit = 0 where {when_a}"""
    inner, outer = [], []
    for m in metrics:
        d = METRICS[m]
        inside = " and ".join(filter(None, [f"since >= {d['days'][0] * DAY}", f"since < {d['days'][1] * DAY}", d.get("where")]))
        inner += [f"count(*) filter (where {inside}) as {m}_count", f"min(t) filter (where {inside}) as {m}_first", f"max(t) filter (where {inside}) as {m}_last"]
        outer += [f"coalesce({m}_count, 0) as {m}_count", f"{m}_first", f"{m}_last",
                  f"coalesce(received_at <= {m}_first, received_at is not null) as {m}_received",
                  f"first_at + {d['days'][1] * DAY} <= night_end as {m}_matured"]
        value = f"coalesce({m}_sum, 0)::double"
        if "sum" in d:
            inner += [f"sum({d['sum']}) filter (where {inside}) as {m}_sum"]
        elif "distinct" in d:
            inner += [f"count(distinct {d['distinct']}) filter (where {inside}) as {m}_sum"]
        else:
            value = f"(coalesce({m}_count, 0) > 0)::integer::double" if "share" in d else f"coalesce({m}_count, 0)::double"
        outer += [f"{value} as {m}_value"]
        if "before" in d:
            inner += [f"sum({d['sum']}) filter (where since < 0 and since >= {-d['before'] * DAY}) as {m}_before"]
            outer += [f"coalesce({m}_before, 0)::double as {m}_covariate"]
    return f"""select unit.u, {", ".join(outer)} from {of("unit")} unit
        left join (select u, {", ".join(inner)} from ({hits}) group by u) using (u)""".replace("night_end", str(night_end()))


def night_end():
    day = max(name for name in os.listdir(f"{lake}/core/device_timeline")).removeprefix("dt=")
    return con.execute(f"select epoch_us('{day}'::timestamp + interval 21 hour)").fetchone()[0]  # in Moscow it ends three hours earlier


def run(experiments, metrics):
    con.execute("create temp table result as " + facts(experiments, metrics))
    return {"facts": con.execute("select count(*) from result").fetchone()[0] * len(metrics)}


def compare(experiments, metrics, file):
    """Integers, times and truths must be the same; sums may differ by 1e-12 of the sum of absolute values, which here are
    the values themselves: none is negative."""
    con.execute("create temp table result as " + facts(experiments, metrics))
    con.execute(f"create temp view ours as select * from '{file}'; create temp view key as select u, experiment, stitching, unit_id from '{prepared}/unit.parquet'")
    rows = con.execute("select count(*) from ours").fetchone()[0]
    units = con.execute(f"select count(*) from result").fetchone()[0]
    if rows != units * len(metrics):
        sys.exit(f"ours has {rows} rows, DuckDB {units} units of {len(metrics)} metrics")
    for m in metrics:
        near = lambda ours, theirs: f"abs({ours} - {theirs}) <= 1e-12 * abs({theirs})"
        covariate = near("covariate", f"{m}_covariate") if "before" in METRICS[m] else "covariate is null"
        same = con.execute(f"""
            select count(*) filter (where {near("sum", f"{m}_value")} and count = {m}_count and first_at is not distinct from {m}_first
                and last_at is not distinct from {m}_last and received = {m}_received and matured = {m}_matured and {covariate}
                and uncapped is null and denominator is null and covariate_denominator is null)
            from ours join key using (experiment, stitching, unit_id) join result using (u) where metric = '{m}'""").fetchone()[0]
        if same != units:
            sys.exit(f"{m}: {same} of {units} rows are the same")
    return {"facts": rows}


if mode == "prepare":
    prepare()
    print("{}")
else:
    what, wall, cpu = (int(sys.argv[3]), sys.argv[4].split(",")), time.time(), time.process_time()
    said = run(*what) if mode == "run" else compare(*what, sys.argv[5])
    print(json.dumps(said | {"seconds": time.time() - wall, "cpu": time.process_time() - cpu}))
