"""Runs queries for the tests. Each line in is JSON, {"sql", "into"}: the query's result becomes a Parquet file. Each line out
is JSON too, {"error"}: null where it worked."""

import json
import sys

import duckdb

db = duckdb.connect(config={"threads": 1})
db.execute("SET TimeZone = 'America/New_York'")  # the results must not depend on it
for line in sys.stdin:
    asked, error = json.loads(line), None
    try:
        db.execute(f"COPY (\n{asked['sql']}\n) TO '{asked['into']}' (FORMAT parquet)")
    except duckdb.Error as e:
        error = str(e)
    print(json.dumps({"error": error}), flush=True)
