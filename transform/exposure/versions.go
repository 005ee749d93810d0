package exposure

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
)

// version is a row of a table of changes: what something was from one instant until another one changed it.
type version struct {
	of              uint32 // the thing's number
	changed, until  int64  // exclusive, and inclusive: before until, what it was is this
	at              int64
	has             bool
	account, device uint32
	meets           bool
}

// inquireVersions is inquire for a table of changes, in which a row is the whole thing as it stood after a change: stands says
// whether a version is the one that a subject is to be judged by. So a row says nothing where another one has replaced it,
// whoever's that is and whether or not it meets the test.
//
// The table is read twice: first for the things that may matter at all, then for all their versions.
func (b *builder) inquireVersions(ctx context.Context, q inquiry, stands func(s uint32, v *version) bool) error {
	things := map[string]uint32{}
	first := q
	first.text = "source_id"
	first.take = func(_ uint32, _ int64, id string) {
		if _, known := things[id]; !known {
			things[strings.Clone(id)] = uint32(len(things))
		}
	}
	if err := b.inquire(ctx, first); err != nil || len(things) == 0 {
		return err
	}
	versions, err := b.versions(ctx, &q, things)
	if err != nil {
		return err
	}
	for i := range versions {
		v := &versions[i]
		if v.until = never; i+1 < len(versions) && versions[i+1].of == v.of {
			v.until = versions[i+1].changed
		}
		if !v.meets || v.at < q.from || v.at >= q.to {
			continue
		}
		for r := range q.rosters {
			for _, s := range q.rosters[r].of(v.has, v.account, v.device) {
				if stands(s, v) && q.wants(s, v.at) {
					q.take(s, v.at, "")
				}
			}
		}
	}
	return nil
}

// versions reads those of some things, each thing's in the order of their changes.
func (b *builder) versions(ctx context.Context, q *inquiry, things map[string]uint32) ([]version, error) {
	var all []version
	var mu sync.Mutex
	err := eachRowGroup(ctx, q.table, q.files, b.workers, func(g *rowGroup) error {
		ids, err := g.column("source_id")
		if err != nil {
			return err
		}
		numbers, any := make([]uint32, len(ids.Strings)), false
		for i, id := range ids.Strings {
			numbers[i] = none
			if n, known := things[id]; known {
				numbers[i], any = n, true
			}
		}
		if !any {
			return nil
		}
		p, err := b.parties(g, q.table)
		if err != nil {
			return err
		}
		times, err := g.columns(q.table.EventTime, q.time)
		if err != nil {
			return err
		}
		meets, err := q.test.Bind(g.column)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for row, at := range ids.Index {
			if numbers[at] == none {
				continue
			}
			v := version{of: numbers[at], changed: times[0].Ints[row], at: times[1].Ints[row], meets: meets(row)}
			v.has, v.account, v.device = p.of(row)
			all = append(all, v)
		}
		return nil
	})
	slices.SortFunc(all, func(x, y version) int { return cmp.Or(cmp.Compare(x.of, y.of), cmp.Compare(x.changed, y.changed)) })
	return all, err
}
