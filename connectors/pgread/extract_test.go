package pgread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

func TestADayIsItsHalfOpenWindowInPagesWithTotals(t *testing.T) {
	b := newBench(t)
	s := b.open(viewing)
	equal(t, "of an empty table", totals(b.views(s)), "rows=0 seconds=0")
	b.watch(-1, 0, 1, 2, 3, 4, 86399, 86400)
	sink := b.views(s)
	equal(t, "rows", ids(sink), "0 1 2 3 4 86399")
	equal(t, "totals", totals(sink), "rows=6 seconds=864090")
	equal(t, "pages", len(sink.Cursors), 2)
	equal(t, "account", sink.Rows[1].Account, must(b.env.Key.Hash(identifier.Account, "u1")))
	equal(t, "versioned", s.Versioned(), false)
	equal(t, "restatement", s.Restatement(), 1)
	equal(t, "quarantine", s.Quarantine(), 0.01)
}

func TestTheOrderIsThatOfTheValuesNotOfTheirTexts(t *testing.T) {
	b := newBench(t)
	b.Do(t, `INSERT INTO watched SELECT n, '2026-11-03 10:00+00'::timestamptz + make_interval(secs => (n / 3) * 0.5), 'u', 1
		FROM generate_series(1, 120) n`)
	sink := b.views(b.open(viewing))
	equal(t, "rows", len(sink.Rows), 120)
	for i, r := range sink.Rows {
		equal(t, "place", r.SourceID, fmt.Sprint(i+1))
	}
}

func TestDaysAreCutInTheBusinessZone(t *testing.T) {
	b := newBench(t)
	b.env.Zone = must(time.LoadLocation("Europe/Berlin"))
	b.read.Zone = "Europe/Berlin"
	b.Do(t, `CREATE TABLE local (id int PRIMARY KEY, at timestamp, seconds int)`, `GRANT SELECT ON local TO reader`)
	local := viewing
	local.From = Table{Table: "public.local", Columns: map[string]Column{
		"source_id": {From: "id"}, "viewed_at": {From: "at"}, "seconds": {From: "seconds"}, "title": {Value: new("t")}, "account": {From: "id"},
	}}
	for name, want := range map[string]string{"2026-03-29": "23", "2026-10-25": "25", "2026-11-03": "24"} {
		day := must(table.ParseDay(name))
		b.Do(t, `TRUNCATE watched`, `TRUNCATE local`, `INSERT INTO watched
			SELECT n, timestamptz '`+name+` 00:30 Europe/Berlin' + make_interval(hours => n), 'u', 1 FROM generate_series(-3, 30) n`,
			`INSERT INTO local SELECT id, at AT TIME ZONE 'Europe/Berlin', 1 FROM watched`)
		for _, spec := range []Spec{viewing, local} {
			sink := sinkOf[table.ViewingRow](table.Viewing, b)
			sink.Window = day.Window(b.env.Zone)
			if err := b.open(spec).Extract(t.Context(), day, nil, sink); err != nil {
				t.Fatal(err)
			}
			equal(t, name+" "+spec.From.Table, totals(sink), "rows="+want+" seconds="+want)
			equal(t, name+" "+spec.From.Table, fmt.Sprint(len(sink.Rows)+len(sink.Rejected)), want)
		}
	}
}

func TestABrokenExtractGoesOnBehindItsLastPage(t *testing.T) {
	b := newBench(t)
	b.watch(1, 2, 3, 4, 5, 6, 7)
	s := b.open(viewing)
	whole := b.views(s)
	for i, cursor := range whole.Cursors {
		for id := range 8 {
			if strings.Contains(cursor, fmt.Sprintf(`"id":"%d"`, id)) {
				t.Errorf("cursor %s: shows an id", cursor)
			}
		}
		rest := sinkOf[table.ViewingRow](table.Viewing, b)
		rest.From = cursor
		if err := extract(b, s, rest); err != nil {
			t.Fatal(err)
		}
		equal(t, "rest", ids(rest), ids(&connectorstest.Sink[table.ViewingRow]{Rows: whole.Rows[min(3*(i+1), 7):]}))
		equal(t, "totals", totals(rest), "rows=7 seconds=280")
	}
	stranger := sinkOf[table.ViewingRow](table.Viewing, b)
	stranger.From = `{"at":1,"id":"AAAA","rows":3,"page":1}`
	contains(t, extract(b, s, stranger), "test/viewing 2026-11-03: the cursor to go on from is not one of this stream")
}

func TestRowsWithOneTimeAreToldApartByTheirID(t *testing.T) {
	b := newBench(t)
	b.Do(t, `CREATE TABLE texts (id text PRIMARY KEY, at timestamptz, seconds int)`, `CREATE INDEX ON texts (at, id)`,
		`INSERT INTO texts SELECT v, '2026-11-03 10:00+00', 1 FROM unnest(ARRAY['a','B','ä','it''s','"','c d','\','é','Z','я']) v`,
		`CREATE TABLE uuids (id uuid PRIMARY KEY, at timestamptz, seconds int)`,
		`INSERT INTO uuids SELECT gen_random_uuid(), '2026-11-03 10:00+00', 1 FROM generate_series(1, 10)`,
		`CREATE TABLE padded (id char(5) PRIMARY KEY, at timestamptz, seconds int)`,
		`INSERT INTO padded SELECT 'p' || n, '2026-11-03 10:00+00', 1 FROM generate_series(0, 9) n`,
		`CREATE VIEW "a ""view"" of" AS SELECT id AS "the.id", at AS "AT", seconds FROM texts`,
		`CREATE TABLE parts (id bigint, at timestamptz, seconds int) PARTITION BY RANGE (at)`,
		`CREATE TABLE part_1 PARTITION OF parts DEFAULT`, `INSERT INTO parts SELECT n, '2026-11-03 10:00+00', 1 FROM generate_series(0, 9) n`,
		`GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader`)
	for name, columns := range map[string][2]string{
		"texts": {"id", "at"}, "uuids": {"id", "at"}, "padded": {"id", "at"}, `a "view" of`: {"the.id", "AT"}, "parts": {"id", "at"},
	} {
		spec := viewing
		spec.From = Table{Table: name, Columns: map[string]Column{
			"source_id": {From: columns[0]}, "viewed_at": {From: columns[1]}, "seconds": {From: "seconds"}, "device": {From: columns[0]},
		}}
		sink := b.views(b.open(spec))
		seen := map[string]bool{}
		for _, r := range sink.Rows {
			seen[r.SourceID] = true
		}
		equal(t, name+": rows", len(sink.Rows)+len(sink.Rejected), 10)
		equal(t, name+": ids", len(seen)+len(sink.Rejected), 10)
	}
}

func TestTheServerEndsTheTransaction(t *testing.T) {
	b := newBench(t)
	b.watch(1, 2, 3, 4, 5, 6, 7)
	for _, at := range []int{1, 3, 5, 6} {
		s := b.open(viewing)
		sink := sinkOf[table.ViewingRow](table.Viewing, b)
		ended := false
		sink.Fail = func(rows int) error {
			if rows == at && !ended {
				ended = true
				b.Do(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'`)
				b.Do(t, fmt.Sprintf(`UPDATE watched SET at = at + interval '1 day' WHERE id <= %d`, at-1), // left the day
					watched(100+at)) // came since
			}
			return nil
		}
		if err := extract(b, s, sink); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, r := range sink.Rows {
			seen[r.SourceID]++
			if seen[r.SourceID] > 1 {
				t.Errorf("ended at row %d: row %s came twice", at, r.SourceID)
			}
		}
		for id := 1; id <= 7; id++ {
			equal(t, fmt.Sprintf("ended at row %d: row %d", at, id), seen[fmt.Sprint(id)], 1)
		}
		equal(t, "total", sink.Totals[0].Value, int64(len(sink.Rows)))
		b.Do(t, `UPDATE watched SET at = at - interval '1 day' WHERE at >= '2026-11-04+00'`, `DELETE FROM watched WHERE id > 100`)
	}
	if !strings.Contains(b.log.String(), "reading goes on in a new snapshot") {
		t.Errorf("log: %s", &b.log)
	}
}

func TestAnErrorOfTheSinkEndsTheExtract(t *testing.T) {
	b := newBench(t)
	b.watch(1, 2, 3)
	full := errors.New("the disk is full")
	sink := sinkOf[table.ViewingRow](table.Viewing, b)
	asked := 0
	sink.Fail = func(int) error { asked++; return full }
	if err := extract(b, b.open(viewing), sink); !errors.Is(err, full) || asked != 1 {
		t.Errorf("got %v after %d tries", err, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink.Fail = func(int) error { cancel(); return nil }
	if err := b.open(viewing).Extract(ctx, day, nil, sink); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected a cancelled extract", err)
	}
}

func TestRowsThatBreakTheContractAreRejectedWithTheirPosition(t *testing.T) {
	b := newBench(t)
	b.Do(t, `ALTER TABLE watched ADD secret_note text DEFAULT 'ann@cinema.dev', ADD "été 1" text, ADD "`+strings.Repeat("x", 60)+`" text`,
		`ALTER TABLE watched ALTER seconds TYPE text`)
	b.watch(1, 2, 3, 4, 5)
	b.Do(t, `UPDATE watched SET who = NULL WHERE id = 1`, `UPDATE watched SET seconds = 'ann@cinema.dev' WHERE id = 2`,
		`UPDATE watched SET seconds = NULL WHERE id = 3`, `UPDATE watched SET who = 'null', seconds = '+4916012345678' WHERE id = 4`)
	sink := b.views(b.open(viewing))
	equal(t, "rows", ids(sink), "1 4 5")
	equal(t, "totals", totals(sink), "rows=5")
	var reasons []string
	for _, r := range sink.Rejected {
		reasons = append(reasons, fmt.Sprintf("%s %d: %s", r.Where.File, r.Where.Position, r.Reason))
		if len(r.Where.Raw) == 0 || r.Where.Fields != nil {
			t.Errorf("%v: expected bytes and no fields", r.Where)
		}
	}
	equal(t, "reasons", strings.Join(reasons, "\n"),
		"watched 2: seconds: expected a number such as 12.50, with a point and no grouping\nwatched 3: seconds: required, but absent")
	equal(t, "fields", fmt.Sprint(sink.Fields), "map[watched.(unprintable):1 watched.secret_note:1 watched."+strings.Repeat("x", 60)+":1]")
}

func TestUsers(t *testing.T) {
	b := newBench(t)
	b.Do(t, `CREATE TABLE people (id text PRIMARY KEY, email text, phone text, ok int, asked boolean, state text, since timestamptz, born date,
			updated timestamptz)`,
		`INSERT INTO people VALUES
			('u1', 'Ann.Smith+x@GMail.com', '8 (916) 123-45-67', 1, NULL, 'alive', '2020-01-01 12:00:00.5+03', '2020-01-01', '2026-11-03 01:02:03.456789+00'),
			('u2', 'noreply@cinema.dev', '112', 0, true, 'gone', 'infinity', '2020-01-02', '2026-11-03 02:00+00'),
			('u3', '', '+49 160 12345678', NULL, false, 'gone', '2020-01-01', '2020-01-03', '2026-11-03 03:00+00'),
			('u4', NULL, NULL, NULL, NULL, 'neither', '2020-01-01', '2020-01-03', '2026-11-03 04:00+00'),
			('null', NULL, NULL, NULL, NULL, 'gone', '2020-01-01', '2020-01-03', '2026-11-03 05:00+00')`,
		`GRANT SELECT ON people TO reader`)
	sink := sinkOf[table.ProductUserRow](table.ProductUser, b)
	err := extract(b, b.open(Spec{Name: "test/users", To: table.ProductUser, From: Table{
		Table: "people", Ignore: []string{"born"}, Columns: map[string]Column{
			"source_id": {From: "id", Hash: true}, "account": {From: "id"}, "changed_at": {From: "updated"},
			"registered_at": {From: "since"}, "email_hash": {From: "email"}, "email_folded_hash": {From: "email"},
			"phone_hash": {From: "phone", Region: "RU"}, "email_verified": {From: "ok"}, "marketing_consent": {From: "asked"},
			"country": {Value: new("RU")}, "deleted": {From: "state", Map: map[string]string{"alive": "false", "gone": "true"}},
		},
	}}), sink)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(kind identifier.Kind, value string) identifier.ID { return must(b.env.Key.Hash(kind, value)) }
	ann, third := sink.Rows[0], sink.Rows[1]
	equal(t, "source_id", ann.SourceID, hash("source_id", "u1").String())
	equal(t, "account", ann.Account, hash(identifier.Account, "u1"))
	equal(t, "email", ann.Email, hash(identifier.Email, "ann.smith+x@gmail.com"))
	equal(t, "email folded", ann.EmailFolded, hash(identifier.EmailFolded, "annsmith@gmail.com"))
	equal(t, "phone", ann.Phone, hash(identifier.Phone, "+79161234567"))
	equal(t, "changed", ann.ChangedAt.Time().Format(time.RFC3339Nano), "2026-11-03T01:02:03.456789Z")
	equal(t, "registered", ann.RegisteredAt.Time().Format(time.RFC3339Nano), "2020-01-01T09:00:00.5Z")
	equal(t, "verified", *ann.EmailVerified, true)
	equal(t, "consent", ann.MarketingConsent, nil)
	equal(t, "country", ann.Country, "RU")
	equal(t, "deleted", ann.Deleted, false)
	equal(t, "no e-mail", third.Email.IsZero() && third.EmailFolded.IsZero() && third.EmailVerified == nil, true)
	equal(t, "phone", third.Phone, hash(identifier.Phone, "+4916012345678"))
	equal(t, "deleted", third.Deleted, true)
	var reasons []string
	for _, r := range sink.Rejected {
		reasons = append(reasons, fmt.Sprintf("%d %s", r.Where.Position, r.Reason))
	}
	equal(t, "rejected", strings.Join(reasons, "; "), "2 registered_at: expected a time from year 1 to 9999; "+
		"4 deleted: expected one of the 2 texts of its map; 5 source_id: required, but empty")
}

func TestWhatTheStreamIsNotFor(t *testing.T) {
	b := newBench(t)
	b.watch(1, 2, 3, 4)
	b.Do(t, `UPDATE watched SET who = 'tester' WHERE id = 2`, `UPDATE watched SET who = NULL WHERE id = 4`)
	spec := viewing
	spec.Only = &Condition{Column: "id", Values: []string{"1"}, Not: true}
	spec.Refuse = []Refusal{{Condition{Column: "who", Values: []string{"tester", "it's"}}, "a tester's"}}
	spec.From.Columns = map[string]Column{
		"source_id": {From: "id"}, "viewed_at": {From: "at"}, "seconds": {From: "seconds"},
		"account": {From: "who", When: &Condition{Column: "id", Values: []string{"3"}}},
	}
	sink := b.views(b.open(spec))
	equal(t, "rows", ids(sink), "3 4")
	equal(t, "absent", sink.Rows[0].Account.IsZero() || !sink.Rows[1].Account.IsZero(), false)
	equal(t, "rejected", len(sink.Rejected) == 1 && sink.Rejected[0].Reason == "a tester's", true)
	equal(t, "totals", totals(sink), "rows=3")
}

func TestDefinitionsDependOnWhatDecidesRows(t *testing.T) {
	b := newBench(t)
	before := b.open(viewing).Definition()
	b.read.PageSize, b.read.StatementTimeout = 7, Duration(time.Second)
	equal(t, "page size", b.open(viewing).Definition(), before)
	other := viewing
	other.Only = &Condition{Column: "who", Values: []string{"u"}}
	if b.open(other).Definition() == before {
		t.Error("another condition has the same definition")
	}
	b.read.Zone = "Europe/Berlin"
	if b.open(viewing).Definition() == before {
		t.Error("another zone has the same definition")
	}
}

var _ connectors.Sink = (*connectorstest.Sink[table.ViewingRow])(nil)

// The cost of a page does not grow with what lies before it.
func TestAPageIsFoundByItsKey(t *testing.T) {
	b := newBench(t)
	b.Do(t, `INSERT INTO watched SELECT n, '2026-11-03 00:00+00'::timestamptz + make_interval(secs => n), 'u', 1 FROM generate_series(1, 20000) n`,
		`CREATE TABLE local AS SELECT id, at AT TIME ZONE 'UTC' AS at, who, seconds FROM watched`, `CREATE INDEX ON local (at, id)`,
		`ANALYZE`, `GRANT SELECT ON local TO reader`)
	for _, name := range []string{"watched", "local"} {
		spec := viewing
		spec.From.Table = name
		s := b.open(spec)
		err := s.db.snapshot(t.Context(), func(tx *sql.Tx) error {
			q, err := s.prepare(t.Context(), tx, day.Window(time.UTC))
			if err != nil {
				return err
			}
			query, args := q.page("", &key{table.MicrosOf(day.Window(time.UTC).From.Add(15000 * time.Second)), "15000"})
			var plan string
			if err := tx.QueryRow("EXPLAIN (FORMAT JSON) "+query, args...).Scan(&plan); err != nil {
				return err
			}
			if !strings.Contains(plan, "ROW(at, id) > ROW(") || strings.Contains(plan, `"Sort"`) || !strings.Contains(plan, `"Index Cond"`) {
				t.Errorf("%s: plan %s", name, plan)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
