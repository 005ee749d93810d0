package files_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/files"
	"crosslift/schemas/identifier"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// sink keeps what a stream writes, as text; like the lake's it rejects rows that break the contract.
type sink struct {
	connectorstest.Discard

	table    *table.Table
	rows     []string
	rejected []string
	from     map[string]int // rows and rejected rows by file and position
	fail     error          // what Row and Reject return
}

func newSink(t *table.Table) *sink { return &sink{table: t, from: map[string]int{}} }

func (s *sink) Row(row any, where connectors.Origin) error {
	if err := s.table.Check(row); err != nil {
		return s.Reject(where, err.Error())
	}
	s.from[fmt.Sprintf("%s:%d", where.File, where.Position)]++
	var cells []string
	for _, c := range s.table.Columns {
		if text := s.table.Text(row, c); text != "" {
			cells = append(cells, c.Name+"="+text)
		}
	}
	s.rows = append(s.rows, strings.Join(cells, " "))
	return s.fail
}

func (s *sink) Reject(where connectors.Origin, reason string) error {
	s.from[fmt.Sprintf("%s:%d", where.File, where.Position)]++
	line := fmt.Sprintf("%s:%d: %s (%d bytes)", where.File, where.Position, reason, len(where.Raw))
	if where.Fields != nil {
		line += fmt.Sprint(" ", where.Fields)
	}
	s.rejected = append(s.rejected, line)
	return s.fail
}

func key(t testing.TB) identifier.Key {
	t.Helper()
	k, err := identifier.NewKey("test", []byte("a secret of the tests"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mapping(t testing.TB, yaml string) files.Mapping {
	t.Helper()
	var m files.Mapping
	if err := strictyaml.Decode("mapping.yaml", []byte(yaml), nil, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func day(t testing.TB, text string) table.Day {
	t.Helper()
	d, err := table.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// folder writes files and gives them as a store.
func folder(t testing.TB, content map[string]string) files.Store {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files.Folder(dir)
}

func stream(t testing.TB, yaml string, store files.Store, zoneName string) *files.Stream {
	t.Helper()
	s, err := files.New("files/test", mapping(t, yaml), store, nil, key(t), zone(t, zoneName))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// extract runs a day as a run does: inputs first.
func extract(s *files.Stream, d table.Day) (*sink, error) {
	to := newSink(s.Table())
	ctx := context.Background()
	inputs, err := s.Inputs(ctx, d)
	if err != nil {
		return to, err
	}
	return to, s.Extract(ctx, d, inputs, to)
}

func must(t testing.TB, s *files.Stream, d table.Day) *sink {
	t.Helper()
	to, err := extract(s, d)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

const payments = `
table: raw/payment
path: "%s"
columns:
  source_id: {from: id}
  paid_at: {from: at, time: "2006-01-02 15:04:05", zone: UTC}
  account: {from: user}
  amount_minor: {from: amount, money: major, currency: RUB}
  currency: {value: RUB}
  status: {from: status}
  plan: {from: plan}
`
