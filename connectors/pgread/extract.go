package pgread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// reading is one extract on its way.
type reading struct {
	*Stream
	window    table.Window
	last      string // with tx: the transaction up to which rows are read
	sink      connectors.Sink
	row       *row
	at        cursor // of the last row given, or of a page finished by an earlier run
	announced bool
	raw       []byte
}

// sinkError is an error of the sink, for which the database is not to blame.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// Extract writes the rows of a business day. See the package's comment for which rows these are.
func (s *Stream) Extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	failed := func(err error) error { return fmt.Errorf("%s %s: %w", s.Spec.Name, day, err) }
	r := &reading{Stream: s, window: day.Window(s.db.env.Zone), sink: sink}
	var err error
	if r.last, err = s.horizon(inputs); err != nil {
		return failed(err)
	}
	if r.at, err = readCursor(s.db.env.Key, sink.Resume()); err != nil {
		return failed(err)
	}
	if r.row, err = newRow(&s.Spec, s.db.env.Key); err != nil {
		return failed(err)
	}
	if err := s.over(r.window); err != nil {
		return failed(err)
	}
	var stopped sinkError
	before := r.at.Rows
	err = s.retrying(ctx, func() error {
		before = r.at.Rows
		err := s.db.snapshot(ctx, func(tx *sql.Tx) error { return r.snapshot(ctx, tx) })
		if errors.As(err, &stopped) {
			return nil // it is the extract that stops
		}
		return err
	}, func() bool { return r.at.Rows > before })
	switch {
	case stopped.error != nil:
		return failed(stopped.error)
	case err != nil:
		return failed(fmt.Errorf("page %d: %w", r.at.Page+1, err))
	}
	return nil
}

// over refuses a day that is read only once as long as its late commits may still come.
func (s *Stream) over(window table.Window) error {
	if s.db.read.Overlap == nil || *s.db.read.Restatement > 0 {
		return nil
	}
	complete := window.To.Add(time.Duration(*s.db.read.Overlap))
	if s.db.env.Now().Before(complete) {
		return down("complete from %s on, since `restatement` is 0: run later, or let a day be read again",
			complete.Format(time.RFC3339))
	}
	return nil
}

// snapshot reads what lies behind the cursor in one snapshot, and tells the sink what the source has.
func (r *reading) snapshot(ctx context.Context, tx *sql.Tx) error {
	q, err := r.prepare(ctx, tx, r.window)
	if err != nil {
		return err
	}
	if !r.announced {
		r.announced = true
		for _, name := range q.unknown {
			r.sink.Unclassified(r.From.Table + "." + printable(name))
		}
	}
	before := r.at
	var rows, sum int64
	query, args := q.total(r.last, r.after())
	if err := tx.QueryRowContext(ctx, query, args...).Scan(&rows, &sum); err != nil {
		return err
	}
	for {
		n, err := r.page(ctx, tx, q)
		if err != nil {
			return err
		}
		if n > 0 {
			r.at.Page++
			cursor, err := r.at.write(r.db.env.Key)
			if err == nil {
				err = r.sink.Page(cursor)
			}
			if err != nil {
				return sinkError{err}
			}
		}
		if n < q.pageRecords { // the end, since the snapshot does not change
			break
		}
	}
	if err := r.sink.Total(connectors.Total{Measure: connectors.Rows, Value: before.Rows + rows}); err != nil {
		return sinkError{err}
	}
	if q.sum != "" && !r.at.Rejected { // what is rejected is in the source's sum, and lands nowhere
		if err := r.sink.Total(connectors.Total{Measure: r.Sum, Value: before.Sum + sum}); err != nil {
			return sinkError{err}
		}
	}
	return nil
}

// after is the key to go on behind; nil at the start.
func (r *reading) after() *key {
	if r.at.Rows == 0 {
		return nil
	}
	return &key{r.at.At, r.at.ID}
}

// page gives the rows of a page to the sink, and says how many there were. The cursor moves with every row.
func (r *reading) page(ctx context.Context, tx *sql.Tx, q *query) (n int, err error) {
	query, args := q.page(r.last, r.after())
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	texts := make([]sql.RawBytes, 3+len(q.columns)) // time, id, reason, columns
	targets := make([]any, len(texts))
	for i := range texts {
		targets[i] = &texts[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return n, err
		}
		n++
		at, err := micros(string(texts[0]))
		if err != nil {
			return n, fmt.Errorf("%s: %w", r.To.EventTime, err)
		}
		r.at.At, r.at.ID = at, string(texts[1])
		r.at.Rows++
		if err := r.give(texts[2], texts[3:]); err != nil {
			return n, sinkError{err}
		}
	}
	return n, rows.Err()
}

// give hands a row to the sink, or a rejected one with its reason.
func (r *reading) give(refused sql.RawBytes, texts []sql.RawBytes) error {
	where := connectors.Origin{File: r.From.Table, Position: r.at.Rows, Raw: r.bytes(texts)}
	reason := string(refused)
	if refused == nil {
		if err := r.row.fill(texts); err != nil {
			reason = err.Error()
		}
	}
	if reason != "" {
		r.at.Rejected = true
		return r.sink.Reject(where, reason)
	}
	if r.row.sum != nil {
		r.at.Sum += *r.row.sum
		r.at.Rejected = r.at.Rejected || r.To.Check(r.row.value) != nil
	}
	return r.sink.Row(r.row.value, where)
}

// bytes stands for the bytes of a row, which has none: its columns' texts, each behind a mark that says whether it is
// there.
func (r *reading) bytes(texts []sql.RawBytes) []byte {
	r.raw = r.raw[:0]
	for _, text := range texts {
		mark := byte(0x1f)
		if text == nil {
			mark = 0x1e
		}
		r.raw = append(append(r.raw, mark), text...)
	}
	return r.raw
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.]{1,64}$`)

// printable is a column's name, if it is one that cannot hold anything but a name.
func printable(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return "(unprintable)"
}
