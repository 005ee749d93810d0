package facts

import "slices"

// run is neighbouring rows of one account, one device and one day: of a sorted object most often all that the two have. What is
// found out about whose events they are is found out once for all of them.
type run struct {
	from, to int32
	account  int32 // its number, none of one that nobody knows, absent where there is none
	device   int32 // likewise; until it is worked, its place in the dictionary
	day      int32 // of the builder's calendar
}

const absent int32 = -2

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
func (g *group) cut() {
	w := g.who
	accounts, devices := w.account.Index, w.device.Index
	if !w.hasAccount {
		accounts = devices
	}
	if !w.hasDevice {
		devices = accounts
	}
	day := g.b.day(g.low)
	several := g.high >= g.b.starts[day+1]
	for from, to := 0, 0; from < len(accounts); from = to {
		a, d := accounts[from], devices[from]
		for to = from + 1; to < len(accounts) && accounts[to] == a && devices[to] == d; {
			to++
		}
		r := run{int32(from), int32(to), absent, absent, int32(day)}
		if w.hasAccount && a >= 0 {
			r.account = w.numbers[a]
		}
		if w.hasDevice && d >= 0 {
			r.device = d
		}
		switch {
		case r.account < 0 && (r.device < 0 || r.account == none && !g.byDevice):
		case several:
			g.cutDays(r)
		default:
			g.runs = append(g.runs, r)
		}
	}
}

// cutDays cuts a run where its day changes.
func (g *group) cutDays(r run) {
	for end := r.to; r.from < end; r.from = r.to {
		day := g.b.day(g.at[r.from])
		for r.to = r.from + 1; r.to < end && g.b.day(g.at[r.to]) == day; {
			r.to++
		}
		r.day = int32(day)
		g.runs = append(g.runs, r)
	}
}

// settle finds whose the runs are, as table.UnitIdentifierRow says.
func (w *worker) settle(runs []run) {
	views := w.views
	w.hits = slices.Grow(w.hits[:0], len(views))[:len(views)]
	w.worked = w.worked[:0]
	for i := range w.hits {
		w.hits[i] = w.hits[i][:0]
		from, to := w.part.units(views[i].view)
		w.worked = append(w.worked, [2]int32{from, to})
	}
	w.settled = append(w.settled[:0], slices.Repeat([]int32{none}, len(views))...)
	w.attribute(runs)
	var accounts, devices [batch][]owner
	for base := 0; base < len(runs); base += batch {
		few := runs[base:min(base+batch, len(runs))]
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
		if v := w.place[devices[0].view]; v != none && w.views[v].byDevice {
			w.settled[v] = at
			w.give(v, devices[:n], r, at)
		}
	}
	for n := 0; len(accounts) > 0; accounts = accounts[n:] {
		n = ofOneView(accounts)
		if v := w.place[accounts[0].view]; v != none && w.settled[v] != at {
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
