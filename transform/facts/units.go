package facts

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

const (
	never  = int64(math.MaxInt64)
	always = int64(math.MinInt64)
)

// claims are the rows of facts/unit_identifier of one view and type of identifier, in their order.
type claims struct {
	ids     []identifier.ID
	numbers []int32 // of the identifiers
	units   []int32
	some    sync.Once
	from    []int64 // empty where all hold always
}

// claim is what a view's units claim.
type claim struct {
	sides     [2]claims // accounts, devices
	neighbour []uint32  // the leading bits of the first account that a unit claims; all of them set where there is none
}

// starts is since when a claim holds.
func (c *claims) starts(i int) int64 {
	if len(c.from) == 0 {
		return always
	}
	return c.from[i]
}

// read fills an experiment's views with their units, and gives what these claim, by view.
func (e *trial) read(ctx context.Context, b *builder) ([]*claim, error) {
	known, err := e.readUnits(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", table.UnitExposure, err)
	}
	claimed, err := e.readClaims(ctx, b, known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", table.UnitIdentifier, err)
	}
	return claimed, b.parallel(len(e.views), func(i int) error {
		e.views[i].order(claimed[i])
		return nil
	})
}

// readUnits reads the units, in the order of facts/exposure.
func (e *trial) readUnits(ctx context.Context, b *builder) ([]*index, error) {
	stretches, lengths, err := layout(ctx, e.Exposures, table.UnitExposure, b.workers, len(e.views), []string{"stitching"},
		func(of []string) int { return e.view(of[0]) })
	if err != nil {
		return nil, err
	}
	for i, n := range lengths {
		e.views[i].units = newUnits(n)
	}
	last := b.Night
	if e.End != nil {
		last = min(last, *e.End)
	}
	days := table.Span(e.Start, last, b.Zone)
	from, to := days.From.UnixMicro(), days.To.UnixMicro()
	err = scan(ctx, e.Exposures, table.UnitExposure, b.workers, []string{"unit_id", "variant", "first_exposed_at", "received_at", "crossover"}, nil, func(g int, v []columns.Vector) error {
		variants := make([]int32, len(v[1].Strings))
		for i, name := range v[1].Strings {
			variants[i] = int32(slices.IndexFunc(e.Variants, func(v experiment.Variant) bool { return v.Name == name }))
		}
		for _, s := range stretches[g] {
			u := &e.views[s.list].units
			for row, i := s.from, s.at; row < s.to; row, i = row+1, i+1 {
				u.ids[i] = v[0].IDs[v[0].Index[row]]
				p := person{v[2].Ints[row], variants[v[1].Index[row]]}
				switch {
				case p.first < from || p.first >= to:
					return fmt.Errorf("a unit's first exposure lies outside of the experiment's days, %s to %s: make it again", e.Start, last)
				case p.arm < 0:
					return fmt.Errorf("a unit with variant %q, which the definition does not have: make it again", v[1].Strings[v[1].Index[row]])
				case v[4].Bools[row] && e.Crossover == experiment.Exclude:
					p.arm = none
				}
				if u.people[i], u.exposures[i] = p, (exposure{p.first, never}); v[3].Present == nil || v[3].Present[row] {
					u.exposures[i].received = v[3].Ints[row]
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	known := make([]*index, len(e.views))
	return known, b.parallel(len(e.views), func(i int) error {
		ids := e.views[i].ids
		for i := 1; i < len(ids); i++ {
			if !less(&ids[i-1], &ids[i]) {
				return errors.New("a unit comes twice, or out of order: make it again")
			}
		}
		known[i] = newIndex(ids)
		return nil
	})
}

// readClaims reads what the units claim.
func (e *trial) readClaims(ctx context.Context, b *builder, known []*index) ([]*claim, error) {
	stretches, lengths, err := layout(ctx, e.Identifiers, table.UnitIdentifier, b.workers, 2*len(e.views), []string{"stitching", "identifier_type"}, func(of []string) int {
		if of[1] == table.TypeAccount {
			return 2 * e.view(of[0])
		}
		return 2*e.view(of[0]) + 1
	})
	if err != nil {
		return nil, err
	}
	claimed := make([]*claim, len(e.views))
	for i := range claimed {
		claimed[i] = new(claim)
		for side := range 2 {
			c := &claimed[i].sides[side]
			c.ids, c.units = make([]identifier.ID, lengths[2*i+side]), make([]int32, lengths[2*i+side])
		}
	}
	err = scan(ctx, e.Identifiers, table.UnitIdentifier, b.workers, []string{"identifier", "unit_id", "from_ts"}, nil, func(g int, v []columns.Vector) error {
		var spare []identifier.ID
		for _, s := range stretches[g] {
			c, end := &claimed[s.list/2].sides[s.list%2], s.at+s.to-s.from
			copy(c.ids[s.at:end], identifiers(&v[0], s.from, s.to, &spare))
			known[s.list/2].findAll(identifiers(&v[1], s.from, s.to, &spare), c.units[s.at:end])
			if slices.Contains(c.units[s.at:end], none) {
				return fmt.Errorf("a unit that %s does not have: make both again", table.UnitExposure)
			}
			for row := s.from; row < s.to; row++ {
				if v[2].Present == nil || v[2].Present[row] {
					c.some.Do(func() { c.from = slices.Repeat([]int64{always}, len(c.ids)) })
					c.from[s.at+row-s.from] = v[2].Ints[row]
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return claimed, b.parallel(2*len(e.views), func(i int) error {
		ids := claimed[i/2].sides[i%2].ids
		for i := 1; i < len(ids); i++ {
			if less(&ids[i], &ids[i-1]) {
				return errors.New("out of order: make it again")
			}
		}
		return nil
	})
}

// newUnits has room for n units.
func newUnits(n int) units {
	return units{ids: make([]identifier.ID, n), exposures: make([]exposure, n), people: make([]person, n)}
}

// order numbers units, as units says; those that claim nothing come last.
func (v *view) order(c *claim) {
	number, next := slices.Repeat([]int32{none}, len(v.ids)), int32(0)
	c.neighbour = slices.Repeat([]uint32{math.MaxUint32}, len(v.ids))
	var touched [batch]int32
	for side := range c.sides {
		of := &c.sides[side]
		for base := 0; base < len(of.units); base += batch {
			few := of.units[base:min(base+batch, len(of.units))]
			for i, unit := range few {
				touched[i] = number[unit]
			}
			for i, unit := range few {
				if touched[i] == none && number[unit] == none {
					if number[unit] = next; side == 0 {
						c.neighbour[next] = binary.BigEndian.Uint32(of.ids[base+i][:4])
					}
					next++
				}
				few[i] = number[unit]
			}
		}
	}
	people := make([]person, len(v.people))
	for i := range number {
		if number[i] == none {
			number[i] = next
			next++
		}
		people[number[i]] = v.people[i]
	}
	v.numbers, v.people = number, people
}

// view is the place of a stitching among those that are computed.
func (e *trial) view(stitching string) int {
	return slices.IndexFunc(e.views, func(v *view) bool { return v.stitching == stitching })
}
