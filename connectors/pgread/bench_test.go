package pgread

import (
	"log/slog"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
)

// BenchmarkExtract reads a day of viewing.
func BenchmarkExtract(b *testing.B) {
	const rows = 200_000
	d := server.Database(b)
	d.Do(b, `CREATE TABLE watched (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, seconds int, tx xid8 NOT NULL DEFAULT '3')`,
		`INSERT INTO watched SELECT n, '2026-11-03 00:00+00'::timestamptz + make_interval(secs => n * 0.4), 'user-' || n % 9999, 60
			FROM generate_series(1, 200000) n`,
		`CREATE INDEX ON watched (at, id)`, `ANALYZE watched`)
	var read Settings
	if err := read.Prepare(); err != nil {
		b.Fatal(err)
	}
	db, err := Open(secret.New(d.URL("postgres")), read, connectors.Env{
		Key: must(identifier.NewKey("test", []byte("a secret of the tests"))), Zone: time.UTC, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s, err := db.New(viewing)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Extract(b.Context(), day, nil, connectorstest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}
