package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
)

// publisher claims the task for a new run.
func publisher(t *testing.T, db *DB) *Claim {
	t.Helper()
	claim, err := begin(t, db).Claim(t.Context(), aTask)
	must(t, err)
	return claim
}

// publish loads rows that all say value.
func publish(t *testing.T, db *DB, claim *Claim, l Load, rows int, value float64) Published {
	t.Helper()
	p, err := db.Publish(t.Context(), claim, l, batchesOf(recordOf(table.ExperimentResult, resultRows(rows, value))))
	must(t, err)
	return p
}

// shown is what the views show: rows and value of the latest, and all rows.
func shown(t *testing.T, db *DB) string {
	t.Helper()
	return get[string](t, db.db, `SELECT concat_ws(' ',
		(SELECT count(*) || ' ' || coalesce(string_agg(DISTINCT as_of || '/' || revision || '=' || mean, ','), '-')
			FROM bi.experiment_results_latest),
		'of', (SELECT count(*) || ' ' || count(*) FILTER (WHERE is_latest) FROM bi.experiment_results))`)
}

func expect(t *testing.T, db *DB, want string) {
	t.Helper()
	if got := shown(t, db); got != want {
		t.Errorf("the views show %s, expected %s", got, want)
	}
}

func TestPointerMovesForwardOnly(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	claim := publisher(t, db)
	expect(t, db, "0 - of 0 0")
	for _, step := range []struct {
		load Load
		rows int
		want string
	}{
		{aLoad(2, 1), 3, "3 2024-10-06/1=3 of 3 3"},
		{aLoad(1, 1), 2, "3 2024-10-06/1=3 of 5 3"}, // an earlier night, later: shown as history
		{aLoad(2, 2), 4, "4 2024-10-06/2=4 of 9 4"}, // a correction
		{aLoad(1, 5), 1, "4 2024-10-06/2=4 of 10 4"},
		{aLoad(3, 1), 5, "5 2024-10-07/1=5 of 15 5"}, // the next night starts at revision 1 again
	} {
		if done, err := db.Published(t.Context(), step.load); err != nil || done {
			t.Errorf("%s is said to be published before it is: %v", step.load, err)
		}
		if p := publish(t, db, claim, step.load, step.rows, float64(step.rows)); p.Rows != int64(step.rows) || p.Unchanged {
			t.Errorf("%s: %+v", step.load, p)
		}
		if done, err := db.Published(t.Context(), step.load); err != nil || !done {
			t.Errorf("%s is not said to be published: %v", step.load, err)
		}
		expect(t, db, step.want)
	}
	results, err := db.Results(t.Context(), anExperiment)
	must(t, err)
	all, err := db.Results(t.Context(), "")
	must(t, err)
	if len(results) != 5 || len(all) != 5 || results[4].Metric != "metric_4" || results[4].AsOf != 20003 ||
		*results[4].Mean != 5 || results[4].N != 8 || results[4].PValue != nil || results[4].RelMethod != nil ||
		results[4].IdentityNight != 20000 ||
		results[4].Recipe != "recipe 3/1" {
		t.Errorf("results: %+v", results)
	}
	if none, err := db.Results(t.Context(), "another"); err != nil || len(none) > 0 {
		t.Errorf("another experiment has the results %v, %v", none, err)
	}
}

func TestPublishingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	claim := publisher(t, db)
	l := aLoad(1, 1)
	first := publish(t, db, claim, l, 3, 7)
	at := get[string](t, db.db, `SELECT published_at::text FROM warehouse.published`)
	l.Recipe = "another recipe" // of the same rows
	if done, err := db.Published(t.Context(), l); err != nil || done {
		t.Errorf("another recipe is said to be published: %v", err)
	}
	p, err := db.Publish(t.Context(), claim, l, func(func(arrow.Record, error) bool) { t.Error("the batches were read") })
	must(t, err)
	if p != (Published{LoadID: first.LoadID, Rows: 3, Unchanged: true}) {
		t.Errorf("the second time: %+v after %+v", p, first)
	}
	if got := get[string](t, db.db, `SELECT DISTINCT recipe FROM bi.experiment_results`); got != l.Recipe {
		t.Errorf("the recipe is %s", got)
	}
	if again := get[string](t, db.db, `SELECT published_at::text FROM warehouse.published`); again != at {
		t.Errorf("the pointer moved")
	}
	if n := get[int](t, db.db, `SELECT count(*) FROM warehouse.load`); n != 1 {
		t.Errorf("%d loads", n)
	}
	l.Content = "other rows"
	_, err = db.Publish(t.Context(), claim, l, batchesOf())
	if contains(t, err, "new revision", "DELETE FROM warehouse.load WHERE load_id = 1"); !errors.Is(err, ErrConflict) {
		t.Errorf("%v is not ErrConflict", err)
	}
	expect(t, db, "3 2024-10-05/1=7 of 3 3")
	execute(t, db.db, `DELETE FROM warehouse.load WHERE load_id = 1`) // as the message says
	publish(t, db, claim, l, 2, 8)
	expect(t, db, "2 2024-10-05/1=8 of 2 2")
}

func TestRefusedBatchesLeaveNothing(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	claim := publisher(t, db)
	publish(t, db, claim, aLoad(1, 1), 2, 1)
	good := recordOf(table.ExperimentResult, resultRows(3000, 2))
	fields := good.Schema().Fields()
	changed := func(f func(fields []arrow.Field, columns []arrow.Array) ([]arrow.Field, []arrow.Array)) arrow.Record {
		fs, cs := f(append([]arrow.Field{}, fields...), append([]arrow.Array{}, good.Columns()...))
		return array.NewRecord(arrow.NewSchema(fs, nil), cs, good.NumRows())
	}
	last := len(fields) - 1
	missing := changed(func(f []arrow.Field, c []arrow.Array) ([]arrow.Field, []arrow.Array) { return f[:last], c[:last] })
	extra := changed(func(f []arrow.Field, c []arrow.Array) ([]arrow.Field, []arrow.Array) {
		return append(f, arrow.Field{Name: "surplus", Type: f[0].Type}), append(c, c[0])
	})
	wrong := changed(func(f []arrow.Field, c []arrow.Array) ([]arrow.Field, []arrow.Array) {
		f[last].Type, c[last] = f[0].Type, c[0]
		return f, c
	})
	nul := recordOf(table.ExperimentResult, []any{&table.ExperimentResultRow{Metric: "a\x00b"}})
	broken := errors.New("the store is down")
	for want, batches := range map[string]func(func(arrow.Record, error) bool){
		"identity_night":                 batchesOf(missing),
		"surplus":                        batchesOf(good, extra),
		"a column of type date":          batchesOf(good, wrong),
		"duplicate key":                  batchesOf(good, good),
		"null value in column":           batchesOf(good, nulled(t, good, 0)),
		"row 3001: column metric: a NUL": batchesOf(good, nul),
		"the store is down": func(yield func(arrow.Record, error) bool) {
			_ = yield(good, nil) && yield(nil, broken)
		},
	} {
		_, err := db.Publish(t.Context(), claim, aLoad(2, 1), batches)
		contains(t, err, "publishing experiment_results of cashback_99 as of 2024-10-06, revision 1", want)
		expect(t, db, "2 2024-10-05/1=1 of 2 2")
	}
	_, err := db.Publish(t.Context(), claim, Load{Dataset: "nonsense"}, batchesOf())
	contains(t, err, "no such data set")
	ctx, cancel := context.WithCancel(t.Context())
	_, err = db.Publish(ctx, claim, aLoad(2, 1), func(yield func(arrow.Record, error) bool) {
		cancel()
		_ = yield(good, nil) && yield(recordOf(table.ExperimentResult, resultRows(1, 1)), nil)
	})
	if err == nil {
		t.Error("published although cancelled")
	}
	expect(t, db, "2 2024-10-05/1=1 of 2 2")
	publish(t, db, claim, aLoad(2, 1), 3, 2) // the claim and the connections are as good as before
	expect(t, db, "3 2024-10-06/1=2 of 5 3")
}

// nulled replaces a column by nulls.
func nulled(t *testing.T, r arrow.Record, column int) arrow.Record {
	columns := append([]arrow.Array{}, r.Columns()...)
	columns[column] = array.MakeArrayOfNull(memory.DefaultAllocator, r.Column(column).DataType(), int(r.NumRows()))
	return array.NewRecord(r.Schema(), columns, r.NumRows())
}

// A claimer whose session has died, and who does not know it, has been overtaken by another.
func TestOvertakenClaimCannotPublish(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	stale := publisher(t, db)
	publish(t, db, stale, aLoad(1, 1), 2, 1)
	kill := func(c *Claim) *Claim {
		execute(t, db.db, `SELECT pg_terminate_backend($1)`, c.run.backend)
		awaitFree(t, db)
		next, err := begin(t, db).Claim(t.Context(), aTask)
		must(t, err)
		return next
	}
	for name, l := range map[string]Load{"new": aLoad(2, 1), "the same": aLoad(1, 1)} {
		stale := stale
		next := kill(stale)
		if _, err := db.Publish(t.Context(), stale, l, batchesOf()); !errors.Is(err, ErrLost) {
			t.Errorf("%s rows by an overtaken claim: %v", name, err)
		}
		if err := stale.Finish(t.Context(), Outcome{State: "published"}); !errors.Is(err, ErrLost) {
			t.Errorf("an overtaken claim finished: %v", err)
		}
		if _, err := stale.run.Claim(t.Context(), Task{Job: "other"}); !errors.Is(err, ErrLost) {
			t.Errorf("a run without its session claimed: %v", err)
		}
		expect(t, db, "2 2024-10-05/1=1 of 2 2")
		must(t, next.Finish(t.Context(), Outcome{State: "unchanged"}))
	}
	holder := publisher(t, db)
	var next *Claim
	_, err := db.Publish(t.Context(), holder, aLoad(2, 1), func(yield func(arrow.Record, error) bool) {
		if yield(recordOf(table.ExperimentResult, resultRows(3000, 2)), nil) {
			next = kill(holder) // in the middle of COPY, and without waiting for it
		}
	})
	if !errors.Is(err, ErrLost) {
		t.Errorf("overtaken while publishing: %v", err)
	}
	expect(t, db, "2 2024-10-05/1=1 of 2 2")
	publish(t, db, next, aLoad(2, 1), 4, 4)
	expect(t, db, "4 2024-10-06/1=4 of 6 4")
}

// Without anybody overtaking it, a claim without its lock is no claim either.
func TestClaimWithoutItsSessionCannotPublish(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	claim := publisher(t, db)
	execute(t, db.db, `SELECT pg_terminate_backend($1)`, claim.run.backend)
	awaitFree(t, db)
	if _, err := db.Publish(t.Context(), claim, aLoad(1, 1), batchesOf()); !errors.Is(err, ErrLost) {
		t.Errorf("published: %v", err)
	}
	expect(t, db, "0 - of 0 0")
}

func TestKillWhileCopyingLeavesNothing(t *testing.T) {
	t.Parallel()
	db, name := open(t)
	other := spawn(t, "publish", at(t, server, "owner", name))
	copied := get[int64](t, db.db, `SELECT tuples_processed FROM pg_stat_progress_copy WHERE datname = $1`, name)
	if copied == 0 {
		t.Error("the server has got no rows yet: the test does not kill where it should")
	}
	expect(t, db, "0 - of 0 0")
	must(t, other.Kill())
	awaitFree(t, db)
	expect(t, db, "0 - of 0 0")
	publish(t, db, publisher(t, db), aLoad(1, 1), 3, 2) // the same load: waits until the server has undone the other
	expect(t, db, "3 2024-10-05/1=2 of 3 3")
	if n := get[int](t, db.db, `SELECT count(*) FROM warehouse.experiment_results`); n != 3 {
		t.Errorf("%d rows in the table", n)
	}
}

func TestReadersSeeWholeLoadsOnly(t *testing.T) {
	t.Parallel()
	db, name := open(t)
	claim := publisher(t, db)
	const rows, revisions = 200, 40
	publish(t, db, claim, aLoad(1, 1), rows, 1)
	ctx, done := context.WithCancel(t.Context())
	var g errgroup.Group
	var reading sync.WaitGroup
	for range 3 {
		bi := connect(t, at(t, server, "bi", name))
		reading.Add(1)
		g.Go(func() error {
			started := sync.OnceFunc(reading.Done)
			defer started()
			for last := 0.0; ; started() {
				over := ctx.Err() != nil
				var seen struct{ Rows, Lowest, Highest float64 }
				err := bi.Get(&seen, `SELECT count(*) AS rows, coalesce(min(mean), 0) AS lowest, coalesce(max(mean), 0) AS highest
					FROM bi.experiment_results_latest`)
				switch {
				case err != nil:
					return err
				case seen.Rows != rows || seen.Lowest != seen.Highest || seen.Highest < last:
					return fmt.Errorf("a reader saw %v rows of %v to %v, after %v", seen.Rows, seen.Lowest, seen.Highest, last)
				case over && seen.Highest != revisions:
					return fmt.Errorf("the last that a reader saw is %v", seen.Highest)
				case over:
					return nil
				}
				last = seen.Highest
			}
		})
	}
	reading.Wait()
	for r := 2; r <= revisions; r++ {
		publish(t, db, claim, aLoad(1, r), rows, float64(r))
	}
	done()
	must(t, g.Wait())
}

// Two that publish the same load at once, as two hosts with different tasks could: one loads it, both succeed.
func TestSameLoadTwiceAtOnce(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	run := begin(t, db)
	var g errgroup.Group
	results := make([]Published, 4)
	for i := range results {
		g.Go(func() error {
			claim, err := run.Claim(t.Context(), Task{Job: fmt.Sprint("publish/", i), Day: 1})
			if err != nil {
				return err
			}
			rows := recordOf(table.ExperimentResult, resultRows(500, math.Pi))
			results[i], err = db.Publish(t.Context(), claim, aLoad(1, 1), batchesOf(rows))
			return err
		})
	}
	must(t, g.Wait())
	loaded := 0
	for _, p := range results {
		if p.LoadID != results[0].LoadID || p.Rows != 500 {
			t.Errorf("%+v", results)
		}
		if !p.Unchanged {
			loaded++
		}
	}
	if loaded != 1 {
		t.Errorf("loaded %d times", loaded)
	}
}
