package timeline

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Input is what a night's timeline is made from.
type Input struct {
	Rules Rules
	// Days hold the events, in any order: of every day, or, beside a Previous timeline, of those that have events since
	// Rules.ReadFrom(Horizon).
	Days []Day

	Previous *columns.File // core/device_timeline of the night before; nil: all is made from the events
	Horizon  table.Micros  // beside Previous: the instant until which it still holds

	// What is asked of identifiers; by several goroutines.
	Type    func(device identifier.ID) string // one of table.Type…; any other is a device of which no type is known
	Profile func(account identifier.ID) identifier.ID
	// Refused tells of accounts that refused to be analysed until when they get nothing: what they had before they consented
	// again is not given back.
	Refused map[identifier.ID]table.Micros

	// Memory bounds the events that are held at once, in bytes: devices are worked in so many parts as that takes, and
	// the days are read once a part. 0: one part. Identifiers that are met take some 50 bytes each beside it.
	Memory int64
}

// Day is a partition of raw/product_login, raw/viewing or raw/web_event.
type Day struct {
	Table *table.Table
	Day   table.Day
	File  *columns.File
}

// eventBytes is what an event takes while the events are brought in the order of their devices.
const eventBytes = 64

// Build emits the rows of a night, in no order and one call at a time. Rows of a device do not overlap, and no two that
// touch are alike. Nothing is emitted for an account without a profile. workers bounds the goroutines; neither their
// number nor Memory changes the rows.
func Build(ctx context.Context, in Input, workers int, emit func(*table.DeviceTimelineRow) error) error {
	if err := in.Rules.check(); err != nil {
		return err
	}
	from, since := table.Micros(math.MinInt64), table.Micros(math.MinInt64)
	if in.Previous != nil {
		from, since = in.Horizon, in.Rules.ReadFrom(in.Horizon)
	}
	groups, err := rowGroups(in.Days, since)
	if err != nil {
		return err
	}
	parts := uint64(1)
	if in.Memory > 0 {
		rows := int64(0)
		for _, g := range groups {
			rows += g.day.File.RowGroupRows(g.group)
		}
		parts = uint64(max(1, (rows*eventBytes+in.Memory-1)/in.Memory))
	}
	for part := range parts {
		b := &build{
			in: in, from: from, workers: max(workers, 1), emit: emit,
			mine: func(device identifier.ID) bool { return partOf(device)%parts == part },
		}
		if err := b.run(ctx, groups); err != nil {
			return fmt.Errorf("device timeline: %w", err)
		}
	}
	return nil
}

// partOf mixes an identifier's bits; they are those of a hash, wherever in it they stand.
func partOf(id identifier.ID) uint64 {
	return binary.BigEndian.Uint64(id[:8])*0x9E3779B97F4A7C15>>17 ^ binary.BigEndian.Uint64(id[8:])
}

// build makes the rows of a part of the devices.
type build struct {
	in      Input
	from    table.Micros // what is said of the time before is taken over
	workers int
	mine    func(device identifier.ID) bool

	mu    sync.Mutex // guards what follows, from the sweep on
	emit  func(*table.DeviceTimelineRow) error
	seams map[identifier.ID]table.DeviceTimelineRow // rows taken over that reach the horizon: they may go on behind it
}

func (b *build) run(ctx context.Context, groups []rowGroup) error {
	if b.in.Previous != nil {
		if err := b.takeOver(ctx); err != nil {
			return fmt.Errorf("taking over the night before: %w", err)
		}
	}
	c, err := collect(ctx, groups, b.mine, b.workers)
	if err != nil {
		return err
	}
	if err := b.sweep(ctx, c); err != nil {
		return err
	}
	for _, row := range b.seams {
		if err := b.put(row); err != nil {
			return err
		}
	}
	return nil
}

// takeOver emits what the night before said of the time before the horizon, but for the rows that reach it.
func (b *build) takeOver(ctx context.Context) error {
	b.seams = map[identifier.ID]table.DeviceTimelineRow{}
	return readRows(ctx, b.in.Previous, func(row table.DeviceTimelineRow) error {
		switch {
		case row.From >= b.from || !b.mine(row.Device):
			return nil
		case row.To >= b.from:
			row.To = b.from
			b.seams[row.Device] = row
			return nil
		}
		return b.put(row)
	})
}

// sweepDevices is how many devices a worker takes at a time.
const sweepDevices = 256

// sweep makes the rows of the devices with events.
func (b *build) sweep(ctx context.Context, c *collected) error {
	g, ctx := errgroup.WithContext(ctx)
	var taken atomic.Int64
	for range b.workers {
		g.Go(func() error {
			s := &sweeper{rules: b.in.Rules, accounts: c.accounts, from: int64(b.from), events: make([]int32, len(c.accounts))}
			var rows []table.DeviceTimelineRow
			for {
				last := int(taken.Add(sweepDevices))
				if last-sweepDevices >= len(c.devices) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				rows = rows[:0]
				for device := last - sweepDevices; device < min(last, len(c.devices)); device++ {
					id := c.devices[device]
					for _, one := range s.device(c.of(device), b.in.Type(id)) {
						rows = append(rows, table.DeviceTimelineRow{
							Device: id, From: table.Micros(one.from), To: table.Micros(one.to),
							Account: c.accounts[one.account], Method: one.method, Shared: one.shared,
						})
					}
				}
				if err := b.join(rows); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// join emits rows of devices, each joined with the row taken over that it goes on from.
func (b *build) join(rows []table.DeviceTimelineRow) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, row := range rows {
		if row.From == b.from {
			if seam, ok := b.seams[row.Device]; ok && seam.Account == row.Account && seam.Method == row.Method && seam.Shared == row.Shared {
				row.From = seam.From
				delete(b.seams, row.Device)
			}
		}
		if err := b.put(row); err != nil {
			return err
		}
	}
	return nil
}

// put emits a row with tonight's profile and confidence, as far as its account may have it.
func (b *build) put(row table.DeviceTimelineRow) error {
	if until := b.in.Refused[row.Account]; until >= row.To {
		return nil
	} else if until > row.From {
		row.From = until
	}
	if row.Profile = b.in.Profile(row.Account); row.Profile.IsZero() {
		return nil
	}
	row.Confidence = confidence(row.Method, row.Shared)
	return b.emit(&row)
}
