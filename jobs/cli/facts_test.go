package cli_test

import (
	"encoding/csv"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFactsExport writes the units that the results are of.
func TestFactsExport(t *testing.T) {
	t.Parallel()
	dir := three(t)
	fails(t, 2, "has facts yet", dir, "facts", "export", "--experiment", "offer")
	must(t, dir, fourDays...)
	rows, err := csv.NewReader(strings.NewReader(must(t, dir, "facts", "export", "--experiment", "offer").stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	for _, r := range decode[[]result](t, must(t, dir, "results", "offer", "-o", "json")) {
		n, sum, matured := 0, 0.0, int64(0)
		for _, row := range rows[1:] {
			if row[at["arm"]] != r.Variant {
				continue
			}
			x, err := strconv.ParseFloat(row[at[r.Metric+"_numerator"]], 64)
			if err != nil || row[at[r.Metric+"_denominator"]] != "1" {
				t.Fatal(row)
			}
			n, sum = n+1, sum+x
			if row[at[r.Metric+"_matured"]] == "true" {
				matured++
			}
		}
		if int64(n) != r.N || matured != r.Matured || math.Abs(sum/float64(n)-*r.Mean) > 1e-12*math.Abs(*r.Mean) {
			t.Errorf("%s %s: %d units, %d matured, mean %g; the results say %d, %d, %g", r.Metric, r.Variant, n, matured, sum/float64(n), r.N, r.Matured, *r.Mean)
		}
	}

	for _, file := range []string{"units.csv", "units.parquet"} {
		write(t, dir, map[string]string{file: "what was there before"})
		a := must(t, dir, "facts", "export", "--experiment", "wide", "--night", "2026-11-04", "--stitching", "device", "--stitching", "as_of_exposure", "--out", file, "-o", "json")
		done := decode[struct {
			Night         string
			Rows, Columns int
		}](t, a)
		if done.Night != "2026-11-04" || done.Rows < worldUsers || done.Columns != 12+3*5 {
			t.Errorf("%s: %+v", file, done)
		}
		if content, err := os.ReadFile(filepath.Join(dir, file)); err != nil || strings.HasPrefix(string(content), "what") {
			t.Errorf("%s was not replaced: %v", file, err)
		}
	}
	write(t, dir, map[string]string{"folder.csv/x": ""})
	fails(t, 2, ".csv or .parquet", dir, "facts", "export", "--experiment", "wide", "--out", "units.xlsx")
	fails(t, 2, "could be replaced", dir, "facts", "export", "--experiment", "wide", "--out", "folder.csv")
	fails(t, 2, `did you mean "offer"?`, dir, "facts", "export", "--experiment", "offers")
	fails(t, 2, "offer has facts of 2026-11-04", dir, "facts", "export", "--experiment", "offer", "--night", "2026-11-03")
	fails(t, 2, `did you mean "device"?`, dir, "facts", "export", "--experiment", "offer", "--stitching", "devices")
}

// TestMetrics lists metrics, and prints them as SQL that gives the same as the pipeline.
func TestMetrics(t *testing.T) {
	t.Parallel()
	dir := three(t)
	used := map[string]string{}
	for _, m := range decode[[]struct {
		Metric      string
		Experiments []string
	}](t, must(t, dir, "metrics", "list", "-o", "json")) {
		used[m.Metric] = strings.Join(m.Experiments, " ")
	}
	if used["paid"] != "late offer" || used["biggest"] != "wide" || len(used) != 5 {
		t.Errorf("metrics: %v", used)
	}
	if a := must(t, dir, "metrics", "list"); !strings.Contains(a.stdout, "until 2026-11-03") {
		t.Errorf("metrics list printed\n%s", a.stdout)
	}
	fails(t, 2, "has facts yet", dir, "metrics", "sql", "paid", "--experiment", "offer")
	fails(t, 2, `did you mean "paid"?`, dir, "metrics", "sql", "payd", "--experiment", "offer")
	must(t, dir, fourDays...)
	interpreter := python(t)
	for _, of := range [][2]string{{"paid", "offer"}, {"revenue", "offer"}, {"payments", "late"}, {"per_payment", "wide"}, {"biggest", "wide"}} {
		sql := must(t, dir, "metrics", "sql", of[0], "--experiment", of[1], "--stitching", "as_of_exposure", "--stitching", "device").stdout
		const script = `
import duckdb, sys
sql, path, metric = sys.argv[1:]
columns = "stitching, unit_id, sum, uncapped, count, first_at, last_at, denominator, covariate, covariate_denominator, received, matured"
duckdb.sql(f"CREATE TABLE asked AS SELECT {columns} FROM (\n{sql}\n)")
duckdb.sql(f"CREATE TABLE made AS SELECT {columns} FROM read_parquet('{path}') WHERE metric = '{metric}' AND stitching IN ('as_of_exposure', 'device')")
for one, other in [("asked", "made"), ("made", "asked")]:
    rows, extra = [duckdb.sql(f"SELECT count(*) FROM {of}").fetchall()[0][0] for of in (one, f"(FROM {one} EXCEPT FROM {other})")]
    assert rows >= 290 and extra == 0, f"{extra} of {rows} rows only in {one}"
`
		c := exec.Command(interpreter, "-c", script, sql, filepath.Join(dir, "lake/facts/unit_metric/experiment="+of[1]+"/dt=2026-11-04/data.parquet"), of[0])
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s of %s: %v\n%s\n%s", of[0], of[1], err, out, sql)
		}
	}
}
