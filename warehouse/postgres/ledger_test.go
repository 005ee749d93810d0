package postgres

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
)

func TestOneRunOwnsATask(t *testing.T) {
	t.Parallel()
	db, name := open(t)
	runs := []*Run{begin(t, db), begin(t, db), begin(t, reopen(t, name)), begin(t, reopen(t, name))}
	var g errgroup.Group
	var mu sync.Mutex
	var winners []*Claim
	for i := range 16 { // several goroutines of each run: a run must not get its own task twice either
		g.Go(func() error {
			claim, err := runs[i%len(runs)].Claim(t.Context(), aTask)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				winners = append(winners, claim)
			} else if !errors.Is(err, ErrHeld) {
				return err
			} else {
				host, _ := os.Hostname()
				contains(t, err, aTask.String(), host, "process "+strconv.Itoa(os.Getpid()), "since 20")
			}
			return nil
		})
	}
	must(t, g.Wait())
	if len(winners) != 1 {
		t.Fatalf("%d claims of one task", len(winners))
	}
	written := Outcome{State: "written", RowsIn: 3, RowsOut: 2, RowsQuarantined: 1, Recipe: "r"}
	must(t, winners[0].Finish(t.Context(), written))
	if err := winners[0].Finish(t.Context(), Outcome{State: "failed"}); !errors.Is(err, ErrLost) {
		t.Errorf("finished twice: %v", err)
	}
	next, err := runs[0].Claim(t.Context(), aTask)
	must(t, err)
	must(t, next.Finish(t.Context(), Outcome{State: "failed", Err: "two\nlines"}))
	tasks, err := db.Tasks(t.Context(), aTask.Day, aTask.Day)
	must(t, err)
	if len(tasks) != 1 || tasks[0].Number != 2 || tasks[0].State != "failed" || tasks[0].Error != "two lines" ||
		tasks[0].Ended == nil {
		t.Errorf("the last attempt: %+v", tasks)
	}
	if got := get[string](t, db.db, `SELECT state || rows_in || rows_out || rows_quarantined || recipe || (duration >= '0')
		FROM ledger.attempt_status WHERE attempt = 1`); got != "written321rtrue" {
		t.Errorf("the first attempt: %s", got)
	}
}

func TestRunsClaimManyTasksInParallel(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	run := begin(t, db)
	var g errgroup.Group
	for day := range table.Day(20) {
		g.Go(func() error {
			claim, err := run.Claim(t.Context(), Task{Job: "extract/payment", Day: day})
			if err != nil {
				return err
			}
			return claim.Finish(t.Context(), Outcome{State: "written"})
		})
	}
	must(t, g.Wait())
	must(t, run.End(t.Context(), 3))
	runs, err := db.Runs(t.Context(), 10)
	must(t, err)
	if len(runs) != 1 || runs[0].State != "ended" || *runs[0].ExitCode != 3 || runs[0].Pid != os.Getpid() ||
		runs[0].Command != "test" {
		t.Errorf("runs: %+v", runs)
	}
	tasks, err := db.Tasks(t.Context(), 5, 9)
	must(t, err)
	last, err := db.LastAttempts(t.Context())
	must(t, err)
	if len(tasks) != 5 || tasks[0].Day != 5 || len(last) != 1 || last["extract/payment"].State != "written" {
		t.Errorf("tasks %+v, last attempts %+v", tasks, last)
	}
}

// A context that ends does not cost the run its claims.
func TestCancelledContextKeepsTheClaims(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	run := begin(t, db)
	claim, err := run.Claim(t.Context(), aTask)
	must(t, err)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run.Claim(cancelled, Task{Job: "other", Day: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("claiming with a cancelled context: %v", err)
	}
	must(t, claim.Finish(cancelled, Outcome{State: "failed", Err: "interrupted"}))
}

func TestEndFreesUnfinishedClaims(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	run := begin(t, db)
	claim, err := run.Claim(t.Context(), aTask)
	must(t, err)
	must(t, run.End(t.Context(), 130))
	if err := claim.Finish(t.Context(), Outcome{State: "written"}); !errors.Is(err, ErrLost) {
		t.Errorf("finished after the run's end: %v", err)
	}
	if last, err := db.LastAttempts(t.Context()); err != nil || last[aTask.Job].State != "killed" {
		t.Errorf("an unfinished attempt is shown as %+v, %v", last[aTask.Job], err)
	}
	_, err = begin(t, db).Claim(t.Context(), aTask)
	must(t, err)
}

func TestKillFreesTheClaim(t *testing.T) {
	t.Parallel()
	db, name := open(t)
	other := spawn(t, "claim", at(t, server, "owner", name))
	run := begin(t, db)
	_, err := run.Claim(t.Context(), aTask)
	if contains(t, err, "process "+strconv.Itoa(other.Pid)); !errors.Is(err, ErrHeld) {
		t.Fatalf("%v is not ErrHeld", err)
	}
	states := func() [2]string {
		last, err := db.LastAttempts(t.Context())
		must(t, err)
		runs, err := db.Runs(t.Context(), 2)
		must(t, err)
		return [2]string{last[aTask.Job].State, runs[1].State}
	}
	if got := states(); got != [2]string{"running", "running"} {
		t.Errorf("while it runs: %v", got)
	}
	must(t, other.Kill())
	awaitFree(t, db)
	if got := states(); got != [2]string{"killed", "killed"} {
		t.Errorf("after kill -9: %v", got)
	}
	claim, err := run.Claim(t.Context(), aTask)
	must(t, err)
	if claim.attempt != 2 {
		t.Errorf("the next attempt has the token %d", claim.attempt)
	}
	must(t, claim.Finish(t.Context(), Outcome{State: "published"}))
	got := get[string](t, db.db, `SELECT string_agg(state, ' ' ORDER BY attempt) FROM ledger.attempt`)
	if got != "killed published" {
		t.Errorf("attempts: %s", got)
	}
}

// awaitFree returns when the server has noticed that the sessions holding the task and its run are gone.
func awaitFree(t *testing.T, db *DB) {
	t.Helper()
	session, err := db.db.Conn(t.Context())
	must(t, err)
	defer session.Close()
	for _, statement := range []string{
		`SELECT pg_advisory_lock(17229, task_id) FROM ledger.task`,
		`SELECT pg_advisory_unlock(17229, task_id) FROM ledger.task`,
		`SELECT pg_advisory_lock(17228, 1)`, `SELECT pg_advisory_unlock(17228, 1)`,
	} {
		_, err := session.ExecContext(t.Context(), statement)
		must(t, err)
	}
}

func TestFreshnessShowsTheTroubleOfTheNewestDay(t *testing.T) {
	t.Parallel()
	db, _ := open(t)
	run := begin(t, db)
	attempt := func(job string, day table.Day, o Outcome) {
		t.Helper()
		claim, err := run.Claim(t.Context(), Task{Job: job, Experiment: anExperiment, Day: day})
		must(t, err)
		must(t, claim.Finish(t.Context(), o))
	}
	state := func() string {
		return get[string](t, db.db, `SELECT concat_ws('|', dataset, experiment, as_of, revision,
			last_attempt_day, last_attempt_state, last_attempt_error) FROM bi.data_freshness`)
	}
	attempt("facts", 20000, Outcome{State: "failed", Err: "disk full"})
	attempt("exposure", 20000, Outcome{State: "written"})
	if want := "experiment_results|cashback_99|2024-10-04|failed|disk full"; state() != want {
		t.Errorf("nothing published: %s, expected %s", state(), want)
	}
	attempt("facts", 20000, Outcome{State: "written"})
	claim, err := run.Claim(t.Context(), aTask)
	must(t, err)
	_, err = db.Publish(t.Context(), claim, aLoad(0, 1), batchesOf())
	must(t, err)
	must(t, claim.Finish(t.Context(), Outcome{State: "published"}))
	if want := "experiment_results|cashback_99|2024-10-04|1|2024-10-04|published"; state() != want {
		t.Errorf("published: %s, expected %s", state(), want)
	}
	attempt("stats", 20001, Outcome{State: "failed", Err: "an audit"})
	attempt("stats", 19999, Outcome{State: "written"}) // an earlier day, later
	if want := "experiment_results|cashback_99|2024-10-04|1|2024-10-05|failed|an audit"; state() != want {
		t.Errorf("the next night failed: %s, expected %s", state(), want)
	}
}
