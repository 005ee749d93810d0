package query_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
	"crosslift/transform/facts/query"
)

var update = flag.Bool("update", false, "write the golden files")

// input is what a query of the file testdata/NAME.yaml is written for.
func input(t *testing.T, name string) query.Input {
	t.Helper()
	file := filepath.Join("testdata", name+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := &metric.Metric{}
	if err := strictyaml.Decode(file, text, nil, m); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night, err := table.ParseDay("2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	return query.Input{
		Experiment: &experiment.Experiment{Name: "offer", AssignedBy: experiment.Account}, Metric: m, Night: night, Zone: zone,
		Stitchings: []string{"as_of_exposure", "device"}, Lake: "lake", Exists: func(*table.Table) bool { return true },
	}
}

// TestText holds queries against those that people have read.
func TestText(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(in *query.Input){
		"paid": func(in *query.Input) { in.Stitchings = in.Stitchings[:1] },
		"watched": func(in *query.Input) {
			in.Stitchings = []string{"as_of_exposure", "device", "strict", "latest", "loose"}
		},
		"price":    func(*query.Input) {},
		"back":     func(in *query.Input) { in.Lake = "s3://bucket/it's" },
		"channels": func(in *query.Input) { in.Experiment.AssignedBy = experiment.Device },
		"highest": func(in *query.Input) {
			in.Experiment.End = new(in.Night - 1)
			in.Exists = func(*table.Table) bool { return false }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := input(t, name)
			change(&in)
			got, err := query.SQL(in)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name+".sql")
			if *update {
				if err := os.WriteFile(golden, []byte(got+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got+"\n" != string(want) {
				t.Errorf("%s differs from the query, which is (go test -update writes it):\n%s", golden, got)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(in *query.Input){
		"stitching":             func(in *query.Input) { in.Stitchings = nil },
		"no table raw/payments": func(in *query.Input) { in.Metric.Table = "raw/payments" },
		`no column "statuses"`:  func(in *query.Input) { in.Metric.Filter[0].Column = "statuses" },
		`no column "amount"`:    func(in *query.Input) { in.Metric.Value = metric.Value{Column: "amount", Given: true} },
		"currency: expected":    func(in *query.Input) { in.Metric.Currency = "EURO" },
		"denominator: there is": func(in *query.Input) { in.Metric.Denominator.Table = "raw/logins" },
	} {
		in := input(t, "price")
		change(&in)
		if _, err := query.SQL(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}
