package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python is an interpreter with DuckDB, or the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	path := os.Getenv("CROSSLIFT_PYTHON")
	if path == "" {
		path = "python3"
	}
	if exec.Command(path, "-c", "import duckdb").Run() != nil {
		t.Skip("DuckDB is not here: pip install duckdb, or set CROSSLIFT_PYTHON to a Python that has it")
	}
	return path
}

// TestDuckDB reads the lake with a plain glob, as any engine would, and counts the same rows.
func TestDuckDB(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	dir := world(t)
	must(t, dir, fourDays...)
	rows := map[string]int64{}
	for _, p := range decode[[]struct {
		Key  string
		Rows int64
	}](t, must(t, dir, "lake", "ls", "-o", "json")) {
		layer, rest, _ := strings.Cut(p.Key, "/")
		name, _, _ := strings.Cut(rest, "/")
		table := layer + "/" + name
		rows[table] += p.Rows
	}
	const script = `
import duckdb, json, sys
counts = {}
for table in json.loads(sys.argv[2]):
    counts[table] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{sys.argv[1]}/{table}/**/*.parquet', hive_partitioning = true)").fetchall()[0][0]
paid = duckdb.sql(f"SELECT dt::VARCHAR, typeof(account), typeof(paid_at), count(*), sum(amount_minor)::BIGINT FROM read_parquet('{sys.argv[1]}/raw/payment/*/data.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY 1").fetchall()
print(json.dumps({"counts": counts, "paid": paid}))
`
	var tables []string
	for table := range rows {
		tables = append(tables, table)
	}
	list, err := json.Marshal(tables)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(interpreter, "-c", script, filepath.Join(dir, "lake"), string(list)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Counts map[string]int64
		Paid   [][]any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for table, n := range rows {
		if got.Counts[table] != n {
			t.Errorf("%s: DuckDB counts %d rows, the footers %d", table, got.Counts[table], n)
		}
	}
	if len(got.Paid) != len(worldDays) {
		t.Fatalf("payments by day: %v", got.Paid)
	}
	for i, day := range got.Paid {
		if day[0] != worldDays[i] || day[1] != "UUID" || day[2] != "TIMESTAMP WITH TIME ZONE" {
			t.Errorf("DuckDB sees %v", day)
		}
	}
}
