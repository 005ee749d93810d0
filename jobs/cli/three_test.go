package cli_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
)

// threeFiles are the small world with three experiments on the same users, which use some metrics in common. The seed shuffles
// the lines of the data.
func threeFiles(seed uint64) map[string]string {
	files := worldFiles(seed)
	for name, content := range files {
		if !strings.HasPrefix(name, "data/exposures/") {
			continue
		}
		lines := strings.Split(strings.TrimSpace(content), "\n")
		all := []string{lines[0] + ",experiment"}
		for _, line := range lines[1:] {
			for _, e := range []string{"offer", "late", "wide"} {
				all = append(all, e+line+","+e)
			}
		}
		files[name] = strings.Join(all, "\n") + "\n"
	}
	const arms = "assigned_by: account\nvariants: [{name: control}, {name: cashback}]\ncontrol: control\n"
	maps.Copy(files, map[string]string{
		"experiments/late.yaml": "name: late\n" + arms + "start: 2026-11-02\nend: 2026-11-03\nprimary: payments\nsecondary: [paid]\n",
		"experiments/wide.yaml": "name: wide\n" + arms + "start: 2026-11-01\ncrossover: exclude\nprimary: per_payment\nsecondary: [payments, biggest]\n",
		"metrics/payments.yaml": "name: payments\ntype: count\ntable: raw/payment\nwindow: 12h\ncovariate: 2d\n",
		"metrics/per_payment.yaml": "name: per_payment\ntype: ratio\ntable: raw/payment\nfilter: [{column: currency, op: =, value: RUB}]\nvalue: amount_minor\n" +
			"denominator: {table: raw/payment, value: 1}\nunit: RUB minor\nwindow: experiment\ncovariate: 1d\nwinsorise: {high: 99%}\n",
		"metrics/biggest.yaml": "name: biggest\ntype: quantile\nquantile: 0.9\ntable: raw/payment\nfilter: [{column: currency, op: =, value: RUB}]\nvalue: amount_minor\nunit: RUB minor\nwindow: until 2026-11-03\n",
	})
	return files
}

var threeStreams = strings.Replace(worldStreams, "experiment: {value: offer}", "experiment: {from: experiment}", 1)

func three(t *testing.T) string {
	t.Helper()
	return project(t, "data", threeStreams, threeFiles(1))
}

// TestTogether makes the facts of three experiments in one pass, and one by one: the same, to the last bit.
func TestTogether(t *testing.T) {
	t.Parallel()
	together, alone := three(t), three(t)
	must(t, together, fourDays...)
	equal(t, "status", notCurrent(t, together), nil)
	must(t, alone, append(fourDays, "extract/exposure", "extract/payment", "identity_edge", "identity",
		"exposure/offer", "exposure/late", "exposure/wide")...)
	for _, e := range []string{"wide", "late", "offer"} {
		must(t, alone, "run", "--day", "2026-11-04", "facts/"+e, "stats/"+e, "publish/"+e)
	}
	same(t, "one by one", contents(t, alone), contents(t, together))
	same(t, "one by one, the bytes", objects(t, filepath.Join(alone, "lake")), objects(t, filepath.Join(together, "lake")))
	if a, b := must(t, alone, "results", "-o", "json").stdout, must(t, together, "results", "-o", "json").stdout; a != b {
		t.Errorf("results one by one:\n%s\ntogether:\n%s", a, b)
	}
	methods := map[string]string{}
	for _, r := range decode[[]struct{ Metric, Method string }](t, must(t, together, "results", "-o", "json")) {
		methods[r.Metric] = r.Method
	}
	want := map[string]string{"paid": "z", "revenue": "welch", "payments": "welch", "per_payment": "delta", "biggest": "quantile"}
	if !maps.Equal(methods, want) {
		t.Errorf("methods %v, expected %v", methods, want)
	}
}

// TestOneOfThreeFails: what is wrong with one experiment leaves the others alone.
func TestOneOfThreeFails(t *testing.T) {
	t.Parallel()
	files := threeFiles(1)
	files["metrics/paid_in_dollars.yaml"] = "name: paid_in_dollars\ntype: mean\ntable: raw/payment\nvalue: amount_minor\ncurrency: USD\nunit: USD minor\nwindow: 2d\n"
	files["experiments/late.yaml"] = strings.Replace(files["experiments/late.yaml"], "[paid]", "[paid_in_dollars]", 1)
	dir := project(t, "data", threeStreams+`rates:
  table: raw/rate
  path: rates/{day}.csv
  columns:
    source_id: {from: id}
    valid_from: {from: at, time: rfc3339}
    currency: {from: currency}
    quote: {from: quote}
    rate: {from: rate}
`, files)
	for _, day := range worldDays {
		write(t, dir, map[string]string{"data/rates/" + day + ".csv": "id,at,currency,quote,rate\n" + day + "," + day + "T00:00:00Z,EUR,USD,1.1\n"})
	}
	a := fails(t, 12, "paid_in_dollars", dir, fourDays...)
	if strings.Contains(a.stderr, "crosslift: facts/offer") || !strings.Contains(a.stderr, `"RUB" have no rate to USD`) {
		t.Errorf("the run says\n%s", a.stderr)
	}
	published := map[string]bool{}
	for _, r := range decode[[]struct{ Experiment string }](t, must(t, dir, "results", "-o", "json")) {
		published[r.Experiment] = true
	}
	if !published["offer"] || !published["wide"] || published["late"] {
		t.Errorf("published: %v", published)
	}

	// The rates come, for the days that the amounts are of: what waited for them is made, and nothing else.
	before := contents(t, dir)
	for _, day := range worldDays {
		write(t, dir, map[string]string{"data/rates/" + day + ".csv": "id,at,currency,quote,rate\n" + day + "," + day + "T00:00:00Z,RUB,USD,0.0125\n"})
	}
	must(t, dir, "run", "--day", "2026-11-04")
	after := contents(t, dir)
	for key, content := range before {
		if after[key] != content && !strings.HasPrefix(key, "raw/rate/") {
			t.Errorf("%s was made again", key)
		}
	}
	if after["facts/unit_metric/experiment=late/dt=2026-11-04/data.parquet"] == "" {
		t.Error("late has no facts still")
	}
}
