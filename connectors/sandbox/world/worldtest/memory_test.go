package worldtest_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/table"
)

// both builds a world on disk and one in memory alike.
type both struct{ memory *worldtest.Memory }

func (b both) Build(c *world.Chunk, to world.Writer) error {
	for i, x := range c.Accounts {
		object, err := json.Marshal(x.Name)
		if err != nil {
			return err
		}
		r := world.Record{ID: x.ID, At: x.Changed.UTC(), Visible: x.Visible.UTC(), Object: object}
		if i%3 == 0 { // some versions are overtaken by later ones
			r.Visible = r.Visible.Add(48 * time.Hour)
		}
		if i%5 == 0 {
			gone := r.Visible.Add(24 * time.Hour)
			r.Gone = &gone
		}
		for _, to := range []world.Writer{to, b.memory} {
			if err := to.Write("product", "users", r); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestMemoryShowsWhatAWorldShows compares them hour by hour, and night by night.
func TestMemoryShowsWhatAWorldShows(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	first, err := table.ParseDay("2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	const nights = 4
	m, dir := worldtest.NewMemory(zone), filepath.Join(t.TempDir(), "world")
	if _, err := world.Create(t.Context(), dir, world.Options{Seed: 1, People: 300, Nights: nights, First: first, Zone: zone}, []world.Builder{both{m}}); err != nil {
		t.Fatal(err)
	}
	w, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, ask func(r world.Reader) ([]world.Record, error)) {
		t.Helper()
		want, err := ask(w)
		if err != nil || len(want) == 0 {
			t.Fatalf("%s: %d records: %v", what, len(want), err)
		}
		got, err := ask(m)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v\nexpected\n%v", what, err, got, want)
		}
	}
	for at := first.Window(zone).From; !at.After((first + nights).Window(zone).To); at = at.Add(time.Hour) {
		same("current at "+at.String(), func(r world.Reader) ([]world.Record, error) { return r.Current("product", "users", at) })
		same("versions at "+at.String(), func(r world.Reader) ([]world.Record, error) { return r.Versions("product", "users", at) })
	}
	want, err := w.Nights("product", "users")
	got, _ := m.Nights("product", "users")
	if err != nil || len(want) < nights || !slices.Equal(got[len(got)-nights:], want[len(want)-nights:]) {
		t.Errorf("%v: nights %v, expected %v", err, got, want)
	}
	for _, night := range want[1:] { // what lies before the first night has a file of its own on disk
		same(night, func(r world.Reader) ([]world.Record, error) {
			records, err := r.Night("product", "users", night)
			records = slices.Clone(records)
			slices.SortFunc(records, func(a, b world.Record) int { return a.Visible.Compare(b.Visible) })
			return records, err
		})
	}
}
