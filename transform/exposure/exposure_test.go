package exposure_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

var (
	ann, bob   = identifier.ID{1}, identifier.ID{2}
	definition = &experiment.Experiment{Name: "offer", Variants: []experiment.Variant{{Name: "control"}, {Name: "cashback"}}}
	day        = table.Day(20000).Window(time.UTC)
	noon       = table.MicrosOf(day.From.Add(12 * time.Hour))
)

func saw(who identifier.ID, variant string, at table.Micros) *table.ExposureRow {
	return &table.ExposureRow{SourceID: variant, ExposedAt: at, Experiment: "offer", Variant: variant, Account: who}
}

func build(t *testing.T, rows ...*table.ExposureRow) (map[identifier.ID]*table.UnitExposureRow, exposure.Counts, error) {
	t.Helper()
	profiles, err := identity.Open(t.Context(), columnstest.File(t, table.ProfileIdentifier,
		&table.ProfileIdentifierRow{Stitching: identity.Latest, IdentifierType: "account", Identifier: ann, Profile: ann},
		&table.ProfileIdentifierRow{Stitching: identity.Latest, IdentifierType: "account", Identifier: bob, Profile: bob}), identity.AsOfExposure)
	if err != nil {
		t.Fatal(err)
	}
	units := map[identifier.ID]*table.UnitExposureRow{}
	counts, err := exposure.Build(t.Context(), exposure.Input{Experiment: definition, Night: 20000, Window: day,
		Exposures: []*columns.File{columnstest.File(t, table.Exposure, rows...)}, Profiles: profiles}, 2, func(row *table.UnitExposureRow) error {
		units[row.Unit] = row
		return nil
	})
	return units, counts, err
}

// TestFirstExposureDecides keeps the first variant, and counts meeting another.
func TestFirstExposureDecides(t *testing.T) {
	t.Parallel()
	units, counts, err := build(t, saw(ann, "cashback", noon+1), saw(ann, "control", noon), saw(ann, "control", noon+2), saw(bob, "cashback", noon))
	if err != nil {
		t.Fatal(err)
	}
	if u := units[ann]; u.Variant != "control" || !u.Crossover || u.Exposures != 3 || u.FirstExposedAt != noon {
		t.Errorf("ann: %+v", u)
	}
	if u := units[bob]; u.Variant != "cashback" || u.Crossover {
		t.Errorf("bob: %+v", u)
	}
	if counts != (exposure.Counts{Exposures: 4, Units: 2, Crossovers: 1}) {
		t.Errorf("counts: %+v", counts)
	}
}

// TestWindow counts exposures from the first instant of the window to before its end.
func TestWindow(t *testing.T) {
	t.Parallel()
	units, _, err := build(t, saw(ann, "control", table.MicrosOf(day.From)-1), saw(ann, "cashback", table.MicrosOf(day.From)),
		saw(bob, "control", table.MicrosOf(day.To)))
	if err != nil {
		t.Fatal(err)
	}
	if len(units) != 1 || units[ann] == nil || units[ann].Variant != "cashback" {
		t.Errorf("units: %v", units)
	}
}

// TestStrangers counts exposures of accounts that identity does not know, and of nobody.
func TestStrangers(t *testing.T) {
	t.Parallel()
	nobody := saw(identifier.ID{}, "control", noon)
	nobody.Device = identifier.ID{7}
	units, counts, err := build(t, saw(identifier.ID{9}, "control", noon), nobody)
	if err != nil || len(units) != 0 || counts.WithoutProfile != 2 {
		t.Errorf("%d units, %+v, %v", len(units), counts, err)
	}
}

// TestUnknownVariant names the variant, the experiment, and what the definition has.
func TestUnknownVariant(t *testing.T) {
	t.Parallel()
	_, _, err := build(t, saw(ann, "control", noon), saw(bob, "surprise", noon), saw(ann, "surprise", noon))
	var unknown *exposure.UnknownVariantError
	if !errors.As(err, &unknown) || unknown.Rows != 2 {
		t.Fatalf("%v", err)
	}
	for _, part := range []string{"offer", "surprise", "control, cashback"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %s", err, part)
		}
	}
}
