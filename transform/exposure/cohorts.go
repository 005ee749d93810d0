package exposure

import (
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// sensitivities are the stitchings that decide nothing, and take who belongs together from the night.
var sensitivities = []string{table.Strict, table.Latest, table.Loose}

// ofAccounts makes units where accounts are assigned, those that decide first.
func (b *builder) ofAccounts(ctx context.Context) ([]*cohort, error) {
	latest, err := b.readProfiles(ctx, table.Latest, identifier.Account, identifier.Device)
	if err != nil {
		return nil, err
	}
	profiles := latest.accounts.profiles // as of exposure too: an account's profile depends on no link
	all := b.devices.asked(identifier.Device, latest.devices.blocks)
	for _, w := range b.accounts.asked(identifier.Account, latest.accounts.blocks) {
		if profiles[w.n].IsZero() {
			b.withoutUnit += b.accounts.tallies[w.n].exposures
		} else {
			all = append(all, w)
		}
	}
	if err := b.askGroups(ctx, all); err != nil {
		return nil, err
	}
	decide := &cohort{stitching: table.AsOfExposure, by: identifier.Account}
	whole := func(n uint32) subject { return b.accounts.groups[n].subject }
	b.judge(decide, b.unite(decide, profiles), whole)
	cohorts := []*cohort{decide}
	for _, stitching := range sensitivities {
		of := profiles
		if stitching != table.Latest {
			read, err := b.readProfiles(ctx, stitching, identifier.Account)
			if err != nil {
				return nil, err
			}
			of = read.accounts.profiles
		}
		for n := range of {
			if of[n].IsZero() || profiles[n].IsZero() {
				of[n] = profiles[n]
			}
		}
		c := &cohort{stitching: stitching, by: identifier.Account}
		leads := b.unite(c, of)
		if slices.Equal(of, profiles) {
			c.first = decide.first
		} else {
			b.judge(c, leads, whole)
		}
		if stitching != table.Strict {
			if err := b.join(ctx, c); err != nil {
				return nil, err
			}
		}
		cohorts = append(cohorts, c)
	}
	return append(cohorts, b.everyDevice()), nil
}

// ofDevices makes units where devices are assigned, those that decide first.
func (b *builder) ofDevices(ctx context.Context) ([]*cohort, error) {
	latest, err := b.readProfiles(ctx, table.Latest, identifier.Device)
	if err != nil {
		return nil, err
	}
	if err := b.askGroups(ctx, b.devices.asked(identifier.Device, latest.devices.blocks)); err != nil {
		return nil, err
	}
	decide, alone := b.walk(), b.everyDevice()
	cohorts := []*cohort{decide, alone}
	for _, stitching := range sensitivities {
		profiles := latest.devices.profiles
		if stitching != table.Latest {
			read, err := b.readProfiles(ctx, stitching, identifier.Device)
			if err != nil {
				return nil, err
			}
			profiles = read.devices.profiles
		}
		c := &cohort{stitching: stitching, by: identifier.Device, typ: typeDevice}
		leads := append(b.unite(c, profiles), b.separate(c, profiles)...)
		if c.profiles == 0 {
			c.first = alone.first
		} else {
			b.judge(c, leads, func(n uint32) subject {
				if profiles[n].IsZero() {
					return b.devices.groups[n].alone()
				}
				return b.devices.groups[n].subject
			})
		}
		if err := b.join(ctx, c); err != nil {
			return nil, err
		}
		cohorts = append(cohorts, c)
	}
	return cohorts, nil
}

// everyDevice makes each exposed device a unit.
func (b *builder) everyDevice() *cohort {
	c := &cohort{stitching: table.ByDevice, by: identifier.Device, typ: typeDevice}
	b.judge(c, b.separate(c, nil), func(n uint32) subject { return b.devices.groups[n].alone() })
	return c
}

// asked are all that were exposed.
func (p *people) asked(kind identifier.Kind, blocks []identifier.ID) []who {
	all := make([]who, len(p.tallies))
	for n := range all {
		all[n] = who{kind, uint32(n), blocks[n]}
	}
	return all
}

// judge says what each unit is judged by: what says something about it is what did about the first of its own that was
// exposed.
func (b *builder) judge(c *cohort, leads []uint32, by func(n uint32) subject) {
	c.first = uint32(len(b.subjects))
	for _, n := range leads {
		b.subjects = append(b.subjects, by(n))
	}
	b.rosters = append(b.rosters, b.newRoster(c))
}
