package verify

import (
	"context"
	"maps"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// home is where what an account does belongs: the unit of its first exposure.
type home struct {
	truth *world.TrueExposure
	at    table.Micros
	unit  map[string]identifier.ID // by stitching
	knew  []identifier.ID          // the devices that it had been logged in on by then
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
	for i := range w.truth {
		e := &w.truth[i]
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
		h := &home{truth: e, at: key.at, unit: map[string]identifier.ID{}}
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
	if f.assignedBy == world.ByAccount {
		var devices part
		for _, h := range homes {
			if u := f.units[table.AsOfExposure][h.unit[table.AsOfExposure]]; u != nil && u.FirstExposedAt == h.at {
				devices.add(u.Devices == int64(len(h.knew)), 1)
			}
		}
		r.share("units with as many devices as the account had been logged in on", devices.share(), ">=", 0.9, devices.n)
	} else {
		f.claims(r, w, homes, units)
	}
	f.holdShares(r, w, homes)
	since, err := in.beginnings()
	if err != nil {
		return err
	}
	f.holdSegments(r, w, homes, units, since)

	money, _, _ := f.shares(table.ByDevice, homes, w.deeds[paying], 32*day, roubles)
	watched, _, _ := f.shares(table.ByDevice, homes, w.deeds[watching], 14*day, seconds)
	r.shown("by device: units for one exposed account", float64(len(f.units[table.ByDevice]))/float64(max(1, len(w.truth))), int64(len(w.truth)))
	if f.assignedBy == world.ByDevice {
		var several part
		for unit, devices := range f.members(table.AsOfExposure) {
			exposed := 0
			for _, d := range devices {
				if f.units[table.ByDevice][d] != nil {
					exposed++
				}
			}
			several.add(exposed > 1 && f.units[table.AsOfExposure][unit] != nil, 1)
		}
		r.shown("by device: units that would be several", several.share(), several.n)
	}
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
// logged in on by then. What another account was logged in on before, such as the first one of the same person, is that one's.
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
	r.share("devices of units, recall", recall.share(), ">=", 0.94, recall.n)
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
