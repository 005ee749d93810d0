package exposure_test

import (
	"bytes"
	"cmp"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// byProfile makes units of accounts.
func (ref *reference) byProfile(stitching string) *cohort {
	c := newCohort(stitching, true)
	decides, _ := ref.profiles(table.Latest)
	of, devices := decides, map[identifier.ID]identifier.ID(nil)
	if stitching != table.AsOfExposure {
		of, devices = ref.profiles(stitching)
	}
	units := map[identifier.ID]*unit{}
	for _, e := range ref.inside {
		p, known := of[e.Account]
		if !known {
			p = decides[e.Account]
		}
		if _, known := decides[e.Account]; !known {
			continue
		}
		if units[p] == nil {
			units[p] = &unit{id: p, typ: "profile"}
			c.units = append(c.units, units[p])
		}
		units[p].exposures = append(units[p].exposures, e)
		c.accounts[e.Account] = units[p]
	}
	for _, u := range c.units {
		who, at := lead(u.exposures, account)
		ref.judge(u, who, identifier.Account, at, everything)
	}
	if stitching == table.Latest || stitching == table.Loose {
		for d, p := range devices {
			if units[p] != nil {
				c.devices[d] = units[p]
			}
		}
	}
	return c
}

// byItself makes every exposed device a unit.
func (ref *reference) byItself() *cohort {
	c := newCohort(table.ByDevice, false)
	for _, e := range ref.inside {
		if e.Device.IsZero() {
			continue
		}
		if c.devices[e.Device] == nil {
			c.devices[e.Device] = &unit{id: e.Device, typ: "device"}
			c.units = append(c.units, c.devices[e.Device])
		}
		c.devices[e.Device].exposures = append(c.devices[e.Device].exposures, e)
	}
	for _, u := range c.units {
		who, at := lead(u.exposures, deviceOf)
		ref.judge(u, who, identifier.Device, at, func(d identifier.ID) bool { return d == u.id })
	}
	return c
}

// byDevicesProfile makes units of devices by their profiles of the night.
func (ref *reference) byDevicesProfile(stitching string) *cohort {
	c := newCohort(stitching, false)
	accounts, devices := ref.profiles(stitching)
	units := map[identifier.ID]*unit{}
	for _, e := range ref.inside {
		if e.Device.IsZero() {
			continue
		}
		is, typ := e.Device, "device"
		if p, has := devices[e.Device]; has {
			is, typ = p, "profile"
		}
		if units[is] == nil {
			units[is] = &unit{id: is, typ: typ}
			c.units = append(c.units, units[is])
		}
		units[is].exposures = append(units[is].exposures, e)
		c.devices[e.Device] = units[is]
	}
	for _, u := range c.units {
		who, at := lead(u.exposures, deviceOf)
		ref.judge(u, who, identifier.Device, at, func(d identifier.ID) bool { return u.typ == "profile" || d == u.id })
	}
	for d, p := range devices {
		if units[p] != nil {
			c.devices[d] = units[p]
		}
	}
	for a, p := range accounts {
		if units[p] != nil {
			c.accounts[a] = units[p]
		}
	}
	return c
}

// byGroup walks devices by their first exposures.
func (ref *reference) byGroup() *cohort {
	c := newCohort(table.AsOfExposure, false)
	left, ids := ref.byItself().units, map[identifier.ID]bool{}
	slices.SortFunc(left, func(x, y *unit) int { return cmp.Or(cmp.Compare(x.at, y.at), bytes.Compare(x.id[:], y.id[:])) })
	for _, d := range left {
		u := c.devices[d.id]
		if u == nil {
			u = &unit{typ: "group"}
			g := ref.judge(u, d.id, identifier.Device, d.at, func(id identifier.ID) bool { return c.devices[id] == nil })
			if u.id = g.ID; ids[u.id] {
				u.id = identifier.Mint(identifier.Profile, d.id, 0)
			}
			ids[u.id] = true
			for id := range u.devices {
				c.devices[id] = u
			}
			for a := range u.accounts {
				c.first[a] = append(c.first[a], u)
			}
			c.units = append(c.units, u)
		}
		u.exposures = append(u.exposures, d.exposures...)
	}
	return c
}

// cohorts are those of all stitchings, that which decides first.
func (ref *reference) cohorts() []*cohort {
	all := []*cohort{}
	if ref.in.Experiment.AssignedBy == "account" {
		for _, s := range []string{table.AsOfExposure, table.Strict, table.Latest, table.Loose} {
			all = append(all, ref.byProfile(s))
		}
	} else {
		all = append(all, ref.byGroup())
		for _, s := range []string{table.Strict, table.Latest, table.Loose} {
			all = append(all, ref.byDevicesProfile(s))
		}
	}
	return append(all, ref.byItself())
}
