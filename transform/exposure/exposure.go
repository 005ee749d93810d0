// Package exposure says who is in an experiment: its units, each with the variant of its first exposure.
package exposure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same exposures give other units.
const Logic = 1

// Input is what the units of a night are made from.
type Input struct {
	Experiment *experiment.Experiment
	Night      table.Day
	Window     table.Window    // exposures in it count
	Exposures  []*columns.File // days of raw/exposure
	Profiles   *identity.Profiles
}

// Counts say what became of the exposures.
type Counts struct {
	Exposures      int64 // of this experiment, inside the window
	Units          int64
	Crossovers     int64 // units that met more than one variant
	WithoutProfile int64 // exposures of nobody that identity knows; they make no unit
}

// UnknownVariantError says that exposures name a variant that the experiment does not declare.
type UnknownVariantError struct {
	Experiment, Variant string
	Declared            []string
	Rows                int64
}

func (e *UnknownVariantError) Error() string {
	return fmt.Sprintf("experiment %s: %d exposures name variant %q; the definition has %s: add it there, or map it in the source's mapping",
		e.Experiment, e.Rows, e.Variant, strings.Join(e.Declared, ", "))
}

// unit is what is known of a unit so far.
type unit struct {
	first     first
	exposures int64
	crossover bool
}

// first is an exposure, as far as it decides a unit. It has a total order, so that of two exposures at the same instant
// the same one is the first in whatever order they are read.
type first struct {
	at       int64
	variant  int32 // place in the definition
	platform string
	country  string
}

func (a first) compare(b first) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.variant, b.variant), cmp.Compare(a.platform, b.platform), cmp.Compare(a.country, b.country))
}

// Build emits a row for each unit of an experiment, in no order. A unit keeps the variant of its first exposure;
// meeting another, at whatever time, is a crossover.
func Build(ctx context.Context, in Input, workers int, emit func(*table.UnitExposureRow) error) (Counts, error) {
	b := &builder{Input: in, units: map[identifier.ID]*unit{}, unknown: map[string]int64{}}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for _, f := range in.Exposures {
		for rowGroup := range f.RowGroups() {
			g.Go(func() error { return b.read(gctx, f, rowGroup) })
		}
	}
	if err := g.Wait(); err != nil {
		return b.counts, fmt.Errorf("%s: %w", table.Exposure, err)
	}
	if len(b.unknown) > 0 {
		variant := slices.Sorted(maps.Keys(b.unknown))[0]
		e := &UnknownVariantError{Experiment: in.Experiment.Name, Variant: variant, Rows: b.unknown[variant]}
		for _, v := range in.Experiment.Variants {
			e.Declared = append(e.Declared, v.Name)
		}
		return b.counts, e
	}
	for id, u := range b.units {
		b.counts.Units++
		if u.crossover {
			b.counts.Crossovers++
		}
		if err := emit(&table.UnitExposureRow{
			Unit: id, Variant: in.Experiment.Variants[u.first.variant].Name, FirstExposedAt: table.Micros(u.first.at),
			Exposures: u.exposures, Crossover: u.crossover, Platform: u.first.platform, Country: u.first.country,
		}); err != nil {
			return b.counts, err
		}
	}
	return b.counts, nil
}

type builder struct {
	Input
	mu      sync.Mutex
	units   map[identifier.ID]*unit
	unknown map[string]int64
	counts  Counts
}

// read takes in a row group.
func (b *builder) read(ctx context.Context, f *columns.File, rowGroup int) error {
	from, to := b.Window.From.UnixMicro(), b.Window.To.UnixMicro()
	if low, high, ok := f.IntBounds(rowGroup, "exposed_at"); ok && (high < from || low >= to) {
		return nil
	}
	var names, variants, accounts, platforms, countries, times columns.Vector
	for _, c := range []struct {
		name string
		v    *columns.Vector
	}{{"experiment", &names}, {"variant", &variants}, {"account", &accounts}, {"platform", &platforms}, {"country", &countries}, {"exposed_at", &times}} {
		if err := f.Vector(ctx, rowGroup, c.name, c.v); err != nil {
			return err
		}
	}
	ours := make([]bool, len(names.Strings))
	for i, name := range names.Strings {
		ours[i] = name == b.Experiment.Name
	}
	declared := make([]int32, len(variants.Strings))
	for i, name := range variants.Strings {
		declared[i] = int32(slices.IndexFunc(b.Experiment.Variants, func(v experiment.Variant) bool { return v.Name == name }))
	}
	profiles, known := make([]identifier.ID, len(accounts.IDs)), make([]bool, len(accounts.IDs))
	for i, id := range accounts.IDs {
		profiles[i], known[i] = b.Profiles.Of(identifier.Account, id)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for row := range names.Index {
		at := times.Ints[row]
		if !ours[names.Index[row]] || at < from || at >= to {
			continue
		}
		b.counts.Exposures++
		variant := declared[variants.Index[row]]
		if variant < 0 {
			b.unknown[variants.Strings[variants.Index[row]]]++
			continue
		}
		account := accounts.Index[row]
		if account < 0 || !known[account] {
			b.counts.WithoutProfile++
			continue
		}
		b.meet(profiles[account], first{at, variant, text(&platforms, row), text(&countries, row)})
	}
	return nil
}

// meet counts an exposure of a unit.
func (b *builder) meet(id identifier.ID, e first) {
	u := b.units[id]
	if u == nil {
		b.units[id] = &unit{first: e, exposures: 1}
		return
	}
	u.exposures++
	u.crossover = u.crossover || u.first.variant != e.variant
	if e.compare(u.first) < 0 {
		u.first = e
	}
}

// text is a row's value of a column that may be absent.
func text(v *columns.Vector, row int) string {
	if at := v.Index[row]; at >= 0 {
		return v.Strings[at]
	}
	return ""
}
