package pgread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// checkRows are read of each stream by a check, of the last checkDays days.
const (
	checkRows = 1000
	checkDays = 7
	skew      = time.Minute // between the server's clock and ours, from which on days are cut wrong
)

// Check tries what a night will need, and changes nothing.
func (d *DB) Check(ctx context.Context, streams []*Stream) []connectors.Finding {
	var server struct {
		now        time.Time
		ssl, super bool
	}
	asked := d.env.Now()
	err := d.snapshot(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT clock_timestamp(), coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),
				(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`).Scan(&server.now, &server.ssl, &server.super)
	})
	answered := d.env.Now()
	found := []connectors.Finding{d.finding("connection", err)}
	if err != nil {
		return found
	}
	found = append(found, d.checkTLS(server.ssl), checkClock(server.now, asked, answered))
	rights := connectors.Finding{What: "read only"}
	if server.super {
		rights.Problem = fmt.Errorf("%s is a superuser", d.config.User)
		rights.Remedy = "log in as a role that has nothing but SELECT on the tables"
	}
	for _, s := range streams {
		page, index, writable := d.checkStream(ctx, s)
		found = append(found, page)
		if page.Problem == nil {
			found = append(found, index)
		}
		if writable && rights.Problem == nil {
			rights.Problem = fmt.Errorf("%s may write to %s", d.config.User, s.From.Table)
			rights.Remedy = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE from the role: it needs SELECT only"
		}
	}
	return append(found, rights)
}

// finding makes a finding of an error of the server, whose text ends in the remedy.
func (d *DB) finding(what string, err error) connectors.Finding {
	if err == nil {
		return connectors.Finding{What: what}
	}
	_, err = d.failure(err)
	f := connectors.Finding{What: what, Problem: err, Remedy: "ask who runs the database, with this message"}
	var refused refusal
	if !errors.As(err, &refused) {
		return f
	}
	if i := strings.LastIndex(err.Error(), ": "); i > 0 {
		f.Problem, f.Remedy = cut{err, err.Error()[:i]}, err.Error()[i+2:]
	}
	return f
}

// cut is an error that says less.
type cut struct {
	error
	text string
}

func (c cut) Error() string { return c.text }
func (c cut) Unwrap() error { return c.error }

func (d *DB) checkTLS(encrypted bool) connectors.Finding {
	f := connectors.Finding{What: "TLS"}
	for _, host := range hosts(d.config) {
		if !encrypted && !onThisMachine(host) { // which Open refuses: a pooler in between may have taken it off
			f.Problem = fmt.Errorf("%s: the server sees no encrypted connection", d.place())
			f.Remedy = "encrypt the way from the pooler to the server too"
		}
	}
	return f
}

func checkClock(server, asked, answered time.Time) connectors.Finding {
	f := connectors.Finding{What: "clock"}
	if early, late := asked.Sub(server), server.Sub(answered); early > skew || late > skew {
		f.Problem = fmt.Errorf("the server's clock is %s off ours", max(early, late).Round(time.Second))
		f.Remedy = "synchronise both with NTP: days are cut by the server's stamps"
	}
	return f
}

// checkStream reads a page against the contract, and asks how the server would look for the next one.
func (d *DB) checkStream(ctx context.Context, s *Stream) (page, index connectors.Finding, writable bool) {
	page.What, index.What = "stream "+s.Spec.Name, "index of "+s.From.Table
	today := table.DayOf(d.env.Now(), d.env.Zone)
	window := table.Span(today-checkDays, today, d.env.Zone)
	taken := &Sample{Table: s.To}
	var plan string
	var ahead, unstamped bool
	err := d.snapshot(ctx, func(tx *sql.Tx) error {
		q, err := s.prepare(ctx, tx, window)
		if err != nil {
			return err
		}
		q.pageRecords = checkRows
		r := &reading{Stream: s, window: window, sink: taken}
		if r.row, err = newRow(&s.Spec, d.env.Key); err != nil {
			return err
		}
		if _, err = r.page(ctx, tx, q); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT has_table_privilege(c, 'INSERT') OR has_table_privilege(c, 'UPDATE')
			OR has_table_privilege(c, 'DELETE') OR has_table_privilege(c, 'TRUNCATE') FROM to_regclass($1) c`, q.table).Scan(&writable)
		if err != nil {
			return err
		}
		if ahead, err = q.ahead(ctx, tx); err != nil {
			return err
		}
		if err = tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM "+q.table+" AS t WHERE "+q.time+" IS NULL)").Scan(&unstamped); err != nil {
			return err
		}
		plan, err = q.plan(ctx, tx)
		return err
	})
	page = d.finding(page.What, err)
	switch {
	case err != nil:
		return page, index, writable
	case ahead:
		page.Problem = fmt.Errorf("%s: %s is ahead of the server's own transactions, as after a move to another server",
			s.From.Table, s.db.read.Tx)
		page.Remedy = "set it to pg_current_xact_id() in every row"
	case unstamped:
		page.Problem = fmt.Errorf("%s has rows without %s, which belong to no day and are not read",
			s.From.Table, s.From.Columns[s.To.EventTime].From)
		page.Remedy = "give them one, and make the column NOT NULL"
	case taken.Problem() != nil:
		page.Problem = taken.Problem()
		page.Remedy = "mend the rows, or the stream's `columns`"
	}
	if strings.Contains(plan, `"Seq Scan"`) || strings.Contains(plan, `"Sort"`) {
		index.Problem = fmt.Errorf("%s has no index for its pages: the server reads or sorts more than one of them each time", s.From.Table)
		index.Remedy = fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s, %s)", quoted(s.From.Table),
			s.From.Columns[s.To.EventTime].From, s.From.Columns[sourceID].From)
	}
	return page, index, writable
}

// plan explains how a page is found, by a server that has been told that reading all and sorting are dear: of a small
// table it would do that all the same.
func (q *query) plan(ctx context.Context, tx *sql.Tx) (plan string, err error) {
	for _, way := range []string{"seqscan", "sort", "bitmapscan"} {
		if _, err := tx.ExecContext(ctx, "SET LOCAL enable_"+way+" = off"); err != nil {
			return "", err
		}
	}
	query, args := q.page("", nil)
	return plan, tx.QueryRowContext(ctx, "EXPLAIN (FORMAT JSON) "+query, args...).Scan(&plan)
}

// ahead reports whether rows of the window were written by transactions that the server has not begun yet.
func (q *query) ahead(ctx context.Context, tx *sql.Tx) (found bool, err error) {
	if q.tx == "" {
		return false, nil
	}
	from, args := q.from("", nil)
	query := "SELECT EXISTS (SELECT" + from + " AND " + q.tx + " >= pg_snapshot_xmax(pg_current_snapshot()))"
	return found, tx.QueryRowContext(ctx, query, args...).Scan(&found)
}
