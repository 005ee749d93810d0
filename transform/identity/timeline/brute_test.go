package timeline

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

const second = 1_000_000

// oracle says what the package comment says of one instant, event by event.
type oracle struct {
	rules    Rules
	ttl      int64
	most     int
	auth     []event // the authenticated events, in order
	until    []int64 // until when each shows its account
	sessions map[uint64][]event
}

func newOracle(rules Rules, deviceType string, events []event) *oracle {
	o := &oracle{rules: rules, ttl: rules.TTL.Microseconds(), most: rules.Cap, sessions: map[uint64][]event{}}
	if deviceType == table.TypeApp {
		o.ttl = rules.AppTTL.Microseconds()
	}
	if deviceType == table.TypeTV || deviceType == table.TypeBrowser {
		o.most = rules.SharedCap
	}
	for _, e := range events {
		if e.account != 0 {
			o.auth = append(o.auth, e)
		}
		if e.session != 0 {
			o.sessions[e.session] = append(o.sessions[e.session], e)
		}
	}
	slices.SortFunc(o.auth, func(a, b event) int { // numbers of accounts ascend with the accounts here
		login := func(e event) int {
			if e.logout {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), login(a)-login(b), cmp.Compare(a.account, b.account), cmp.Compare(a.seconds, b.seconds))
	})
	for i, e := range o.auth {
		until := e.at + min(int64(e.seconds)*second, rules.Viewing.Microseconds())
		for _, later := range o.auth[i+1:] {
			if later.account != e.account || later.logout {
				until = min(until, later.at)
				break
			}
		}
		o.until = append(o.until, until)
	}
	return o
}

// within reports whether an instant is within a reach of the i-th authenticated event.
func (o *oracle) within(i int, t int64, reach time.Duration) bool {
	return o.auth[i].at-reach.Microseconds() <= t && t < o.until[i]+reach.Microseconds()
}

func (o *oracle) at(t int64) stretch {
	near := map[uint32]bool{}
	backfill, before := uint32(0), -1
	for i, e := range o.auth {
		if o.within(i, t, o.rules.Window) {
			near[e.account] = true
		}
		if o.within(i, t, o.rules.Backfill) {
			backfill = e.account
		}
		if e.at <= t {
			before = i
		}
	}
	several := len(near) > 1
	if len(near) > o.most {
		return stretch{}
	}
	if account := o.session(t); account != 0 {
		return stretch{account: account, method: Session, shared: several}
	}
	if before >= 0 {
		last, shown := o.auth[before], o.until[before]
		for i := before; i >= 0 && o.auth[i].account == last.account; i-- {
			shown = max(shown, o.until[i])
		}
		if !last.logout && t < shown+o.ttl {
			return stretch{account: last.account, method: Span, shared: several}
		}
		if several && before+1 < len(o.auth) && o.auth[before+1].account == last.account &&
			t < shown+o.rules.Bracket.Microseconds() && o.within(before+1, t, o.rules.Bracket) {
			return stretch{account: last.account, method: Bracket, shared: true}
		}
	}
	if !several && backfill != 0 {
		return stretch{account: backfill, method: Backfill}
	}
	if reach := o.rules.SharedBackfill; several {
		if before+1 < len(o.auth) && o.within(before+1, t, reach) {
			return stretch{account: o.auth[before+1].account, method: Backfill, shared: true}
		}
	}
	return stretch{}
}

func (o *oracle) session(t int64) uint32 {
	reach := o.rules.Session.Microseconds()
	var before, after *event // the best of all sessions that hold t
	for _, events := range o.sessions {
		if !holds(events, t, reach) {
			continue
		}
		var ownBefore, ownAfter *event
		for _, e := range events {
			if e.account == 0 {
				continue
			}
			if e.at <= t && t < e.at+reach && (ownBefore == nil || cmp.Or(cmp.Compare(e.at, ownBefore.at), cmp.Compare(e.account, ownBefore.account)) > 0) {
				ownBefore = &e
			}
			if t < e.at && e.at-reach <= t && (ownAfter == nil || cmp.Or(cmp.Compare(e.at, ownAfter.at), cmp.Compare(e.account, ownAfter.account)) < 0) {
				ownAfter = &e
			}
		}
		if ownBefore != nil && (before == nil || cmp.Or(cmp.Compare(ownBefore.at, before.at), cmp.Compare(ownBefore.account, before.account)) > 0) {
			before = ownBefore
		}
		if ownAfter != nil && (after == nil || cmp.Or(cmp.Compare(ownAfter.at, after.at), cmp.Compare(ownAfter.account, after.account)) < 0) {
			after = ownAfter
		}
	}
	switch {
	case before != nil:
		return before.account
	case after != nil:
		return after.account
	}
	return 0
}

// holds reports whether an instant is in a session: at an anonymous event, or between neighbours one of which is.
func holds(events []event, t, reach int64) bool {
	const never = -1 << 60
	previous, next := int64(never), int64(-never)
	for _, e := range events {
		if e.at <= t {
			previous = max(previous, e.at)
		} else {
			next = min(next, e.at)
		}
	}
	anonymous := func(at int64) bool {
		return slices.ContainsFunc(events, func(e event) bool { return e.at == at && e.account == 0 })
	}
	return previous == t && anonymous(t) || next-previous <= reach && (anonymous(previous) || anonymous(next))
}

// agrees compares the sweep with the oracle a microsecond around every second, and checks the form of the rows.
func agrees(t *testing.T, rules Rules, deviceType string, events []event, from int64) {
	t.Helper()
	if err := rules.check(); err != nil {
		t.Fatal(err)
	}
	accounts := make([]identifier.ID, 10)
	for i := range accounts {
		accounts[i] = identifier.ID{byte(i)}
	}
	s := &sweeper{rules: rules, accounts: accounts, from: from, events: make([]int32, len(accounts))}
	o := newOracle(rules, deviceType, events)
	for range 2 { // the second time in memory that was used
		rows := s.device(slices.Clone(events), deviceType)
		for i, r := range rows {
			if r.from >= r.to || r.account == 0 || r.from < from {
				t.Fatalf("row %+v\nof %+v", r, events)
			}
			if i > 0 && (r.from < rows[i-1].to || r.from == rows[i-1].to && r.account == rows[i-1].account && r.method == rows[i-1].method && r.shared == rows[i-1].shared) {
				t.Fatalf("rows %+v and %+v\nof %+v", rows[i-1], r, events)
			}
		}
		reach := (max(rules.AppTTL, rules.TTL, rules.Window) + rules.Viewing).Microseconds() + 2*second
		for tick := -reach; tick < 40*second+reach; tick += second {
			for t0 := max(tick-1, from); t0 <= tick+1; t0++ {
				want := o.at(t0)
				var got stretch
				for _, r := range rows {
					if r.from <= t0 && t0 < r.to {
						got = stretch{account: r.account, method: r.method, shared: r.shared}
					}
				}
				if want.account == 0 {
					want = stretch{}
				}
				if got != want {
					t.Fatalf("at %d: got %+v, expected %+v\nrules %+v, %s\nevents %+v\nrows %+v", t0, got, want, rules, deviceType, events, rows)
				}
			}
		}
		if slices.ContainsFunc(s.events, func(n int32) bool { return n != 0 }) {
			t.Fatalf("the window of a device is left to the next one: %v", s.events)
		}
	}
}

// randomHistory makes limits of some seconds and the events of a device in 40 seconds.
func randomHistory(n func(int) int) (Rules, string, []event) {
	seconds := func(from, to int) time.Duration { return time.Duration(from+n(to-from+1)) * time.Second }
	rules := Rules{AppTTL: seconds(0, 20), TTL: seconds(0, 10), Window: seconds(0, 12), Cap: 1 + n(3), SharedCap: 1 + n(4), Viewing: seconds(0, 5)}
	window := int(rules.Window / time.Second)
	rules.Session, rules.Backfill, rules.Bracket, rules.SharedBackfill = seconds(0, window), seconds(0, window), seconds(0, window), seconds(0, window)
	accounts := 1 + n(5)
	spread, web := []int{3, 12, 40}[n(3)], 3*n(2) // of every second history all events are of sessions
	events := make([]event, n(16))
	for i := range events {
		e := event{at: int64(n(spread)) * second}
		switch web + n(6-web) {
		case 0:
			e.account, e.logout = uint32(1+n(accounts)), true
		case 1:
			e.account = uint32(1 + n(accounts))
		case 2:
			e.account, e.seconds = uint32(1+n(accounts)), uint32(n(8))
		case 3:
			e.account, e.session = uint32(1+n(accounts)), uint64(n(4))
		default:
			e.session = uint64(1 + n(3))
		}
		if n(10) == 0 {
			e.at++ // off the second
		}
		events[i] = e
	}
	return rules, []string{table.TypeApp, table.TypeTV, table.TypeBrowser, table.TypeDevice}[n(4)], events
}

// TestAgainstBruteForce compares a thousand small histories, instant by instant.
func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 1000 {
		rules, deviceType, events := randomHistory(r.IntN)
		from := int64(-1 << 60)
		if r.IntN(3) == 0 {
			from = int64(r.IntN(40)) * second
		}
		agrees(t, rules, deviceType, events, from)
	}
}

// FuzzDevice lets the fuzzer choose limits and events.
func FuzzDevice(f *testing.F) {
	f.Add([]byte("a device that two accounts use"))
	f.Add([]byte{19, 9, 11, 2, 3, 4, 11, 11, 11, 4, 15, 10, 3, 1, 1, 10, 4, 1, 10, 2, 2, 7, 1})
	f.Fuzz(func(t *testing.T, choices []byte) {
		rules, deviceType, events := randomHistory(func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0]) % n
			choices = choices[1:]
			return c
		})
		agrees(t, rules, deviceType, events, -1<<60)
	})
}
