package exposure

import "crosslift/schemas/identifier"

// lists are lists of subjects, by the number of an account or a device.
type lists struct{ starts, subjects []uint32 }

func (l *lists) of(n uint32) []uint32 {
	if int(n) >= len(l.starts)-1 {
		return nil
	}
	return l.subjects[l.starts[n]:l.starts[n+1]]
}

// roster says which subjects the events of accounts and devices say something about.
type roster struct {
	accounts, devices lists
	accountFirst      bool // an event with an account is its account's, whatever its device; else its device's, where that is anybody's
}

// newRoster lists what a cohort's units are judged by.
func (b *builder) newRoster(c *cohort) roster {
	from, to := int(c.first), int(c.first)+len(c.ids)
	list := func(people int, members func(subject) []uint32) lists {
		l := lists{starts: make([]uint32, people+1)}
		for _, s := range b.subjects[from:to] {
			for _, n := range members(s) {
				l.starts[n+1]++
			}
		}
		for n := range people {
			l.starts[n+1] += l.starts[n]
		}
		l.subjects = make([]uint32, l.starts[people])
		next := make([]uint32, people)
		copy(next, l.starts)
		for i := from; i < to; i++ {
			for _, n := range members(b.subjects[i]) {
				l.subjects[next[n]] = uint32(i)
				next[n]++
			}
		}
		return l
	}
	return roster{list(len(b.accounts.ids), b.members.accounts), list(len(b.devices.ids), b.members.devices), c.by == identifier.Account}
}

// of are the subjects of an event that has an account or not, by their numbers.
func (r *roster) of(has bool, account, device uint32) []uint32 {
	if r.accountFirst {
		if has {
			return r.accounts.of(account)
		}
		return r.devices.of(device)
	}
	if of := r.devices.of(device); len(of) > 0 {
		return of
	}
	return r.accounts.of(account)
}
