package identity

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Membership is that an account or a device belongs to a profile.
type Membership struct {
	Kind        identifier.Kind
	ID, Profile identifier.ID
	Block       identifier.ID // where core/identity_link holds its links; zero under Strict and Loose
}

// Profiles reads from core/profile_identifier which profile every account and device belongs to under a stitching, and calls
// each for it, from several goroutines at once. Under table.AsOfExposure it gives accounts alone: their profiles depend on no link,
// and are the same at every instant.
//
// Memberships that have ended are left out. Where before is not zero, so is what was not known before it: a later night's
// identity stands in for an earlier one that is gone.
func Profiles(ctx context.Context, f *columns.File, stitching string, before time.Time, workers int, each func(Membership)) error {
	of := stitching
	if stitching == table.AsOfExposure {
		of = table.Latest
	}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range max(1, min(workers, f.RowGroups())) {
		g.Go(func() error {
			var r reader
			for i := int(next.Add(1)) - 1; i < f.RowGroups(); i = int(next.Add(1)) - 1 {
				if low, high, ok := f.StringBounds(i, "stitching"); ok && (of < low || high < of) {
					continue
				}
				if err := r.read(ctx, f, i); err != nil {
					return fmt.Errorf("%s: %w", table.ProfileIdentifier, err)
				}
				for row := range r.from.Ints {
					kind := r.kinds[r.typ.Index[row]]
					if r.stitching.Strings[r.stitching.Index[row]] != of || kind == "" || stitching == table.AsOfExposure && kind != identifier.Account {
						continue
					}
					if r.held(row, before) {
						m := Membership{Kind: kind, ID: r.id.IDs[r.id.Index[row]], Profile: r.profile.IDs[r.profile.Index[row]]}
						if at := r.block.Index[row]; at >= 0 {
							m.Block = r.block.IDs[at]
						}
						each(m)
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// reader reads row groups one after another, into the same memory.
type reader struct {
	stitching, typ, id, profile, block, from, to columns.Vector

	kinds []identifier.Kind // by place in the dictionary of types: account, device or ""
}

func (r *reader) read(ctx context.Context, f *columns.File, rowGroup int) error {
	rows := int(f.RowGroupRows(rowGroup))
	for _, c := range []struct {
		column string
		into   *columns.Vector
	}{{"stitching", &r.stitching}, {"identifier_type", &r.typ}, {"identifier", &r.id}, {"profile_id", &r.profile}, {"block", &r.block}, {"valid_from", &r.from}, {"valid_to", &r.to}} {
		if err := f.Vector(ctx, rowGroup, c.column, c.into); err != nil {
			return err
		}
		if max(len(c.into.Index), len(c.into.Ints)) != rows {
			return fmt.Errorf("column %s, row group %d: not one of this table", c.column, rowGroup)
		}
	}
	r.kinds = r.kinds[:0]
	for _, typ := range r.typ.Strings {
		r.kinds = append(r.kinds, kindOf(typ))
	}
	return nil
}

// held reports whether a membership holds, and was known before an instant.
func (r *reader) held(row int, before time.Time) bool {
	ended := r.to.Present == nil || r.to.Present[row]
	if before.IsZero() {
		return !ended
	}
	limit := before.UnixMicro()
	return r.from.Ints[row] < limit && (!ended || limit <= r.to.Ints[row])
}

// kindOf is the kind of identifier that a type is of: devices are told apart by what they are.
func kindOf(typ string) identifier.Kind {
	switch typ {
	case table.TypeAccount:
		return identifier.Account
	case table.TypeApp, table.TypeCookie, table.TypeTV, table.TypeBrowser, table.TypeDevice:
		return identifier.Device
	}
	return ""
}
