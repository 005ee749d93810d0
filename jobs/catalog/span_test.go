package catalog

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

func day(t *testing.T, text string) table.Day {
	t.Helper()
	d, err := table.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// days are the days of tables that a job reads for a night, as text.
func daysOf(j *jobs.Job, night table.Day) map[string]string {
	found := map[string]string{}
	for _, r := range j.Reads {
		found[r.Table.Path()] = "the night"
		if r.Span != nil {
			from, to := r.Span(night)
			found[r.Table.Path()] = fmt.Sprint(from, " ", to)
		}
	}
	return found
}

// TestReads: jobs of experiments read the days on which something may happen that counts, and no others.
func TestReads(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	end := day(t, "2026-10-20")
	e := &experiment.Experiment{Name: "e", AssignedBy: experiment.Account, Variants: []experiment.Variant{{Name: "a"}, {Name: "b"}}, Control: "a",
		Start: day(t, "2026-10-10"), End: &end, Primary: "back"}
	all := []*metric.Metric{
		// Ends an hour after midnight: clocks go back on the 25th.
		{Name: "back", Type: metric.Retention, Source: metric.Source{Table: "raw/viewing"}, Days: &metric.Days{From: 1, To: 6}, Covariate: metric.Duration(30 * metric.Day)},
		{Name: "paid", Type: metric.Mean, Source: metric.Source{Table: "raw/payment"}, Window: metric.Window{For: metric.Duration(2 * metric.Day)},
			PostingLag: metric.Duration(10 * metric.Day), Currency: "RUB"},
		{Name: "per_login", Type: metric.Ratio, Source: metric.Source{Table: "raw/viewing"}, Denominator: &metric.Source{Table: "raw/product_login"},
			Window: metric.Window{Whole: true}, Covariate: metric.Duration(12 * time.Hour)},
	}
	c := campaign{experiment: e, metrics: all, zone: berlin, filled: func(t *table.Table) bool { return t == table.Assignment || t == table.WebEvent }}
	m := measurer{Project: Project{Log: slog.New(slog.DiscardHandler)}, turn: make(chan struct{}, 1)}
	check := func(what string, got, want map[string]string) {
		for path, days := range want {
			if got[path] != days {
				t.Errorf("%s: %s: %q, expected %q", what, path, got[path], days)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s reads %v", what, got)
		}
	}
	for night, until := range map[string]string{"2026-10-15": "2026-10-15", "2026-10-31": "2026-10-27"} {
		logins := min(until, "2026-10-20")
		check("facts "+night, daysOf(m.facts(c), day(t, night)), map[string]string{
			"facts/exposure": "the night", "facts/unit_identifier": "the night", "core/device_timeline": "the night",
			"raw/viewing": "2026-09-10 " + until, "raw/payment": "2026-10-10 " + night, "raw/product_login": "2026-10-09 " + logins,
			"raw/rate": fmt.Sprint(table.Day(-1<<30), " ", night),
		})
		check("exposure "+night, daysOf(c.exposure(nil), day(t, night)), map[string]string{
			"core/profile_identifier": "the night", "core/identity_link": "the night",
			"raw/exposure": "2026-10-03 " + night, "raw/assignment": "2026-10-03 " + night,
		})
	}
	if last := *c.last(); last.String() != "2026-11-01" {
		t.Errorf("the last night is %s", last)
	}
	e.End = nil
	if last := c.last(); last != nil {
		t.Errorf("the last night of an open experiment is %s", last)
	}
	if got := daysOf(m.facts(c), day(t, "2027-01-01"))["raw/viewing"]; got != "2026-09-10 2027-01-01" {
		t.Errorf("an open experiment reads %s", got)
	}
}

// TestNothingIsMissed: whatever a metric counts of any unit lies on a day that is read, and no unit matures after the last
// night.
func TestNothingIsMissed(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(21, 0))
	zones := []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"}
	hours := func(most int) metric.Duration { return metric.Duration(time.Duration(r.IntN(most+1)) * time.Hour) }
	for range 2000 {
		zone, err := time.LoadLocation(zones[r.IntN(len(zones))])
		if err != nil {
			t.Fatal(err)
		}
		start := day(t, "2018-10-20") + table.Day(r.IntN(400))
		end := start + table.Day(r.IntN(20))
		m := &metric.Metric{Name: "m", Source: metric.Source{Table: "raw/viewing"}, Delay: hours(50), LookBack: hours(30), PostingLag: hours(60), Covariate: hours(900)}
		switch r.IntN(4) {
		case 0:
			m.Days = &metric.Days{From: r.IntN(5)}
			m.Days.To, m.Delay, m.LookBack = m.Days.From+r.IntN(5), 0, 0
		case 1:
			m.Window.Whole = true
		case 2:
			until := start + table.Day(r.IntN(30))
			m.Window.Until = &until
		default:
			m.Window.For = hours(200) + metric.Duration(time.Hour)
		}
		e := &experiment.Experiment{Name: "e", Start: start, End: &end, Primary: "m"}
		c := campaign{experiment: e, metrics: []*metric.Metric{m}, zone: zone}
		s := c.observed(m, table.Viewing)
		span := table.Span(start, end, zone)
		first := span.From.UnixMicro() + r.Int64N(span.To.UnixMicro()-span.From.UnixMicro())
		if r.IntN(3) == 0 {
			first = []int64{span.From.UnixMicro(), span.To.UnixMicro() - 1}[r.IntN(2)]
		}
		from, to, matured := m.Bounds(first, metric.Horizon{End: span.To.UnixMicro(), Zone: zone})
		instants := []int64{first - m.Covariate.Duration().Microseconds()}
		if from < to {
			instants = append(instants, from, to-1, from+r.Int64N(to-from))
		}
		for _, at := range instants {
			if d := table.DayOf(table.Micros(at).Time(), zone); at < first && m.Covariate == 0 || d < s.from || d > s.to {
				t.Fatalf("%s: what happens at %s is not read: %+v, %+v", zone, table.Micros(at).Time(), m, s)
			}
		}
		if night := c.last().Window(zone).To.UnixMicro(); matured > night {
			t.Fatalf("%s: a unit matures after the last night: %+v", zone, m)
		}
	}
}
