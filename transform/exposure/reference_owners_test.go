package exposure_test

import (
	"math"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// owners are the rows of facts/unit_identifier of a cohort: of accounts, whoever decides at each instant at which that may
// change.
func (ref *reference) owners(c *cohort) (rows []*table.UnitIdentifierRow) {
	emit := func(typ string, of identifier.ID, from *table.Micros, u *unit) {
		rows = append(rows, &table.UnitIdentifierRow{Stitching: c.stitching, IdentifierType: typ, Identifier: of, From: from, Unit: u.id})
	}
	for d, u := range c.devices {
		if u.eligible {
			emit("device", d, nil, u)
		}
	}
	linked := map[identifier.ID]map[*unit]table.Micros{}
	for _, l := range ref.world.links {
		u := c.devices[l.Right]
		if c.byAccount || l.LeftType != table.TypeAccount || u == nil || !u.eligible || l.FirstAt >= table.MicrosOf(ref.in.End) ||
			slices.Contains([]string{"shared_left", "shared_right", "shared_both", "no_consent"}, l.Status) {
			continue
		}
		if linked[l.Left] == nil {
			linked[l.Left] = map[*unit]table.Micros{}
		}
		if at, known := linked[l.Left][u]; !known || l.FirstAt < at {
			linked[l.Left][u] = l.FirstAt
		}
	}
	const ever = table.Micros(math.MinInt64)
	for a, units := range c.first {
		for _, u := range units {
			if u.eligible {
				if linked[a] == nil {
					linked[a] = map[*unit]table.Micros{}
				}
				linked[a][u] = ever
			}
		}
	}
	for a, u := range c.accounts {
		if u.eligible {
			linked[a] = map[*unit]table.Micros{u: ever}
		}
	}
	for a, units := range linked {
		var instants []table.Micros
		for _, at := range units {
			instants = append(instants, at)
		}
		slices.Sort(instants)
		var last *unit
		for _, at := range slices.Compact(instants) {
			var best *unit
			for u, from := range units {
				if from <= at && (best == nil || u.at < best.at || u.at == best.at && u.id.String() < best.id.String()) {
					best = u
				}
			}
			if best != last {
				from := &at
				if at == ever {
					from = nil
				}
				emit("account", a, from, best)
				last = best
			}
		}
	}
	return rows
}
