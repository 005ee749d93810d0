package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"crosslift/schemas/table"
)

// ledgerTimeout bounds each statement of a run's session; none of them waits for long.
const ledgerTimeout = 30 * time.Second

// RunInfo describes a run of the program.
type RunInfo struct {
	Command string // as the user gave it, without secrets
	Version string
}

// Run is a run of the program in the ledger. It keeps one session with the server for as long as it lasts, and that
// session holds the lock of every task that the run has claimed. It is safe for concurrent use.
type Run struct {
	ID      int64
	db      *DB
	backend int // the server's process for the session

	mu      sync.Mutex // one statement at a time on the session
	session *sql.Conn
	held    map[int]bool // tasks; a session may take its own lock twice, so the server would not refuse us
}

// Task is one job on one day; the ledger has one row for it. Experiment is empty for jobs of no experiment.
type Task struct {
	Job        string
	Experiment string
	Day        table.Day
}

func (t Task) String() string { return t.Job + " " + t.Day.String() }

// Keeping the session alive when idle, and noticing within a minute when the other host is gone without a word. A
// server that has not got a setting is asked for the others.
const sessionSettings = `
SELECT set_config(name, value, false) FROM (VALUES
  ('idle_session_timeout', '0'),
  ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')
) s(name, value) WHERE name IN (SELECT name FROM pg_settings)`

// BeginRun enters a run, with this host and process. It must be ended.
func (d *DB) BeginRun(ctx context.Context, info RunInfo) (*Run, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("postgres: beginning a run: %w", err)
	}
	session, err := d.db.DB.Conn(ctx)
	if err != nil {
		return nil, failed("beginning a run", err)
	}
	r := &Run{db: d, session: session, held: map[int]bool{}}
	if err := r.begin(ctx, info, host); err != nil {
		return nil, errors.Join(failed("beginning a run", err), r.discard())
	}
	return r, nil
}

// begin holds the run's lock before the run can be seen, so that it never looks killed.
func (r *Run) begin(ctx context.Context, info RunInfo, host string) error {
	if _, err := r.session.ExecContext(ctx, sessionSettings); err != nil {
		return err
	}
	tx, err := r.session.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	err = tx.QueryRowContext(ctx, `
		INSERT INTO ledger.run (command, version, host, pid, backend) VALUES ($1, $2, $3, $4, pg_backend_pid())
		RETURNING run_id, backend`, info.Command, info.Version, host, os.Getpid()).Scan(&r.ID, &r.backend)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_lock($1, $2)`, runLocks, r.ID); err != nil {
		return err
	}
	return tx.Commit()
}

// End closes the run with the program's exit code and frees its tasks. A claim that was not finished counts as killed.
func (r *Run) End(ctx context.Context, exitCode int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.db.db.ExecContext(ctx,
		`UPDATE ledger.run SET ended_at = clock_timestamp(), exit_code = $2 WHERE run_id = $1`, r.ID, exitCode)
	if err == nil {
		// Disconnecting frees the locks too, but only when the server notices.
		_, _ = r.session.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	}
	clear(r.held)
	return errors.Join(failed("ending the run", err), r.discard())
}

// discard ends the session, rather than giving it back to the pool together with its locks.
func (r *Run) discard() error {
	err := r.session.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	if closed := r.session.Close(); !errors.Is(closed, sql.ErrConnDone) {
		err = errors.Join(err, closed)
	}
	return err
}

// onSession runs short statements on the run's session. They are not cancelled with ctx: the driver gives up a
// session whose statement it cancels, and with it every claim of the run.
func (r *Run) onSession(ctx context.Context, f func(ctx context.Context, session *sql.Conn) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTimeout)
	defer cancel()
	err := f(ctx, r.session)
	if lost(err) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: the session with the server has ended: run again", ErrLost)
	}
	return err
}
