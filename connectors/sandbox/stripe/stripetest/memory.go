// Package stripetest is for tests of and against the sandbox's Stripe: a world in memory, Stripe's own specification as
// a judge of requests and answers, and stripe-mock.
package stripetest

import (
	"slices"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Memory keeps a world's records. It implements world.Writer and world.Reader as far as the sandbox's Stripe reads.
type Memory struct{ records map[string][]world.Record }

var (
	_ world.Writer = (*Memory)(nil)
	_ world.Reader = (*Memory)(nil)
)

// Write implements world.Writer.
func (m *Memory) Write(source, stream string, r world.Record) error {
	if m.records == nil {
		m.records = map[string][]world.Record{}
	}
	key := source + "/" + stream
	m.records[key] = append(m.records[key], r)
	return nil
}

// Current implements world.Reader.
func (m *Memory) Current(source, stream string, at time.Time) ([]world.Record, error) {
	newest := map[string]world.Record{}
	for _, r := range m.records[source+"/"+stream] {
		known, ok := newest[r.ID]
		if !r.Visible.After(at) && (!ok || !r.Visible.Before(known.Visible)) {
			newest[r.ID] = r
		}
	}
	var all []world.Record
	for _, r := range newest {
		if r.Gone == nil || r.Gone.After(at) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b world.Record) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

// Versions implements world.Reader.
func (m *Memory) Versions(source, stream string, at time.Time) ([]world.Record, error) {
	var all []world.Record
	for _, r := range m.records[source+"/"+stream] {
		if !r.Visible.After(at) {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b world.Record) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// Night and Nights are not what a Stripe account asks for.
func (m *Memory) Night(string, string, string) ([]world.Record, error) { return nil, nil }

// Nights implements world.Reader.
func (m *Memory) Nights(string, string) ([]string, error) { return nil, nil }
