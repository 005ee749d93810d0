package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

// identityTables are what the job of identity writes.
func identityTables() []*table.Table { return append(night.Tables(), table.DeviceTimeline) }

// Nights lists the nights whose identity a lake holds, ascending.
func Nights(ctx context.Context, l *lake.Lake) ([]table.Day, error) {
	t := identityTables()[0] // is committed last
	keys, err := l.Keys(ctx, t.Path()+"/")
	if err != nil {
		return nil, err
	}
	var nights []table.Day
	for p := range keys {
		nights = append(nights, p.Day)
	}
	slices.Sort(nights)
	return nights, nil
}

// Night is a night's identity in a lake, opened to be asked.
type Night struct {
	who.Night
	Heads  map[*table.Table]*lake.Head
	Others bool // it was made by other rules or decisions than the project has now

	readings []*lake.Reading
}

// Close frees what the night holds.
func (n *Night) Close() error {
	var err error
	for _, r := range n.readings {
		err = errors.Join(err, r.Close())
	}
	return err
}

// OpenNight opens a night's identity. Tables that were not made together are refused.
func OpenNight(ctx context.Context, l *lake.Lake, day table.Day, of Identity) (*Night, error) {
	heads, err := nightHeads(ctx, l, day)
	if err != nil {
		return nil, err
	}
	if err := together(heads); err != nil {
		return nil, err
	}
	n := &Night{Night: who.Night{Day: day, Files: map[*table.Table]*columns.File{}, Rules: of.Rules, Decisions: of.Decisions}, Heads: heads}
	n.Others = !maps.Equal(heads[identityTables()[0]].Recipe.Definitions, of.definitions())
	for _, t := range identityTables() {
		r, err := l.Read(ctx, heads[t])
		if err != nil {
			return nil, errors.Join(err, n.Close())
		}
		n.readings, n.Files[t] = append(n.readings, r), r.File
	}
	return n, nil
}

func nightHeads(ctx context.Context, l *lake.Lake, day table.Day) (map[*table.Table]*lake.Head, error) {
	tables := identityTables()
	heads := make([]*lake.Head, len(tables))
	g, ctx := errgroup.WithContext(ctx)
	for i, t := range tables {
		g.Go(func() (err error) {
			heads[i], err = l.Head(ctx, lake.Partition{Table: t, Day: day})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	of := map[*table.Table]*lake.Head{}
	for i, t := range tables {
		of[t] = heads[i]
	}
	return of, nil
}

// ErrTorn says that the tables of a night were not made together.
var ErrTorn = errors.New("not made together")

// together refuses tables of one night that were not made by one recipe, and tables of another version.
func together(heads map[*table.Table]*lake.Head) error {
	first := heads[identityTables()[0]]
	now := lake.Tables(identityTables()...)
	for _, t := range identityTables() {
		if h := heads[t]; h.Recipe.Hash() != first.Recipe.Hash() {
			return fmt.Errorf("%s and %s were %w: run night %s again", h.Partition, first.Partition, ErrTorn, first.Day)
		}
	}
	if !maps.Equal(first.Recipe.Tables, now) {
		return fmt.Errorf("night %s was made by another version of the program: run it again", first.Day)
	}
	return nil
}

// Changes opens what nights wrote to core/identity_change: those after one night, up to another, in order. Closing them is
// the caller's, also after an error. whole tells whether they lead from the one night to the other without a gap.
func Changes(ctx context.Context, l *lake.Lake, after, upto table.Day) (changes []who.Changes, whole bool, closeAll func() error, err error) {
	var readings []*lake.Reading
	closeAll = func() error {
		var err error
		for _, r := range readings {
			err = errors.Join(err, r.Close())
		}
		return err
	}
	heads, err := l.Heads(ctx, table.IdentityChange, "")
	if err != nil {
		return nil, false, closeAll, err
	}
	last := after
	whole = true
	for _, h := range heads {
		if h.Day <= after || h.Day > upto {
			continue
		}
		_, follows := h.Recipe.Previous[lake.Partition{Table: table.IdentityChange, Day: last}.Key()]
		whole, last = whole && follows, h.Day
		r, err := l.Read(ctx, h)
		if err != nil {
			return nil, false, closeAll, err
		}
		readings, changes = append(readings, r), append(changes, who.Changes{Night: h.Day, File: r.File})
	}
	return changes, whole && last == upto, closeAll, nil
}
