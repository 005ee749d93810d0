package worldtest

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// Memory is a world in memory, which shows what one on disk would. It is written by one at a time, and not while it is read.
type Memory struct {
	zone  *time.Location
	files map[file][]world.Record
}

type file struct{ source, stream, night string }

var (
	_ world.Writer = (*Memory)(nil)
	_ world.Reader = (*Memory)(nil)
)

// NewMemory is a world of nothing, whose nights are days of a zone.
func NewMemory(zone *time.Location) *Memory { return &Memory{zone, map[file][]world.Record{}} }

// Write implements world.Writer.
func (m *Memory) Write(source, stream string, r world.Record) error {
	f := file{source, stream, table.DayOf(r.Visible, m.zone).String()}
	r.Object = bytes.Clone(r.Object)
	m.files[f] = append(m.files[f], r)
	return nil
}

// Current implements world.Reader.
func (m *Memory) Current(source, stream string, at time.Time) ([]world.Record, error) {
	versions, err := m.Versions(source, stream, at)
	newest := map[string]world.Record{}
	for _, r := range versions {
		if !r.Visible.Before(newest[r.ID].Visible) {
			newest[r.ID] = r
		}
	}
	maps.DeleteFunc(newest, func(_ string, r world.Record) bool { return r.Gone != nil && !r.Gone.After(at) })
	return slices.SortedFunc(maps.Values(newest), func(a, b world.Record) int { return cmp.Compare(a.ID, b.ID) }), err
}

// Versions implements world.Reader.
func (m *Memory) Versions(source, stream string, at time.Time) (shown []world.Record, err error) {
	for f, records := range m.files {
		if f.source == source && f.stream == stream {
			shown = append(shown, records...)
		}
	}
	shown = slices.DeleteFunc(shown, func(r world.Record) bool { return r.Visible.After(at) })
	slices.SortStableFunc(shown, func(a, b world.Record) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), a.Visible.Compare(b.Visible))
	})
	return shown, nil
}

// Night implements world.Reader.
func (m *Memory) Night(source, stream, night string) ([]world.Record, error) {
	return m.files[file{source, stream, night}], nil
}

// Nights implements world.Reader.
func (m *Memory) Nights(source, stream string) (nights []string, err error) {
	for f := range m.files {
		if f.source == source && f.stream == stream {
			nights = append(nights, f.night)
		}
	}
	slices.Sort(nights)
	return nights, nil
}
