package results_test

import (
	"errors"
	"fmt"
	"testing"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/stats"
	"crosslift/transform/stats/results"
	"crosslift/warehouse/columns/columnstest"
)

var metrics = []*metric.Metric{{Name: "paid", Type: metric.Proportion, Unit: "share"}, {Name: "revenue", Type: metric.Mean, Unit: "RUB minor"}}

func offer() *experiment.Experiment {
	return &experiment.Experiment{Name: "offer", Variants: []experiment.Variant{{Name: "control", Weight: 1}, {Name: "big", Weight: 1}, {Name: "small", Weight: 2}},
		Control: "control", Crossover: experiment.First, Alpha: 0.1, Primary: "paid", Secondary: []string{"revenue"}}
}

// facts are forty units: their arm by number, every tenth a crossover, what they did by a rule that is easy to repeat.
type facts struct {
	units  []*table.UnitExposureRow
	values []*table.UnitMetricRow
}

func arm(i int) string { return []string{"control", "big", "small", "small"}[i%4] }

func value(i int) (paid, revenue float64) {
	if i%3 == 0 {
		return 1, float64(100 * (i%7 + 1))
	}
	return 0, float64(i % 2)
}

func world(change func(i int, f *facts)) facts {
	var f facts
	for i := range 40 {
		id := identifier.ID{byte(i + 1)}
		paid, revenue := value(i)
		f.units = append(f.units, &table.UnitExposureRow{Stitching: "as_of_exposure", Unit: id, UnitType: "profile", Variant: arm(i), Exposures: 1, Crossover: i%10 == 0})
		f.values = append(f.values,
			&table.UnitMetricRow{Metric: "paid", Stitching: "as_of_exposure", Unit: id, Sum: paid, Matured: i%2 == 0},
			&table.UnitMetricRow{Metric: "revenue", Stitching: "as_of_exposure", Unit: id, Sum: revenue})
		if change != nil {
			change(i, &f)
		}
	}
	return f
}

func build(t *testing.T, e *experiment.Experiment, f facts) (map[string]*table.ExperimentResultRow, error) {
	t.Helper()
	rows := map[string]*table.ExperimentResultRow{}
	err := results.Build(t.Context(), results.Input{Experiment: e, Metrics: metrics, IdentityNight: 5,
		Exposures: columnstest.File(t, table.UnitExposure, f.units...), UnitMetrics: columnstest.File(t, table.UnitMetric, f.values...)},
		func(row *table.ExperimentResultRow) error {
			rows[row.Metric+" "+row.Variant] = row
			return nil
		})
	return rows, err
}

// TestBuild joins units with their facts, and compares every variant with the control.
func TestBuild(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{experiment.First, experiment.Exclude} {
		e := offer()
		e.Crossover = policy
		rows, err := build(t, e, world(nil))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 6 {
			t.Fatalf("%d rows of two metrics and three variants", len(rows))
		}
		samples := map[string]*[2]stats.Sample{}
		matured, counts := map[string]int64{}, map[string]int64{}
		for i := range 40 {
			if policy == experiment.Exclude && i%10 == 0 {
				continue
			}
			if samples[arm(i)] == nil {
				samples[arm(i)] = &[2]stats.Sample{}
			}
			paid, revenue := value(i)
			if err := errors.Join(samples[arm(i)][0].Add(paid), samples[arm(i)][1].Add(revenue)); err != nil {
				t.Fatal(err)
			}
			counts[arm(i)]++
			if i%2 == 0 {
				matured[arm(i)]++
			}
		}
		srm, err := stats.SRM([]int64{counts["control"], counts["big"], counts["small"]}, []float64{1, 1, 2})
		if err != nil {
			t.Fatal(err)
		}
		for m, of := range metrics {
			for _, variant := range []string{"control", "big", "small"} {
				row, sample := rows[of.Name+" "+variant], &samples[variant][m]
				if row.N != counts[variant] || *row.Mean != sample.Mean() || *row.Stddev != stats.Deviation(stats.Kind(of.Type), sample) || *row.SRMP != srm ||
					row.Baseline != "control" || row.ValueUnit != of.Unit || row.Alpha != 0.1 || row.IdentityNight != 5 {
					t.Errorf("%s, %s %s: %+v", policy, of.Name, variant, row)
				}
				if m == 0 && row.Matured != matured[variant] {
					t.Errorf("%s: %d matured units of %s, expected %d", policy, row.Matured, variant, matured[variant])
				}
				if variant == "control" {
					if row.DiffAbs != nil || row.PValue != nil {
						t.Errorf("the control differs from itself: %+v", row)
					}
					continue
				}
				c, err := stats.Compare(stats.Kind(of.Type), &samples["control"][m], sample, 0.1)
				if err != nil || *row.DiffAbs != *c.DiffAbs || *row.DiffAbsLow != *c.DiffAbsLow || *row.DiffRelHigh != *c.DiffRelHigh || *row.PValue != *c.PValue {
					t.Errorf("%s, %s %s: %v, %+v", policy, of.Name, variant, err, row)
				}
			}
		}
	}
}

// TestUnanswerable blocks what a manager would read as an answer and is none.
func TestUnanswerable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(i int, f *facts)
		variant string
		why     error
	}{
		"an arm without units":                     {func(i int, f *facts) { f.units[i].Variant = "small" }, "control", nil},
		"no variance, and windows have closed":     {func(i int, f *facts) { f.values[2*i].Sum = 0 }, "big", stats.ErrNoVariance},
		"every unit paid, and windows have closed": {func(i int, f *facts) { f.values[2*i].Sum = 1 }, "big", stats.ErrNoVariance},
	} {
		_, err := build(t, offer(), world(c.change))
		var unanswerable *results.UnanswerableError
		if !errors.As(err, &unanswerable) || unanswerable.Variant != c.variant || c.why != nil && !errors.Is(err, c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rows, err := build(t, offer(), world(func(i int, f *facts) { f.values[2*i].Sum, f.values[2*i].Matured = 0, false }))
	if err != nil || rows["paid big"].PValue != nil || rows["paid big"].N != 10 || rows["revenue big"].PValue == nil {
		t.Errorf("before any window has closed: %v, %+v", err, rows["paid big"])
	}
}

// TestTornFacts refuses facts of other units than the exposures'.
func TestTornFacts(t *testing.T) {
	t.Parallel()
	for name, tear := range map[string]func(*facts){
		"a unit without facts":  func(f *facts) { f.values = f.values[2:] },
		"facts of a stranger":   func(f *facts) { f.units = f.units[1:] },
		"a metric is missing":   func(f *facts) { f.values = f.values[:1] },
		"an undeclared variant": func(f *facts) { f.units[3].Variant = "surprise" },
	} {
		f := world(nil)
		tear(&f)
		if rows, err := build(t, offer(), f); err == nil {
			t.Errorf("%s: %s", name, fmt.Sprint(rows))
		}
	}
}

// TestTypes compares each type of metric in its own way, and looks at no stitching but the one that decides.
func TestTypes(t *testing.T) {
	t.Parallel()
	e := offer()
	e.AssignedBy = experiment.Device
	all := []*metric.Metric{
		{Name: "came_back", Type: metric.Retention, Unit: "share"}, {Name: "logins", Type: metric.Count, Unit: "events"},
		{Name: "titles", Type: metric.CountDistinct, Unit: "titles"}, {Name: "per_view", Type: metric.Ratio, Unit: "seconds"},
		{Name: "longest", Type: metric.Quantile, Quantile: 0.9, Unit: "seconds"},
	}
	var f facts
	samples, pairs, values := map[string]*[3]stats.Sample{}, map[string]*stats.Pairs{}, map[string][]float64{}
	for i := range 40 {
		id, a := identifier.ID{byte(i + 1)}, arm(i)
		if samples[a] == nil {
			samples[a], pairs[a] = &[3]stats.Sample{}, &stats.Pairs{}
		}
		paid, x := value(i)
		over := float64(i%5 + 1)
		err := errors.Join(samples[a][0].Add(paid), samples[a][1].Add(x), samples[a][2].Add(x), pairs[a].Add(x, over))
		if err != nil {
			t.Fatal(err)
		}
		values[a] = append(values[a], x)
		for _, stitching := range []string{"as_of_exposure", "device", "latest"} {
			f.units = append(f.units, &table.UnitExposureRow{Stitching: stitching, Unit: id, UnitType: "group", Variant: a, Exposures: 1})
			for m, of := range all {
				row := &table.UnitMetricRow{Metric: of.Name, Stitching: stitching, Unit: id, Sum: x, Matured: true}
				if m == 0 {
					row.Sum = paid
				}
				if of.Type == metric.Ratio {
					row.Divisor = &over
				}
				if stitching != "as_of_exposure" {
					row.Sum = 1 - paid
				}
				f.values = append(f.values, row)
			}
		}
	}
	rows := map[string]*table.ExperimentResultRow{}
	err := results.Build(t.Context(), results.Input{Experiment: e, Metrics: all, Exposures: columnstest.File(t, table.UnitExposure, f.units...),
		UnitMetrics: columnstest.File(t, table.UnitMetric, f.values...)},
		func(row *table.ExperimentResultRow) error { rows[row.Metric+" "+row.Variant] = row; return nil })
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, method string, c stats.Comparison, mean float64) {
		row := rows[name+" big"]
		if row.Method != method || row.Unit != "group" || row.N != 10 || row.Matured != 10 || *row.Mean != mean || *row.DiffAbs != *c.DiffAbs {
			t.Errorf("%s: %+v", name, row)
		}
		if c.PValue == nil {
			if row.PValue != nil || row.DiffAbsLow != nil || row.Stddev != nil {
				t.Errorf("%s has what it cannot have: %+v", name, row)
			}
		} else if *row.PValue != *c.PValue || *row.DiffAbsHigh != *c.DiffAbsHigh || *row.DiffRelLow != *c.DiffRelLow || row.Stddev == nil {
			t.Errorf("%s: %+v", name, row)
		}
	}
	for m, of := range all[:3] {
		k, method := stats.Mean, "welch"
		if m == 0 {
			k, method = stats.Proportion, "z"
		}
		c, err := stats.Compare(k, &samples["control"][m], &samples["big"][m], 0.1)
		if err != nil {
			t.Fatal(err)
		}
		check(of.Name, method, c, samples["big"][m].Mean())
	}
	c, err := stats.CompareRatio(pairs["control"], pairs["big"], 0.1)
	if err != nil {
		t.Fatal(err)
	}
	check("per_view", "delta", c, pairs["big"].Ratio())
	big, control := stats.Quantile(values["big"], 0.9), stats.Quantile(values["control"], 0.9)
	difference := big - control
	check("longest", "quantile", stats.Comparison{DiffAbs: &difference}, big)
}
