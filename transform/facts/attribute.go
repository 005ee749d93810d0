package facts

import (
	"slices"

	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// Whoever used the device of a run, if not the number of an account; somebody is one that no experiment knows.
const (
	somebody = none
	nobody   = none - 1
	several  = none - 2
)

// attribute gives runs without an account to whoever used their devices or, where nobody known did, to these themselves; in views
// that ask by the same methods together.
func (w *worker) attribute(runs []run) {
	if !slices.ContainsFunc(runs, func(r run) bool { return r.account == absent }) {
		return
	}
	for i := range w.views {
		by := w.views[i].methods
		if by == 0 || slices.ContainsFunc(w.views[:i], func(v viewing) bool { return v.methods == by }) {
			continue
		}
		for base := 0; base < len(runs); base += batch {
			w.attributeFew(by, runs[base:min(base+batch, len(runs))], int32(base))
		}
	}
}

// attributeFew does so for a batch of runs, the first of which is at a place.
func (w *worker) attributeFew(by timeline.Methods, runs []run, base int32) {
	var used [batch]int32 // places of devices among those that somebody used, then who did
	for i := range runs {
		if used[i] = none; runs[i].account == absent && runs[i].device >= 0 && w.b.users != nil {
			used[i] = w.b.userOf[runs[i].device]
		}
	}
	for _, device := range used[:len(runs)] {
		if device != none {
			w.touched |= uint64(w.b.users.Begins(int(device)))
		}
	}
	var owners [batch][]owner
	for i := range runs {
		if r := &runs[i]; r.account == absent {
			if used[i] = w.user(by, used[i], r.from, r.to); used[i] == nobody {
				owners[i] = w.b.ofDevices.of(r.device)
			} else {
				owners[i] = w.b.ofAccounts.of(used[i])
			}
		}
	}
	for i := range runs {
		w.touched |= touch(owners[i])
	}
	for i := range runs {
		r := &runs[i]
		if r.account != absent {
			continue
		}
		if used[i] != several {
			w.giveUsed(by, owners[i], r, base+int32(i))
			continue
		}
		for row := r.from; row < r.to; row++ {
			one := *r
			one.from, one.to = row, row+1
			if user := w.user(by, w.b.userOf[r.device], row, row+1); user == nobody {
				w.giveUsed(by, w.b.ofDevices.of(r.device), &one, none)
			} else {
				w.giveUsed(by, w.b.ofAccounts.of(user), &one, none)
			}
		}
	}
}

// user is who used a device, by its place among those that somebody used, at the times of some rows.
func (w *worker) user(by timeline.Methods, device, from, to int32) int32 {
	if device == none {
		return nobody
	}
	first, last := slices.Min(w.at[from:to]), slices.Max(w.at[from:to])
	user, ok := w.b.users.During(int(device), by, table.Micros(first), table.Micros(last))
	switch {
	case ok:
		return max(user, somebody)
	case first == last:
		return nobody
	}
	return several
}

// giveUsed gives rows of a run without an account to owners in those views that ask by some methods who used its device, and have
// not asked for the device's own owner first.
func (w *worker) giveUsed(by timeline.Methods, of []owner, r *run, at int32) {
	for n := 0; len(of) > 0; of = of[n:] {
		n = ofOneView(of)
		v := w.place[of[0].view]
		if v == none || w.views[v].methods != by {
			continue
		}
		if w.views[v].byDevice && slices.ContainsFunc(w.b.ofDevices.of(r.device), func(o owner) bool { return o.view == of[0].view }) {
			continue
		}
		w.give(v, of[:n], r, at)
	}
}
