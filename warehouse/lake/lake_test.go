package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/s3test"
)

var payments = Partition{Table: table.Payment, Day: 20000}

func recipe(logic int) Recipe {
	return Recipe{Job: "extract/payment", Logic: logic, Tables: Tables(table.Payment), Window: "w", Zone: "UTC"}
}

// commit makes a partition of so many payments.
func commit(t testing.TB, l *Lake, p Partition, rows int, r Recipe, was *Head) (*Head, Outcome, error) {
	t.Helper()
	d := l.Draft(p, 1<<20)
	defer d.Close()
	for i := range rows {
		if err := d.Add(&table.PaymentRow{SourceID: fmt.Sprint(i), Account: identifier.ID{1}, AmountMinor: 1, Currency: "RUB", Status: "succeeded"}); err != nil {
			t.Fatal(err)
		}
	}
	return d.Commit(t.Context(), r, Counts{Read: int64(rows)}, was)
}

func must(t testing.TB, want Outcome) func(*Head, Outcome, error) *Head {
	return func(h *Head, got Outcome, err error) *Head {
		t.Helper()
		if err != nil || got != want {
			t.Fatalf("%s, %v, expected %s", got, err, want)
		}
		return h
	}
}

// stores are those that a lake may lie in.
func stores(t *testing.T) map[string]object.Store {
	s3, err := object.NewS3(t.Context(), s3test.Start(t).Config("lake"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]object.Store{"folder": object.NewFolder(t.TempDir()), "s3": s3}
}

// TestCommit uploads what is new, gives equal rows a new footer, and leaves alone what is the same.
func TestCommit(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			l := New(store, t.TempDir())
			if err := l.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Head(t.Context(), payments); !errors.Is(err, ErrNotFound) {
				t.Fatalf("the head of nothing: %v", err)
			}
			first := must(t, Written)(commit(t, l, payments, 3, recipe(1), nil))
			same := must(t, Unchanged)(commit(t, l, payments, 3, recipe(1), first))
			if same.ETag != first.ETag {
				t.Error("an equal partition was uploaded again")
			}
			again := must(t, Recommitted)(commit(t, l, payments, 3, recipe(2), first))
			if again.Content != first.Content || again.ETag == first.ETag {
				t.Errorf("recommitted: content %.12s, was %.12s", again.Content, first.Content)
			}
			other := must(t, Written)(commit(t, l, payments, 4, recipe(2), again))
			empty := must(t, Written)(commit(t, l, payments, 0, recipe(2), other))
			read, err := New(store, t.TempDir()).Head(t.Context(), payments)
			if err != nil || read.Content != empty.Content || read.Rows != 0 || read.Recipe.Hash() != recipe(2).Hash() {
				t.Errorf("read back: %+v, %v", read, err)
			}
			if err := l.Verify(t.Context(), payments); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestConflict refuses to overwrite rows that the plan did not see, and takes equal rows of somebody else for its own.
func TestConflict(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			l := New(store, t.TempDir())
			theirs := must(t, Written)(commit(t, l, payments, 3, recipe(1), nil))
			_, _, err := commit(t, l, payments, 4, recipe(1), nil)
			var conflict *ConflictError
			if !errors.As(err, &conflict) {
				t.Errorf("other rows over unseen ones: %v", err)
			}
			if h, _, err := commit(t, l, payments, 3, recipe(1), nil); err != nil || h.ETag != theirs.ETag {
				t.Errorf("the same work done by somebody else: %v", err)
			}
			must(t, Recommitted)(commit(t, l, payments, 3, recipe(2), nil))
			if _, _, err := commit(t, l, payments, 5, recipe(1), theirs); !errors.As(err, &conflict) {
				if h, _ := l.Head(t.Context(), payments); h.Content != theirs.Content {
					t.Errorf("a stale plan overwrote what came after: %v", err)
				}
			}
		})
	}
}

// TestRace lets many commit at once: with equal rows all succeed, with different ones the object is one of theirs.
func TestRace(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			l := New(store, t.TempDir())
			var wg sync.WaitGroup
			var mu sync.Mutex
			won := map[string]bool{}
			for i := range 12 {
				wg.Go(func() {
					h, _, err := commit(t, l, payments, 1+i%3, recipe(1), nil)
					var conflict *ConflictError
					if err != nil && !errors.As(err, &conflict) {
						t.Error(err)
					}
					if err == nil {
						mu.Lock()
						defer mu.Unlock()
						won[h.Content] = true
					}
				})
			}
			wg.Wait()
			h, err := New(store, t.TempDir()).Head(t.Context(), payments)
			if err != nil || len(won) != 1 || !won[h.Content] {
				t.Errorf("%d kinds of rows won, %v", len(won), err)
			}
		})
	}
}

// answers puts words into a store's mouth: the n-th commit happens or not, and is answered with an error.
type answers struct {
	object.Store
	happens []bool
	says    []error
	commits int
}

func (a *answers) Create(ctx context.Context, key string) (object.Upload, error) {
	up, err := a.Store.Create(ctx, key)
	return &answered{up, a}, err
}

type answered struct {
	object.Upload
	store *answers
}

func (a *answered) Commit(ctx context.Context, replaces string) (object.Info, error) {
	n := a.store.commits
	a.store.commits++
	if n >= len(a.store.says) {
		return a.Upload.Commit(ctx, replaces)
	}
	if !a.store.happens[n] {
		return object.Info{}, errors.Join(a.store.says[n], a.Upload.Abort(ctx))
	}
	if _, err := a.Upload.Commit(ctx, replaces); err != nil {
		return object.Info{}, err
	}
	return object.Info{}, a.store.says[n]
}

// TestFate finds out what became of a commit whose answer was lost or misleading, by reading the object.
func TestFate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		happens []bool
		says    []error
		commits int
		fails   bool
	}{
		{"the SDK's retry turned a win into a refusal", []bool{true}, []error{object.ErrPrecondition}, 1, false},
		{"the connection was cut after it happened", []bool{true}, []error{object.ErrUnknown}, 1, false},
		{"the connection was cut before it happened", []bool{false}, []error{object.ErrUnknown}, 2, false},
		{"a conflict of conditional requests, with nothing there", []bool{false}, []error{object.ErrPrecondition}, 2, false},
		{"it never answers", []bool{false, false, false}, []error{object.ErrUnknown, object.ErrUnknown, object.ErrUnknown}, 3, true},
		{"access was refused", []bool{false}, []error{object.ErrAccess}, 1, true},
	} {
		for _, replacing := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, replacing: %t", c.name, replacing), func(t *testing.T) {
				t.Parallel()
				folder := object.NewFolder(t.TempDir())
				var was *Head
				if replacing {
					was = must(t, Written)(commit(t, New(folder, t.TempDir()), payments, 1, recipe(1), nil))
				}
				store := &answers{Store: folder, happens: c.happens, says: c.says}
				_, _, err := commit(t, New(store, t.TempDir()), payments, 2, recipe(1), was)
				if (err != nil) != c.fails || store.commits != c.commits {
					t.Errorf("%d commits, %v", store.commits, err)
				}
				h, err := New(folder, t.TempDir()).Head(t.Context(), payments)
				switch {
				case !c.fails && (err != nil || h.Rows != 2), c.fails && replacing && (err != nil || h.Rows != 1), c.fails && !replacing && !errors.Is(err, ErrNotFound):
					t.Errorf("the object: %+v, %v", h, err)
				}
			})
		}
	}
}

// TestRevisions puts a corrected result beside the old one, and an equal one on top of it.
func TestRevisions(t *testing.T) {
	t.Parallel()
	l := New(object.NewFolder(t.TempDir()), t.TempDir())
	p := Partition{Table: table.ExperimentResult, Experiment: "offer", Day: 20000, Revision: 1}
	make := func(n int64, logic int, was *Head) (*Head, Outcome, error) {
		d := l.Draft(p, 1<<20)
		defer d.Close()
		if err := d.Add(&table.ExperimentResultRow{Metric: "m", Variant: "v", Unit: "profile", Estimand: "itt", Method: "z", Adjustment: "none",
			Stitching: "s", Baseline: "c", ValueUnit: "share", N: n, DefinitionHash: "h"}); err != nil {
			t.Fatal(err)
		}
		return d.Commit(t.Context(), recipe(logic), Counts{}, was)
	}
	first := must(t, Written)(make(1, 1, nil))
	if same := must(t, Recommitted)(make(1, 2, first)); same.Revision != 1 {
		t.Errorf("equal rows got revision %d", same.Revision)
	}
	second := must(t, Written)(make(2, 2, first))
	if second.Revision != 2 {
		t.Errorf("other rows got revision %d", second.Revision)
	}
	if same := must(t, Recommitted)(make(2, 3, second)); same.Revision != 2 {
		t.Errorf("rows that are equal to a second revision got revision %d", same.Revision)
	}
	heads, err := l.Heads(t.Context(), table.ExperimentResult, "offer")
	if err != nil || len(heads) != 2 || heads[0].Content != first.Content || heads[1].Revision != 2 {
		t.Errorf("heads: %v, %v", heads, err)
	}
}

// TestPinned reads the rows that the plan saw: a new footer over the same rows will do, other rows will not.
func TestPinned(t *testing.T) {
	t.Parallel()
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			l := New(store, t.TempDir())
			first := must(t, Written)(commit(t, l, payments, 3, recipe(1), nil))
			second := must(t, Recommitted)(commit(t, l, payments, 3, recipe(2), first))
			r, err := l.Read(t.Context(), first)
			if err != nil {
				t.Fatalf("the same rows under a new footer: %v", err)
			}
			r.Close()
			must(t, Written)(commit(t, l, payments, 4, recipe(2), second))
			if _, err := l.Read(t.Context(), first); !errors.Is(err, ErrChanged) {
				t.Errorf("other rows: %v", err)
			}
		})
	}
}

// TestKeys parses the keys that it writes, and nothing else.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, p := range []Partition{
		{Table: table.Payment, Day: 20000}, {Table: table.Payment.Quarantine(), Day: -1},
		{Table: table.UnitMetric, Experiment: "offer", Day: 20000}, {Table: table.ExperimentResult, Experiment: "offer", Day: 20000, Revision: 12},
	} {
		if got, ok := ParseKey(p.Key()); !ok || got != p {
			t.Errorf("%s: %+v, %t", p.Key(), got, ok)
		}
	}
	for _, key := range []string{"", "data.parquet", "raw/payment/data.parquet", "raw/payment/dt=2026-11-03/part-0.parquet", "raw/nothing/dt=2026-11-03/data.parquet",
		"raw/payment/dt=2026-11-3/data.parquet", "raw/payment/dt=2026-11-03/x/data.parquet", "results/experiment/experiment=e/dt=2026-11-03/revision=x/data.parquet"} {
		if p, ok := ParseKey(key); ok {
			t.Errorf("%q was taken for %+v", key, p)
		}
	}
}

// TestRecipe hashes everything but the previous state, and names what differs.
func TestRecipe(t *testing.T) {
	t.Parallel()
	base := Recipe{Job: "j", Logic: 1, Tables: Tables(table.Payment), Definitions: map[string]string{"metric m": "1"}, Window: "w", Zone: "UTC", Key: "k",
		Files: map[string]string{"a": "1"}, Inputs: map[string]string{payments.Key(): "1"}}
	for says, change := range map[string]func(*Recipe){
		"logic 1, now 2":           func(r *Recipe) { r.Logic = 2 },
		"metric m changed":         func(r *Recipe) { r.Definitions = map[string]string{"metric m": "2"} },
		"experiment e is new":      func(r *Recipe) { r.Definitions = map[string]string{"experiment e": "1", "metric m": "1"} },
		"metric m is gone":         func(r *Recipe) { r.Definitions = nil },
		"window":                   func(r *Recipe) { r.Zone = "Europe/Moscow" },
		"key":                      func(r *Recipe) { r.Key = "l" },
		"version":                  func(r *Recipe) { r.Tables = map[string]int{"raw/payment": 9} },
		"changed: a":               func(r *Recipe) { r.Files = map[string]string{"a": "2"} },
		"new: b":                   func(r *Recipe) { r.Files = map[string]string{"a": "1", "b": "1"} },
		"gone: a":                  func(r *Recipe) { r.Files = nil },
		"changed: raw/payment/dt=": func(r *Recipe) { r.Inputs = map[string]string{payments.Key(): "2"} },
	} {
		now := base
		change(&now)
		if now.Hash() == base.Hash() || !strings.Contains(base.Difference(now), says) {
			t.Errorf("%q: hash equal %t, difference %q", says, now.Hash() == base.Hash(), base.Difference(now))
		}
	}
	later := base
	later.Previous = map[string]string{"x": "y"}
	if later.Hash() != base.Hash() || base.Difference(later) != "" {
		t.Error("the previous state is compared")
	}
}

// TestForeignFile says that an object in a partition's place was not written by us.
func TestForeignFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := New(object.NewFolder(dir), t.TempDir())
	path := filepath.Join(dir, payments.Key())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for content, says := range map[string]string{"not Parquet at all": "Parquet", "": "Parquet"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Head(t.Context(), payments); err == nil || !strings.Contains(err.Error(), says) || bytes.ContainsRune([]byte(err.Error()), '\n') {
			t.Errorf("%q: %v", content, err)
		}
	}
}
