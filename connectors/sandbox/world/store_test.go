package world_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
)

// builder is a source of some streams, as a vendor's package would have it.
type builder struct{}

func (builder) Build(c *world.Chunk, to world.Writer) error {
	write := func(stream, id string, at, visible time.Time, object any) error {
		content, err := json.Marshal(object)
		if err != nil {
			return err
		}
		return to.Write("shop", stream, world.Record{ID: id, At: at, Visible: visible, Object: content})
	}
	for _, x := range c.Charges {
		err := write("charges", x.ID, x.Changed, x.Visible, map[string]any{
			"id": x.ID, "amount": x.Amount, "customer": x.Customer, "refunded": x.Refunded, "metadata": map[string]any{},
		})
		if err != nil {
			return err
		}
	}
	for _, x := range c.Accounts {
		if err := write("users", x.ID, x.Changed, x.Visible, map[string]any{"id": x.ID, "email": x.Email}); err != nil {
			return err
		}
	}
	for _, x := range c.Logins {
		if err := write("logins", strconv.FormatInt(x.ID, 10), x.At, x.Visible, map[string]any{"id": x.ID, "account": x.Account}); err != nil {
			return err
		}
	}
	return nil
}

func create(t testing.TB, o world.Options) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "world")
	if _, err := world.Create(context.Background(), dir, o, []world.Builder{builder{}}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sums are the SHA-256 of all files of a folder by name.
func sums(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(content)
		name, _ := filepath.Rel(dir, path)
		all[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func faults() world.Faults {
	return world.Faults{Malformed: 0.02, Drift: 0.03, Streams: map[string]world.Weak{
		"shop/charges": {Members: []string{"id", "amount"}, Open: "metadata"},
		"shop/users":   {Members: []string{"id"}},
	}}
}

func TestSameOptionsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	o := options(t, 1200, 8)
	o.Faults = faults()
	want := sums(t, create(t, o))
	if len(want) < 30 {
		t.Errorf("%d files", len(want))
	}
	o.Chunk = 17
	chunked, spilled := create(t, o), filepath.Join(t.TempDir(), "world")
	if err := world.CreateWithin(spilled, o, []world.Builder{builder{}}, 10_000); err != nil {
		t.Fatal(err)
	}
	for what, dir := range map[string]string{"other chunks": chunked, "little memory": spilled} {
		got := sums(t, dir)
		for name := range want {
			if got[name] != want[name] {
				t.Errorf("%s differs with %s", name, what)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d files with %s, %d without", len(got), what, len(want))
		}
	}
}

func TestFilesAreSortedAndOfTheirNight(t *testing.T) {
	t.Parallel()
	o := options(t, 600, 6)
	dir := create(t, o)
	w, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, stream := range []string{"charges", "users", "logins"} {
		nights, err := w.Nights("shop", stream)
		if err != nil || !slices.IsSorted(nights) || len(nights) < 6 {
			t.Errorf("%s: nights %v, %v", stream, nights, err)
		}
		for _, night := range nights {
			content, err := os.ReadFile(filepath.Join(dir, "shop", stream, night+".ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
			if !slices.IsSorted(all) {
				t.Errorf("%s %s is not sorted", stream, night)
			}
			records, err := w.Night("shop", stream, night)
			if err != nil || len(records) != len(all) {
				t.Errorf("%s %s: %d records in %d lines, %v", stream, night, len(records), len(all), err)
			}
			counts["shop/"+stream] += int64(len(records))
			for _, r := range records {
				if got := r.Visible.In(o.Zone).Format(time.DateOnly); got != night && (night != "2026-08-31" || got > night) {
					t.Errorf("%s %s holds what becomes visible on %s", stream, night, got)
				}
			}
		}
	}
	about := w.About()
	if !reflect.DeepEqual(about.Records, counts) || about.Seed != 99 || about.People != 600 {
		t.Errorf("world.json holds %+v, the files %v", about, counts)
	}
	back, err := about.Options()
	if err != nil || !reflect.DeepEqual(sums(t, create(t, back)), sums(t, dir)) {
		t.Errorf("options %+v, %v: expected the same world", back, err)
	}
}

// What a source shows at an instant, worked out from all records one by one.
func TestReaderShowsWhatIsVisible(t *testing.T) {
	t.Parallel()
	for _, held := range []int64{0, 1 << 30} {
		reads(t, held)
	}
}

func reads(t *testing.T, held int64) {
	o := options(t, 800, 30)
	w, err := world.Open(create(t, o))
	if err != nil {
		t.Fatal(err)
	}
	world.HoldAtMost(w, held)
	var all []world.Record
	nights, _ := w.Nights("shop", "charges")
	for _, night := range nights {
		records, err := w.Night("shop", "charges", night)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
	instants := []time.Time{o.First.Window(o.Zone).From.Add(-time.Hour), all[len(all)/2].Visible, all[len(all)/2].Visible.Add(-1), time.Now().Add(1e6 * time.Hour)}
	for i := range 30 {
		instants = append(instants, o.First.Window(o.Zone).From.Add(time.Duration(i)*23*time.Hour))
	}
	for _, at := range instants {
		newest, visible := map[string]world.Record{}, 0
		for _, r := range all {
			if r.Visible.After(at) {
				continue
			}
			visible++
			if was, ok := newest[r.ID]; !ok || r.Visible.After(was.Visible) || r.Visible.Equal(was.Visible) && r.At.After(was.At) {
				newest[r.ID] = r
			}
		}
		current, err := w.Current("shop", "charges", at)
		if err != nil || len(current) != len(newest) {
			t.Fatalf("%s: %d shown, want %d: %v", at, len(current), len(newest), err)
		}
		for i, r := range current {
			if want := newest[r.ID]; !r.At.Equal(want.At) || !bytes.Equal(r.Object, want.Object) || i > 0 && current[i-1].ID >= r.ID {
				t.Fatalf("%s: %s is %s, want %s", at, r.ID, r.Object, want.Object)
			}
		}
		history, err := w.Versions("shop", "charges", at)
		if err != nil || len(history) != visible || !slices.IsSortedFunc(history, func(a, b world.Record) int { return a.At.Compare(b.At) }) {
			t.Errorf("%s: %d versions, want %d in order of time: %v", at, len(history), visible, err)
		}
	}
	if none, err := w.Current("shop", "unheard_of", time.Now()); err != nil || len(none) != 0 {
		t.Errorf("a stream without files: %v, %v", none, err)
	}
}

// A scan gives what Night does, and goes on where it stopped, whatever the length of the lines.
func TestScanGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	dir := create(t, options(t, 100, 3))
	path := filepath.Join(dir, "shop", "users", "2026-09-02.ndjson")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := `{"id":"z","at":"2026-09-02T00:00:00Z","visible":"2026-09-02T00:00:00Z","object":"` + strings.Repeat("x", 1<<20) + `"}`
	content = append(content, "\n\r\n"+long+"\n"+strings.ReplaceAll(long, "z", "y")...)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	w, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want, err := w.Night("shop", "users", "2026-09-02")
	if err != nil || len(want) < 10 {
		t.Fatal(len(want), err)
	}
	enough := errors.New("enough")
	var got []world.Record
	for offset, stopped := int64(0), true; stopped; {
		stopped = false
		err := w.Scan("shop", "users", "2026-09-02", offset, func(r *world.Record, next int64) error {
			one := *r
			one.Object = bytes.Clone(r.Object)
			got, offset = append(got, one), next
			if stopped = len(got)%3 == 0; stopped {
				return enough
			}
			return nil
		})
		if err != nil && err != enough {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d records scanned, %d in the night", len(got), len(want))
	}
	if err := w.Scan("shop", "users", "1999-01-01", 0, nil); err != nil {
		t.Errorf("no such night: %v", err)
	}
}

func TestAnEditedWorldIsServedAsItStands(t *testing.T) {
	t.Parallel()
	dir := create(t, options(t, 50, 3))
	path := filepath.Join(dir, "shop", "gifts", "2026-09-02.ndjson")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 9, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		content string
		shown   []string // id and object, after the last instant
		problem string
	}{
		"by hand, in any order, with other spacing": {
			`{"object": {"n": [1, "}"]}, "id": "b", "visible": "2026-09-02T10:00:00+03:00", "at": "2026-09-02T09:00:00+03:00"}` + "\r\n\n" +
				`{"id":"a\"","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":{"x":1}}`,
			[]string{`a" {"x":1}`, `b {"n": [1, "}"]}`}, "",
		},
		"a later version replaces an earlier one, and goes": {
			`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}` + "\n" +
				`{"id":"a","at":"2026-09-01T01:00:00Z","visible":"2026-09-01T02:00:00Z","gone":"2026-09-02T12:00:00Z","object":2}` + "\n" +
				`{"id":"b","at":"2026-09-01T01:00:00Z","visible":"2026-09-01T02:00:00Z","gone":"2026-09-02T12:00:00.000001Z","object":2}`,
			[]string{`b 2`}, "",
		},
		"no JSON": {
			`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}` + "\n{", nil, "2026-09-02.ndjson: line 2: ",
		},
		"an object that is none": {
			`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":{"a":}}`, nil, "2026-09-02.ndjson: line 1: the object is not JSON",
		},
		"two on a line": {
			`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}{"id":"b","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}`,
			nil, "line 1: ",
		},
		"no id":         {`{"id":"","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}`, nil, "line 1: id is missing"},
		"no instant":    {`{"id":"a","visible":"2026-09-01T00:00:00Z","object":1}`, nil, "line 1: at or visible is missing"},
		"no object":     {`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z"}`, nil, "line 1: object is missing"},
		"a typing slip": {`{"id":"a","att":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":1}`, nil, `line 1: json: unknown field "att"`},
		"a bad instant": {`{"id":"a","at":"yesterday","visible":"2026-09-01T00:00:00Z","object":1}`, nil, "line 1: "},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := world.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		records, err := w.Current("shop", "gifts", at)
		_, again := w.Night("shop", "gifts", "2026-09-02")
		if scan := w.Scan("shop", "gifts", "2026-09-02", 0, func(*world.Record, int64) error { return nil }); fmt.Sprint(scan) != fmt.Sprint(again) {
			t.Errorf("%s: a scan says %v, the night %v", name, scan, again)
		}
		if c.problem != "" {
			if err == nil || again == nil || !strings.Contains(err.Error(), c.problem) || !strings.Contains(again.Error(), c.problem) {
				t.Errorf("%s: %v and %v, want %q", name, err, again, c.problem)
			}
			continue
		}
		var shown []string
		for _, r := range records {
			shown = append(shown, r.ID+" "+string(r.Object))
		}
		if err != nil || !slices.Equal(shown, c.shown) {
			t.Errorf("%s: shows %q, %v", name, shown, err)
		}
	}
}

func TestAHalfWrittenWorldIsNone(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "world")
	o := options(t, 300, 3)
	full := errors.New("the disk is full")
	for name, b := range map[string]world.Builder{
		"a builder fails":         building(func(*world.Chunk, world.Writer) error { return full }),
		"not visible when it was": building(wrong(func(r *world.Record) { r.Visible = r.At.Add(-1) })),
		"no id":                   building(wrong(func(r *world.Record) { r.ID = "" })),
		"no object":               building(wrong(func(r *world.Record) { r.Object = nil })),
		"broken over two lines":   building(wrong(func(r *world.Record) { r.Object = []byte("{\n") })),
	} {
		if _, err := world.Create(context.Background(), dir, o, []world.Builder{builder{}, b}); err == nil || !strings.HasPrefix(err.Error(), "world "+dir) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(parent); len(left) != 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
	if _, err := world.Open(dir); err == nil || !strings.Contains(err.Error(), "no world.json") {
		t.Errorf("open: %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := world.Create(context.Background(), dir, o, nil); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over something: %v", err)
	}
}

type building func(*world.Chunk, world.Writer) error

func (f building) Build(c *world.Chunk, to world.Writer) error { return f(c, to) }

func wrong(change func(*world.Record)) func(*world.Chunk, world.Writer) error {
	return func(_ *world.Chunk, to world.Writer) error {
		at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		r := world.Record{ID: "x", At: at, Visible: at, Object: []byte("{}")}
		change(&r)
		return to.Write("shop", "charges", r)
	}
}

// Objects pass through as they are; only line breaks between their members go.
func TestObjectsPassThrough(t *testing.T) {
	t.Parallel()
	objects := []string{`{"b":1, "a":"ж\u0000"}`, "{\n \"a\": [\n1]}", `"text"`, `12345678901234567890.10`}
	dir := filepath.Join(t.TempDir(), "world")
	at := time.Date(2026, 9, 1, 12, 0, 0, 123456000, time.UTC)
	done := false
	b := building(func(_ *world.Chunk, to world.Writer) error {
		for i, object := range objects {
			r := world.Record{ID: fmt.Sprintf("%d \"ж\\", i), At: at, Visible: at, Object: []byte(object)}
			if err := to.Write("s.1", "t-2_x", r); err != nil || done {
				return err
			}
		}
		done = true
		return to.Write("..", "x", world.Record{ID: "a", At: at, Visible: at, Object: []byte("1")})
	})
	if _, err := world.Create(context.Background(), dir, options(t, 1, 1), []world.Builder{b}); err == nil || !strings.Contains(err.Error(), "expected names of letters") {
		t.Errorf("a stream outside the world: %v", err)
	}
	o := options(t, 1, 1)
	o.Faults = world.Faults{}
	b = func(_ *world.Chunk, to world.Writer) error {
		for i, object := range objects {
			r := world.Record{ID: fmt.Sprintf("%d \"ж\\", i), At: at, Visible: at, Object: []byte(object)}
			if err := to.Write("s.1", "t-2_x", r); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := world.Create(context.Background(), dir, o, []world.Builder{b}); err != nil {
		t.Fatal(err)
	}
	w, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	records, err := w.Versions("s.1", "t-2_x", at)
	if err != nil || len(records) != len(objects) {
		t.Fatalf("%v, %v", records, err)
	}
	for i, r := range records {
		want := strings.ReplaceAll(objects[i], "\n", "")
		if i == 1 {
			want = `{"a":[1]}`
		}
		if string(r.Object) != want || r.ID != fmt.Sprintf("%d \"ж\\", i) || !r.At.Equal(at) {
			t.Errorf("%q %s at %s, want %s", r.ID, r.Object, r.At, want)
		}
	}
}

func TestFaultsAreToldInTheTruth(t *testing.T) {
	t.Parallel()
	o := options(t, 2000, 20)
	sound, err := world.Open(create(t, o))
	if err != nil {
		t.Fatal(err)
	}
	o.Faults = faults()
	dir := create(t, o)
	hit, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	damaged, err := world.ReadDamaged(dir)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]world.Damaged{}
	for _, d := range damaged {
		told[d.Stream+d.ID+d.At.UTC().String()] = d
	}
	planted, err := world.ReadPlanted(dir)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, p := range planted {
		known[p.Value] = true
	}
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	found, drifted, number, text := 0, 0, 0, 0
	for _, stream := range []string{"charges", "users", "logins"} {
		before, err := sound.Versions("shop", stream, end)
		if err != nil {
			t.Fatal(err)
		}
		after, err := hit.Versions("shop", stream, end)
		if err != nil || len(after) != len(before) {
			t.Fatalf("%s: %d records, %d without faults: %v", stream, len(after), len(before), err)
		}
		for i, r := range after {
			if bytes.Equal(r.Object, before[i].Object) {
				continue
			}
			var was, is map[string]any
			if json.Unmarshal(before[i].Object, &was) != nil || json.Unmarshal(r.Object, &is) != nil {
				t.Fatalf("%s became %s", before[i].Object, r.Object)
			}
			if d, ok := told[stream+r.ID+r.At.String()]; ok {
				found++
				if value, ok := is[d.Member]; ok && value != "unknown" {
					t.Errorf("%s became %s, told is %s", before[i].Object, r.Object, d.Member)
				} else if ok {
					text++
				} else {
					number++
				}
				continue
			}
			open := is
			if stream == "charges" {
				open, _ = is["metadata"].(map[string]any)
			}
			note, _ := open["loyalty_note"].(string)
			profile, _ := open["loyalty_profile"].(map[string]any)
			if contact, _ := profile["contact"].(string); !known[strings.TrimPrefix(note, "call ")] || !known[contact] {
				t.Errorf("%s became %s, which the truth knows nothing of", before[i].Object, r.Object)
			}
			drifted++
		}
	}
	if found != len(damaged) || found == 0 || drifted == 0 || text == 0 || number == 0 {
		t.Errorf("%d damaged of %d told, %d numbers as text, %d members gone, %d with new fields", found, len(damaged), text, number, drifted)
	}
}

func TestTruthIsReadBack(t *testing.T) {
	t.Parallel()
	o := options(t, 3000, 40)
	c, dir := whole(t, o), create(t, o)
	nodes, err1 := world.ReadNodes(dir)
	exposures, err2 := world.ReadExposures(dir)
	payments, err3 := world.ReadPayments(dir)
	accruals, err4 := world.ReadAccruals(dir)
	effects, err5 := world.ReadEffects(dir)
	planted, err6 := world.ReadPlanted(dir)
	attended, err7 := world.ReadAttendance(dir)
	begun, err8 := world.ReadSubscriptions(dir)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]any{
		"node": {nodes, c.Truth.Nodes}, "exposure": {exposures, c.Truth.Exposures}, "subscription": {begun, c.Truth.Subscriptions}, "payment": {payments, c.Truth.Payments},
		"accrual": {accruals, c.Truth.Accruals}, "planted": {planted, c.Truth.Planted}, "attendance": {attended, c.Truth.Attended},
	} {
		if sum(t, pair[0]) != sum(t, pair[1]) {
			t.Errorf("%s is not read as it was made", name)
		}
	}
	for _, e := range effects {
		if e.Units < 100 || e.Effect != e.Treatment-e.Control || e.SampleControl <= 0 || e.SampleTreatment < e.SampleControl {
			t.Errorf("effect %+v", e)
		}
	}
	if len(effects) != 4 {
		t.Errorf("effects %+v", effects)
	}
	if _, err := world.ReadNodes(t.TempDir()); err == nil || !strings.Contains(err.Error(), "truth: node") {
		t.Errorf("no truth: %v", err)
	}
}

func BenchmarkCreate(b *testing.B) {
	o := options(b, 20_000, 45)
	for b.Loop() {
		dir := create(b, o)
		os.RemoveAll(dir)
	}
}

func TestReadersAtTheSameTime(t *testing.T) {
	t.Parallel()
	o := options(t, 200, 5)
	w, err := world.Open(create(t, o))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 10 {
				at := o.First.Window(o.Zone).From.Add(time.Duration(i*n) * time.Hour)
				_, err1 := w.Current("shop", "charges", at)
				_, err2 := w.Versions("shop", "users", at)
				_, err3 := w.Night("shop", "users", "2026-09-02")
				if err := errors.Join(err1, err2, err3); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
