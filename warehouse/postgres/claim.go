package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Claim is the ownership of a task by a run, for one attempt. Its token is the attempt's number, which grows with
// every claim of the task: whoever has been overtaken can neither finish nor publish.
type Claim struct {
	run  *Run
	task Task
	id   int // of the task
	// attempt is the fencing token.
	attempt int
}

// Outcome is how an attempt ended.
type Outcome struct {
	State           string // in the caller's words: written, unchanged, published, failed, …; neither "" nor "running"
	RowsIn          int64
	RowsOut         int64
	RowsQuarantined int64
	Recipe          string // hash, where the attempt made something
	Err             string // one line; empty unless it failed
}

// Claim takes a task for this run and starts an attempt. ErrHeld when a live run has it, this one included; the
// message says which. ErrLost when the run's session has ended: then no claim of the run is good any more.
func (r *Run) Claim(ctx context.Context, t Task) (*Claim, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("postgres: claiming %s: %w", t, err)
	}
	c := &Claim{run: r, task: t}
	err := r.onSession(ctx, func(ctx context.Context, session *sql.Conn) error {
		if err := c.find(ctx, session); err != nil {
			return err
		}
		if err := c.lock(ctx, session); err != nil {
			return err
		}
		if err := c.start(ctx, session); err != nil {
			return errors.Join(err, c.unlock(ctx, session))
		}
		r.held[c.id] = true
		return nil
	})
	if err != nil {
		return nil, failed("claiming "+t.String(), err)
	}
	return c, nil
}

// find gives the task's row, made on its first claim.
func (c *Claim) find(ctx context.Context, session *sql.Conn) error {
	_, err := session.ExecContext(ctx, `
		INSERT INTO ledger.task (job, experiment, day) SELECT $1, $2, $3::date
		WHERE NOT EXISTS (SELECT FROM ledger.task WHERE job = $1 AND day = $3::date)
		ON CONFLICT DO NOTHING`, c.task.Job, c.task.Experiment, c.task.Day.String())
	if err != nil {
		return err
	}
	return session.QueryRowContext(ctx, `SELECT task_id FROM ledger.task WHERE job = $1 AND day = $2`,
		c.task.Job, c.task.Day.String()).Scan(&c.id)
}

// lock takes the task's lock, or says who has it. The holder may be gone by the time it is looked up; then it is
// tried again.
func (c *Claim) lock(ctx context.Context, session *sql.Conn) error {
	for !c.run.held[c.id] {
		var got bool
		err := session.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, $2)`, taskLocks, c.id).Scan(&got)
		if err != nil || got {
			return err
		}
		if err = c.holder(ctx, session); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return c.holder(ctx, session)
}

// holder gives ErrHeld with the run that has the task's lock.
func (c *Claim) holder(ctx context.Context, session *sql.Conn) error {
	var run int64
	var pid int
	var host string
	var since time.Time
	err := session.QueryRowContext(ctx, `
		SELECT coalesce(r.run_id, 0), coalesce(r.host, 'an unknown host'), coalesce(r.pid, 0),
			coalesce(a.started_at, clock_timestamp())
		FROM ledger.held h LEFT JOIN ledger.run r ON r.backend = h.backend
		LEFT JOIN ledger.attempt a ON a.run_id = r.run_id AND a.task_id = h.id AND a.state = 'running'
		WHERE h.class = $1 AND h.id = $2 ORDER BY r.run_id DESC NULLS LAST LIMIT 1`,
		taskLocks, c.id).Scan(&run, &host, &pid, &since)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: run %d, process %d on %s, since %s: wait until it ends, or stop it",
		ErrHeld, run, pid, host, since.UTC().Format(time.RFC3339))
}

// start raises the token and enters the attempt. Attempts that never ended belonged to sessions that are gone.
func (c *Claim) start(ctx context.Context, session *sql.Conn) error {
	return session.QueryRowContext(ctx, `
		WITH token AS (UPDATE ledger.task SET attempt = attempt + 1 WHERE task_id = $1 RETURNING attempt),
		killed AS (UPDATE ledger.attempt SET state = 'killed' WHERE task_id = $1 AND state = 'running')
		INSERT INTO ledger.attempt (task_id, attempt, run_id) SELECT $1, attempt, $2 FROM token
		RETURNING attempt`, c.id, c.run.ID).Scan(&c.attempt)
}

func (c *Claim) unlock(ctx context.Context, session *sql.Conn) error {
	_, err := session.ExecContext(ctx, `SELECT pg_advisory_unlock($1, $2)`, taskLocks, c.id)
	return err
}

// Finish writes how the attempt ended and gives the task back. ErrLost when the claim was lost meanwhile, or finished
// before: then nothing was written.
func (c *Claim) Finish(ctx context.Context, o Outcome) error {
	err := c.run.onSession(ctx, func(ctx context.Context, session *sql.Conn) error {
		// On the session that took the lock, its being alive and the lock being held is what the claim is.
		result, err := session.ExecContext(ctx, `
			UPDATE ledger.attempt SET state = $3, ended_at = clock_timestamp(),
				rows_in = $4, rows_out = $5, rows_quarantined = $6, recipe = $7, error = $8
			WHERE task_id = $1 AND attempt = $2 AND state = 'running' AND EXISTS (
				SELECT FROM ledger.held WHERE class = $9 AND id = $1 AND backend = pg_backend_pid())`,
			c.id, c.attempt, o.State, o.RowsIn, o.RowsOut, o.RowsQuarantined, o.Recipe, oneLine(o.Err), taskLocks)
		if err != nil {
			return err
		}
		if rows, err := result.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(ErrLost, err)
		}
		delete(c.run.held, c.id)
		return c.unlock(ctx, session)
	})
	return failed("finishing "+c.task.String(), err)
}

// check gives ErrLost unless the claim is the task's last and its session holds the lock. In a transaction that then
// commits, it keeps others from starting a next attempt before that commit.
func (c *Claim) check(ctx context.Context, tx *sql.Tx) error {
	var attempt int
	err := tx.QueryRowContext(ctx, `
		SELECT t.attempt FROM ledger.task t WHERE t.task_id = $1 AND t.attempt = $2 AND EXISTS (
			SELECT FROM ledger.held WHERE class = $3 AND id = $1 AND backend = $4)
		FOR UPDATE`, c.id, c.attempt, taskLocks, c.run.backend).Scan(&attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrLost
	}
	return err
}
