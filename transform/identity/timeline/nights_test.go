package timeline_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// In this file a day has ten seconds, and the limits are as small.
const daySeconds = 10

func smallRules(r *rand.Rand) timeline.Rules {
	s := func(from, to int) time.Duration { return time.Duration(from+r.IntN(to-from+1)) * time.Second }
	rules := timeline.Rules{AppTTL: s(10, 45), TTL: s(5, 15), Window: s(1, 15), Cap: 1 + r.IntN(3), SharedCap: 2 + r.IntN(3), Viewing: s(0, 15)}
	window := int(rules.Window / time.Second)
	rules.Session, rules.Backfill, rules.Bracket, rules.SharedBackfill = s(0, window), s(0, window), s(0, window), s(0, window)
	return rules
}

// fact is a row of a raw table that is there from a night on, until it is restated away.
type fact struct {
	day           int
	appears, goes int // nights
	table         *table.Table
	row           any
}

func randomFacts(r *rand.Rand, days, devices int) []fact {
	facts := make([]fact, r.IntN(days*8))
	for i := range facts {
		f := fact{day: r.IntN(days), goes: 1 << 30}
		f.appears = f.day
		if r.IntN(4) == 0 {
			f.appears += r.IntN(4)
		}
		if r.IntN(6) == 0 {
			f.goes = f.appears + 1 + r.IntN(3)
		}
		at := table.Micros(f.day*daySeconds*1e6 + r.IntN(daySeconds)*1e6 + r.IntN(2))
		d, a, id := identifier.ID{2, 15: byte(r.IntN(devices))}, identifier.ID{1, byte('u' + r.IntN(4))}, fmt.Sprint(i)
		switch r.IntN(6) {
		case 0, 1:
			f.table, f.row = table.ProductLogin, &table.ProductLoginRow{SourceID: id, EventAt: at, Account: a, Device: d, Kind: []string{"login", "logout", "refresh"}[r.IntN(3)]}
		case 2:
			f.table, f.row = table.Viewing, &table.ViewingRow{SourceID: id, ViewedAt: at, Account: a, Device: d, Seconds: int64(r.IntN(20))}
		default:
			row := &table.WebEventRow{SourceID: id, EventAt: at, EventName: "page", Device: d, SessionID: fmt.Sprint(r.IntN(3))}
			if r.IntN(3) == 0 {
				row.Account = a
			}
			f.table, f.row = table.WebEvent, row
		}
		facts[i] = f
	}
	return facts
}

// archive makes the files of days as they stand at a night; equal ones only once.
type archive struct {
	t     *testing.T
	facts []fact
	files map[string]*columns.File
}

// day gives the files of a day at a night, and what tells them from those of another night.
func (a *archive) day(day, night int) (files []timeline.Day, content string) {
	for _, of := range []*table.Table{table.ProductLogin, table.Viewing, table.WebEvent} {
		key := fmt.Sprint(of, day)
		var there []any
		for i, f := range a.facts {
			if f.table == of && f.day == day && f.appears <= night && night < f.goes {
				there = append(there, f.row)
				key += fmt.Sprint(" ", i)
			}
		}
		if len(there) == 0 {
			continue
		}
		if a.files[key] == nil {
			a.files[key] = file(a.t, of, there)
		}
		files = append(files, timeline.Day{Table: of, Day: table.Day(day), File: a.files[key]})
		content += key
	}
	return files, content
}

func file(t *testing.T, of *table.Table, rows []any) *columns.File {
	switch of {
	case table.ProductLogin:
		return columnstest.File(t, of, typed[table.ProductLoginRow](rows)...)
	case table.Viewing:
		return columnstest.File(t, of, typed[table.ViewingRow](rows)...)
	}
	return columnstest.File(t, of, typed[table.WebEventRow](rows)...)
}

func typed[Row any](rows []any) []*Row {
	var is []*Row
	for _, r := range rows {
		is = append(is, r.(*Row))
	}
	return is
}

// TestNightsEqualOneRun makes a timeline night by night, from the night before and the days since ReadFrom, and
// compares every night's rows with those of one run over all that is known then: with events that come late, are
// restated and vanish, nights that are skipped, profiles that are others every night and accounts that refuse.
func TestNightsEqualOneRun(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var nights, carried, read, known int
	for range 15 {
		days := 3 + r.IntN(12)
		a := &archive{t: t, facts: randomFacts(r, days, 5), files: map[string]*columns.File{}}
		rules := smallRules(r)
		types := func(device identifier.ID) string {
			return []string{table.TypeApp, table.TypeTV, table.TypeCookie}[device[15]%3]
		}
		refused := map[identifier.ID]table.Micros{}
		var previous *columns.File
		contents := map[int]string{}
		for night := 0; night < days+6; night += 1 + r.IntN(3) {
			if r.IntN(8) == 0 {
				refused[identifier.ID{1, byte('u' + r.IntN(4))}] = table.Micros((night + 1) * daySeconds * 1e6)
			}
			if r.IntN(16) == 0 {
				refused[identifier.ID{1, byte('u' + r.IntN(4))}] = math.MaxInt64
			}
			in := timeline.Input{
				Rules: rules, Type: types, Refused: refused,
				Profile: func(account identifier.ID) identifier.ID {
					return identifier.Mint(identifier.Profile, account, byte(night))
				},
			}
			changed := (night + 1) * daySeconds
			for day := min(night, days-1); day >= 0; day-- {
				files, content := a.day(day, night)
				in.Days = append(in.Days, files...)
				if contents[day] != content {
					contents[day], changed = content, day*daySeconds
				}
			}
			full := built(t, in, 1)

			in.Previous, in.Horizon = previous, rules.Horizon(table.Micros(changed)*1e6)
			known += len(in.Days)
			if previous != nil {
				from := rules.ReadFrom(in.Horizon)
				in.Days = slices.DeleteFunc(in.Days, func(d timeline.Day) bool { return table.Micros(d.Day+1)*daySeconds*1e6 <= from })
				nights++
			}
			read += len(in.Days)
			r.Shuffle(len(in.Days), func(i, j int) { in.Days[i], in.Days[j] = in.Days[j], in.Days[i] })
			in.Memory = int64(r.IntN(3) * 1000)
			rows := built(t, in, 1+r.IntN(3))
			if got, want := text(rows), text(full); got != want {
				t.Fatalf("night %d, horizon %d, rules %+v\ngot\n%s\nexpected\n%s", night, in.Horizon, rules, got, want)
			}
			for _, row := range rows {
				if previous != nil && row.From < in.Horizon {
					carried++
				}
			}
			previous = columnstest.File(t, table.DeviceTimeline, rows...)
		}
	}
	t.Logf("%d nights, %d rows taken over, %d of %d files read", nights, carried, read, known)
	if nights < 30 || carried < 100 || read >= known {
		t.Error("too little happened in these nights to show anything")
	}
}

func text(rows []*table.DeviceTimelineRow) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%+v\n", *r)
	}
	return b.String()
}

// TestHorizonIsTight: the horizon is the latest one, and ReadFrom too: an event shows up in the timeline right at the
// one, and is needed right from the other.
func TestHorizonIsTight(t *testing.T) {
	t.Parallel()
	rules := timeline.Default()
	at := instant(t, "200d")
	rows := built(t, timeline.Input{Days: history(t, []string{"200d login u"})}, 1)
	if rows[0].From != rules.Horizon(at) {
		t.Errorf("an event at %d changes the timeline at %d, the horizon is %d", at, rows[0].From, rules.Horizon(at))
	}
	horizon := instant(t, "200d")
	oldest := shown(rules.ReadFrom(horizon) + 1)
	rows = built(t, timeline.Input{Days: history(t, []string{oldest + " watch u 24h"}), Type: func(identifier.ID) string { return table.TypeApp }}, 1)
	if last := rows[len(rows)-1].To; last != horizon+1 {
		t.Errorf("the oldest event, at %s, matters until %d, the horizon is %d", oldest, last, horizon)
	}
}

// TestSeam joins what ends right at the horizon with what goes on from there.
func TestSeam(t *testing.T) {
	t.Parallel()
	before := history(t, []string{"100d logout u"})
	previous := columnstest.File(t, table.DeviceTimeline, built(t, timeline.Input{Days: before}, 1)...)
	horizon := timeline.Default().Horizon(instant(t, "160d"))
	rows := built(t, timeline.Input{Days: history(t, []string{"100d logout u", "160d logout u"}), Previous: previous, Horizon: horizon}, 1)
	if got, want := lines(rows), []string{"70d..190d u backfill"}; horizon != instant(t, "130d") || !slices.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}

// TestRefusalReachesBack drops what an account had before the horizon, too.
func TestRefusalReachesBack(t *testing.T) {
	t.Parallel()
	days := history(t, []string{"100d login u", "500d login v"})
	previous := columnstest.File(t, table.DeviceTimeline, built(t, timeline.Input{Days: days}, 1)...)
	rows := built(t, timeline.Input{Days: days, Previous: previous, Horizon: instant(t, "400d"), Refused: map[identifier.ID]table.Micros{account("u"): math.MaxInt64}}, 1)
	if got, want := lines(rows), []string{"470d..500d v backfill", "500d..530d v span"}; !slices.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}
