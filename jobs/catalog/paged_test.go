package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// api is a source that gives its rows page by page: each page begins with the last row of the page before, as pages do
// whose end has moved, and a broken row comes twice.
type api struct {
	name    string
	of      *table.Table
	rows    []any
	broken  int
	total   []connectors.Total
	breaks  int // how many more extracts break off, each after a page more
	served  int // rows, over all extracts
	unknown string
}

var errCut = fmt.Errorf("page 3: connection cut: %w", connectors.ErrDown)

func (a *api) Name() string                                                  { return "api/rows" + a.name }
func (a *api) Table() *table.Table                                           { return a.of }
func (a *api) Definition() string                                            { return "d" }
func (a *api) Quarantine() float64                                           { return 0.5 }
func (a *api) Restatement() int                                              { return 3 }
func (a *api) Versioned() bool                                               { return false }
func (a *api) Inputs(context.Context, table.Day) ([]connectors.Input, error) { return nil, nil }

const pageRows = 10

func (a *api) Extract(_ context.Context, _ table.Day, _ []connectors.Input, sink connectors.Sink) error {
	from := 0
	if cursor := sink.Resume(); cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil {
			return err
		}
	}
	if a.unknown != "" {
		sink.Unclassified(a.unknown)
	}
	for begun := from; from < len(a.rows); from += pageRows {
		for i := max(0, from-1); i < min(from+pageRows, len(a.rows)); i++ {
			a.served++
			if err := sink.Row(a.rows[i], connectors.Origin{File: "/rows", Position: int64(i + 1), Raw: fmt.Append(nil, i)}); err != nil {
				return err
			}
		}
		for i := range a.broken {
			if err := sink.Reject(connectors.Origin{File: "/rows", Position: int64(from), Raw: fmt.Append(nil, "broken", i)}, "amount: expected a number"); err != nil {
				return err
			}
		}
		if a.breaks > 0 && from > begun {
			a.breaks--
			return errCut // rows of an unfinished page were given
		}
		if err := sink.Page(strconv.Itoa(from + pageRows)); err != nil {
			return err
		}
	}
	for _, t := range a.total {
		if err := sink.Total(t); err != nil {
			return err
		}
	}
	return nil
}

// pagedWorld is a lake and a project around one such source.
type pagedWorld struct {
	t     *testing.T
	store object.Store
	lake  *lake.Lake
	p     Project
	was   *lake.Head
	log   bytes.Buffer
}

func newPagedWorld(t *testing.T) *pagedWorld {
	w := &pagedWorld{t: t, store: object.NewFolder(t.TempDir())}
	w.lake = lake.New(w.store, t.TempDir())
	w.p = Project{Key: testKey(t), Journals: filepath.Join(t.TempDir(), "journals"), Now: time.Now, Log: slog.New(slog.NewTextHandler(&w.log, nil))}
	return w
}

const pagedDay = table.Day(20000)

// extract runs the job once and commits.
func (w *pagedWorld) extract(apis ...*api) (*lake.Head, error) {
	w.t.Helper()
	var feeds []feed
	for _, a := range apis {
		feeds = append(feeds, feed{a, true})
	}
	a := apis[0]
	j := w.p.extract(a.of, feeds)
	work := jobs.NewWork(w.lake, j, pagedDay, nil, 4<<20)
	defer work.Close()
	work.Window = pagedDay.Window(time.UTC)
	work.Replaces(w.was)
	if err := j.Make(w.t.Context(), work); err != nil {
		return nil, err
	}
	recipe := lake.Recipe{Job: j.Name, Logic: j.Logic, Key: j.Key, Tables: lake.Tables(j.Writes...)}
	h, _, err := work.Draft(a.of).Commit(w.t.Context(), recipe, work.Counts, w.was)
	if err != nil {
		return nil, err
	}
	if _, _, err := work.Draft(a.of.Quarantine()).Commit(w.t.Context(), recipe, work.Counts, nil); err != nil {
		var conflict *lake.ConflictError
		if !errors.As(err, &conflict) {
			w.t.Fatal(err)
		}
	}
	w.was = h
	return h, work.Committed()
}

// rowsOf are the source ids of a partition's rows, in order.
func (w *pagedWorld) rowsOf(h *lake.Head) (ids []string) {
	w.t.Helper()
	r, err := w.lake.Read(w.t.Context(), h)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	source, _ := h.Table.Column("source_id")
	for row, err := range r.Each(w.t.Context(), h.Table) {
		if err != nil {
			w.t.Fatal(err)
		}
		ids = append(ids, h.Table.Text(row, source))
	}
	return ids
}

func pagedAt(i int) table.Micros {
	return table.MicrosOf(pagedDay.Window(time.UTC).From) + table.Micros(i)*1000
}

func views(n int) (rows []any) {
	for i := range n {
		rows = append(rows, &table.ViewingRow{SourceID: fmt.Sprintf("v%03d", i), ViewedAt: pagedAt(i), Account: identifier.ID{1}, Seconds: int64(i)})
	}
	return rows
}

func refunds(n int) (rows []any) {
	for i := range n {
		currency := []string{"RUB", "KWD"}[i%2]
		rows = append(rows, &table.RefundRow{SourceID: fmt.Sprintf("r%03d", i), PaymentID: "p", ChangedAt: pagedAt(i), CreatedAt: pagedAt(i),
			AmountMinor: int64(i), Currency: currency, Status: "succeeded"})
	}
	return rows
}

// TestPagedOnce lands every row once, however often it is served, and the rejected ones once in quarantine; the
// source's own totals are of that.
func TestPagedOnce(t *testing.T) {
	t.Parallel()
	for _, a := range []*api{
		{of: table.Viewing, rows: views(95), broken: 2, total: []connectors.Total{{Measure: connectors.Rows, Value: 97}}},
		{of: table.Viewing, rows: views(95), total: []connectors.Total{{Measure: "seconds", Value: 95 * 94 / 2}}},
		{of: table.Refund, rows: refunds(95), broken: 1, total: []connectors.Total{{Measure: connectors.Rows, Value: 96}}},
		{of: table.Refund, rows: refunds(95), total: []connectors.Total{
			{Measure: "amount_minor", Currency: "RUB", Value: 2256}, {Measure: "amount_minor", Currency: "KWD", Value: 2209},
			{Measure: "amount_minor", Currency: "EUR", Value: 0}}},
		{of: table.Refund, rows: nil, total: []connectors.Total{{Measure: connectors.Rows, Value: 0}}},
	} {
		w := newPagedWorld(t)
		h, err := w.extract(a)
		if err != nil {
			t.Fatal(err)
		}
		if h.Rows != int64(len(a.rows)) || h.Counts.Quarantined != int64(a.broken) {
			t.Errorf("%s: %d rows and %d in quarantine instead of %d and %d", a.of, h.Rows, h.Counts.Quarantined, len(a.rows), a.broken)
		}
		for i, said := range h.Counts.Said {
			if said.Value != a.total[i].Value || said.Landed != said.Value {
				t.Errorf("%s: %+v", a.of, said)
			}
		}
		if err := w.lake.Verify(t.Context(), h.Partition); err != nil {
			t.Error(err)
		}
		written, err := lake.New(w.store, t.TempDir()).Head(t.Context(), h.Partition)
		if err != nil || !slices.Equal(written.Counts.Said, h.Counts.Said) {
			t.Errorf("%s: the footer says %+v (%v)", a.of, written, err)
		}
	}
}

// TestPagedTotals fails the day when something else landed than the source says, and publishes nothing.
func TestPagedTotals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    *table.Table
		rows  []any
		total connectors.Total
		says  string
	}{
		{table.Viewing, views(20), connectors.Total{Measure: connectors.Rows, Value: 21}, "rows = 21, 20 landed"},
		{table.Viewing, views(20), connectors.Total{Measure: "seconds", Value: 1}, "seconds = 1, 190 landed"},
		{table.Refund, refunds(20), connectors.Total{Measure: connectors.Rows, Value: 19}, "rows = 19, 20 landed"},
		{table.Refund, refunds(20), connectors.Total{Measure: "amount_minor", Currency: "RUB", Value: 5}, "amount_minor RUB = 5, 90 landed"},
	} {
		w := newPagedWorld(t)
		_, err := w.extract(&api{of: c.of, rows: c.rows, total: []connectors.Total{c.total}})
		if err == nil || !strings.Contains(err.Error(), c.says) || jobs.ExitCode(err) != jobs.ExitBlocked {
			t.Errorf("%s: %v (exit code %d), expected %q", c.of, err, jobs.ExitCode(err), c.says)
		}
		if keys, err := w.lake.Keys(t.Context(), ""); err != nil || len(keys) != 0 {
			t.Errorf("%s: %d partitions were published (%v)", c.of, len(keys), err)
		}
	}
}

// TestPagedResumes breaks extracts off, tears what they have left, and ends in the rows of an undisturbed one without
// asking for finished pages again.
func TestPagedResumes(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		table *table.Table
		rows  []any
	}{{table.Viewing, views(200)}, {table.Refund, refunds(200)}} {
		calm := newPagedWorld(t)
		total := []connectors.Total{{Measure: connectors.Rows, Value: 203}}
		want, err := calm.extract(&api{of: of.table, rows: of.rows, broken: 3, total: total})
		if err != nil {
			t.Fatal(err)
		}
		w := newPagedWorld(t)
		a := &api{of: of.table, rows: of.rows, broken: 3, total: total, breaks: 9}
		random := rand.New(rand.NewPCG(1, 2))
		var h *lake.Head
		tries := 0
		for ; h == nil; tries++ {
			if h, err = w.extract(a); err != nil && jobs.ExitCode(err) != jobs.ExitSource {
				t.Fatal(err)
			}
			if journals, _ := filepath.Glob(filepath.Join(w.p.Journals, "*")); h == nil && len(journals) == 1 {
				tear(t, journals[0], random)
			}
		}
		if h.Content != want.Content || h.Counts.Quarantined != 3 || h.Counts.Said[0] != want.Counts.Said[0] {
			t.Errorf("%s: %+v after %d tries, undisturbed %+v", of.table, h.Counts, tries, want.Counts)
		}
		if a.served >= tries*len(of.rows) {
			t.Errorf("%s: %d rows were served in %d tries: nothing was resumed", of.table, a.served, tries)
		}
		if journals, _ := filepath.Glob(filepath.Join(w.p.Journals, "*")); len(journals) != 0 {
			t.Errorf("%s: %v is left behind", of.table, journals)
		}
	}
}

// tear cuts a file's end off or damages it, as a power cut may.
func tear(t *testing.T, path string, random *rand.Rand) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := len(content) - 1 - random.IntN(len(content)/4)
	switch random.IntN(3) {
	case 0:
		content = content[:at]
	case 1:
		content[at] ^= 0x55
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPagedCarries keeps what a source of the present no longer tells about an earlier day, takes what it corrects, and
// begins anew under another key.
func TestPagedCarries(t *testing.T) {
	t.Parallel()
	w := newPagedWorld(t)
	if _, err := w.extract(&api{of: table.Refund, rows: refunds(5)}); err != nil {
		t.Fatal(err)
	}
	later := refunds(3) // r003 and r004 have changed again since, on another day
	later[1].(*table.RefundRow).Status = "failed"
	h, err := w.extract(&api{of: table.Refund, rows: later, total: []connectors.Total{{Measure: connectors.Rows, Value: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.rowsOf(h), " "); got != "r000 r001 r002 r003 r004" {
		t.Errorf("after the source told less: %s", got)
	}
	if w.p.Key, err = identifier.NewKey("other", []byte("another secret of 16 bytes")); err != nil {
		t.Fatal(err)
	}
	if h, err = w.extract(&api{of: table.Refund, rows: later}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.rowsOf(h), " "); got != "r000 r001 r002" {
		t.Errorf("under another key: %s", got)
	}
}

// TestPagedTogether: of several streams that fill one table, each is held against its own source's totals, and what one
// no longer tells is not lost for the others.
func TestPagedTogether(t *testing.T) {
	t.Parallel()
	rows := func(n int64) []connectors.Total { return []connectors.Total{{Measure: connectors.Rows, Value: n}} }
	all := views(50)
	w := newPagedWorld(t)
	h, err := w.extract(&api{of: table.Viewing, rows: all[:20], total: rows(20)}, &api{name: "2", of: table.Viewing, rows: all[20:], total: rows(30)})
	if err != nil || h.Rows != 50 {
		t.Errorf("%v, %+v", err, h)
	}
	w = newPagedWorld(t)
	_, err = w.extract(&api{of: table.Viewing, rows: all[:20], total: rows(20)}, &api{name: "2", of: table.Viewing, rows: all[20:], total: rows(31)})
	if jobs.ExitCode(err) != jobs.ExitBlocked || !strings.Contains(err.Error(), "api/rows2") {
		t.Error(err)
	}

	w = newPagedWorld(t)
	changes := refunds(6)
	for _, given := range [][2][]any{{changes[:3], changes[3:]}, {changes[:1], changes[3:5]}} {
		if h, err = w.extract(&api{of: table.Refund, rows: given[0]}, &api{name: "2", of: table.Refund, rows: given[1]}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(w.rowsOf(h), " "); got != "r000 r001 r002 r003 r004 r005" {
			t.Errorf("of two streams: %s", got)
		}
	}
}

// TestUnclassified tells new fields once, and nothing that may be personal.
func TestUnclassified(t *testing.T) {
	t.Parallel()
	w := newPagedWorld(t)
	for _, name := range []string{"charges.outcome.network_advice", "ann@mail.ru", "note 79161234567"} {
		if _, err := w.extract(&api{of: table.Viewing, rows: views(1), unknown: name}); err != nil {
			t.Fatal(err)
		}
	}
	log := w.log.String()
	if !strings.Contains(log, "charges.outcome.network_advice") || strings.Contains(log, "ann") || strings.Contains(log, "7916") {
		t.Error(log)
	}
}

// BenchmarkExtract is the way of a row from a source to a committed partition: contract, journal, sort, Parquet.
func BenchmarkExtract(b *testing.B) {
	const rows = 100_000
	random := rand.New(rand.NewPCG(1, 1))
	var all []any
	for i := range rows {
		all = append(all, &table.WebEventRow{
			SourceID: fmt.Sprintf("%032x", random.Uint64()), EventAt: pagedAt(i % 86_000_000), EventName: []string{"page_view", "video_start"}[i%2],
			Account: identifier.ID{byte(i), byte(i >> 8)}, Device: identifier.ID{1, byte(i), byte(i >> 8)}, SessionID: strconv.Itoa(i / 7),
			Platform: "web", Country: "RU", Channel: "google / cpc", Params: `{"title":"x","engagement_time_msec":"1200"}`,
		})
	}
	for b.Loop() {
		l := lake.New(object.NewFolder(b.TempDir()), b.TempDir())
		p := Project{Journals: b.TempDir(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		var err error
		if p.Key, err = identifier.NewKey("k", []byte("0123456789abcdef")); err != nil {
			b.Fatal(err)
		}
		a := &api{of: table.WebEvent, rows: all}
		j := p.extract(a.of, []feed{{a, true}})
		work := jobs.NewWork(l, j, pagedDay, nil, 64<<20)
		work.Window = pagedDay.Window(time.UTC)
		if err := j.Make(b.Context(), work); err != nil {
			b.Fatal(err)
		}
		if _, _, err := work.Draft(a.of).Commit(b.Context(), lake.Recipe{Job: j.Name}, work.Counts, nil); err != nil {
			b.Fatal(err)
		}
		if err := work.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
