package timeline

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Index answers who used a device at an instant, from core/device_timeline. It takes 20 bytes a span and 20 a device
// beside 32 a user, and may be asked by several goroutines.
type Index struct {
	devices []identifier.ID // ascending
	first   []uint32        // where each device's spans start, and the end
	from    []table.Micros  // by span: ascending within a device
	to      []table.Micros
	user    []User
	users   []user
}

// User is the number of somebody who used a device: what depends on who it is can be looked up once for each, in a
// slice of Index.Users() entries.
type User uint32

type user struct{ account, profile identifier.ID }

// Spans are the spans of one device.
type Spans struct{ first, end uint32 }

// Open reads a timeline, of the methods named or, where none is, of all.
func Open(ctx context.Context, f *columns.File, methods ...string) (*Index, error) {
	x := &Index{}
	known := map[user]User{}
	err := readRows(ctx, f, func(row table.DeviceTimelineRow) error {
		if len(methods) > 0 && !slices.Contains(methods, row.Method) {
			return nil
		}
		who := user{row.Account, row.Profile}
		number, ok := known[who]
		if !ok {
			number = User(len(x.users))
			known[who], x.users = number, append(x.users, who)
		}
		return x.add(&row, number)
	})
	if err != nil {
		return nil, err
	}
	x.first = append(x.first, uint32(len(x.from)))
	return x, nil
}

// add appends a span, joining it with what it continues: methods and classes are not told apart here, so most devices
// of one account come to have one.
func (x *Index) add(row *table.DeviceTimelineRow, number User) error {
	last := len(x.from) - 1
	switch {
	case len(x.devices) == 0 || bytes.Compare(x.devices[len(x.devices)-1][:], row.Device[:]) < 0:
		x.devices, x.first = append(x.devices, row.Device), append(x.first, uint32(len(x.from)))
	case x.devices[len(x.devices)-1] != row.Device || row.From < x.to[last]:
		return fmt.Errorf("%s: row %d is out of order", table.DeviceTimeline, last+2)
	case row.From == x.to[last] && number == x.user[last]:
		x.to[last] = row.To
		return nil
	}
	x.from, x.to, x.user = append(x.from, row.From), append(x.to, row.To), append(x.user, number)
	return nil
}

// Spans finds a device's spans: none of a device that nobody known used.
func (x *Index) Spans(device identifier.ID) Spans {
	at, found := slices.BinarySearchFunc(x.devices, device, func(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) })
	if !found {
		return Spans{}
	}
	return Spans{x.first[at], x.first[at+1]}
}

// At gives who used the device at an instant; ok is false for nobody known.
func (x *Index) At(s Spans, at table.Micros) (_ User, ok bool) {
	return x.During(s, at, at)
}

// During gives who used the device at all instants from first to last, where one span holds them: the answer then
// serves every event of the device among them. ok is false where there is no such span.
func (x *Index) During(s Spans, first, last table.Micros) (_ User, ok bool) {
	low, high := s.first, s.end
	for high-low > 1 { // the last span that starts by then is in [low, high), if any does
		if middle := low + (high-low)/2; x.from[middle] <= first {
			low = middle
		} else {
			high = middle
		}
	}
	if low == high || first < x.from[low] || last >= x.to[low] {
		return 0, false
	}
	return x.user[low], true
}

// Account is the account of a user.
func (x *Index) Account(u User) identifier.ID { return x.users[u].account }

// Profile is the profile of a user.
func (x *Index) Profile(u User) identifier.ID { return x.users[u].profile }

// Users is how many users there are.
func (x *Index) Users() int { return len(x.users) }
