package facts

import (
	"slices"

	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// run is neighbouring rows of one account, one device and one day: of a sorted object most often all that the two have. What is
// found out about whose events they are is found out once for all of them.
type run struct {
	from, to        int32
	account, device int32 // numbers, see dictionary
	day             int32 // of the builder's calendar
}

// hit is rows of a run, most often all, that are a unit's.
type hit struct {
	from, to int32
	run      int32 // its place; none where the rows are but some of one
	unit     int32 // its place in the part
	day      int32
}

// batch is of how many things memory is asked for before any of it is looked at, so that the processor waits for many cache lines
// at a time instead of one after the other.
const batch = 64

// cut finds the runs of the row group that may be somebody's.
func (w *worker) cut() {
	w.runs = w.runs[:0]
	accounts, devices := w.account.index, w.device.index
	if accounts == nil {
		accounts = devices
	}
	if devices == nil {
		devices = accounts
	}
	day := w.b.day(w.low)
	several := w.high >= w.b.starts[day+1]
	for from, to := 0, 0; from < len(accounts); from = to {
		a, d := accounts[from], devices[from]
		for to = from + 1; to < len(accounts) && accounts[to] == a && devices[to] == d; {
			to++
		}
		account, device := w.account.number(from), w.device.number(from)
		if account < 0 && device < 0 {
			continue
		}
		if !several {
			w.runs = append(w.runs, run{int32(from), int32(to), account, device, int32(day)})
			continue
		}
		for ; from < to; from++ {
			day := int32(w.b.day(w.at[from]))
			if n := len(w.runs); n > 0 && w.runs[n-1].to == int32(from) && w.runs[n-1].account == account && w.runs[n-1].device == device && w.runs[n-1].day == day {
				w.runs[n-1].to++
			} else {
				w.runs = append(w.runs, run{int32(from), int32(from) + 1, account, device, day})
			}
		}
	}
}

// settle finds whose the runs are, as table.UnitIdentifierRow says.
func (w *worker) settle() {
	views := w.task.views
	w.hits = slices.Grow(w.hits[:0], len(views))[:len(views)]
	w.worked = w.worked[:0]
	for i := range w.hits {
		w.hits[i] = w.hits[i][:0]
		from, to := w.part.units(views[i].view)
		w.worked = append(w.worked, [2]int32{from, to})
	}
	w.settled = append(w.settled[:0], slices.Repeat([]int32{none}, len(views))...)
	w.attribute()
	var accounts, devices [batch][]owner
	for base := 0; base < len(w.runs); base += batch {
		few := w.runs[base:min(base+batch, len(w.runs))]
		for i := range few {
			accounts[i], devices[i] = w.b.ofAccounts.of(few[i].account), w.b.ofDevices.of(few[i].device)
		}
		for i := range few {
			w.touched |= touch(accounts[i]) | touch(devices[i])
		}
		for i := range few {
			w.settleRun(&few[i], int32(base+i), accounts[i], devices[i])
		}
	}
}

// settleRun gives a run to the owners of its device, in views that ask these first, and of its account.
func (w *worker) settleRun(r *run, at int32, accounts, devices []owner) {
	for n := 0; len(devices) > 0; devices = devices[n:] {
		n = ofOneView(devices)
		if v := w.task.place[devices[0].view]; v != none && w.task.views[v].byDevice {
			w.settled[v] = at
			w.give(v, devices[:n], r, at)
		}
	}
	for n := 0; len(accounts) > 0; accounts = accounts[n:] {
		n = ofOneView(accounts)
		if v := w.task.place[accounts[0].view]; v != none && w.settled[v] != at {
			w.give(v, accounts[:n], r, at)
		}
	}
}

// ofOneView is how many owners there are in the view of the first.
func ofOneView(of []owner) int {
	n := 1
	for n < len(of) && of[n].view == of[0].view {
		n++
	}
	return n
}

// Whoever used the device of a run, if not the number of an account; somebody is one that no experiment knows.
const (
	somebody = none
	nobody   = none - 1
	several  = none - 2
)

// attribute gives runs without an account to whoever used their devices or, where nobody known did, to these themselves; in views
// that ask by the same methods together.
func (w *worker) attribute() {
	if !slices.ContainsFunc(w.runs, func(r run) bool { return r.account == absent }) {
		return
	}
	for i := range w.task.views {
		by := w.task.views[i].methods
		if by == 0 || slices.ContainsFunc(w.task.views[:i], func(v viewing) bool { return v.methods == by }) {
			continue
		}
		for base := 0; base < len(w.runs); base += batch {
			w.attributeFew(by, w.runs[base:min(base+batch, len(w.runs))], int32(base))
		}
	}
}

// attributeFew does so for a batch of runs, the first of which is at a place.
func (w *worker) attributeFew(by timeline.Methods, runs []run, base int32) {
	var used [batch]int32 // places of devices among those that somebody used, then who did
	for i := range runs {
		if used[i] = none; runs[i].account == absent && w.b.users != nil {
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
		v := w.task.place[of[0].view]
		if v == none || w.task.views[v].methods != by {
			continue
		}
		if w.task.views[v].byDevice && slices.ContainsFunc(w.b.ofDevices.of(r.device), func(o owner) bool { return o.view == of[0].view }) {
			continue
		}
		w.give(v, of[:n], r, at)
	}
}

// give makes hits of rows of a run and their owners in a view, which is one in the most cases; at is the place of the run where the
// rows are all of it.
func (w *worker) give(v int32, of []owner, r *run, at int32) {
	if len(of) == 1 && of[0].from == always {
		w.hit(v, of[0].unit, r, at)
		return
	}
	piece := *r
	for piece.from < r.to {
		unit, since, until := none, always, never
		for _, o := range of {
			if o.from > w.at[piece.from] {
				until = o.from
				break
			}
			unit, since = o.unit, o.from
		}
		for piece.to = piece.from + 1; piece.to < r.to && w.at[piece.to] >= since && w.at[piece.to] < until; {
			piece.to++
		}
		if unit != none && piece == *r {
			w.hit(v, unit, r, at)
		} else if unit != none {
			w.hit(v, unit, &piece, none)
		}
		piece.from = piece.to
	}
}

// hit notes rows of a run as those of a unit.
func (w *worker) hit(v, unit int32, r *run, at int32) {
	if worked := &w.worked[v]; uint32(unit-worked[0]) < uint32(worked[1]-worked[0]) {
		w.hits[v] = append(w.hits[v], hit{r.from, r.to, at, unit - worked[0], r.day})
	}
}
