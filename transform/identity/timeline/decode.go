package timeline

import (
	"context"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// decoder turns rows into events, in memory that it uses again.
type decoder struct {
	devices, accounts *numbering
	mine              func(device identifier.ID) bool

	at, device, account, what columns.Vector // what: the column that only this table has
	consent                   columns.Vector
	deviceOf, accountOf       []uint32
	used                      []bool // of the accounts
	events                    []event
}

// decode reads the events of a row group. Rows without a device say nothing of one, nor do anonymous ones outside web
// sessions.
func (d *decoder) decode(ctx context.Context, g rowGroup) ([]event, error) {
	what := map[*table.Table]string{table.ProductLogin: "kind", table.Viewing: "seconds", table.WebEvent: "session_id"}[g.day.Table]
	read := []struct {
		column string
		into   *columns.Vector
	}{{g.day.Table.EventTime, &d.at}, {"device", &d.device}, {"account", &d.account}, {what, &d.what}}
	if g.day.Table == table.WebEvent {
		read = append(read, struct {
			column string
			into   *columns.Vector
		}{"analytics_consent", &d.consent})
	}
	for _, r := range read {
		if err := g.day.File.Vector(ctx, g.group, r.column, r.into); err != nil {
			return nil, err
		}
	}
	d.number()
	tell, err := d.teller(g.day.Table)
	if err != nil {
		return nil, err
	}
	d.events = d.events[:0]
	for row, device := range d.device.Index {
		if device < 0 || d.deviceOf[device] == none {
			continue
		}
		e := event{at: d.at.Ints[row], device: d.deviceOf[device]}
		if account := d.account.Index[row]; account >= 0 {
			e.account = d.accountOf[account]
		}
		if tell(row, &e) && (e.account != 0 || e.session != 0) {
			d.events = append(d.events, e)
		}
	}
	return slices.Clone(d.events), nil
}

// number gives numbers to the devices that are asked for and to the accounts that used them.
func (d *decoder) number() {
	d.deviceOf = d.devices.numbers(d.deviceOf, d.device.IDs, func(at int) bool { return d.mine(d.device.IDs[at]) })
	d.used = append(d.used[:0], make([]bool, len(d.account.IDs))...)
	for row, account := range d.account.Index {
		if device := d.device.Index[row]; account >= 0 && device >= 0 && d.deviceOf[device] != none {
			d.used[account] = true
		}
	}
	d.accountOf = d.accounts.numbers(d.accountOf, d.account.IDs, func(at int) bool { return d.used[at] })
}

// teller gives what sets the part of an event that is its table's own, and says whether the row counts.
func (d *decoder) teller(t *table.Table) (func(row int, e *event) bool, error) {
	switch t {
	case table.ProductLogin:
		logout := make([]bool, len(d.what.Strings))
		for i, kind := range d.what.Strings {
			switch kind {
			case "logout":
				logout[i] = true
			case "login", "refresh":
			default:
				return nil, fmt.Errorf("kind %q: expected login, logout or refresh", kind)
			}
		}
		return func(row int, e *event) bool {
			e.logout = logout[d.what.Index[row]]
			return true
		}, nil
	case table.Viewing:
		return func(row int, e *event) bool {
			e.seconds = uint32(min(max(d.what.Ints[row], 0), math.MaxUint32))
			return true
		}, nil
	}
	return func(row int, e *event) bool {
		if at := d.what.Index[row]; at >= 0 {
			e.session = hash(d.what.Strings[at])
		}
		refused := len(d.consent.Bools) > 0 && !d.consent.Bools[row] && (d.consent.Present == nil || d.consent.Present[row])
		return !refused
	}, nil
}

// hash is FNV-1a of 64 bits, never 0: two of the few session ids of a device meet in it less than once in 10^16.
func hash(session string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(session) {
		h = (h ^ uint64(session[i])) * 1099511628211
	}
	return max(h, 1)
}
