package facts

import (
	"slices"

	"crosslift/transform/stats/exact"
)

// rule is how one measure takes hits of the row group.
type rule struct {
	*use
	span  span
	f     *facets
	days  *days // nil where they are not counted
	plain bool  // most are: of whole numbers, for a unit's own value, with nothing that must be counted as an exception
}

// stay is a hit with the span of time in which its events count: the unit's window, or the one before its first exposure.
type stay struct {
	*hit
	first         int64 // exposure of the unit
	cell          int32 // where it counts among the experiment's days, see calendar; none where it does not
	before        bool
	opens, closes int64
}

// rulesOf are the rules of a view's measures.
func (w *worker) rulesOf(v *viewing) []rule {
	w.rules = w.rules[:0]
	for i := range v.uses {
		u := &v.uses[i]
		if w.again && !u.ranked {
			continue
		}
		r := rule{use: u, span: u.measure.span, f: &w.facets[u.source]}
		if v.decides && !w.again {
			r.days = &w.tallies[v.view.experiment.place].days[u.at]
		}
		r.plain = r.f.whole && !r.f.strange && !u.denominator && w.high < w.b.end
		w.rules = append(w.rules, r)
	}
	return w.rules
}

// addHits adds the hits of a view to its sums.
func (w *worker) addHits(v *viewing, hits []hit) {
	sheet, rules := w.sheets[v.place], w.rulesOf(v)
	for i, end := 0, 0; i < len(hits); i = end {
		at := hits[i].unit / blockUnits
		for end = i + 1; end < len(hits) && hits[end].unit/blockUnits == at; {
			end++
		}
		b := sheet.open(at)
		for few := range slices.Chunk(hits[i:end], batch) {
			w.addTo(b, v, rules, few)
		}
		b.Unlock()
	}
}

// addTo adds hits of one block.
//
// This is where the time of the pass goes, so it is done in this way. First, what is known of the hits' units is asked for; then
// each hit goes through all measures, whose cells are neighbours in memory. A window outside of the row group's times costs two
// comparisons; one that holds them all, as most do, takes what was summed up of the run's rows for all views and measures
// together. Only where a window ends, and what is not whole numbers, is gone through row by row.
func (w *worker) addTo(b *block, v *viewing, rules []rule, hits []hit) {
	var people [batch]person
	least, touched := w.worked[v.at][0], uint64(0)
	for i := range hits {
		at := int(hits[i].unit%blockUnits) * b.measures
		people[i] = v.people[least+hits[i].unit]
		w.counts.Hits += int64(hits[i].to - hits[i].from)
		touched |= b.cells[at].last | b.cells[at+b.measures-1].last
	}
	w.touched |= touched
	low, high := w.low, w.high
	for i := range hits {
		h, p := &hits[i], &people[i]
		unit, cell := int(h.unit%blockUnits), none
		if p.arm != none {
			cell = v.view.experiment.calendar.cell(p.arm, h.day)
		}
		for j := range rules {
			r := &rules[j]
			opens, closes := r.span.bounds(p.first)
			if opens <= low && closes > high && r.plain && h.run != none {
				if t := &r.f.totals[h.run]; t.n > 0 {
					r.take(b, unit, cell, t, p.first)
				}
			} else if opens <= high && closes > low || r.f.strange {
				w.addStay(b, r, &stay{h, p.first, cell, false, opens, closes})
			}
			if begins := p.first - r.span.covariate; r.span.covariate > 0 && begins <= high && p.first > low {
				w.addStay(b, r, &stay{h, p.first, cell, true, begins, p.first})
			}
		}
	}
}

// take adds what rows that count are together to a unit's own value.
func (r *rule) take(b *block, unit int, cell int32, t *total, exposed int64) {
	c := &b.cells[unit*b.measures+r.at]
	c.add(uint64(t.n), uint64(t.first-exposed), uint64(t.last-exposed))
	if r.f.kind != nothing {
		if sum := c.sum + t.sum; (sum^t.sum)&(sum^c.sum) >= 0 {
			c.sum = sum
		} else { // it does not fit
			b.sums[r.at].value.AddInt(unit, t.sum)
		}
	}
	if r.days == nil || cell == none {
		return
	}
	r.days.events[cell] += int64(t.n)
	if r.f.kind != nothing {
		r.days.value.AddInt(int(cell), t.sum)
	}
}

// addStay adds the rows of a hit that count for a measure in a span of time.
func (w *worker) addStay(b *block, r *rule, x *stay) {
	if r.f.strange {
		w.except(r, x)
	}
	if x.closes = min(x.closes, w.b.end); !r.f.whole {
		w.addRows(b, r, x)
		return
	}
	t := r.f.sum(w.at, x.from, x.to, x.opens, x.closes)
	s, unit := &b.sums[r.at], int(x.unit%blockUnits)
	switch {
	case t.n == 0:
	case x.before:
		s.earlier(r.use).AddInt(unit, t.sum)
	case !r.denominator:
		r.take(b, unit, x.cell, &t, x.first)
	default:
		if s.divisor.AddInt(unit, t.sum); r.days != nil && x.cell != none {
			r.days.divisor.AddInt(int(x.cell), t.sum)
		}
	}
}

// earlier is where what lies before the first exposure goes.
func (s *sums) earlier(u *use) *exact.Vector {
	if u.denominator {
		return &s.before
	}
	return &s.covariate
}

// addRows does the same as addStay, row by row.
func (w *worker) addRows(b *block, r *rule, x *stay) {
	f, s, unit := r.f, &b.sums[r.at], int(x.unit%blockUnits)
	for _, row := range w.pick(f, x) {
		at := w.at[row]
		switch {
		case x.before && f.kind == distinct:
			s.metBefore.meet(int32(unit), f.name(row), at)
			continue
		case x.before:
			f.add(s.earlier(r.use), unit, row)
			continue
		case f.kind == distinct:
			s.met.meet(int32(unit), f.name(row), at)
		case r.denominator:
			f.add(&s.divisor, unit, row)
		default:
			f.add(&s.value, unit, row)
		}
		if !r.denominator {
			b.cells[unit*b.measures+r.at].add(1, uint64(at-x.first), uint64(at-x.first))
		}
		switch {
		case r.days == nil || x.cell == none:
		case r.denominator:
			f.add(&r.days.divisor, int(x.cell), row)
		default:
			if r.days.events[x.cell]++; f.kind != distinct {
				f.add(&r.days.value, int(x.cell), row)
			}
		}
	}
}

// pick finds the rows of a hit that count and whose times lie in its span.
func (w *worker) pick(f *facets, x *stay) []int32 {
	w.picked = w.picked[:0]
	for row := x.from; row < x.to; row++ {
		if t := w.at[row]; t >= x.opens && t < x.closes && f.state[row] == counts {
			w.picked = append(w.picked, row)
		}
	}
	return w.picked
}

// except counts the rows of a hit that do not enter only because of one thing.
func (w *worker) except(r *rule, x *stay) {
	t := &w.tallies[r.of.place]
	for row := x.from; row < x.to; row++ {
		at, state := w.at[row], r.f.state[row]
		if at < x.opens || at >= x.closes {
			continue
		}
		switch {
		case state == unrated && at < w.b.end:
			t.lack(r.use, w.currency(int(row)))
		case !r.excludes || x.before:
		case (state == counts || state == unrated) && at >= w.b.end:
			t.future[r.at][r.side()]++
		case state == negative && at < w.b.end:
			t.negative[r.at][r.side()]++
		}
	}
}
