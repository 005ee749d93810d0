// Package exposure says who is in an experiment: its units, each with the variant of its first exposure, and whose the events
// of accounts and devices are.
//
// # Units
//
// Where accounts are assigned, a unit is an account's profile. Where devices are assigned, units are made in the order of the
// devices' first exposures (then of their ids): a device that a unit has claimed belongs to it; any other makes a unit, which
// claims it and what no unit has claimed yet of the group that it was in at that instant (package moment). Whatever is linked
// later never changes a unit or its variant: those links depend on the variant. Under the stitching device every exposed
// device is a unit, under strict, latest and loose its profile of the night, else itself.
//
// A unit keeps the variant of its first exposure. Of several at one instant that counts whose variant the definition has
// first, then the smallest platform and country.
//
// # What is said about a unit
//
// Eligibility, activation, channel and plan are read from the events of what the unit consisted of at its first exposure: the
// accounts of the group that its first exposed account or device was in then, and its devices. These are those of that
// group but, as of exposure, for the ones that another unit has claimed; where a device stands for itself it has no other. So
// devices shared beyond their cap bring nothing to others. Where accounts are assigned, an event is its account's and only one
// without an account its device's; where devices are, it is its device's where that is one of a unit, else its account's. Of a
// table of changes eligibility takes things as they stood just before the first exposure, activation as they stand.
//
// A unit that is not eligible is in no row but a count. It keeps what it has claimed, so that nobody else is exposed by it.
//
// # Consent
//
// An account that refuses analysis is joined to nothing, as a night has it: where accounts are assigned, its exposures still
// make its profile a unit, without devices; where devices are assigned, it is in no unit, and its outcomes are seen only as
// far as they show a unit's device. Consent, and which devices are shared beyond their cap when outcomes are brought, are as
// the night that is read knows them; everything else about links goes by the time of what was observed.
package exposure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same exposures give other units.
const Logic = 2

// Input is what the units of a night are made from.
type Input struct {
	Experiment *experiment.Experiment
	Night      table.Day
	Window     table.Window // exposures in it count: of the experiment's days, until the night
	End        time.Time    // of the night, exclusive

	Exposures   []*columns.File  // days of raw/exposure, until the night
	Assignments []*columns.File  // of raw/assignment; none where there is no such feed
	Events      map[string][]Day // by table path: what Tables names

	Profiles  *columns.File // core/profile_identifier of the night
	Known     bool          // of a later night: only what was known by End counts
	Links     *columns.File // core/identity_link of the same
	Rules     graph.Rules
	Decisions night.Decisions
}

// Day is a partition of events.
type Day struct {
	Day  table.Day
	File *columns.File
}

// Output takes the rows, each in no order and one call at a time.
type Output struct {
	Unit       func(*table.UnitExposureRow) error
	Identifier func(*table.UnitIdentifierRow) error
	Quality    func(*table.ExposureQualityRow) error
}

// Counts say what became of the exposures.
type Counts struct {
	Exposures  int64 // of this experiment, inside the window
	Units      int64 // under the stitching that decides
	Crossovers int64
}

// UnknownVariantError says that exposures or assignments name a variant that the experiment does not declare.
type UnknownVariantError struct {
	Experiment, Variant string
	What                string // exposures, assignments
	Declared            []string
	Rows                int64
}

func (e *UnknownVariantError) Error() string {
	return fmt.Sprintf("experiment %s: %d %s name variant %q; the definition has %s: add it there, or map it in the source's mapping",
		e.Experiment, e.Rows, e.What, e.Variant, strings.Join(e.Declared, ", "))
}

// unknownVariant is the error of variants that rows name and nobody has declared; nil where there is none.
func (b *builder) unknownVariant(what string, rows map[string]int64) error {
	if len(rows) == 0 {
		return nil
	}
	variant := slices.Sorted(maps.Keys(rows))[0]
	e := &UnknownVariantError{Experiment: b.Experiment.Name, Variant: variant, What: what, Rows: rows[variant]}
	for _, v := range b.Experiment.Variants {
		e.Declared = append(e.Declared, v.Name)
	}
	return e
}

// Build makes the units. The rows of core/exposure_quality are described at table.QualityExposures and what follows it.
//
// Memory is proportional to those who were exposed or assigned; events are streamed, and links read for so many of them at a
// time. Whatever the order of files and rows and the number of workers, the rows are the same. An error
// means that a file cannot be read, that a table which eligibility or activation needs has no day, that rows name a variant
// which is not declared (UnknownVariantError), or that ctx ended.
func Build(ctx context.Context, in Input, workers int, out Output) (Counts, error) {
	b := &builder{Input: in, workers: max(workers, 1), out: out, kind: identifier.Account}
	if in.Experiment.AssignedBy == experiment.Device {
		b.kind = identifier.Device
	}
	b.control = b.place(in.Experiment.Control)
	if err := b.build(ctx); err != nil {
		return b.counts, fmt.Errorf("units: %w", err)
	}
	return b.counts, nil
}

type builder struct {
	Input
	workers int
	out     Output
	counts  Counts
	kind    identifier.Kind // what is assigned
	control int32           // its place in the definition

	exposed
	members  members   // of groups and subjects
	subjects []subject // first those that the deciding units are judged by
	rosters  []roster  // likewise
	traits   traits
	unseen   map[identifier.ID]told // who was assigned and never exposed: the first variant
	sights   sights

	lastFirst int64 // the newest first exposure
}

func (b *builder) build(ctx context.Context) error {
	if err := b.readExposures(ctx); err != nil {
		return err
	}
	b.counts.Exposures = b.inside
	units := b.ofDevices
	if b.kind == identifier.Account {
		units = b.ofAccounts
	}
	cohorts, err := units(ctx)
	if err != nil {
		return err
	}
	for _, s := range b.subjects {
		b.lastFirst = max(b.lastFirst, s.at)
	}
	if err := b.readTraits(ctx); err != nil {
		return err
	}
	if err := b.readSights(ctx); err != nil {
		return err
	}
	for i, c := range cohorts {
		tallies := b.tallies(c)
		if err := b.emitUnits(c, tallies); err != nil {
			return err
		}
		if err := b.emitIdentifiers(c); err != nil {
			return err
		}
		if i == 0 {
			if err := b.emitQuality(ctx, c, tallies); err != nil {
				return err
			}
		}
		cohorts[i] = nil
	}
	return nil
}
