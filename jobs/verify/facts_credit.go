package verify

import (
	"context"
	"maps"
	"slices"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// home is where what an account does belongs: the unit of its first exposure.
type home struct {
	at   table.Micros
	unit map[string]identifier.ID // by stitching
	knew []identifier.ID          // the devices that it had been logged in on by then
}

// homes finds the units of the accounts that were truly exposed, by account; where the first exposure was made unreadable there
// is none.
func (in Input) homes(f *found, w *lived) (map[identifier.ID]*home, error) {
	shown := map[meeting]identifier.ID{} // the device, by unit and instant
	for _, m := range w.exposed {
		key := meeting{at: m.at, account: m.account}
		if f.assignedBy == world.ByDevice {
			key.device = m.device
		}
		shown[key] = m.device
	}
	homes := map[identifier.ID]*home{}
	for _, e := range w.truth {
		account, _, err := in.both(e.Account, "")
		if err != nil {
			return nil, err
		}
		key := meeting{at: table.MicrosOf(e.At), account: account}
		id := account
		if e.UnitType == world.ByDevice {
			if key.account, key.device, err = in.both("", e.Unit); err != nil {
				return nil, err
			}
			id = key.device
		}
		device, is := shown[key]
		if !is {
			continue
		}
		h := &home{at: key.at, unit: map[string]identifier.ID{}}
		h.unit[table.AsOfExposure], _ = f.unitOf(table.AsOfExposure, id, h.at)
		h.unit[table.ByDevice], _ = f.unitOf(table.ByDevice, device, h.at)
		for _, d := range e.Devices {
			_, id, err := in.both("", d)
			if err != nil {
				return nil, err
			}
			h.knew = append(h.knew, id)
		}
		homes[account] = h
	}
	return homes, nil
}

// part is how much of something there is, and how much of that is as it should be.
type part struct {
	right, all float64
	n          int64
}

func (p *part) add(right bool, weight float64) {
	p.n++
	if p.all += weight; right {
		p.right += weight
	}
}

func (p *part) share() float64 {
	if p.all == 0 {
		return 0
	}
	return p.right / p.all
}

// shares looks at what exposed accounts truly did in a window: how much of it their units have, of that without an account by
// itself, and how much of what units have without an account was truly in the name of one of theirs.
func (f *found) shares(stitching string, homes map[identifier.ID]*home, deeds []deed, window time.Duration, weight func(deed) float64) (all, anonymous, rightly part) {
	length := table.Micros(window.Microseconds())
	for _, d := range deeds {
		if d.damaged {
			continue
		}
		unit, is := f.credited(stitching, d.account, d.device, d.at)
		if u := f.units[stitching][unit]; !is || u == nil || d.at < u.FirstExposedAt || d.at >= u.FirstExposedAt+length {
			is = false
		}
		h := homes[d.by]
		right := is && h != nil && h.unit[stitching] == unit
		if d.account.IsZero() && is {
			whose, _ := f.unitOf(stitching, d.by, d.at)
			rightly.add(whose == unit, weight(d))
		}
		if h == nil || d.at < h.at || d.at >= h.at+length {
			continue
		}
		if all.add(right, weight(d)); d.account.IsZero() {
			anonymous.add(right, weight(d))
		}
	}
	return all, anonymous, rightly
}

// credit compares to whom what people did is put down: how much of it their units have. Accounts that refuse analysis are joined
// with nothing, and are left out. Beside it stands what a report by
// device has, and one that joins payments with every device of their account.
func (in Input) credit(ctx context.Context, r *report, f *found, w *lived, units map[identifier.ID]*entry) error {
	homes, err := in.homes(f, w)
	if err != nil {
		return err
	}
	refuse, err := in.refuse(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(homes, func(account identifier.ID, _ *home) bool { return refuse[account] })
	twice := 0
	for _, of := range f.whose {
		for _, rows := range of {
			for i := 1; i < len(rows); i++ {
				if rows[i].From == nil || rows[i-1].From != nil && *rows[i].From <= *rows[i-1].From {
					twice++
				}
			}
		}
	}
	r.exact("accounts and devices that are two units' at one instant", float64(twice), 0, int64(len(f.whose[table.AsOfExposure])))
	money, _, _ := f.shares(table.AsOfExposure, homes, w.deeds[paying], 32*day, roubles)
	watched, anonymous, rightly := f.shares(table.AsOfExposure, homes, w.deeds[watching], 14*day, seconds)
	if f.assignedBy == world.ByAccount {
		if money.n > 0 {
			r.exact("what exposed accounts paid, of their units", money.share(), 1, money.n)
		}
		var devices part
		for _, h := range homes {
			if u := f.units[table.AsOfExposure][h.unit[table.AsOfExposure]]; u != nil && u.FirstExposedAt == h.at {
				devices.add(u.Devices == int64(len(h.knew)), 1)
			}
		}
		r.share("units with as many devices as the account had been logged in on", devices.share(), ">=", 0.9, devices.n)
		r.share("what exposed accounts watched, of their units", watched.share(), ">=", 0.985, watched.n)
	} else {
		f.claims(r, w, homes, units)
		r.share("what exposed accounts paid, of their units", money.share(), ">=", 0.95, money.n)
		r.share("what exposed accounts watched, of their units", watched.share(), ">=", 0.9, watched.n)
	}
	r.shown("what they watched without an account, of their units", anonymous.share(), anonymous.n)
	r.shown("what units have that was watched without an account, theirs", rightly.share(), rightly.n)

	money, _, _ = f.shares(table.ByDevice, homes, w.deeds[paying], 32*day, roubles)
	watched, _, _ = f.shares(table.ByDevice, homes, w.deeds[watching], 14*day, seconds)
	r.shown("by device: units for one exposed account", float64(len(f.units[table.ByDevice]))/float64(max(1, len(w.truth))), int64(len(w.truth)))
	r.shown("by device: the share that paid a first month, of that by unit", f.mean("paid_first_month", table.ByDevice)/f.mean("paid_first_month", table.AsOfExposure),
		int64(len(f.units[table.ByDevice])))
	r.shown("by device: what exposed accounts paid, of the device that met the offer first", money.share(), money.n)
	r.shown("by device: what exposed accounts watched, of the device that met the offer first", watched.share(), watched.n)
	return in.fanOut(ctx, r, f, w, homes)
}

// mean is a metric's mean over all units; of nothing, as if all had 1.
func (f *found) mean(metric, stitching string) float64 {
	total := 0.0
	for _, row := range f.values[metric][stitching] {
		total += row.Sum
	}
	if total == 0 {
		return 1
	}
	return total / float64(len(f.values[metric][stitching]))
}

// claims compares the devices that units of devices have with those that the account behind the first exposure had been
// logged in on by then.
func (f *found) claims(r *report, w *lived, homes map[identifier.ID]*home, units map[identifier.ID]*entry) {
	members := f.members(table.AsOfExposure)
	var precision, recall part
	for _, h := range homes {
		unit := h.unit[table.AsOfExposure]
		if e := units[unit]; e == nil || e.first.at != h.at {
			continue // somebody else's exposure made the unit
		}
		for _, d := range members[unit] {
			precision.add(slices.Contains(h.knew, d), 1)
		}
		for _, d := range h.knew {
			recall.add(slices.Contains(members[unit], d), 1)
		}
	}
	homeless := map[identifier.ID]bool{}
	for _, m := range w.exposed {
		if _, is := f.unitOf(table.AsOfExposure, m.device, m.at); !is {
			homeless[m.device] = true
		}
	}
	r.exact("exposed devices of no unit", float64(len(homeless)), 0, int64(len(w.exposed)))
	r.share("devices of units, precision", precision.share(), ">=", 0.9, precision.n)
	r.share("devices of units, recall", recall.share(), ">=", 0.98, recall.n)
}

// fanOut tells how often a payment counts where payments are joined with every exposed device of their account.
func (in Input) fanOut(ctx context.Context, r *report, f *found, w *lived, homes map[identifier.ID]*home) error {
	devices := map[identifier.ID]map[identifier.ID]bool{} // exposed ones, by account
	for row, err := range in.newest(ctx, table.IdentityLink) {
		if err != nil {
			return err
		}
		l := row.(*table.IdentityLinkRow)
		account, device := l.Left, l.Right
		if homes[account] == nil {
			account, device = device, account
		}
		if homes[account] == nil || f.units[table.ByDevice][device] == nil {
			continue
		}
		if devices[account] == nil {
			devices[account] = map[identifier.ID]bool{}
		}
		devices[account][device] = true
	}
	counted, n := 0, int64(0)
	for _, d := range w.deeds[paying] {
		if h := homes[d.by]; h != nil && d.at >= h.at && len(devices[d.by]) > 0 {
			counted += len(devices[d.by])
			n++
		}
	}
	r.shown("by device: how often a payment counts, joined with every exposed device of its account", float64(counted)/float64(max(1, n)), n)
	return nil
}
