package cli_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// outside are the figures of two real experiments, computed elsewhere.
type outside struct {
	AB struct {
		CookieCats struct {
			Metrics map[string]figures
			SRM     struct {
				P float64 `json:"p_value"`
			} `json:"srm_50_50"`
		} `json:"cookie_cats"`
		Udacity struct {
			Policies map[string]struct {
				Converted figures `json:"metric_converted"`
				SRM       struct {
					P      float64          `json:"p_value"`
					Counts map[string]int64 `json:"counts"`
				} `json:"srm_50_50"`
			}
		} `json:"udacity_ab_data"`
	}
}

type figures struct {
	N          map[string]int64
	Rate       map[string]float64
	Difference float64            `json:"difference_B_minus_A"`
	PZ         float64            `json:"p_value_z_pooled_two_sided"`
	Wald       [2]float64         `json:"ci95_wald_unpooled"`
	Variance   map[string]float64 `json:"variance_ddof1"`
	PT         float64            `json:"p_value_t"`
	T          [2]float64         `json:"ci95_t"`
	Lift       float64            `json:"relative_lift"`
}

func expected(t *testing.T, dir string) outside {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e outside
	if err := json.Unmarshal(content, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-7*math.Abs(want) {
		if got == nil {
			t.Errorf("%s: nothing instead of %v", what, want)
			return
		}
		t.Errorf("%s: %v instead of %v", what, *got, want)
	}
}

func (f figures) proportion(t *testing.T, what string, r result) {
	t.Helper()
	if r.N != f.N["B"] {
		t.Errorf("%s: %d units instead of %d", what, r.N, f.N["B"])
	}
	near(t, what+" mean", r.Mean, f.Rate["B"])
	near(t, what+" diff_abs", r.DiffAbs, f.Difference)
	near(t, what+" diff_abs_low", r.DiffAbsLow, f.Wald[0])
	near(t, what+" diff_abs_high", r.DiffAbsHigh, f.Wald[1])
	near(t, what+" p_value", r.PValue, f.PZ)
	a, b := f.Rate["A"], f.Rate["B"]
	half := 1.959963984540054 * math.Sqrt((1-a)/(float64(f.N["A"])*a)+(1-b)/(float64(f.N["B"])*b))
	near(t, what+" diff_rel_low", r.DiffRelLow, b/a*math.Exp(-half)-1)
	near(t, what+" diff_rel_high", r.DiffRelHigh, b/a*math.Exp(half)-1)
}

// TestCookieCats takes a real experiment through the whole pipeline: files, lake, facts, warehouse. The file has no
// times: the mapping gives constants.
func TestCookieCats(t *testing.T) {
	t.Parallel()
	source := data(t)
	event := func(name string) string {
		return name + `:
  table: raw/web_event
  path: ab/cookie_cats.csv.gz
  columns:
    source_id: {from: userid}
    event_at: {value: "2026-11-03T11:00:00Z"}
    event_name: {value: ` + name + `}
    account: {from: userid}
    value: {from: ` + name + `}
`
	}
	dir := project(t, source, `
exposures:
  table: raw/exposure
  path: ab/cookie_cats.csv.gz
  columns:
    source_id: {from: userid}
    exposed_at: {value: "2026-11-03T10:00:00Z"}
    experiment: {value: cookie_cats}
    variant: {from: version}
    account: {from: userid}
`+event("retention_1")+event("retention_7")+event("sum_gamerounds"), map[string]string{
		"experiments/cookie_cats.yaml": `
name: cookie_cats
assigned_by: account
variants:
  - {name: gate_30, weight: 1}
  - {name: gate_40, weight: 1}
control: gate_30
start: 2026-11-03
primary: retention_1
secondary: [retention_7, sum_gamerounds]
`,
		"metrics/retention_1.yaml":    proportionOf("retention_1"),
		"metrics/retention_7.yaml":    proportionOf("retention_7"),
		"metrics/sum_gamerounds.yaml": "name: sum_gamerounds\ntype: mean\ntable: raw/web_event\nfilter: [{column: event_name, op: =, value: sum_gamerounds}, {column: currency, op: is null}]\nvalue: value\nunit: rounds\nwindow: 12h\n",
	})
	must(t, dir, "run", "--day", "2026-11-03")
	rows := decode[[]result](t, must(t, dir, "results", "cookie_cats", "-o", "json"))
	e := expected(t, source).AB.CookieCats
	for _, metric := range []string{"retention_1", "retention_7"} {
		e.Metrics[metric].proportion(t, metric, find(t, rows, metric, "gate_40"))
	}
	f, r := e.Metrics["sum_gamerounds"], find(t, rows, "sum_gamerounds", "gate_40")
	near(t, "rounds diff_abs", r.DiffAbs, f.Difference)
	near(t, "rounds stddev", r.Stddev, math.Sqrt(f.Variance["B"]))
	near(t, "rounds p_value", r.PValue, f.PT)
	near(t, "rounds diff_abs_low", r.DiffAbsLow, f.T[0])
	near(t, "rounds diff_abs_high", r.DiffAbsHigh, f.T[1])
	near(t, "rounds diff_rel", r.DiffRel, f.Lift)
	near(t, "srm_p", r.SRMP, e.SRM.P)

	// The short way gives the same, to the last bit.
	short := decode[struct{ Results []result }](t, must(t, dir, "analyze", filepath.Join(source, "ab/cookie_cats.csv.gz"),
		"--unit", "userid", "--variant", "version", "--control", "gate_30", "--metric", "retention_1=proportion:retention_1",
		"--metric", "retention_7=proportion:retention_7", "--metric", "sum_gamerounds=mean:sum_gamerounds", "-o", "json")).Results
	for _, want := range short {
		got := find(t, rows, want.Metric, want.Variant)
		got.Matured, got.Revision, got.AsOf = 0, 0, ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %s: the pipeline and `analyze` differ", want.Metric, want.Variant)
		}
	}
}

func proportionOf(event string) string {
	return "name: " + event + "\ntype: proportion\ntable: raw/web_event\nfilter:\n  - {column: event_name, op: =, value: " + event +
		"}\n  - {column: value, op: '>=', value: 1}\nwindow: 12h\n"
}

// TestUdacity holds the landing-page test to the course's own policy: rows whose group and page do not match are
// dropped, by an assertion of the mapping.
func TestUdacity(t *testing.T) {
	t.Parallel()
	source := data(t)
	streams := func(quarantine string) string {
		rest := `
  columns:
    source_id: {from: user_id}
    account: {from: user_id}
    %s
  assert:
    - {columns: [group, landing_page], one_of: [[control, old_page], [treatment, new_page]], reason: group and page must match}
` + quarantine
		return `
exposures:
  table: raw/exposure
  path: ab/udacity_ab_data.csv.gz
` + fmt.Sprintf(rest, `exposed_at: {from: timestamp, time: "2006-01-02 15:04:05", zone: UTC}
    experiment: {value: landing_page}
    variant: {from: group}`) + `
conversions:
  table: raw/web_event
  path: ab/udacity_ab_data.csv.gz
` + fmt.Sprintf(rest, `event_at: {from: timestamp, time: "2006-01-02 15:04:05", zone: UTC}
    event_name: {value: visit}
    value: {from: converted}`)
	}
	definitions := map[string]string{
		"experiments/landing_page.yaml": `
name: landing_page
assigned_by: account
variants: [{name: control, weight: 1}, {name: treatment, weight: 1}]
control: control
start: 2017-01-02
end: 2017-01-24
primary: converted
`,
		"metrics/converted.yaml": "name: converted\ntype: proportion\ntable: raw/web_event\nfilter: [{column: value, op: '>=', value: 1}]\nwindow: 30d\n",
	}
	backfill := []string{"backfill", "--from", "2017-01-02", "--to", "2017-01-24"}

	t.Run("over the default threshold", func(t *testing.T) {
		t.Parallel()
		dir := project(t, source, streams(""), definitions)
		fails(t, 15, "group and page must match", dir, "run", "--day", "2017-01-03")
		if rows := decode[[]result](t, must(t, dir, "results", "-o", "json")); len(rows) != 0 {
			t.Errorf("%d rows were published", len(rows))
		}
	})

	t.Run("with its own threshold", func(t *testing.T) {
		t.Parallel()
		dir := project(t, source, streams("  quarantine: 2%%\n"), definitions)
		must(t, dir, backfill...)
		e := expected(t, source).AB.Udacity.Policies["P1_drop_mismatched_rows_then_first_row_in_file_order_per_user"]
		rows := decode[[]result](t, must(t, dir, "results", "landing_page", "-o", "json"))
		r := find(t, rows, "converted", "treatment")
		e.Converted.proportion(t, "converted", r)
		near(t, "srm_p", r.SRMP, e.SRM.P)
		if n := find(t, rows, "converted", "control").N; n != e.SRM.Counts["A"] {
			t.Errorf("%d control units instead of %d", n, e.SRM.Counts["A"])
		}
		var quarantined int64
		for _, p := range decode[[]struct{ Rows int64 }](t, must(t, dir, "lake", "ls", "quarantine/exposure", "-o", "json")) {
			quarantined += p.Rows
		}
		if quarantined != 3893 {
			t.Errorf("%d rows in quarantine instead of 3,893", quarantined)
		}
	})
}
