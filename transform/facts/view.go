package facts

import (
	"context"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// view is the units of one experiment under one stitching, and whose the events of accounts and devices are.
type view struct {
	place      int // among all views
	experiment *trial
	stitching  string
	decides    bool   // exclusions and days are counted
	byDevice   bool   // an event is its device's before its account's: table.UnitIdentifierRow says when
	users      *users // who used a device; nil where that is not asked
	units
	accounts, devices owners
	measures          []*measure
	values            [][]float64 // by measure: those of all units that percentiles are taken of
	from, to          int64       // the bounds of all windows of all units
}

// units are in the order in which facts/unit_identifier names them: those of neighbouring accounts are neighbours, and so the
// events of a sorted object come to them in their order.
type units struct {
	ids      []identifier.ID
	first    []int64 // exposure
	received []int64 // math.MaxInt64: never
	variant  []int32 // place in the definition
	left     []bool  // met another variant, and such units are to be left out of the days
}

// owners says whose an identifier's events are, by its number: a unit, none, or, below none, a place in spells.
type owners struct {
	of     []int32
	spells [][]spell
}

// spell is the time from which on an identifier's events are a unit's.
type spell struct {
	from int64
	unit int32
}

// get is the owner of an identifier, by its number; that of a number that is none too.
func (o *owners) get(number int32) int32 {
	if uint32(number) < uint32(len(o.of)) {
		return o.of[number]
	}
	return none
}

// at resolves an owner at an instant.
func (o *owners) at(owner int32, at int64) int32 {
	if owner >= none {
		return owner
	}
	unit := none
	for _, s := range o.spells[-2-owner] {
		if s.from > at {
			break
		}
		unit = s.unit
	}
	return unit
}

// add notes that an identifier's events are a unit's from an instant on. Spells of an identifier come in their order.
func (o *owners) add(number int32, from int64, unit int32) {
	for int(number) >= len(o.of) {
		o.of = append(o.of, none)
	}
	switch owner := o.of[number]; {
	case owner == none && from == math.MinInt64:
		o.of[number] = unit
	case owner == none:
		o.of[number] = int32(-2 - len(o.spells))
		o.spells = append(o.spells, []spell{{from, unit}})
	case owner >= 0:
		o.of[number] = int32(-2 - len(o.spells))
		o.spells = append(o.spells, []spell{{math.MinInt64, owner}, {from, unit}})
	default:
		o.spells[-2-owner] = append(o.spells[-2-owner], spell{from, unit})
	}
}

// readUnits fills an experiment's views with their units, in the order of their identifiers.
func (b *builder) readUnits(ctx context.Context, e *trial) error {
	known := make([]index, len(e.views)) // of units, in the order of facts/exposure
	read := make([]units, len(e.views))
	place := map[string]int{}
	for i, v := range e.views {
		place[v.stitching] = i
	}
	variants := map[string]int32{}
	for i, v := range e.Variants {
		variants[v.Name] = int32(i)
	}
	last := b.Night
	if e.End != nil {
		last = min(last, *e.End)
	}
	days := table.Span(e.Start, last, b.Zone)
	err := columns.Scan(ctx, e.Exposures, table.UnitExposure, nil, func(row *table.UnitExposureRow) error {
		i, wanted := place[row.Stitching]
		if !wanted {
			return nil
		}
		variant, declared := variants[row.Variant]
		switch {
		case !declared:
			return fmt.Errorf("%s: a unit with variant %q, which the definition does not have: make it again", table.UnitExposure, row.Variant)
		case !days.Contains(row.FirstExposedAt.Time()):
			return fmt.Errorf("%s: a unit whose first exposure, at %s, lies outside the experiment's days: make it again", table.UnitExposure, row.FirstExposedAt.Time())
		case int(known[i].add(&row.Unit)) != len(read[i].first):
			return fmt.Errorf("%s: a unit comes twice: make it again", table.UnitExposure)
		}
		received := int64(math.MaxInt64)
		if row.ReceivedAt != nil {
			received = int64(*row.ReceivedAt)
		}
		u := &read[i]
		u.first, u.received, u.variant = append(u.first, int64(row.FirstExposedAt)), append(u.received, received), append(u.variant, variant)
		u.left = append(u.left, row.Crossover && e.Crossover == experiment.Exclude)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range read {
		read[i].ids = known[i].ids
	}
	order := make([][]int32, len(e.views)) // each unit's number by its place in facts/exposure
	next := make([]int32, len(e.views))
	for i := range order {
		order[i] = slices.Repeat([]int32{none}, len(read[i].ids))
	}
	err = columns.Scan(ctx, e.Identifiers, table.UnitIdentifier, nil, func(row *table.UnitIdentifierRow) error {
		i, wanted := place[row.Stitching]
		if !wanted {
			return nil
		}
		unit := known[i].find(&row.Unit)
		if unit == none {
			return fmt.Errorf("%s: an identifier of a unit that %s does not have: make both again", table.UnitIdentifier, table.UnitExposure)
		}
		if order[i][unit] == none {
			order[i][unit] = next[i]
			next[i]++
		}
		from := int64(math.MinInt64)
		if row.From != nil {
			from = int64(*row.From)
		}
		if row.IdentifierType == string(identifier.Account) {
			e.views[i].accounts.add(b.accounts.add(&row.Identifier), from, order[i][unit])
		} else {
			e.views[i].devices.add(b.devices.add(&row.Identifier), from, order[i][unit])
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, v := range e.views {
		v.units = read[i].sorted(order[i], next[i])
	}
	return nil
}

// sorted puts units in the order of their numbers; those that have none, since no event can be theirs, at the end.
func (u *units) sorted(number []int32, next int32) units {
	n := len(u.ids)
	s := units{make([]identifier.ID, n), make([]int64, n), make([]int64, n), make([]int32, n), make([]bool, n)}
	for i, to := range number {
		if to == none {
			to = next
			next++
		}
		s.ids[to], s.first[to], s.received[to], s.variant[to], s.left[to] = u.ids[i], u.first[i], u.received[i], u.variant[i], u.left[i]
	}
	return s
}

// newViews are the stitchings that an experiment's metrics are computed under.
func newViews(e *trial) {
	for _, m := range e.measures {
		for _, stitching := range Stitchings(e.Experiment.Experiment, m.Metric) {
			i := slices.IndexFunc(e.views, func(v *view) bool { return v.stitching == stitching })
			if i < 0 {
				i = len(e.views)
				e.views = append(e.views, &view{experiment: e, stitching: stitching, decides: stitching == table.AsOfExposure,
					byDevice: e.AssignedBy == experiment.Device || stitching == table.ByDevice})
			}
			e.views[i].measures, e.views[i].values = append(e.views[i].measures, m), append(e.views[i].values, nil)
		}
	}
}
