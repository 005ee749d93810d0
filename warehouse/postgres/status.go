package postgres

import (
	"context"
	"time"

	"crosslift/schemas/table"
)

// Attempt is an attempt of a task, as the ledger shows it.
type Attempt struct {
	Job             string     `db:"job" json:"job"`
	Experiment      string     `db:"experiment" json:"experiment"` // empty for jobs of no experiment
	Day             table.Day  `db:"day" json:"day"`
	Number          int        `db:"attempt" json:"attempt"` // counts from 1
	Run             int64      `db:"run_id" json:"run"`
	Host            string     `db:"host" json:"host"`
	Pid             int        `db:"pid" json:"pid"`
	State           string     `db:"state" json:"state"` // an Outcome's, running, or killed
	Started         time.Time  `db:"started_at" json:"started"`
	Ended           *time.Time `db:"ended_at" json:"ended"` // null while running and when killed
	RowsIn          int64      `db:"rows_in" json:"rows_in"`
	RowsOut         int64      `db:"rows_out" json:"rows_out"`
	RowsQuarantined int64      `db:"rows_quarantined" json:"rows_quarantined"`
	Recipe          string     `db:"recipe" json:"recipe"`
	Error           string     `db:"error" json:"error"` // empty unless it failed
}

const selectAttempts = `job, experiment, day - DATE '1970-01-01' AS day, attempt, run_id, host, pid, state,
	started_at, ended_at, rows_in, rows_out, rows_quarantined, recipe, error FROM ledger.attempt_status`

// Tasks gives the last attempt of each task from one day to another, both included, by day and job.
func (d *DB) Tasks(ctx context.Context, from, to table.Day) ([]Attempt, error) {
	attempts := []Attempt{}
	err := d.db.SelectContext(ctx, &attempts, `SELECT `+selectAttempts+`
		WHERE is_last AND day BETWEEN $1 AND $2 ORDER BY day, job`, from.String(), to.String())
	return attempts, failed("reading the ledger", err)
}

// LastAttempts gives each job's last attempt, of whatever day.
func (d *DB) LastAttempts(ctx context.Context) (map[string]*Attempt, error) {
	var attempts []*Attempt
	err := d.db.SelectContext(ctx, &attempts, `SELECT DISTINCT ON (job) `+selectAttempts+`
		ORDER BY job, started_at DESC, attempt DESC`)
	last := make(map[string]*Attempt, len(attempts))
	for _, a := range attempts {
		last[a.Job] = a
	}
	return last, failed("reading the ledger", err)
}

// RunStatus is a run, as the ledger shows it.
type RunStatus struct {
	ID       int64      `db:"run_id" json:"run"`
	Command  string     `db:"command" json:"command"`
	Version  string     `db:"version" json:"version"`
	Host     string     `db:"host" json:"host"`
	Pid      int        `db:"pid" json:"pid"`
	State    string     `db:"state" json:"state"` // running, ended or killed
	Started  time.Time  `db:"started_at" json:"started"`
	Ended    *time.Time `db:"ended_at" json:"ended"`
	ExitCode *int       `db:"exit_code" json:"exit_code"`
}

// Runs gives the newest runs, at most limit of them, the newest first.
func (d *DB) Runs(ctx context.Context, limit int) ([]RunStatus, error) {
	runs := []RunStatus{}
	err := d.db.SelectContext(ctx, &runs, `
		SELECT run_id, command, version, host, pid, state, started_at, ended_at, exit_code
		FROM ledger.run_status ORDER BY run_id DESC LIMIT $1`, limit)
	return runs, failed("reading the ledger", err)
}
