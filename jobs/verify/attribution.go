package verify

import (
	"cmp"
	"context"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/verify/measure"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// span is a time in which a device was used, both ends included, and by whom.
type span struct {
	from, to table.Micros
	account  identifier.ID // in whose name
	human    int64
	shared   bool
}

// spans are by device, ascending; those of a device do not overlap.
type spans map[identifier.ID][]span

func (s spans) sort() {
	for _, of := range s {
		slices.SortFunc(of, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	}
}

func (s spans) at(device identifier.ID, at table.Micros) (span, bool) {
	of := s[device]
	i, exact := slices.BinarySearchFunc(of, at, func(x span, at table.Micros) int { return cmp.Compare(x.from, at) })
	if !exact {
		i--
	}
	if i < 0 || at > of[i].to {
		return span{}, false
	}
	return of[i], true
}

// whose is the account in whose name something was done: the one that is shown, else by the truth about the device's use.
func (s spans) whose(d deed) identifier.ID {
	if d.account.IsZero() {
		was, _ := s.at(d.device, d.at)
		return was.account
	}
	return d.account
}

// attended is the truth about the use of devices without an account.
func (in Input) attended() (spans, error) {
	rows, err := world.ReadAttendance(in.World.Dir())
	if err != nil {
		return nil, err
	}
	s := spans{}
	for _, a := range rows {
		device, err := in.hash(string(identifier.Device), a.Device)
		if err != nil {
			return nil, err
		}
		of := span{from: table.MicrosOf(a.From), to: table.MicrosOf(a.To), human: a.Human, shared: a.Shared}
		if a.Account != "" {
			if of.account, err = in.hash(string(identifier.Account), a.Account); err != nil {
				return nil, err
			}
		}
		s[device] = append(s[device], of)
	}
	s.sort()
	return s, nil
}

// timeline is what the newest night says of the use of devices.
func (in Input) timeline(ctx context.Context) (spans, error) {
	s := spans{}
	for row, err := range in.newest(ctx, table.DeviceTimeline) {
		if err != nil {
			return nil, err
		}
		t := row.(*table.DeviceTimelineRow)
		s[t.Device] = append(s[t.Device], span{from: t.From, to: t.To - 1, account: t.Account})
	}
	s.sort()
	return s, nil
}

// event is what a view or a web event shows of a device.
type event struct {
	device, account identifier.ID
	at              table.Micros
}

// seen reads what the product and web analytics saw of devices, with an account or without.
func (in Input) seen(ctx context.Context, each func(event)) error {
	for row, err := range in.rows(ctx, table.Viewing) {
		if err != nil {
			return err
		}
		v := row.(*table.ViewingRow)
		each(event{v.Device, v.Account, v.ViewedAt})
	}
	for row, err := range in.rows(ctx, table.WebEvent) {
		if err != nil {
			return err
		}
		e := row.(*table.WebEventRow)
		if e.Consent != nil && !*e.Consent {
			continue
		}
		each(event{e.Device, e.Account, e.EventAt})
	}
	return nil
}

// attribution compares whose name events without an account are put down to. A device is shared on which several accounts
// were logged in, but not one in public: that is not looked at.
func (in Input) attribution(ctx context.Context, r *report, p *people, profile map[identifier.ID]identifier.ID) error {
	truth, err := in.attended()
	if err != nil {
		return err
	}
	timeline, err := in.timeline(ctx)
	if err != nil {
		return err
	}
	last, err := in.lastLogins(ctx)
	if err != nil {
		return err
	}
	type tally struct{ events, attributed, right, byLast int64 }
	var shared, personal tally
	var all, known, attributed, rightHuman int64
	err = in.seen(ctx, func(e event) {
		if !e.account.IsZero() || e.device.IsZero() || p.public[e.device] {
			return
		}
		all++
		was, found := truth.at(e.device, e.at)
		if !found {
			return
		}
		if known++; p.refuse[was.account] {
			return
		}
		of := &personal
		if was.shared {
			of = &shared
		}
		of.events++
		if last(e.device) == was.account && !was.account.IsZero() {
			of.byLast++
		}
		said, is := timeline.at(e.device, e.at)
		if !is {
			return
		}
		of.attributed++
		attributed++
		if said.account == was.account {
			of.right++
		}
		if p.human[said.account] == was.human {
			rightHuman++
		}
	})
	if err != nil {
		return err
	}
	r.share("anonymous events that the truth knows", ratio(known, all), ">=", 0.99, all)
	r.share("anonymous events on shared devices, attributed", ratio(shared.attributed, shared.events), ">=", 0.82, shared.events)
	r.share("anonymous events on shared devices, of the attributed to the right account", ratio(shared.right, shared.attributed), ">=", 0.88, shared.attributed)
	r.shown("anonymous events on other devices, attributed", ratio(personal.attributed, personal.events), personal.events)
	r.shown("anonymous events on other devices, of the attributed to the right account", ratio(personal.right, personal.attributed), personal.attributed)
	r.shown("anonymous events, of the attributed to the right human", ratio(rightHuman, attributed), attributed)
	found, n := int64(0), int64(0)
	for u := range p.uses {
		if p.public[u.device] {
			continue
		}
		n++
		here := func(s span) bool { return s.account == u.account }
		if mine, is := profile[u.account]; is && profile[u.device] == mine || slices.ContainsFunc(timeline[u.device], here) {
			found++
		}
	}
	r.shown("pairs of an account and a device that it used, recall", ratio(found, n), n)
	r.share("the world: anonymous events on shared devices, right if the last login wins", ratio(shared.byLast, shared.events), "<=", 0.83, shared.events)
	return nil
}

func ratio(part, of int64) float64 { return float64(part) / float64(max(of, 1)) }

// lastLogins gives the account that a device would be of if its last login won for all time; none where there was no login.
func (in Input) lastLogins(ctx context.Context) (func(device identifier.ID) identifier.ID, error) {
	var logins measure.Logins
	add := func(e event) {
		if !e.account.IsZero() && !e.device.IsZero() {
			logins.Add(e.device, e.account, int64(e.at))
		}
	}
	for row, err := range in.rows(ctx, table.ProductLogin) {
		if err != nil {
			return nil, err
		}
		if l := row.(*table.ProductLoginRow); l.Kind != "logout" {
			add(event{l.Device, l.Account, l.EventAt})
		}
	}
	if err := in.seen(ctx, add); err != nil {
		return nil, err
	}
	return logins.LastWins(), nil
}
