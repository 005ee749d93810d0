package facts

import (
	"slices"

	"crosslift/schemas/table"
)

// run is neighbouring rows [from, to) of one account and one device: most often all of a sorted object that belong to somebody.
type run struct {
	from, to        int
	account, device int32 // places in the dictionaries, −1 where there is none
	first, last     int64 // the earliest and the latest time
}

// walk goes through the row group by runs.
func (w *worker) walk() {
	for r := (run{}); r.from < w.rows; r.from = r.to {
		r.account, r.device = at(w.accountAt, r.from), at(w.deviceAt, r.from)
		r.to = r.from + 1
		for r.to < w.rows && at(w.accountAt, r.to) == r.account && at(w.deviceAt, r.to) == r.device {
			r.to++
		}
		r.first, r.last = slices.Min(w.at[r.from:r.to]), slices.Max(w.at[r.from:r.to])
		hit := false
		for i := range w.task.views {
			if w.settle(&w.task.views[i], r) {
				hit = true
			}
		}
		if hit {
			w.counts.Hits += int64(r.to - r.from)
		}
	}
}

func at(index []int32, row int) int32 {
	if index == nil {
		return none
	}
	return index[row]
}

// settle finds whose a run is in a view, as table.UnitIdentifierRow says, and adds it there.
func (w *worker) settle(v *viewing, r run) (hit bool) {
	account, device := numbered(w.accountOf, r.account), numbered(w.deviceOf, r.device)
	switch owner := v.view.devices.get(device); {
	case v.byDevice && owner != none:
		return w.give(v, &v.view.devices, owner, r)
	case r.account != none:
		return w.give(v, &v.view.accounts, v.view.accounts.get(account), r)
	case r.device == none:
		return false
	case v.users == nil:
		return w.give(v, &v.view.devices, owner, r)
	}
	return w.attribute(v, r, device)
}

func numbered(numbers []int32, place int32) int32 {
	if place < 0 || int(place) >= len(numbers) {
		return none
	}
	return numbers[place]
}

// attribute gives a run without an account to whoever used its device.
func (w *worker) attribute(v *viewing, r run, device int32) (hit bool) {
	l := &w.spans[v.users][r.device]
	if !l.known {
		l.Spans, l.known = v.users.Spans(w.devices.IDs[r.device]), true
	}
	if user, ok := v.users.During(l.Spans, table.Micros(r.first), table.Micros(r.last)); ok {
		return w.give(v, &v.view.accounts, v.view.accounts.get(v.users.account[user]), r)
	}
	for row := r.from; row < r.to; row++ {
		one := run{row, row + 1, r.account, r.device, w.at[row], w.at[row]}
		if user, ok := v.users.At(l.Spans, table.Micros(w.at[row])); ok {
			hit = w.give(v, &v.view.accounts, v.view.accounts.get(v.users.account[user]), one) || hit
		} else if !v.byDevice { // by device, its own row would have decided
			hit = w.give(v, &v.view.devices, v.view.devices.get(device), one) || hit
		}
	}
	return hit
}

// give adds a run to its owner.
func (w *worker) give(v *viewing, of *owners, owner int32, r run) (hit bool) {
	if owner >= 0 {
		w.add(v, owner, r)
		return true
	}
	if owner == none {
		return false
	}
	for row := r.from; row < r.to; row++ {
		if unit := of.at(owner, w.at[row]); unit != none {
			w.add(v, unit, run{row, row + 1, r.account, r.device, w.at[row], w.at[row]})
			hit = true
		}
	}
	return hit
}
