package ga

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	google "cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

// TestMain lets this program be its own server and its own client, so that each is measured alone.
func TestMain(m *testing.M) {
	switch role := os.Getenv("GA_BENCH_ROLE"); role {
	case "server":
		serveBig(os.Getenv("GA_BENCH_ROWS"))
	case "extract", "plain":
		if err := measure(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// endless is a world of one day with any number of events, made when they are asked for.
type endless struct {
	world.Reader // none
	rows         int64
	kept         []world.Record
}

func newEndless(rows int64) *endless {
	e := &endless{rows: rows}
	for i := range int64(5000) {
		w := worldtest.NewMemory(time.UTC)
		at := utc("2026-11-03T00:00").Add(time.Duration(i) * 17 * time.Second)
		visit := i / 7
		chunk := world.Chunk{Events: []world.WebEvent{{
			At: at, Visible: at, Name: []string{"page_view", "scroll", "video_start", "purchase"}[i%4], PseudoID: fmt.Sprintf("%d.%d", 1e9+visit*7919, 1.6e9+visit),
			SessionID: 1_762_000_000 + visit, Sequence: i, Platform: "WEB", Country: []string{"RU", "KZ", "DE"}[visit%3], Source: "google", Medium: "cpc",
			Account: []string{"", "u" + strconv.FormatInt(visit, 16)}[visit%2],
			Page:    fmt.Sprintf("https://cinema.example/watch/%d?utm_source=google&utm_campaign=autumn&email=ann%%40mail.ru", i%997), Consent: true,
			Value: float64(i%50) + 0.5, Currency: []string{"", "", "", "EUR"}[i%4],
		}}}
		if err := bigquery.Builder(time.UTC).Build(&chunk, w); err != nil {
			panic(err)
		}
		night, _ := w.Night(bigquery.Source, bigquery.Stream, "2026-11-03")
		e.kept = append(e.kept, night...)
	}
	return e
}

func (e *endless) Nights(string, string) ([]string, error) { return []string{"2026-11-03"}, nil }

func (e *endless) Scan(_, _, _ string, offset int64, give func(*world.Record, int64) error) error {
	for i := offset; i < e.rows; i++ {
		if err := give(&e.kept[i%int64(len(e.kept))], i+1); err != nil {
			return err
		}
	}
	return nil
}

// serveBig runs until its input ends.
func serveBig(rows string) {
	n, err := strconv.ParseInt(rows, 10, 64)
	if err != nil {
		panic(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Start()
	file, err := bigquery.NewServiceAccount(project, server.URL+"/token")
	if err != nil {
		panic(err)
	}
	account, err := bigquery.ReadAccount(file)
	if err != nil {
		panic(err)
	}
	server.Config.Handler = bigquery.Handler(newEndless(n), bigquery.Options{
		Project: project, Dataset: dataset, Account: account, Zone: time.UTC, Now: func() time.Time { return utc("2026-11-10T00:00") },
	})
	if err := json.NewEncoder(os.Stdout).Encode(started{server.URL, string(file)}); err != nil {
		panic(err)
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
}

type started struct{ URL, Key string }

// measured is what a client used.
type measured struct {
	Rows, Bytes int64
	CPU, Wall   time.Duration
	Peak        int64 // of the process's memory, in bytes
}

// counting is a sink that counts.
type counting struct {
	connectorstest.Discard
	rows, bytes, said int64
}

func (c *counting) Row(_ any, where connectors.Origin) error {
	c.rows++
	c.bytes += int64(len(where.Raw))
	return nil
}

func (c *counting) Total(t connectors.Total) error { c.said = t.Value; return nil }

// measure reads the day and writes what that took.
func measure(role string) error {
	var to started
	if err := json.NewDecoder(os.Stdin).Decode(&to); err != nil {
		return err
	}
	before, start := cpu(), time.Now()
	sink := &counting{}
	var err error
	if role == "plain" {
		sink.rows, err = plain(to)
	} else {
		err = extractTo(to, sink)
	}
	if err != nil {
		return err
	}
	m := measured{Rows: sink.rows, Bytes: sink.bytes, CPU: cpu() - before, Wall: time.Since(start), Peak: peak()}
	return json.NewEncoder(os.Stdout).Encode(m)
}

func extractTo(to started, sink *counting) error {
	key, err := identifier.ParseKey("k1:" + digits)
	if err != nil {
		return err
	}
	s, err := New(Config{
		Project: project, Dataset: dataset, Credentials: secret.New(to.Key), PropertyZone: "UTC", Endpoint: to.URL + "/bigquery/v2/",
		Params: []string{"page_location", "page_title"},
	}, connectors.Env{Key: key, Zone: time.UTC, Now: time.Now})
	if err != nil {
		return err
	}
	defer s.Close()
	day, err := table.ParseDay(day)
	if err != nil {
		return err
	}
	ctx, stream := context.Background(), s.Streams()[0]
	inputs, err := stream.Inputs(ctx, day)
	if err != nil {
		return err
	}
	if err := stream.Extract(ctx, day, inputs, sink); err != nil {
		return err
	}
	if sink.rows != sink.said {
		return fmt.Errorf("%d rows, expected %d", sink.rows, sink.said)
	}
	return nil
}

// plain reads the day as Google's client alone does.
func plain(to started) (rows int64, err error) {
	ctx := context.Background()
	c, err := google.NewClient(ctx, project, option.WithEndpoint(to.URL+"/bigquery/v2/"),
		option.WithAuthCredentialsJSON(option.ServiceAccount, []byte(to.Key)))
	if err != nil {
		return 0, err
	}
	defer c.Close()
	it := c.Dataset(dataset).Table("events_20261103").Read(ctx)
	it.PageInfo().MaxSize = defaultPage
	for {
		var row []google.Value
		if err := it.Next(&row); errors.Is(err, iterator.Done) {
			return rows, nil
		} else if err != nil {
			return 0, err
		}
		rows++
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that this process has had.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if digits, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(digits), "kB")), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// run starts a server of so many rows and a client of it, each a process.
func run(t testing.TB, role string, rows int) measured {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), program)
	server.Env = append(os.Environ(), "GA_BENCH_ROLE=server", "GA_BENCH_ROWS="+strconv.Itoa(rows))
	server.Stderr = os.Stderr
	stop, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	says, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Wait()
	defer stop.Close()
	line, err := bufio.NewReader(says).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := exec.CommandContext(t.Context(), program)
	client.Env = append(os.Environ(), "GA_BENCH_ROLE="+role)
	client.Stdin, client.Stderr = strings.NewReader(line), os.Stderr
	out, err := client.Output()
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	if m.Rows != int64(rows) {
		t.Fatalf("%d rows were read, expected %d", m.Rows, rows)
	}
	return m
}

// TestMemory: a day's size is no matter to the memory that its extract takes.
func TestMemory(t *testing.T) {
	if testing.Short() || underRace || peak() == 0 {
		t.Skip("it takes Linux and seconds, and measures nothing beside the race detector")
	}
	small, large := run(t, "extract", 20_000), run(t, "extract", 80_000)
	if large.Peak > 300<<20 || float64(large.Peak) > 1.3*float64(small.Peak) {
		t.Errorf("20,000 rows take %d MB, 80,000 take %d MB", small.Peak>>20, large.Peak>>20)
	}
}

// BenchmarkExtract measures the client alone: CPU an event and the peak of the process. Run it with -benchtime 1x.
func BenchmarkExtract(b *testing.B) {
	for _, c := range []struct {
		role string
		rows int
	}{{"extract", 500_000}, {"extract", 5_000_000}, {"plain", 50_000}} {
		b.Run(fmt.Sprintf("%s/rows=%d", c.role, c.rows), func(b *testing.B) {
			for b.Loop() {
				m := run(b, c.role, c.rows)
				b.ReportMetric(float64(m.CPU.Microseconds())/float64(m.Rows), "µs-cpu/event")
				b.ReportMetric(m.Wall.Seconds(), "s-wall")
				b.ReportMetric(float64(m.Bytes)/float64(m.Rows), "bytes/event")
				b.ReportMetric(float64(m.Peak)/(1<<20), "peak-MB")
			}
		})
	}
}

// BenchmarkRow is the part of an extract that is ours, without network and sink: a page of real rows is taken apart, and
// made rows of the lake. They are whole rows, with all columns.
func BenchmarkRow(b *testing.B) {
	w := worldtest.NewMemory(time.UTC)
	for _, row := range realRows(b) {
		add(b, w, row, utc("2020-11-01T12:00"), time.Time{})
	}
	l := newLab(b, w, nil)
	tables, err := l.tables(b.Context(), dayOf(b, "2020-11-01"))
	if err != nil {
		b.Fatal(err)
	}
	layout, err := layoutOf(tables[0].schema)
	if err != nil {
		b.Fatal(err)
	}
	var p page
	if _, _, err := l.service.read(b.Context(), tables[0].id, 0, "", &p); err != nil {
		b.Fatal(err)
	}
	made := l.rows(func(string) {})
	var d decoder
	b.SetBytes(int64(len(p.body) / len(p.rows)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(p.rows) == 0 {
			if _, err := p.split(); err != nil {
				b.Fatal(err)
			}
		}
		if err := d.row(p.row(i%len(p.rows)), layout.whole); err != nil {
			b.Fatal(err)
		}
		at, _ := d.event.at()
		if _, err := made.fill(&d.event, at); err != nil {
			b.Fatal(err)
		}
	}
}
