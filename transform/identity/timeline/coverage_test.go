package timeline_test

import (
	"maps"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns/columnstest"
)

// TestCoverage counts anonymous events by how they are attributed: not those of an account, nor without consent.
func TestCoverage(t *testing.T) {
	t.Parallel()
	tv, phone := identifier.ID{1}, identifier.ID{2}
	no := false
	days := []timeline.Day{
		{Table: table.Viewing, File: columnstest.File(t, table.Viewing,
			&table.ViewingRow{SourceID: "1", ViewedAt: 10, Device: tv, Seconds: 1}, &table.ViewingRow{SourceID: "2", ViewedAt: 19, Device: tv, Seconds: 1},
			&table.ViewingRow{SourceID: "3", ViewedAt: 20, Device: tv, Seconds: 1}, &table.ViewingRow{SourceID: "4", ViewedAt: 12, Device: tv, Account: identifier.ID{9}, Seconds: 1},
			&table.ViewingRow{SourceID: "5", ViewedAt: 9, Device: phone, Seconds: 1})},
		{Table: table.WebEvent, File: columnstest.File(t, table.WebEvent,
			&table.WebEventRow{SourceID: "1", EventAt: 35, EventName: "x", Device: phone}, &table.WebEventRow{SourceID: "2", EventAt: 36, EventName: "x", Device: phone, Consent: &no})},
		{Table: table.ProductLogin},
	}
	c, err := timeline.Anonymous(t.Context(), days)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []table.DeviceTimelineRow{
		{Device: phone, From: 30, To: 40, Method: timeline.Backfill}, {Device: tv, From: 15, To: 20, Method: timeline.Span, Shared: true},
		{Device: tv, From: 10, To: 15, Method: timeline.Session}, {Device: identifier.ID{3}, From: 0, To: 99, Method: timeline.Span},
	} {
		c.Add(&r)
	}
	got := c.Count()
	want := map[string]int64{"": 2, timeline.Session: 1, timeline.Span: 1, timeline.Backfill: 1}
	if got.Events != 5 || !maps.Equal(got.ByMethod, want) || !maps.Equal(got.Shared, map[string]int64{timeline.Span: 1}) {
		t.Errorf("got %+v, expected %v of 5", got, want)
	}
}
