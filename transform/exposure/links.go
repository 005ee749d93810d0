package exposure

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/trait"
	"crosslift/warehouse/columns"
)

// sight is that an account was observed on a device.
type sight struct {
	device uint32
	at     int64
}

// sights are the accounts that were observed on devices, by the numbers of the accounts.
type sights struct {
	starts []uint32
	all    []sight
}

func (s *sights) of(account uint32) []sight { return s.all[s.starts[account]:s.starts[account+1]] }

// unlinked are the statuses of links that bring no outcome: of identifiers that are shared beyond their cap, and of accounts
// that refuse to be analysed.
var unlinked = []string{"shared_left", "shared_right", "shared_both", night.NoConsent}

// readSights reads which accounts were observed on the devices that are known, until the end of the night.
func (b *builder) readSights(ctx context.Context) error {
	type met struct {
		account uint32
		sight
	}
	var all []met
	var mu sync.Mutex
	end := b.End.UnixMicro()
	err := eachRowGroup(ctx, table.IdentityLink, []*columns.File{b.Links}, b.workers, func(g *rowGroup) error {
		v, err := g.columns("left_type", "left", "right_type", "right", "first_ts", "status")
		if err != nil {
			return err
		}
		leftType, left, rightType, right, times, status := v[0], v[1], v[2], v[3], v[4].Ints, v[5]
		account := asked(leftType, func(typ string) bool { return typ == table.TypeAccount })
		device := asked(rightType, func(typ string) bool { return trait.Openness(typ) > 0 })
		links := asked(status, func(status string) bool { return !slices.Contains(unlinked, status) })
		var found []int // rows
		var of []uint32
		for row, at := range times {
			if at >= end || right.Index[row] < 0 || !account[leftType.Index[row]] || !device[rightType.Index[row]] || !links[status.Index[row]] {
				continue
			}
			if d := b.devices.find(right.IDs[right.Index[row]]); d != none {
				found, of = append(found, row), append(of, d)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for i, row := range found {
			all = append(all, met{b.accounts.number(left.IDs[left.Index[row]]), sight{of[i], times[row]}})
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.sights = sights{starts: make([]uint32, len(b.accounts.ids)+1), all: make([]sight, len(all))}
	for i := range all {
		b.sights.starts[all[i].account+1]++
	}
	for n := range b.accounts.ids {
		b.sights.starts[n+1] += b.sights.starts[n]
	}
	next := slices.Clone(b.sights.starts)
	for i := range all {
		b.sights.all[next[all[i].account]] = all[i].sight
		next[all[i].account]++
	}
	return nil
}

// asked asks something of a dictionary's texts.
func asked(v *columns.Vector, ask func(text string) bool) []bool {
	answers := make([]bool, len(v.Strings))
	for i, text := range v.Strings {
		answers[i] = ask(text)
	}
	return answers
}

// claim is that an account is linked to a unit from an instant on.
type claim struct {
	unit uint32
	from int64 // always
}

const always = math.MinInt64

// claims decides whose an account's events are: at every instant of the first exposed of the units that it was linked to by
// then. What never decides is left out.
func (b *builder) claims(c *cohort, account uint32, of []claim) []claim {
	if u := c.account(account); u != none && b.isEligible(c.first+u) {
		return append(of, claim{u, always})
	}
	add := func(u uint32, from int64) {
		if u != none && b.isEligible(c.first+u) {
			of = append(of, claim{u, from})
		}
	}
	if c.typ == typeGroup { // its units are the first subjects
		for _, u := range b.rosters[0].accounts.of(account) {
			add(u, always)
		}
	}
	for _, s := range b.sights.of(account) {
		add(c.device(s.device), s.at)
	}
	slices.SortFunc(of, func(x, y claim) int { return cmp.Or(cmp.Compare(x.from, y.from), b.rank(c, x.unit, y.unit)) })
	decide := of[:0]
	for _, next := range of {
		if len(decide) == 0 || b.rank(c, next.unit, decide[len(decide)-1].unit) < 0 {
			decide = append(decide, next)
		}
	}
	return decide
}

// rank puts the unit first that was exposed first.
func (b *builder) rank(c *cohort, x, y uint32) int {
	return cmp.Or(cmp.Compare(b.subjects[c.first+x].at, b.subjects[c.first+y].at), bytes.Compare(c.ids[x][:], c.ids[y][:]))
}
