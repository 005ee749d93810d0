package pgread

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/pgread/pgtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, &server)) }

// day is the business day that most tests read, in UTC.
var day = must(table.ParseDay("2026-11-03"))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// bench is a database with a source over it.
type bench struct {
	*pgtest.Database
	t    *testing.T
	env  connectors.Env
	read Settings
	log  bytes.Buffer
}

// role is the source's, which may read what a test grants.
const role = "reader"

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Database: server.Database(t), t: t}
	b.env = connectors.Env{
		Key: must(identifier.NewKey("test", []byte("a secret of the tests"))), Zone: time.UTC,
		Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: time.Now,
	}
	b.read.PageSize = 3
	b.Do(t,
		`DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
		`CREATE TABLE watched (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, seconds int,
			tx xid8 NOT NULL DEFAULT pg_current_xact_id())`,
		`CREATE INDEX ON watched (at, id)`, `GRANT SELECT ON watched TO reader`)
	return b
}

// viewing reads table watched.
var viewing = Spec{
	Name: "test/viewing", To: table.Viewing, Sum: "seconds",
	From: Table{Table: "watched", Ignore: []string{"tx"}, Columns: map[string]Column{
		"source_id": {From: "id"}, "viewed_at": {From: "at"}, "account": {From: "who"}, "seconds": {From: "seconds"},
	}},
}

// open makes the stream, which waits little between tries.
func (b *bench) open(spec Spec) *Stream {
	b.t.Helper()
	db := b.db()
	s, err := db.New(spec)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) db() *DB {
	b.t.Helper()
	if err := b.read.Prepare(); err != nil {
		b.t.Fatal(err)
	}
	db, err := Open(secret.New(b.URL(role)), b.read, b.env)
	if err != nil {
		b.t.Fatal(err)
	}
	db.wait = time.Millisecond
	b.t.Cleanup(func() { db.Close() })
	return db
}

func sinkOf[Row any](to *table.Table, b *bench) *connectorstest.Sink[Row] {
	return &connectorstest.Sink[Row]{Table: to, Window: day.Window(b.env.Zone)}
}

// extract reads the day as a night does: a plan, then the rows.
func extract[Row any](b *bench, s *Stream, sink *connectorstest.Sink[Row]) error {
	inputs, err := s.Inputs(b.t.Context(), day)
	if err != nil {
		return err
	}
	return s.Extract(b.t.Context(), day, inputs, sink)
}

// views reads the day's viewing, without an error.
func (b *bench) views(s *Stream) *connectorstest.Sink[table.ViewingRow] {
	b.t.Helper()
	sink := sinkOf[table.ViewingRow](table.Viewing, b)
	if err := extract(b, s, sink); err != nil {
		b.t.Fatal(err)
	}
	return sink
}

// watch inserts rows that are seconds after the day's start.
func (b *bench) watch(ids ...int) {
	b.t.Helper()
	for _, id := range ids {
		b.Do(b.t, watched(id))
	}
}

func watched(id int) string {
	at := day.Window(time.UTC).From.Add(time.Duration(id) * time.Second)
	return fmt.Sprintf("INSERT INTO watched VALUES (%d, '%s', 'u%d', %d)", id, at.Format(time.RFC3339), id, 10*id)
}

// ids lists the source ids of rows in the order in which they came.
func ids(sink *connectorstest.Sink[table.ViewingRow]) string {
	var all []string
	for _, r := range sink.Rows {
		all = append(all, r.SourceID)
	}
	return strings.Join(all, " ")
}

func totals(sink *connectorstest.Sink[table.ViewingRow]) string {
	var all []string
	for _, t := range sink.Totals {
		all = append(all, fmt.Sprintf("%s=%d", t.Measure, t.Value))
	}
	return strings.Join(all, " ")
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, expected %v", what, got, want)
	}
}

func contains(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; expected one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q: expected %q in it", err, part)
		}
	}
}
