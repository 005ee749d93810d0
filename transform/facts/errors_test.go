package facts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/warehouse/columns/columnstest"
)

// TestFailuresAreAnExperimentsOwn: what is wrong with one experiment is its error, says what to do, and leaves another alone.
func TestFailuresAreAnExperimentsOwn(t *testing.T) {
	t.Parallel()
	day := table.Day(20000)
	noon := table.MicrosOf(day.Window(time.UTC).From.Add(12 * time.Hour))
	ann, unit := identifier.ID{1}, identifier.ID{2}
	paid := &metric.Metric{Name: "revenue", Type: metric.Mean, Currency: "RUB", Window: metric.Window{For: hours(24)},
		Source: metric.Source{Table: "raw/payment", Value: metric.Value{Given: true, Column: "amount_minor"}}}
	payments := metric.Metric{Name: "payments", Type: metric.Count, Source: metric.Source{Table: "raw/payment"}, Window: metric.Window{For: hours(24)}}
	for name, c := range map[string]struct {
		metric  *metric.Metric
		exposed table.Micros
		variant string
		claims  identifier.ID
		want    string
	}{
		"nothing":            {&payments, noon, "a", unit, ""},
		"no rate":            {paid, noon, "a", unit, `metric revenue: amounts in "EUR" have no rate to RUB`},
		"exposed too early":  {&payments, noon - 86400e6, "a", unit, "outside of the experiment's days"},
		"an unknown variant": {&payments, noon, "z", unit, `variant "z", which the definition does not have`},
		"an unknown unit":    {&payments, noon, "a", identifier.ID{3}, "a unit that facts/exposure does not have"},
		"an unknown table":   {&metric.Metric{Name: "x", Type: metric.Count, Source: metric.Source{Table: "raw/nothing"}}, noon, "a", unit, `no metric can be read from "raw/nothing"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trial := func(m *metric.Metric, at table.Micros, variant string, claims identifier.ID, rows *int) facts.Experiment {
				return facts.Experiment{
					Experiment: &experiment.Experiment{Name: "x", AssignedBy: experiment.Account, Variants: []experiment.Variant{{Name: "a"}, {Name: "b"}}, Control: "a", Start: day},
					Metrics:    []*metric.Metric{m},
					Exposures:  columnstest.File(t, table.UnitExposure, &table.UnitExposureRow{Stitching: table.AsOfExposure, Unit: unit, Variant: variant, FirstExposedAt: at}),
					Identifiers: columnstest.File(t, table.UnitIdentifier,
						&table.UnitIdentifierRow{Stitching: table.AsOfExposure, IdentifierType: table.TypeAccount, Identifier: ann, Unit: claims}),
					Unit:      func(row *table.UnitMetricRow) error { *rows += int(row.Count); return nil },
					Day:       func(*table.ExperimentDayRow) error { return nil },
					Exclusion: func(*table.ExclusionRow) error { return nil },
				}
			}
			file := columnstest.File(t, table.Payment, &table.PaymentRow{SourceID: "p", ChangedAt: noon + 1, PaidAt: noon, Account: ann, AmountMinor: 1, Currency: "EUR", Status: "succeeded"})
			var rows, other int
			_, failed, err := facts.Build(t.Context(), facts.Input{Night: day, End: day.Window(time.UTC).To, Zone: time.UTC,
				Events:      map[string][]facts.Day{"raw/payment": {{Day: day, File: file}}},
				Experiments: []facts.Experiment{trial(c.metric, c.exposed, c.variant, c.claims, &rows), trial(&payments, noon, "a", unit, &other)}}, 2)
			if err != nil || failed[1] != nil || other != 1 {
				t.Fatalf("%v, the other experiment: %v, %d events", err, failed[1], other)
			}
			if (failed[0] != nil) != (c.want != "") || failed[0] != nil && !strings.Contains(failed[0].Error(), c.want) {
				t.Errorf("got %v, expected %q", failed[0], c.want)
			}
			if unrated := new(facts.UnratedError); errors.As(failed[0], &unrated) != (name == "no rate") {
				t.Errorf("%v is an UnratedError: %t", failed[0], name != "no rate")
			}
		})
	}
}
