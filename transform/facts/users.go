package facts

import (
	"context"
	"slices"

	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns"
)

// users answers who used a device, by some methods of core/device_timeline.
type users struct {
	*timeline.Index
	account []int32 // by timeline.User: the number of the account; none of one that no experiment knows
}

// methods are those of the timeline that a stitching takes: by none of them, nil, where it does not ask.
func methods(stitching string) []string {
	switch stitching {
	case table.Strict:
		return []string{timeline.Session}
	case table.Loose:
		return []string{timeline.Session, timeline.Span, timeline.Backfill}
	case table.AsOfExposure, table.Latest:
		return []string{timeline.Session, timeline.Span}
	}
	return nil
}

// openUsers reads the timeline once for each set of methods that a stitching with units takes.
func (b *builder) openUsers(ctx context.Context) error {
	var sets [][]string
	var opened []*users
	for _, v := range b.views {
		set := methods(v.stitching)
		if set == nil || len(v.units.ids) == 0 || b.Timeline == nil || !b.needsUsers() {
			continue
		}
		at := slices.IndexFunc(sets, func(other []string) bool { return slices.Equal(set, other) })
		if at < 0 {
			u, err := b.open(ctx, b.Timeline, set)
			if err != nil {
				return err
			}
			at = len(sets)
			sets, opened = append(sets, set), append(opened, u)
		}
		v.users = opened[at]
	}
	return nil
}

func (b *builder) open(ctx context.Context, f *columns.File, set []string) (*users, error) {
	x, err := timeline.Open(ctx, f, set...)
	if err != nil {
		return nil, err
	}
	u := &users{Index: x, account: make([]int32, x.Users())}
	for i := range u.account {
		id := x.Account(timeline.User(i))
		u.account[i] = b.accounts.find(&id)
	}
	return u, nil
}

// needsUsers reports whether any event that is read has a device and no account.
func (b *builder) needsUsers() bool {
	for path, days := range b.Events {
		t := table.Named(path)
		if _, has := column(t, "device"); !has || b.readings[path] == nil {
			continue
		}
		if _, has := column(t, "account"); !has {
			return true
		}
		for _, day := range days {
			for g := range day.File.RowGroups() {
				if day.File.Absent(g, "account") > 0 {
					return true
				}
			}
		}
	}
	return false
}
