package exposure_test

import (
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/table"
	"crosslift/transform/identity/night/nighttest"
)

// texts are rows as text, in order.
func texts[Row any](of *table.Table, rows []*Row) []string {
	var all []string
	for _, row := range rows {
		var b strings.Builder
		for _, c := range of.Columns {
			b.WriteString(c.Name + "=" + of.Text(row, c) + " ")
		}
		all = append(all, b.String())
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			t.Errorf("%s: has  %s", what, row)
		}
	}
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("%s: wants %s", what, row)
		}
	}
	t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
}

// TestReference holds all rows of small random worlds against the plain words of the reference, whatever the order of rows
// and files and the number of workers. It takes worlds until they have shown all that shows counts, since few of them have
// a segment or an activation at all.
func TestReference(t *testing.T) {
	t.Parallel()
	for _, assignedBy := range []string{"account", "device"} {
		t.Run(assignedBy, func(t *testing.T) {
			t.Parallel()
			r := nighttest.Random(t)
			shown := map[string]int{}
			rounds := nighttest.Rounds(8)
			for round := 0; round < rounds || round < 20*rounds && len(missing(shown)) > 0; round++ {
				w := random(r, assignedBy)
				w.identify(t)
				w.files(t, r)
				got, err := build(t, w.in, 1+r.IntN(4))
				if err != nil {
					t.Fatal(err)
				}
				ref := w.reference(t)
				var units []*table.UnitExposureRow
				var identifiers []*table.UnitIdentifierRow
				cohorts := ref.cohorts()
				for _, c := range cohorts {
					ref.decideEligible(c)
					units, identifiers = append(units, ref.rows(c)...), append(identifiers, ref.owners(c)...)
				}
				same(t, "units", texts(table.UnitExposure, got.units), texts(table.UnitExposure, units))
				same(t, "identifiers", texts(table.UnitIdentifier, got.identifiers), texts(table.UnitIdentifier, identifiers))
				var quality []*table.ExposureQualityRow
				for _, q := range ref.quality(cohorts[0]) {
					quality = append(quality, &q)
				}
				for _, q := range got.quality {
					q.Alarm = ""
				}
				same(t, "quality", texts(table.ExposureQuality, got.quality), texts(table.ExposureQuality, quality))
				for what, n := range got.shows() {
					shown[what] += n
				}
				w.files(t, r)
				again, err := build(t, w.in, 1+r.IntN(4))
				if err != nil {
					t.Fatal(err)
				}
				same(t, "units again", texts(table.UnitExposure, again.units), texts(table.UnitExposure, got.units))
				same(t, "identifiers again", texts(table.UnitIdentifier, again.identifiers), texts(table.UnitIdentifier, got.identifiers))
				for _, q := range again.quality {
					q.Alarm = ""
				}
				same(t, "quality again", texts(table.ExposureQuality, again.quality), texts(table.ExposureQuality, got.quality))
			}
			t.Logf("%v", shown)
			if never := missing(shown); len(never) > 0 {
				t.Errorf("the worlds never show %s", strings.Join(never, ", "))
			}
		})
	}
}

// missing are the things that have been looked for and not seen.
func missing(shown map[string]int) []string {
	var names []string
	for what, n := range shown {
		if n == 0 {
			names = append(names, what)
		}
	}
	return names
}

// shows counts what worlds are to show.
func (r *result) shows() map[string]int {
	n := map[string]int{"units": len(r.units)}
	count := func(what string, is bool) {
		n[what] += 0
		if is {
			n[what]++
		}
	}
	for _, u := range r.units {
		count("received", u.ReceivedAt != nil)
		count("assigned", u.AssignedAt != nil)
		count("activated", u.ActivatedAt != nil)
		count("crossover", u.Crossover)
		count(u.Stitching+" linked", u.Linked)
		if u.UnitType != "device" {
			count(u.Stitching+" of several devices", u.Devices > 1)
		}
		count("channel", u.Channel != "")
		count("plan", u.Plan != "")
		count("returning", u.Newness == "returning")
		count("new", u.Newness == "new")
	}
	several := map[string]int{}
	for _, row := range r.identifiers {
		if row.From != nil {
			count(row.Stitching+" from an instant on", true)
		}
		several[row.Stitching+row.Identifier.String()]++
	}
	for _, rows := range several {
		count("an account of one unit after another", rows > 1)
	}
	for _, q := range r.quality {
		count("left out", q.Name == table.QualityIneligible && q.Value != nil && *q.Value > 0)
		count("overlap", q.Name == table.QualityOverlap && q.Value != nil && *q.Value > 0)
	}
	return n
}
