package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// stream is a source that gives so many rows, some of them broken.
type stream struct {
	name          string
	rows, broken  int
	erased        int // rows of a person who was erased
	limit         float64
	restatement   int
	missing       bool
	outsideOfDays bool
}

func (s stream) Name() string        { return s.name }
func (s stream) Table() *table.Table { return table.Viewing }
func (s stream) Definition() string  { return "d" }
func (s stream) Quarantine() float64 { return s.limit }
func (s stream) Restatement() int    { return s.restatement }
func (s stream) Versioned() bool     { return true }
func (s stream) Inputs(context.Context, table.Day) ([]connectors.Input, error) {
	if s.missing {
		return nil, fmt.Errorf("%s: %w", s.name, files.ErrMissing)
	}
	return []connectors.Input{{Name: "b.csv", SHA256: "2"}, {Name: "a.csv", SHA256: "1"}}, nil
}
func (s stream) Extract(_ context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	if len(inputs) != 2 || inputs[0] != (connectors.Input{Name: "a.csv", SHA256: "1"}) {
		return fmt.Errorf("inputs %v", inputs)
	}
	at := table.MicrosOf(day.Window(time.UTC).From)
	if s.outsideOfDays {
		at--
	}
	for i := range s.rows {
		row := &table.ViewingRow{SourceID: fmt.Sprint(s.name, i), ViewedAt: at, Account: identifier.ID{1}, Seconds: 1}
		if i < s.broken {
			row.SourceID = ""
		}
		if i < s.erased {
			row.Account = identifier.ID{2}
		}
		if err := sink.Row(row, connectors.Origin{File: "a.csv", Position: int64(i + 2), Raw: []byte("line"), Fields: map[string]string{"x": "y"}}); err != nil {
			return err
		}
	}
	return nil
}

func testKey(t *testing.T) identifier.Key {
	t.Helper()
	k, err := identifier.NewKey("k", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// extractAll runs the job of some streams, and commits.
func extractAll(t *testing.T, streams ...connectors.Stream) (raw, quarantine *lake.Head, counts lake.Counts, err error) {
	t.Helper()
	l := lake.New(object.NewFolder(t.TempDir()), t.TempDir())
	p := Project{Key: testKey(t), Suppressed: identifier.Set{{2}: {}}}
	var feeds []feed
	for _, s := range streams {
		feeds = append(feeds, feed{s, false})
	}
	j := p.extract(table.Viewing, feeds)
	day := table.Day(20000)
	w := jobs.NewWork(l, j, day, nil, 4<<20)
	defer w.Close()
	w.Window = day.Window(time.UTC)
	if w.Files, err = j.Files(t.Context(), day); err != nil {
		return nil, nil, counts, err
	}
	if err := j.Make(t.Context(), w); err != nil {
		return nil, nil, w.Counts, err
	}
	commit := func(of *table.Table) *lake.Head {
		h, _, err := w.Draft(of).Commit(t.Context(), lake.Recipe{Job: j.Name}, w.Counts, nil)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	return commit(table.Viewing), commit(table.Viewing.Quarantine()), w.Counts, nil
}

// TestQuarantine keeps a day whose broken rows are few, and fails it when they are too many, or all.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, broken int
		limit        float64
		fails        bool
	}{
		{1000, 0, 0.01, false},
		{1000, 10, 0.01, false}, // at the limit
		{1000, 11, 0.01, true},
		{1000, 20, 0.02, false},
		{99, 50, 0.01, false}, // too few rows to judge
		{100, 2, 0.01, true},
		{3, 3, 0.01, true}, // nothing but broken rows
		{3, 3, 0.99, true},
		{3, 3, 1, false}, // of a source too small to judge
		{0, 0, 0.01, false},
	} {
		raw, quarantine, counts, err := extractAll(t, stream{name: "files/viewing", rows: c.rows, broken: c.broken, limit: c.limit})
		if c.fails {
			if jobs.ExitCode(err) != jobs.ExitContract {
				t.Errorf("%+v: %v", c, err)
				continue
			}
			for _, part := range []string{"files/viewing", fmt.Sprintf("%d of %d rows", c.broken, c.rows), "raw/viewing", "source_id: required", "a.csv line 2", "`quarantine`"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			continue
		}
		if err != nil || raw.Rows != int64(c.rows-c.broken) || quarantine.Rows != int64(c.broken) ||
			counts.Read != int64(c.rows) || counts.Quarantined != int64(c.broken) {
			t.Errorf("%+v: %v, %+v", c, err, counts)
		}
	}
}

// TestSuppression lets no row of an erased person in, not even a broken one, and goes on counting what was read.
func TestSuppression(t *testing.T) {
	t.Parallel()
	raw, quarantine, counts, err := extractAll(t, stream{name: "files/viewing", rows: 1000, broken: 5, erased: 3, limit: 0.01})
	if err != nil || raw.Rows != 995 || quarantine.Rows != 2 || counts.Read != 1000 || counts.Quarantined != 2 {
		t.Errorf("%v: %+v, %+v, %+v", err, raw, quarantine, counts)
	}
}

// TestStreamsOfOneTable are merged into one partition, each judged by its own threshold, and open as long as the most
// patient of them.
func TestStreamsOfOneTable(t *testing.T) {
	t.Parallel()
	a, b := stream{name: "files/a", rows: 200, limit: 0.01, restatement: 3}, stream{name: "files/b", rows: 200, broken: 3, limit: 0.02, restatement: 7}
	raw, quarantine, _, err := extractAll(t, a, b)
	if err != nil || raw.Rows != 397 || quarantine.Rows != 3 {
		t.Errorf("%v, %+v, %+v", err, raw, quarantine)
	}
	if days := (Project{Key: testKey(t)}).extract(table.Viewing, []feed{{a, false}, {b, false}}).Restatement; days != 7 {
		t.Errorf("restatement %d", days)
	}
	b.restatement = -1
	if days := (Project{Key: testKey(t)}).extract(table.Viewing, []feed{{a, false}, {b, false}}).Restatement; days != -1 {
		t.Errorf("restatement %d, where one stream is open for ever", days)
	}
	b.broken = 5
	if _, _, _, err := extractAll(t, a, b); err == nil || !strings.Contains(err.Error(), "files/b") {
		t.Errorf("%v", err)
	}
}

// TestSourceFaults give their exit codes: a file that was not delivered is a source that is down.
func TestSourceFaults(t *testing.T) {
	t.Parallel()
	if _, _, _, err := extractAll(t, stream{name: "files/viewing", missing: true}); jobs.ExitCode(err) != jobs.ExitSource {
		t.Errorf("a missing file: %v", err)
	}
	if _, _, _, err := extractAll(t, stream{name: "files/viewing", rows: 1, outsideOfDays: true}); err == nil || !strings.Contains(err.Error(), "lies outside") {
		t.Errorf("a row of another day: %v", err)
	}
}

// TestSums computes a sum once for a name, size and version, remembers it in a file, and does not trust a file that
// may still change within the resolution of its time.
func TestSums(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "sums.json")
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	open := func() *Sums {
		s, err := OpenSums(path, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	computed := 0
	ask := func(s *Sums, o files.Object) string {
		sum, err := s.SHA256(t.Context(), "folder", o, func() (string, error) { computed++; return fmt.Sprint("sum", computed), nil })
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	old := files.Object{Name: "a.csv", Size: 5, Version: "v1", Modified: now.Add(-time.Hour)}
	s := open()
	if first, again := ask(s, old), ask(s, old); first != "sum1" || again != "sum1" {
		t.Errorf("a known sum was computed again: %s, then %s", first, again)
	}
	changed := old
	changed.Version = "v2"
	if ask(s, changed) != "sum2" {
		t.Error("a new version has the old sum")
	}
	young := files.Object{Name: "b.csv", Size: 5, Version: "v1", Modified: now.Add(-time.Second)}
	if first, again := ask(s, young), ask(s, young); first == again {
		t.Error("a file that was just written was trusted")
	}
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	s = open()
	if ask(s, old) != "sum1" {
		t.Error("the sum was not remembered")
	}
	s.Forget("folder", old)
	if ask(s, old) == "sum1" {
		t.Error("a forgotten sum came back")
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ask(open(), changed) == "sum2" {
		t.Error("a damaged cache was believed")
	}
	failing := errors.New("unreadable")
	if _, err := s.SHA256(t.Context(), "folder", files.Object{Name: "c"}, func() (string, error) { return "", failing }); !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
}
