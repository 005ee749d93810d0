package exposure

import (
	"context"
	"slices"
	"sync"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/transform/identity"
)

// profiles are those of the exposed accounts and devices under a stitching.
type profiles struct{ accounts, devices belonging }

// belonging is by number where somebody belongs, zero where nowhere.
type belonging struct{ profiles, blocks []identifier.ID }

// readProfiles reads the profiles of exposed accounts or devices, or both.
func (b *builder) readProfiles(ctx context.Context, stitching string, kinds ...identifier.Kind) (*profiles, error) {
	of := func(kind identifier.Kind) belonging {
		n := 0
		if slices.Contains(kinds, kind) {
			n = len(b.people(kind).tallies)
		}
		return belonging{make([]identifier.ID, n), make([]identifier.ID, n)}
	}
	all := &profiles{of(identifier.Account), of(identifier.Device)}
	var mu sync.Mutex
	return all, identity.Profiles(ctx, b.Profiles, stitching, b.knownBefore(), b.workers, func(m identity.Membership) {
		to := &all.devices
		if m.Kind == identifier.Account {
			to = &all.accounts
		}
		if len(to.profiles) == 0 {
			return
		}
		if n := b.people(m.Kind).find(m.ID); int(n) < len(to.profiles) { // none is beyond
			mu.Lock()
			to.profiles[n], to.blocks[n] = m.Profile, m.Block
			mu.Unlock()
		}
	})
}

// join adds what else belongs to the units that are profiles: devices and, where devices were exposed, accounts.
func (b *builder) join(ctx context.Context, c *cohort) error {
	if c.profiles == 0 {
		return nil
	}
	units := make(map[identifier.ID]uint32, c.profiles)
	for u, id := range c.ids[:c.profiles] {
		units[id] = uint32(u)
	}
	var mu sync.Mutex
	return identity.Profiles(ctx, b.Profiles, c.stitching, b.knownBefore(), b.workers, func(m identity.Membership) {
		u, known := units[m.Profile]
		if !known || m.Kind == identifier.Account && c.by == identifier.Account {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if m.Kind == identifier.Account {
			put(&c.accounts, b.accounts.number(m.ID), u)
		} else {
			put(&c.devices, b.devices.number(m.ID), u)
		}
	})
}

// knownBefore is the instant until which a later night's identity counts; zero where it is the night's own.
func (b *builder) knownBefore() time.Time {
	if b.Known {
		return b.End
	}
	return time.Time{}
}
