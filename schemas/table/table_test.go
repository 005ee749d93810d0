package table

import (
	"math"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
)

// TestContracts holds what every table promises: a total order, no column named like a path key, a time for events,
// a quarantine for what sources fill.
func TestContracts(t *testing.T) {
	t.Parallel()
	for _, of := range All() {
		order := slices.Sorted(slices.Values(of.Order))
		for i := range of.Columns {
			if order[i] != i {
				t.Errorf("%s: its order %v is no permutation of its %d columns", of, of.Order, len(of.Columns))
				break
			}
		}
		for _, c := range of.Columns {
			if slices.Contains([]string{"dt", "revision"}, c.Name) || c.Name == "experiment" && of.ByExperiment {
				t.Errorf("%s: column %s is named like a path key", of, c.Name)
			}
		}
		if event := of.Kind == Event || of.Kind == Change; event && of.Layer == "raw" && of.EventTime == "" {
			t.Errorf("%s: an event without a time", of)
		}
		if (of.Layer == "raw" && of != SourceTotal) != (of.Quarantine() != nil) {
			t.Errorf("%s: quarantine %v", of, of.Quarantine())
		}
		if of.Layer == "raw" && len(of.Key) == 0 {
			t.Errorf("%s: nothing tells a source's rows apart", of)
		}
		if Named(of.Path()) != of {
			t.Errorf("%s cannot be found by its name", of)
		}
	}
	if Named("raw/nothing") != nil {
		t.Error("a table that does not exist was found")
	}
}

// TestCheck names the column and what was expected, and never a value.
func TestCheck(t *testing.T) {
	t.Parallel()
	ann := identifier.ID{1}
	nan := math.NaN()
	for _, c := range []struct {
		table *Table
		row   any
		says  string
	}{
		{Payment, &PaymentRow{SourceID: "p", Account: ann, Currency: "RUB", Status: "succeeded"}, ""},
		{Payment, &PaymentRow{SourceID: "p", Account: ann, Currency: "RUB"}, "status: required, but empty"},
		{Payment, &PaymentRow{SourceID: "p", Account: ann, Currency: "RUR0", Status: "succeeded"}, "currency: expected an ISO 4217 currency code, such as EUR"},
		{Refund, &RefundRow{SourceID: "r", PaymentID: "p", AmountMinor: -1, Currency: "RUB", Status: "succeeded"}, "amount_minor: expected no sign"},
		{BankAccrual, &BankAccrualRow{SourceID: "a", Campaign: "c", Currency: "RUB", Direction: "C", Status: "posted"}, "direction: expected debit or credit"},
		{BankAccrual, &BankAccrualRow{SourceID: "a", Campaign: "c", Currency: "RUB", Direction: "credit", Status: "posted"}, ""},
		{Exposure, &ExposureRow{SourceID: "secret-7", Experiment: "x", Variant: "a"}, "account, device: one of them is required"},
		{Exposure, &ExposureRow{SourceID: "secret-7", Experiment: "x", Account: ann}, "variant: required, but empty"},
		{WebEvent, &WebEventRow{SourceID: "e", EventName: "open", Value: &nan}, "value: expected a finite number"},
		{WebEvent, &WebEventRow{SourceID: "e", EventName: "open"}, ""},
		{WebEvent, &PaymentRow{SourceID: "e"}, "a row of type *table.PaymentRow instead of *table.WebEventRow"},
		{ExperimentResult, &ExperimentResultRow{Metric: "m", Variant: "v", Unit: "profile", Estimand: "itt", Method: "z", Adjustment: "none",
			Stitching: "s", Baseline: "c", ValueUnit: "share", Alpha: math.Inf(1), DefinitionHash: "h"}, "alpha: expected a finite number"},
	} {
		err := c.table.Check(c.row)
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.table, err)
		case c.says != "" && (err == nil || err.Error() != c.says):
			t.Errorf("%s: %v, expected %q", c.table, err, c.says)
		case err != nil && strings.Contains(err.Error(), "secret-7"):
			t.Errorf("a value was told: %v", err)
		}
	}
}
