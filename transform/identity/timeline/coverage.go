package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Coverage tells what share of the anonymous events of some days a timeline attributes, and how.
type Coverage struct {
	events map[identifier.ID][]table.Micros
	rows   map[identifier.ID][]span
}

type span struct {
	from, to table.Micros
	method   string
	shared   bool
}

// Covered counts anonymous events: in all, by the method that attributes them ("" for none), and of those on devices that
// several accounts used, which are known to be attributed only.
type Covered struct {
	Events   int64
	ByMethod map[string]int64
	Shared   map[string]int64 // by method, of ByMethod
}

// Anonymous reads the anonymous events of days of raw/viewing and raw/web_event.
func Anonymous(ctx context.Context, days []Day) (*Coverage, error) {
	c := &Coverage{events: map[identifier.ID][]table.Micros{}, rows: map[identifier.ID][]span{}}
	for _, day := range days {
		if day.Table != table.Viewing && day.Table != table.WebEvent {
			continue
		}
		var devices, accounts, times, consent columns.Vector
		for g := range day.File.RowGroups() {
			read := map[string]*columns.Vector{"device": &devices, "account": &accounts, day.Table.EventTime: &times}
			if day.Table == table.WebEvent {
				read["analytics_consent"] = &consent
			}
			for name, v := range read {
				if err := day.File.Vector(ctx, g, name, v); err != nil {
					return nil, fmt.Errorf("%s of %s: %w", day.Table, day.Day, err)
				}
			}
			for row, device := range devices.Index {
				refused := len(consent.Bools) > 0 && !consent.Bools[row] && (consent.Present == nil || consent.Present[row])
				if device >= 0 && accounts.Index[row] < 0 && !refused {
					id := devices.IDs[device]
					c.events[id] = append(c.events[id], table.Micros(times.Ints[row]))
				}
			}
		}
	}
	return c, nil
}

// Add takes a row of the timeline, in any order.
func (c *Coverage) Add(r *table.DeviceTimelineRow) {
	if _, wanted := c.events[r.Device]; wanted {
		c.rows[r.Device] = append(c.rows[r.Device], span{r.From, r.To, r.Method, r.Shared})
	}
}

// Count holds the events against the rows.
func (c *Coverage) Count() Covered {
	n := Covered{ByMethod: map[string]int64{}, Shared: map[string]int64{}}
	for device, events := range c.events {
		spans := c.rows[device]
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		for _, at := range events {
			n.Events++
			i, found := slices.BinarySearchFunc(spans, at, func(s span, at table.Micros) int { return cmp.Compare(s.from, at) })
			if !found {
				i--
			}
			if i < 0 || spans[i].to <= at {
				n.ByMethod[""]++
				continue
			}
			n.ByMethod[spans[i].method]++
			if spans[i].shared {
				n.Shared[spans[i].method]++
			}
		}
	}
	return n
}
