package facts

import "crosslift/transform/stats/exact"

// add adds a run of a unit's events to its sums.
func (w *worker) add(v *viewing, unit int32, r run) {
	from, to := w.part.units(v.view)
	if unit < from || unit >= to {
		return
	}
	first := v.view.first[unit]
	block := w.sheets[v.place].of(unit - from)
	place := int32((unit - from) % blockUnits)
	for i := range v.uses {
		u := &v.uses[i]
		if w.again && !u.percentiles() {
			continue
		}
		sums, f := &block[u.at], &w.facets[u.source]
		opens, closes := u.span.bounds(first)
		if w.late || f.odd {
			w.except(v, u, f, r, opens, closes, first-u.span.covariate, first)
		}
		if w.selectRows(f, r, opens, min(closes, w.b.end)) {
			w.addInside(v, u, sums, f, unit, place)
		}
		if u.span.covariate > 0 && w.selectRows(f, r, first-u.span.covariate, min(first, w.b.end)) {
			w.addBefore(u, sums, f, place)
		}
	}
}

// selectRows finds the rows of a run that count between two instants.
func (w *worker) selectRows(f *facets, r run, from, to int64) bool {
	w.hits = w.hits[:0]
	if r.last < from || r.first >= to {
		return false
	}
	for row := r.from; row < r.to; row++ {
		if t := w.at[row]; t >= from && t < to && f.state[row] == counts {
			w.hits = append(w.hits, int32(row))
		}
	}
	return len(w.hits) > 0
}

// addInside adds the rows that were selected to what is inside a unit's window.
func (w *worker) addInside(v *viewing, u *use, sums *sums, f *facets, unit, place int32) {
	s := u.numerator
	into := &sums.value
	if u.denominator {
		s, into = u.measure.denominator, &sums.divisor
	} else {
		e := &sums.events[place]
		for _, row := range w.hits {
			e.add(&events{1, w.at[row], w.at[row]})
		}
	}
	for _, row := range w.hits {
		if s.kind == distinct {
			sums.meet(place, s.name(f, int(row)), w.at[row])
		} else {
			add(into, int(place), s, f, row)
		}
	}
	if !v.decides || w.again || v.left[unit] {
		return
	}
	e := v.view.experiment
	days := &w.tallies[e.place].days[u.at]
	for _, row := range w.hits {
		day := e.calendar.cell(v.variant[unit], w.at[row])
		if u.denominator {
			add(&days.divisor, day, s, f, row)
			continue
		}
		days.events[day]++
		add(&days.value, day, s, f, row)
	}
}

// addBefore adds the rows that were selected to what is before a unit's first exposure.
func (w *worker) addBefore(u *use, sums *sums, f *facets, place int32) {
	s, into := u.numerator, &sums.covariate
	if u.denominator {
		s, into = u.measure.denominator, &sums.before
	}
	for _, row := range w.hits {
		switch s.kind {
		case nothing:
			into.AddInt(int(place), 1)
		case distinct:
			sums.meetBefore(place, s.name(f, int(row)))
		default:
			add(into, int(place), s, f, row)
		}
	}
}

// except counts the rows that do not enter only because of one thing.
func (w *worker) except(v *viewing, u *use, f *facets, r run, opens, closes, before, first int64) {
	if w.again {
		return
	}
	t := &w.tallies[v.view.experiment.place]
	for row := r.from; row < r.to; row++ {
		at, state := w.at[row], f.state[row]
		inside := at >= opens && at < closes
		switch {
		case state == unrated && at < w.b.end && (inside || at >= before && at < first):
			t.lack(u, w.currency(row))
		case !u.excludes || !inside:
		case (state == counts || state == unrated) && at >= w.b.end:
			t.future[u.at][u.side()]++
		case state == negative && at < w.b.end:
			t.negative[u.at][u.side()]++
		}
	}
}

// add adds what a row counts for to a sum.
func add(into *exact.Vector, i int, s *source, f *facets, row int32) {
	switch s.kind {
	case constant:
		into.Add(i, s.constant)
	case ints:
		into.AddInt(i, f.ints[row])
	case floats, amounts:
		into.Add(i, f.floats[row])
	}
}
