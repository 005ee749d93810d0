// Package identity says who is one person. For now a profile is an account; the interface is that of the graph that
// comes behind it: observations in, memberships out, ids carried from the night before.
package identity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same observations give other memberships.
const Logic = 1

// AsOfExposure is the stitching that experiments are decided by.
const AsOfExposure = "as_of_exposure"

// Input is what a night's identity is made from.
type Input struct {
	Night    table.Day
	End      time.Time     // of the night, exclusive
	Previous *columns.File // core/profile_identifier of the night before; nil on the first night
	Observed []Observed    // every observation up to the night
}

// Observed is a raw partition in which identifiers were seen.
type Observed struct {
	Table *table.Table
	Day   table.Day
	File  *columns.File
}

// Stitch emits the memberships of a night, in no order: each account that was seen belongs to a profile since its first
// observation. Profile ids are carried from the night before, and minted for new accounts; so memberships and ids are
// the same however the observations are split into nights.
func Stitch(ctx context.Context, in Input, workers int, emit func(*table.ProfileIdentifierRow) error) error {
	known := map[identifier.ID]identifier.ID{}
	if in.Previous != nil {
		err := memberships(ctx, in.Previous, AsOfExposure, func(m membership) {
			if m.kind == identifier.Account {
				known[m.id] = m.profile
			}
		})
		if err != nil {
			return err
		}
	}
	first := firstSeen{at: map[identifier.ID]table.Micros{}}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	for _, o := range in.Observed {
		g.Go(func() error {
			if err := first.observe(gctx, o); err != nil {
				return fmt.Errorf("%s of %s: %w", o.Table, o.Day, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for account, at := range first.at {
		profile, ok := known[account]
		if !ok {
			profile = identifier.Mint(identifier.Profile, account, 0)
		}
		if err := emit(&table.ProfileIdentifierRow{
			Stitching: AsOfExposure, IdentifierType: string(identifier.Account), Identifier: account, Profile: profile, ValidFrom: at,
		}); err != nil {
			return err
		}
	}
	return nil
}

// firstSeen is when each account was seen first.
type firstSeen struct {
	mu sync.Mutex
	at map[identifier.ID]table.Micros
}

// observe reads the accounts of a partition, looking each up once a row group.
func (f *firstSeen) observe(ctx context.Context, o Observed) error {
	for _, column := range o.Table.Columns {
		if column.Kind != identifier.Account {
			continue
		}
		var accounts, times columns.Vector
		for g := range o.File.RowGroups() {
			if err := o.File.Vector(ctx, g, column.Name, &accounts); err != nil {
				return err
			}
			if err := o.File.Vector(ctx, g, o.Table.EventTime, &times); err != nil {
				return err
			}
			earliest, seen := make([]int64, len(accounts.IDs)), make([]bool, len(accounts.IDs))
			for row, at := range accounts.Index {
				if at >= 0 && (!seen[at] || times.Ints[row] < earliest[at]) {
					earliest[at], seen[at] = times.Ints[row], true
				}
			}
			f.mu.Lock()
			for at, id := range accounts.IDs {
				if was, ok := f.at[id]; seen[at] && (!ok || table.Micros(earliest[at]) < was) {
					f.at[id] = table.Micros(earliest[at])
				}
			}
			f.mu.Unlock()
		}
	}
	return nil
}
