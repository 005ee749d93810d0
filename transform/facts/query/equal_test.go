package query_test

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/transform/facts/query"
)

// TestPassAndQueryAgree holds the facts of the pass against those that DuckDB computes by the written queries, on random lakes,
// experiments and metrics, until every type of metric has been compared with every operator, form of window and stitching, and
// more besides. CROSSLIFT_SEED runs what a failure has printed again; the soak goes on for ten times as long.
func TestPassAndQueryAgree(t *testing.T) {
	t.Parallel()
	engine := duckdb(t)
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("CROSSLIFT_SEED"), strconv.FormatInt(time.Now().UnixNano(), 10)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("CROSSLIFT_SEED=%d", seed)
	r, dir, covered := rand.New(rand.NewPCG(seed, 14)), t.TempDir(), newCoverage()
	least, most := 6, 80 // lakes
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		least, most = 200, 200
	}
	metrics := 0
	for n := 0; n < least || n < most && len(covered.missing()) > 0; n++ {
		l := newLake(t, r, filepath.Join(dir, strconv.Itoa(n)))
		var trials []*trial
		for range 16 {
			of, form, operators := covered.next(l)
			metrics++
			judged := []*metric.Metric{l.metric(metrics, of, form, operators[:one(r, 1, 8, 8)])}
			if len(trials) > 0 && l.chance(0.2) {
				judged = append(judged, trials[0].metrics[0])
			}
			trials = append(trials, l.newTrial(metrics, form == "ended experiment", judged...))
		}
		l.compare(engine, trials, covered)
		if t.Failed() {
			t.Fatalf("in lake %d of CROSSLIFT_SEED=%d", n, seed)
		}
		if err := os.RemoveAll(l.dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d metrics cover %d things", metrics, len(covered))
	covered.check(t)
}

// compare runs the pass once for all trials, and a query for each of their metrics.
func (l *lake) compare(engine *engine, trials []*trial, covered coverage) {
	passed, failed := l.pass(trials)
	for i, x := range trials {
		lacking, whole := false, true
		for _, m := range x.metrics {
			under := facts.Stitchings(x.Experiment, m)
			if l.chance(0.1) {
				under, whole = []string{one(l.r, under...)}, false
			}
			sql, err := query.SQL(query.Input{Experiment: x.Experiment, Metric: m, Stitchings: under,
				Night: l.night, Zone: l.zone, Lake: l.dir, Exists: l.exists})
			if err != nil {
				l.t.Fatal(err)
			}
			got, refused := engine.run(l.t, sql)
			switch {
			case strings.Contains(refused, "raw/rate has no rate from"):
				lacking = true
			case refused != "":
				l.t.Fatalf("DuckDB: %s\n%s", refused, sql)
			case failed[i] == nil:
				of := slices.DeleteFunc(passed[i][m.Name], func(row *table.UnitMetricRow) bool { return !slices.Contains(under, row.Stitching) })
				if l.same(x, m, of, got, sql) {
					covered.add(x.Experiment, m, got)
				}
			}
		}
		switch {
		case lacking && failed[i] == nil || failed[i] != nil && whole && !lacking:
			l.t.Errorf("%s, the pass says: %v; DuckDB finds a currency without a rate: %t", described(x.Experiment, x.metrics...), failed[i], lacking)
		case lacking:
			covered["a currency without a rate"]++
		}
	}
}

// exists says whether the lake has a table.
func (l *lake) exists(t *table.Table) bool {
	return len(l.files[t]) > 0 || t == table.DeviceTimeline && len(l.timeline) > 0
}

// pass makes the facts of all trials, by metric.
func (l *lake) pass(trials []*trial) (rows []map[string][]*table.UnitMetricRow, failed []error) {
	in := facts.Input{
		Night: l.night, End: l.night.Window(l.zone).To, Zone: l.zone, Memory: one(l.r, 0, 0, int64(1)), Events: map[string][]facts.Day{},
	}
	if l.exists(table.DeviceTimeline) {
		in.Timeline = l.write(table.DeviceTimeline, filepath.Join(table.DeviceTimeline.Path(), "dt="+l.night.String()), anys(l.timeline))
	}
	for t, days := range l.files {
		if t == table.Rate {
			continue
		}
		in.Events[t.Path()] = nil
		for day, f := range days {
			if day <= l.night {
				in.Events[t.Path()] = append(in.Events[t.Path()], facts.Day{Day: day, File: f})
			}
		}
		slices.SortFunc(in.Events[t.Path()], func(a, b facts.Day) int { return cmp.Compare(a.Day, b.Day) })
	}
	for day, f := range l.files[table.Rate] {
		if day <= l.night {
			in.Rates = append(in.Rates, f)
		}
	}
	for _, x := range trials {
		of := map[string][]*table.UnitMetricRow{}
		rows = append(rows, of)
		in.Experiments = append(in.Experiments, facts.Experiment{
			Experiment: x.Experiment, Metrics: x.metrics, Exposures: x.exposureFile, Identifiers: x.identifierFile,
			Unit: func(row *table.UnitMetricRow) error {
				of[row.Metric] = append(of[row.Metric], kept(row))
				return nil
			},
			Day:       func(*table.ExperimentDayRow) error { return nil },
			Exclusion: func(*table.ExclusionRow) error { return nil },
		})
	}
	_, failed, err := facts.Build(l.t.Context(), in, 1+l.r.IntN(3))
	if err != nil {
		l.t.Fatal(err)
	}
	return rows, failed
}

// same holds the rows of a metric against each other, and prints the first two that differ.
func (l *lake) same(x *trial, m *metric.Metric, passed, queried []*table.UnitMetricRow, sql string) bool {
	l.t.Helper()
	inOrder := func(a, b *table.UnitMetricRow) int {
		return cmp.Or(strings.Compare(a.Stitching, b.Stitching), bytes.Compare(a.Unit[:], b.Unit[:]))
	}
	if !slices.IsSortedFunc(queried, inOrder) {
		l.t.Errorf("the query's rows are not in order\n%s", sql)
	}
	slices.SortFunc(passed, inOrder)
	for i := range max(len(passed), len(queried)) {
		if len(passed) != len(queried) {
			l.t.Errorf("%d rows by the pass, %d by DuckDB\n%s", len(passed), len(queried), described(x.Experiment, m))
			return false
		}
		if column := l.differ(m, passed[i], queried[i]); column != "" {
			l.t.Errorf("%s differs: night %s in %s\n%s\npass:   %s\nDuckDB: %s\n%s",
				column, l.night, l.zone, described(x.Experiment, m), shown(passed[i]), shown(queried[i]), sql)
			return false
		}
	}
	return true
}

// differ names the first column in which two rows of a unit differ. Floats may by 1e-12 of Σ|x|: DuckDB's sums are not exact.
func (l *lake) differ(m *metric.Metric, a, b *table.UnitMetricRow) string {
	upper := l.slack(m, m.Source)
	lower := func(float64) float64 { return 0 }
	if m.Denominator != nil {
		lower = l.slack(m, *m.Denominator)
	}
	near := func(x, y *float64, slack func(float64) float64) bool {
		return x == nil && y == nil || x != nil && y != nil && math.Abs(*x-*y) <= slack(*x)
	}
	switch {
	case a.Metric != b.Metric:
		return "metric"
	case a.Stitching != b.Stitching:
		return "stitching"
	case a.Unit != b.Unit:
		return "unit_id"
	case !near(&a.Sum, &b.Sum, upper):
		return "sum"
	case !near(a.Uncapped, b.Uncapped, upper):
		return "uncapped"
	case a.Count != b.Count:
		return "count"
	case !reflect.DeepEqual(a.FirstAt, b.FirstAt):
		return "first_at"
	case !reflect.DeepEqual(a.LastAt, b.LastAt):
		return "last_at"
	case !near(a.Divisor, b.Divisor, lower):
		return "denominator"
	case !near(a.Covariate, b.Covariate, upper):
		return "covariate"
	case !near(a.Before, b.Before, lower):
		return "covariate_denominator"
	case a.Received != b.Received:
		return "received"
	case a.Matured != b.Matured:
		return "matured"
	}
	return ""
}

// slack gives by how much a sum of a source may be off. Terms that are not negative come to Σ|x| themselves; of others that is at
// most what all rows come to. Whole numbers are exact.
func (l *lake) slack(m *metric.Metric, s metric.Source) func(sum float64) float64 {
	t := table.Named(s.Table)
	column, has := t.Column(s.Value.Column)
	terms := 0.0
	switch {
	case m.Type != metric.Mean && m.Type != metric.Quantile && m.Type != metric.Ratio:
		return func(float64) float64 { return 0 }
	case has && column.Type == table.Int && (column.Unit != "minor" || m.Currency == ""):
		return func(float64) float64 { return 0 }
	case has && column.Type == table.Float:
		for _, rows := range l.rows[t] {
			for _, row := range rows {
				if v, ok := get(t, row, column.Name); ok {
					terms += math.Abs(v.(float64))
				}
			}
		}
	}
	return func(sum float64) float64 { return 1e-12 * (math.Abs(sum) + terms) }
}
