package facts

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

const fortnight = 14 // days

// unit is an account or a device that met an experiment.
type unit struct {
	account, device uint32
	at              table.Micros // first
	variant         uint8
	exposures       int64
}

// exposed are the units of an experiment.
type exposed struct {
	accounts []unit // in order of accounts
	devices  []unit
	place    []int32 // by device: where it is in devices, −1 for nowhere
}

// expose draws who meets an experiment. Of its units every fourth meets it on a second device too.
func (w *World) expose(n int) *exposed {
	t, r := trials[n], w.random(forExperiments+uint64(n))
	visits := func(account int) float64 { return 0.6*float64(w.activity[account]) + 0.05 } // a day
	visitors := 0.0
	for account := range w.accounts {
		visitors += 1 - math.Exp(-fortnight*visits(account))
	}
	share := float64(t.units) * float64(w.Devices) / 3_000_000 / visitors
	x := &exposed{place: slices.Repeat([]int32{-1}, len(w.devices))}
	for account := range w.accounts {
		days := r.ExpFloat64() / visits(account)
		if r.Float64() >= share || days >= fortnight {
			continue
		}
		day := t.start(w.Days) + table.Day(days)
		if day > w.night() {
			continue
		}
		u := unit{account: uint32(account), device: w.used(r, account).device, variant: uint8(r.IntN(2)), exposures: 1}
		u.at = clock(r, table.MicrosOf(day.Window(zone()).From))
		x.meet(u)
		second := u
		second.device = w.used(r, account).device
		second.at += table.Micros(r.Int64N(int64(5 * 24 * time.Hour / time.Microsecond)))
		if second.device != u.device && r.IntN(2) == 0 && second.at < w.end() {
			x.meet(second)
			u.exposures++
		}
		x.accounts = append(x.accounts, u)
	}
	return x
}

// meet adds an exposure to its device.
func (x *exposed) meet(u unit) {
	place := &x.place[u.device]
	if *place < 0 {
		*place = int32(len(x.devices))
		x.devices = append(x.devices, u)
		return
	}
	d := &x.devices[*place]
	if u.at < d.at {
		d.account, d.at, d.variant = u.account, u.at, u.variant
	}
	d.exposures++
}

// rows gives facts/exposure.
func (x *exposed) rows(w *World, emit func(*table.UnitExposureRow) error) error {
	row := func(u unit, stitching, of string, id identifier.ID, devices int) error {
		r := &table.UnitExposureRow{Stitching: stitching, Unit: id, UnitType: of, Variant: variants[u.variant], FirstExposedAt: u.at,
			Exposures: u.exposures, Linked: true, Devices: int64(devices), Platform: []string{"android", "ios", "tv", "web"}[u.device%4], Country: "RU"}
		if u.variant > 0 {
			r.ReceivedAt = &u.at
		}
		return emit(r)
	}
	for _, u := range x.accounts {
		if err := row(u, table.AsOfExposure, "profile", w.profile(u.account), len(w.of(int(u.account)))); err != nil {
			return err
		}
	}
	for _, u := range x.devices {
		if err := row(u, table.ByDevice, "device", w.devices[u.device], 1); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) profile(account uint32) identifier.ID {
	return identifier.Mint(identifier.Profile, w.accounts[account], 0)
}

// identifiers gives facts/unit_identifier: an account's own unit; an exposed device's, and the accounts that were seen on one,
// each at any time with the unit that was exposed first of those that it had been seen on by then.
func (x *exposed) identifiers(w *World, emit func(*table.UnitIdentifierRow) error) error {
	for _, u := range x.accounts {
		if err := emit(&table.UnitIdentifierRow{Stitching: table.AsOfExposure, IdentifierType: table.TypeAccount, Identifier: w.accounts[u.account], Unit: w.profile(u.account)}); err != nil {
			return err
		}
	}
	for _, u := range x.devices {
		if err := emit(&table.UnitIdentifierRow{Stitching: table.ByDevice, IdentifierType: table.TypeDevice, Identifier: w.devices[u.device], Unit: w.devices[u.device]}); err != nil {
			return err
		}
	}
	var links []link
	for account, id := range w.accounts {
		links = append(links[:0], w.of(account)...)
		links = slices.DeleteFunc(links, func(l link) bool { return x.place[l.device] < 0 })
		slices.SortFunc(links, func(a, b link) int { return cmp.Or(cmp.Compare(a.since, b.since), x.earlier(w, a, b)) })
		for i, l := range links {
			if i > 0 && x.earlier(w, links[0], l) < 0 {
				continue
			}
			links[0] = l
			if err := emit(&table.UnitIdentifierRow{Stitching: table.ByDevice, IdentifierType: table.TypeAccount, Identifier: id, From: &l.since, Unit: w.devices[l.device]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// earlier orders exposed devices by their first exposure.
func (x *exposed) earlier(w *World, a, b link) int {
	return cmp.Or(cmp.Compare(x.devices[x.place[a.device]].at, x.devices[x.place[b.device]].at), bytes.Compare(w.devices[a.device][:], w.devices[b.device][:]))
}

// timeline gives core/device_timeline: of a device with one account a span or two, of a television that several use a span for
// each time that another of them takes the remote control.
func (w *World) timeline(emit func(*table.DeviceTimelineRow) error) error {
	const (
		hour = table.Micros(time.Hour / time.Microsecond)
		day  = 24 * hour
	)
	r, end := w.random(forTimeline), w.end()+30*day
	row := func(device, account uint32, from, to table.Micros, method string, shared bool) error {
		return emit(&table.DeviceTimelineRow{Device: w.devices[device], From: from, To: to, Account: w.accounts[account], Profile: w.profile(account),
			Method: method, Shared: shared, Confidence: 0.97})
	}
	users := map[uint32][]uint32{} // of televisions
	for account := range w.accounts {
		for _, l := range w.of(account) {
			if l.shared {
				users[l.device] = append(users[l.device], uint32(account))
				continue
			}
			from := l.since
			if r.IntN(10) == 0 { // logged out for a while
				to := from + 1 + table.Micros(r.Int64N(int64(end-from)/2))
				if err := row(l.device, uint32(account), from, to, timeline.Span, false); err != nil {
					return err
				}
				from = to + table.Micros(r.Int64N(int64(20*day)))
				if err := row(l.device, uint32(account), to, min(from, end), timeline.Backfill, false); err != nil {
					return err
				}
			}
			if from < end {
				if err := row(l.device, uint32(account), from, end, timeline.Span, false); err != nil {
					return err
				}
			}
		}
	}
	for device := range uint32(len(w.devices)) {
		of, at := users[device], table.MicrosOf(firstDay.Window(zone()).From)-30*day
		for len(of) > 0 && at < end {
			to := at + hour + table.Micros(r.ExpFloat64()*float64(8*day))
			method := timeline.Span
			if r.IntN(6) == 0 {
				method = timeline.Bracket
			}
			if err := row(device, of[r.IntN(len(of))], at, min(to, end), method, true); err != nil {
				return err
			}
			if at = to; r.IntN(4) == 0 {
				at += table.Micros(r.Int64N(int64(2 * day)))
			}
		}
	}
	return nil
}
