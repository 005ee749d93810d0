// Package whotest makes nights of identity for tests: small worlds whose stories are known, or random ones.
package whotest

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who"
	"crosslift/warehouse/columns"
)

// Edges are observations by day.
type Edges map[table.Day][]*table.IdentityEdgeRow

// Made is a night, with its rows.
type Made struct {
	who.Night
	Rows map[*table.Table][]any
}

// Options say how a night is made.
type Options struct {
	Rules     graph.Rules
	Decisions night.Decisions
	Timeline  []*table.DeviceTimelineRow
	Before    *Made // nil: it is the first
}

// Make makes a night from all edges until then.
func Make(t testing.TB, day table.Day, edges Edges, o Options) *Made {
	t.Helper()
	m := &Made{Night: who.Night{Day: day, Files: map[*table.Table]*columns.File{}, Rules: o.Rules, Decisions: o.Decisions}, Rows: map[*table.Table][]any{}}
	in := night.Input{Night: day, Rules: o.Rules, Decisions: o.Decisions}
	for _, d := range slices.Sorted(maps.Keys(edges)) {
		if d <= day {
			in.Edges = append(in.Edges, night.Day{Day: d, File: file(t, table.IdentityEdge, anyRows(edges[d]))})
		}
	}
	if b := o.Before; b != nil {
		in.Previous = &night.Previous{
			Night: b.Day, Identifiers: b.Files[table.ProfileIdentifier], Profiles: b.Files[table.Profile], Persons: b.Files[table.Person],
			Households: b.Files[table.Household], Refused: b.Files[table.IdentityRefused], Quality: b.Files[table.IdentityQuality],
		}
	}
	_, _, err := night.Build(t.Context(), in, 2, func(of *table.Table, row any) error {
		m.Rows[of] = append(m.Rows[of], kept(of, row))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range o.Timeline {
		m.Rows[table.DeviceTimeline] = append(m.Rows[table.DeviceTimeline], r)
	}
	m.Write(t)
	return m
}

// Write makes the night's files from its rows.
func (m *Made) Write(t testing.TB) {
	t.Helper()
	for _, of := range append(night.Tables(), table.DeviceTimeline) {
		m.Files[of] = file(t, of, m.Rows[of])
	}
}

// file writes rows in any order, and opens the file.
func file(t testing.TB, of *table.Table, rows []any) *columns.File {
	t.Helper()
	var b bytes.Buffer
	if _, err := columns.WriteRows(&b, of, slices.Values(rows), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func anyRows[Row any](rows []*Row) (all []any) {
	for _, r := range rows {
		all = append(all, r)
	}
	return all
}

// kept copies a row, with what its pointers point at.
func kept(of *table.Table, row any) any {
	v := reflect.New(of.Row)
	v.Elem().Set(reflect.ValueOf(row).Elem())
	for i := range v.Elem().NumField() {
		if f := v.Elem().Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
			c := reflect.New(f.Type().Elem())
			c.Elem().Set(f.Elem())
			f.Set(c)
		}
	}
	return v.Interface()
}

// Add adds an observation at an hour of a day.
func (e Edges) Add(day table.Day, hour int, left identifier.ID, leftType string, right identifier.ID, rightType string, rule int64, source string) {
	at := table.Micros(day)*86400e6 + table.Micros(hour)*3600e6
	e[day] = append(e[day], &table.IdentityEdgeRow{
		Left: left, LeftType: leftType, Right: right, RightType: rightType, Rule: rule, Source: source, FirstAt: at, LastAt: at, Count: 1,
	})
}
