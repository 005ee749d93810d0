package timeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Index answers who used a device at an instant, from core/device_timeline. It takes 24 bytes a span and 20 a device, and may
// be asked by several goroutines.
type Index struct {
	devices []identifier.ID // ascending
	first   []uint32        // where each device's spans start, and the end
	spans   []stay          // ascending within a device
}

// Bytes is how many the index takes.
func (x *Index) Bytes() int64 { return int64(16*len(x.devices) + 4*len(x.first) + 24*len(x.spans)) }

type stay struct {
	from, to table.Micros
	user     int32
	by       Methods
}

// Methods is a set of methods.
type Methods uint8

// By is the set of some methods; what is no method is in none.
func By(methods ...string) (set Methods) {
	for i, m := range []string{Session, Span, Backfill, Bracket} {
		if slices.Contains(methods, m) {
			set |= 1 << i
		}
	}
	return set
}

// Wanted says which spans of a timeline are kept, and what their users are called. It is asked by several goroutines.
type Wanted struct {
	Methods Methods                        // only spans by one of these
	Device  func(id *identifier.ID) bool   // only spans of these devices
	Number  func([]identifier.ID, []int32) // gives accounts the caller's numbers; a negative one to those that it does not know
	// Stranger asks whether to keep a device's spans of accounts that the caller does not know: that somebody used it.
	Stranger func(device *identifier.ID) bool
}

// Open reads a timeline.
func Open(ctx context.Context, f *columns.File, w Wanted, workers int) (*Index, error) {
	pieces := make([]Index, f.RowGroups())
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(workers, 1))
	readers := make(chan *spanReader, max(workers, 1)) // used again
	for range cap(readers) {
		readers <- &spanReader{Wanted: w}
	}
	for group := range pieces {
		g.Go(func() error {
			r := <-readers
			defer func() { readers <- r }()
			err := r.read(ctx, f, group)
			if err == nil {
				err = r.choose()
			}
			if err != nil {
				return fmt.Errorf("%s: %w", table.DeviceTimeline, err)
			}
			r.fill(&pieces[group])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return join(pieces)
}

// spanReader makes the pieces of an index from row groups.
type spanReader struct {
	Wanted
	device, from, to, account, method columns.Vector

	by       []Methods // by place in the dictionary of methods
	rows     []int32   // that are wanted
	accounts []identifier.ID
	numbers  []int32 // of the accounts
}

func (r *spanReader) read(ctx context.Context, f *columns.File, group int) error {
	for _, c := range []struct {
		column string
		into   *columns.Vector
	}{{"device", &r.device}, {"from_ts", &r.from}, {"to_ts", &r.to}, {"account", &r.account}, {"method", &r.method}} {
		if err := f.VectorOf(ctx, table.DeviceTimeline, group, c.column, c.into); err != nil {
			return err
		}
	}
	return nil
}

var errOrder = errors.New("a row of a device is out of order")

// choose finds the rows that are wanted as far as methods and devices say, and the numbers of their accounts.
func (r *spanReader) choose() error {
	r.by, r.rows, r.accounts = r.by[:0], r.rows[:0], r.accounts[:0]
	for _, method := range r.method.Strings {
		r.by = append(r.by, By(method)&r.Methods)
	}
	wanted, last := false, (*identifier.ID)(nil)
	for row, device := range r.device.Index {
		switch id := &r.device.IDs[device]; {
		case last != nil && *id == *last:
			if r.from.Ints[row] < r.to.Ints[row-1] {
				return errOrder
			}
		case last != nil && bytes.Compare(last[:], id[:]) > 0:
			return errOrder
		default:
			wanted, last = r.Device(id), id
		}
		if wanted && r.by[r.method.Index[row]] != 0 {
			r.rows, r.accounts = append(r.rows, int32(row)), append(r.accounts, r.account.IDs[r.account.Index[row]])
		}
	}
	r.numbers = slices.Grow(r.numbers[:0], len(r.rows))[:len(r.rows)]
	r.Number(r.accounts, r.numbers)
	return nil
}

// fill takes over the rows that were chosen.
func (r *spanReader) fill(x *Index) {
	keeps, asked := false, (*identifier.ID)(nil)
	x.devices, x.first, x.spans = make([]identifier.ID, 0, len(r.rows)), make([]uint32, 0, len(r.rows)), make([]stay, 0, len(r.rows))
	for i, row := range r.rows {
		id, user := &r.device.IDs[r.device.Index[row]], r.numbers[i]
		if user < 0 {
			if asked == nil || *asked != *id {
				keeps, asked = r.Stranger(id), id
			}
			if !keeps {
				continue
			}
		}
		if n := len(x.devices); n == 0 || x.devices[n-1] != *id {
			x.devices, x.first = append(x.devices, *id), append(x.first, uint32(len(x.spans)))
		}
		x.spans = append(x.spans, stay{table.Micros(r.from.Ints[row]), table.Micros(r.to.Ints[row]), user, r.by[r.method.Index[row]]})
	}
}

// join puts the spans of row groups that follow each other together.
func join(pieces []Index) (*Index, error) {
	devices, spans := 0, 0
	for i := range pieces {
		devices, spans = devices+len(pieces[i].devices), spans+len(pieces[i].spans)
	}
	x := &Index{make([]identifier.ID, 0, devices), make([]uint32, 0, devices+1), make([]stay, 0, spans)}
	for i := range pieces {
		p := &pieces[i]
		for at, id := range p.devices {
			if n := len(x.devices); n > 0 {
				switch c := bytes.Compare(x.devices[n-1][:], id[:]); {
				case c > 0 || c == 0 && p.spans[p.first[at]].from < x.spans[len(x.spans)-1].to:
					return nil, fmt.Errorf("%s: %w", table.DeviceTimeline, errOrder)
				case c == 0: // the spans of one device in two row groups
					continue
				}
			}
			x.devices, x.first = append(x.devices, id), append(x.first, uint32(len(x.spans))+p.first[at])
		}
		x.spans = append(x.spans, p.spans...)
	}
	x.first = append(x.first, uint32(len(x.spans)))
	return x, nil
}

// Devices are those that the index has spans of, ascending.
func (x *Index) Devices() []identifier.ID { return x.devices }

// Begins gives when a device's first span begins. Whoever is to ask about many devices asks this of them first: the processor
// then waits for all their spans at a time.
func (x *Index) Begins(device int) table.Micros { return x.spans[x.first[device]].from }

// At gives the number of who used a device, by its place among Devices, at an instant, by one of some methods; negative for
// somebody whom the caller does not know. ok is false for nobody.
func (x *Index) At(device int, by Methods, at table.Micros) (user int32, ok bool) {
	return x.During(device, by, at, at)
}

// During gives who used the device at all instants from first to last, where that was one: the answer then serves every event
// of the device among them. ok is false where there is no such user.
func (x *Index) During(device int, by Methods, first, last table.Micros) (user int32, ok bool) {
	spans := x.spans[x.first[device]:x.first[device+1]]
	low, high := 0, len(spans)
	for high-low > 1 { // the last span that starts by then is in [low, high), if any does
		if middle := int(uint(low+high) / 2); spans[middle].from <= first {
			low = middle
		} else {
			high = middle
		}
	}
	s := &spans[low]
	if first < s.from || first >= s.to || s.by&by == 0 {
		return 0, false
	}
	for last >= spans[low].to { // what touches it may be the same user's, by another method
		low++
		if low == len(spans) || spans[low].from != spans[low-1].to || spans[low].user != s.user || spans[low].by&by == 0 {
			return 0, false
		}
	}
	return s.user, true
}
