package postgres

import (
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// anyRow has a column of each type.
type anyRow struct {
	Position int64
	Text     string
	Int      int64
	Float    float64
	Bool     bool
	At       table.Micros
	ID       identifier.ID
	Day      table.Day
	Maybe    *float64
}

var anyTable = &table.Table{Layer: "test", Name: "any", Columns: []table.Column{
	{Name: "position", Type: table.Int, Field: 0}, {Name: "text", Type: table.String, Optional: true, Field: 1},
	{Name: "int", Type: table.Int, Field: 2}, {Name: "float", Type: table.Float, Field: 3},
	{Name: "bool", Type: table.Bool, Field: 4},
	{Name: "at", Type: table.Timestamp, Field: 5}, {Name: "id", Type: table.ID, Optional: true, Field: 6},
	{Name: "day", Type: table.Date, Field: 7}, {Name: "maybe", Type: table.Float, Optional: true, Field: 8},
}}

const createAny = `CREATE TABLE "any" (load_id bigint, position bigint, text text, int bigint, float float8, bool bool,
	at timestamptz, id uuid, day date, maybe float8)`

// readAny gives rows back as text that loses nothing: the bytes of floats, microseconds, days.
const readAny = `SELECT concat_ws(' ', load_id, position, coalesce(encode(convert_to(text, 'UTF8'), 'hex'), 'NULL'),
	int, encode(float8send(float), 'hex'), bool, (extract(epoch FROM at) * 1000000)::bigint, coalesce(id::text, 'NULL'),
	day - DATE '1970-01-01', coalesce(encode(float8send(maybe), 'hex'), 'NULL')) FROM "any" ORDER BY position`

func (r anyRow) String() string {
	text, id, maybe := "NULL", "NULL", "NULL"
	if r.Text != "" { // absent when empty
		text = hex.EncodeToString([]byte(r.Text))
	}
	if !r.ID.IsZero() {
		id = r.ID.String()
	}
	if r.Maybe != nil {
		maybe = fmt.Sprintf("%016x", math.Float64bits(*r.Maybe))
	}
	b := map[bool]string{true: "t", false: "f"}[r.Bool]
	return fmt.Sprintf("7 %d %s %d %016x %s %d %s %d %s",
		r.Position, text, r.Int, math.Float64bits(r.Float), b, r.At, id, r.Day, maybe)
}

var pieces = []string{"", "a", "\t", "\n", "\r", "\\", "\\N", "\\.", "\\.\n", "\b\f\v",
	"ж", "漢", "🎬", "\u2028", "\"", "'", "\x7f", "\x01", "\\t"}

func randomAny(rng *rand.Rand, position int64) anyRow {
	pick := func(xs ...float64) float64 { return xs[rng.IntN(len(xs))] }
	float := func() float64 {
		for {
			if x := math.Float64frombits(rng.Uint64()); !math.IsNaN(x) {
				return pick(x, x, x, 0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 0.1,
					math.SmallestNonzeroFloat64, math.MaxFloat64)
			}
		}
	}
	r := anyRow{
		Position: position, Int: int64(rng.Uint64()) >> rng.IntN(64), Float: float(), Bool: rng.IntN(2) == 0,
		At:  table.Micros(-62135596800000000 + rng.Int64N(315537897600000000)), // the years 1 to 9999
		Day: table.Day(-719162 + rng.IntN(3652059)),
	}
	for range rng.IntN(6) {
		r.Text += pieces[rng.IntN(len(pieces))]
	}
	if rng.IntN(2) == 0 {
		x := float()
		r.Maybe = &x
		for i := range r.ID {
			r.ID[i] = byte(rng.Uint32())
		}
	}
	return r
}

// Rows of every type come back from Postgres as they were, whatever their batches.
func TestCopyGivesRowsBack(t *testing.T) {
	t.Parallel()
	db := connect(t, at(t, server, "owner", create(t)))
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	execute(t, db, createAny)
	var rows []any
	var want []string
	for i := range 3000 {
		r := randomAny(rng, int64(i))
		rows, want = append(rows, &r), append(want, r.String())
	}
	whole := recordOf(anyTable, rows)
	var batches []arrow.Record
	for from := int64(0); from < whole.NumRows(); {
		to := min(from+rng.Int64N(700), whole.NumRows()) // some are empty
		batches = append(batches, whole.NewSlice(from, to))
		from = to
	}
	n := copyAny(t, db.DB, batches...)
	var got []string
	must(t, db.Select(&got, readAny))
	if n != int64(len(want)) || !slices.Equal(got, want) {
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("seed %d: copied %d, row %d:\n%s\nexpected\n%s", seed, n, i, got[min(i, len(got)-1)], want[i])
			}
		}
	}
}

func copyAny(t testing.TB, db *sql.DB, batches ...arrow.Record) int64 {
	t.Helper()
	session, err := db.Conn(t.Context())
	must(t, err)
	defer session.Close()
	tx, err := session.BeginTx(t.Context(), nil)
	must(t, err)
	n, err := copyIn(t.Context(), session, dataset{`"any"`, anyTable}, 7, batchesOf(batches...))
	must(t, err)
	must(t, tx.Commit())
	return n
}

func TestEncodedLine(t *testing.T) {
	t.Parallel()
	half := 0.5
	row := &anyRow{
		Position: 1, Text: "a\tb\\c\nd\r", Int: -5, Float: 1e21, Bool: true,
		At: 1_600_000_000_123_400, ID: identifier.ID{1, 15: 2}, Day: -1, Maybe: &half,
	}
	e := encoder{contract: anyTable, prefix: "7"}
	must(t, e.bind(recordOf(anyTable, []any{row, &anyRow{}})))
	line, err := e.row(nil, 0)
	must(t, err)
	const want = "7\t1\ta\\tb\\\\c\\nd\\r\t-5\t1e+21\tt\t2020-09-13 12:26:40.1234+00\t" +
		"01000000-0000-0000-0000-000000000002\t1969-12-31\t0.5\n"
	if string(line) != want {
		t.Errorf("%q, expected %q", line, want)
	}
	const zero = "7\t0\t\\N\t0\t0\tf\t1970-01-01 00:00:00+00\t\\N\t1970-01-01\t\\N\n"
	if line, err = e.row(nil, 1); err != nil || string(line) != zero {
		t.Errorf("%q, %v", line, err)
	}
	for want, bad := range map[string]*anyRow{
		"column text: not UTF-8":     {Text: "\xff"},
		"column text: a NUL":         {Text: "a\x00"},
		"column at: the year 10000":  {At: 253402300800000000},
		"column day: the year 0":     {Day: -719163},
		"column at: the year 294247": {At: math.MaxInt64},
	} {
		must(t, e.bind(recordOf(anyTable, []any{bad})))
		_, err := e.row(nil, 0)
		contains(t, err, want)
	}
}

// FuzzText holds the encoder of strings against a decoder written from the documentation of COPY.
func FuzzText(f *testing.F) {
	for _, p := range pieces {
		f.Add(p + "x" + p)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line, err := appendText([]byte("7\t"), s)
		if bad := !utf8.ValidString(s) || strings.Contains(s, "\x00"); bad != (err != nil) {
			t.Fatalf("%q: %v", s, err)
		}
		if err != nil {
			return
		}
		fields := strings.FieldsFunc(string(line), func(r rune) bool { return r == '\t' || r == '\n' || r == '\r' })
		if len(fields) > 2 || (s != "" && decode(fields[1]) != s) || strings.Count(string(line), "\t") != 1 {
			t.Fatalf("%q is encoded as %q", s, line)
		}
		if string(line) == "7\t\\N" {
			t.Fatalf("%q is encoded as null", s)
		}
	})
}

// decode reads a field: a backslash and b, f, n, r, t, v, up to three octal digits, x and up to two hexadecimal ones,
// or any other character, which then stands for itself.
func decode(field string) string {
	var out []byte
	for i := 0; i < len(field); i++ {
		if field[i] != '\\' {
			out = append(out, field[i])
			continue
		}
		i++
		if at := strings.IndexByte("bfnrtv", field[i]); at >= 0 {
			out = append(out, "\b\f\n\r\t\v"[at])
		} else if n, err := strconv.ParseUint(field[i:min(i+1, len(field))], 8, 8); err == nil {
			out = append(out, byte(n))
		} else {
			out = append(out, field[i])
		}
	}
	return string(out)
}

// BenchmarkCopy compares ways to load result rows: CopyData with chunks encoded from Arrow, as Publish does, the
// driver's Exec for each row of a COPY, and an INSERT for each row.
func BenchmarkCopy(b *testing.B) {
	const rows = 20_000
	db := connect(b, at(b, server, "owner", create(b)))
	execute(b, db, createAny)
	rng := rand.New(rand.NewPCG(1, 1))
	var all []any
	values := make([][]driver.Value, rows)
	for i := range rows {
		r := randomAny(rng, int64(i))
		r.Text, r.Maybe, r.ID = "as_of_exposure", &r.Float, identifier.ID{1}
		all = append(all, &r)
		values[i] = []driver.Value{
			int64(7), r.Position, r.Text, r.Int, r.Float, r.Bool, r.At.Time(), r.ID.String(), r.Day.String(), *r.Maybe,
		}
	}
	record := recordOf(anyTable, all)
	perRow := func(b *testing.B, statement string, end bool) {
		for b.Loop() {
			execute(b, db, `TRUNCATE "any"`)
			tx, err := db.Begin()
			must(b, err)
			stmt, err := tx.Prepare(statement)
			must(b, err)
			for _, v := range values {
				args := make([]any, len(v))
				for i := range v {
					args[i] = v[i]
				}
				_, err := stmt.Exec(args...)
				must(b, err)
			}
			if end {
				_, err = stmt.Exec()
				must(b, err)
			}
			must(b, tx.Commit())
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("CopyData", func(b *testing.B) {
		for b.Loop() {
			execute(b, db, `TRUNCATE "any"`)
			copyAny(b, db.DB, record)
		}
		b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("CopyExec", func(b *testing.B) {
		perRow(b, `COPY "any" (load_id, position, text, int, float, bool, at, id, day, maybe) FROM STDIN`, true)
	})
	b.Run("Insert", func(b *testing.B) {
		perRow(b, `INSERT INTO "any" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, false)
	})
}
