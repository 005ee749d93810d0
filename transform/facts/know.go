package facts

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns"
)

// know numbers the identifiers of all views: those that units claim, and devices that somebody used. Accounts are numbered
// ascending, devices beside those of the accounts whose units claim them: so, in the order of a sorted object, everything that
// is kept by number is met in its order.
func (b *builder) know(ctx context.Context, claimed []*claim) error {
	var of [2][]*claims
	if err := b.parallel(2, func(side int) error {
		var all []identifier.ID
		for i := range claimed {
			of[side] = append(of[side], &claimed[i].sides[side])
			all = union(all, claimed[i].sides[side].ids)
		}
		for _, c := range of[side] {
			c.number(all)
		}
		if side == 0 {
			b.accounts = newIndex(all)
		} else {
			b.devices = newIndex(neighbours(all, claimed))
		}
		return nil
	}); err != nil {
		return err
	}
	identifiers := [2]int{len(b.accounts.ids), len(b.devices.ids)} // devices that were only used will come after these
	if err := b.openUsers(ctx, claimed); err != nil {
		return err
	}
	return b.parallel(2, func(side int) error {
		*[]**owners{&b.ofAccounts, &b.ofDevices}[side] = newOwners(identifiers[side], of[side])
		return nil
	})
}

// number gives claims the places of their identifiers among all, which ascend as they do.
func (c *claims) number(all []identifier.ID) {
	c.numbers = make([]int32, len(c.ids))
	place := 0
	for i := range c.ids {
		for all[place] != c.ids[i] {
			place++
		}
		c.numbers[i] = int32(place)
	}
}

// neighbours brings ascending devices into the order of the first accounts of the units that claim them, and gives the claims the
// new numbers.
func neighbours(devices []identifier.ID, claimed []*claim) []identifier.ID {
	const leading = 18 // bits of the account: it need not be exact
	keys := slices.Repeat([]uint32{1 << leading}, len(devices))
	for _, c := range claimed {
		for i, number := range c.sides[1].numbers {
			keys[number] = min(keys[number], c.neighbour[c.sides[1].units[i]]>>(32-leading))
		}
	}
	starts := make([]int32, 1<<leading+2)
	for _, key := range keys {
		starts[key+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	ordered, places := make([]identifier.ID, len(devices)), make([]int32, len(devices))
	for i, key := range keys {
		places[i] = starts[key]
		starts[key]++
		ordered[places[i]] = devices[i]
	}
	for _, c := range claimed {
		for i, number := range c.sides[1].numbers {
			c.sides[1].numbers[i] = places[number]
		}
	}
	return ordered
}

// openUsers reads who used devices, where a view asks that of events: only users whom an experiment knows, and of devices that
// are a unit's own when nobody known used them all others too.
func (b *builder) openUsers(ctx context.Context, claimed []*claim) error {
	wanted := timeline.Wanted{Number: func(ids []identifier.ID, numbers []int32) { b.accounts.findAll(ids, numbers) },
		Stranger: func(*identifier.ID) bool { return false }}
	for i, v := range b.views {
		if len(v.ids) == 0 {
			continue
		}
		wanted.Methods |= v.methods
		if v.methods != 0 && !v.byDevice && len(claimed[i].sides[1].ids) > 0 {
			claimed := b.devices
			wanted.Stranger = func(id *identifier.ID) bool { return claimed.find(id) != none }
		}
	}
	if wanted.Methods == 0 || b.Timeline == nil {
		return nil
	}
	asked, err := b.anonymous(ctx)
	if err != nil || asked.bits == nil {
		return err
	}
	wanted.Device = asked.has
	if b.users, err = timeline.Open(ctx, b.Timeline, wanted, b.workers); err != nil {
		return err
	}
	used := b.users.Devices()
	places := make([]int32, len(used))
	b.devices.findAll(used, places)
	devices := b.devices.ids
	b.userOf = slices.Repeat([]int32{none}, len(devices))
	for i, place := range places {
		if place != none {
			b.userOf[place] = int32(i)
		} else {
			devices, b.userOf = append(devices, used[i]), append(b.userOf, int32(i))
		}
	}
	b.devices = newIndex(devices)
	return nil
}

// anonymous reads the devices of events without an account, as far as row groups tell: whoever used these may be asked for.
func (b *builder) anonymous(ctx context.Context) (asked *sieve, err error) {
	asked = new(sieve)
	for _, r := range b.readings {
		if !r.device {
			continue
		}
		for _, day := range r.days {
			bare := func(g int) bool { return !r.account || day.File.Absent(g, table.TypeAccount) > 0 }
			err := scan(ctx, day.File, r.table, b.workers, []string{"device"}, bare, func(_ int, v []columns.Vector) error {
				asked.add(v[0].IDs)
				return nil
			})
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", r.table, day.Day, err)
			}
		}
	}
	return asked, nil
}

// sieve is a set of identifiers, by their leading bits: it may hold some that were not added.
type sieve struct {
	mu   sync.Mutex
	bits []uint64 // none while nothing was added
}

const sieveBits = 24

func (s *sieve) add(ids []identifier.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bits == nil && len(ids) > 0 {
		s.bits = make([]uint64, 1<<(sieveBits-6))
	}
	for i := range ids {
		at := binary.BigEndian.Uint64(ids[i][:8]) >> (64 - sieveBits)
		s.bits[at>>6] |= 1 << (at & 63)
	}
}

func (s *sieve) has(id *identifier.ID) bool {
	at := binary.BigEndian.Uint64(id[:8]) >> (64 - sieveBits)
	return s.bits[at>>6]&(1<<(at&63)) != 0
}
