package timeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// rowGroup is a piece of work of reading.
type rowGroup struct {
	day   Day
	group int
}

// rowGroups lists those that may hold events since an instant.
func rowGroups(days []Day, since table.Micros) ([]rowGroup, error) {
	var groups []rowGroup
	for _, d := range days {
		if !slices.Contains([]*table.Table{table.ProductLogin, table.Viewing, table.WebEvent}, d.Table) {
			return nil, fmt.Errorf("device timeline: %s tells nothing of who uses a device", d.Table)
		}
		for g := range d.File.RowGroups() {
			if _, last, ok := d.File.IntBounds(g, d.Table.EventTime); !ok || table.Micros(last) >= since {
				groups = append(groups, rowGroup{d, g})
			}
		}
	}
	return groups, nil
}

// collected is the events of some devices, those of a device together.
type collected struct {
	devices  []identifier.ID // by number
	accounts []identifier.ID // by number; number 0 is nobody
	events   []event
	first    []int // where each device's events start, and the end
}

// of gives the events of a device.
func (c *collected) of(device int) []event { return c.events[c.first[device]:c.first[device+1]] }

// collect reads the events of the devices that are asked for.
func collect(ctx context.Context, groups []rowGroup, mine func(identifier.ID) bool, workers int) (*collected, error) {
	devices, accounts := numbering{}, numbering{}
	accounts.add(identifier.ID{})
	var mu sync.Mutex
	var chunks [][]event

	g, ctx := errgroup.WithContext(ctx)
	work := make(chan rowGroup)
	g.Go(func() error {
		defer close(work)
		for _, one := range groups {
			select {
			case work <- one:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		g.Go(func() error {
			d := decoder{devices: &devices, accounts: &accounts, mine: mine}
			for one := range work {
				events, err := d.decode(ctx, one)
				if err != nil {
					return fmt.Errorf("%s of %s: %w", one.day.Table, one.day.Day, err)
				}
				if len(events) > 0 {
					mu.Lock()
					chunks = append(chunks, events)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c := &collected{devices: devices.ids, accounts: accounts.ids}
	c.group(chunks)
	return c, nil
}

// group brings the events of each device together, by counting them.
func (c *collected) group(chunks [][]event) {
	c.first = make([]int, len(c.devices)+1)
	for _, chunk := range chunks {
		for i := range chunk {
			c.first[chunk[i].device+1]++
		}
	}
	for i := range c.devices {
		c.first[i+1] += c.first[i]
	}
	c.events = make([]event, c.first[len(c.devices)])
	place := slices.Clone(c.first)
	for i, chunk := range chunks {
		for _, e := range chunk {
			c.events[place[e.device]] = e
			place[e.device]++
		}
		chunks[i] = nil
	}
}

// numbering numbers identifiers in the order in which they are met.
type numbering struct {
	mu  sync.Mutex
	of  map[identifier.ID]uint32
	ids []identifier.ID
}

// none stands for an identifier that is of no interest.
const none = math.MaxUint32

// numbers gives the number of each of a dictionary's identifiers that are wanted.
func (n *numbering) numbers(into []uint32, ids []identifier.ID, wanted func(at int) bool) []uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	into = into[:0]
	for at, id := range ids {
		if wanted(at) {
			into = append(into, n.add(id))
		} else {
			into = append(into, none)
		}
	}
	return into
}

func (n *numbering) add(id identifier.ID) uint32 {
	number, known := n.of[id]
	if !known {
		if n.of == nil {
			n.of = map[identifier.ID]uint32{}
		}
		number = uint32(len(n.ids))
		n.of[id], n.ids = number, append(n.ids, id)
	}
	return number
}
