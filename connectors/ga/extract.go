package ga

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

var errChanged = fmt.Errorf("it was changed since the plan was made: run again: %w", connectors.ErrDown)

// errStale is for an answer that was meant for an earlier request: it says that what was read already comes next. Such a
// page is asked for maxStale times.
var errStale = fmt.Errorf("an earlier page was sent once more: %w", connectors.ErrContract)

const maxStale = 5

// extraction is one Extract.
type extraction struct {
	*events
	sink    connectors.Sink
	day     table.Day
	window  table.Window
	rows    *rows
	page    page
	decoder decoder
	before  int64 // rows of the tables that are finished
	other   int64
}

// Extract writes the events of a business day. See the package's comment for which these are.
func (e *events) Extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	if err := e.extract(ctx, day, inputs, sink); err != nil {
		return fmt.Errorf("%s %s: %w", e.Name(), day, err)
	}
	return nil
}

func (e *events) extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	tables, err := e.tables(ctx, day)
	if err != nil {
		return err
	}
	same := func(t dayTable, in connectors.Input) bool { return t.id == in.Name && t.sum == in.SHA256 }
	if !slices.EqualFunc(tables, inputs, same) {
		return errChanged
	}
	x := &extraction{
		events: e, sink: sink, day: day, window: day.Window(e.env.Zone), rows: e.source.rows(sink.Unclassified),
	}
	from, err := x.resume(tables)
	if err != nil {
		return err
	}
	announced := map[string]bool{}
	total := int64(0)
	for i, t := range tables {
		total += int64(t.rows)
		announce(t.schema, announced, sink.Unclassified)
		row := uint64(0)
		switch {
		case i < from.index:
			x.before += int64(t.rows)
			continue
		case i == from.index:
			row = from.Row
		}
		if err := x.table(ctx, t, row); err != nil {
			return fmt.Errorf("table %s: %w", t.id, err)
		}
		x.before += int64(t.rows)
	}
	return sink.Total(connectors.Total{Measure: connectors.Rows, Value: total - x.other})
}

// table reads a table from a row on, and makes sure that it was one state of it that was read, and all.
func (x *extraction) table(ctx context.Context, t dayTable, row uint64) error {
	l, err := layoutOf(t.schema)
	if err != nil {
		return err
	}
	x.page.columns = l.columns
	token, number := "", 0
	seen := map[string]bool{} // where pages have begun
	for row < t.rows {
		number++
		seen[token] = true
		next, total, err := x.service.read(ctx, t.id, row, token, &x.page)
		for again := 1; again < maxStale && err == nil && next != "" && seen[next]; again++ {
			next, total, err = x.service.read(ctx, t.id, row, token, &x.page)
		}
		switch {
		case err != nil:
		case total != t.rows:
			err = errChanged
		case next != "" && seen[next]:
			err = errStale
		}
		if err == nil {
			err = x.rowsOf(&t, &l, row)
		}
		if err != nil {
			err = fmt.Errorf("page %d, from row %d: %w", number, row+1, err)
			if ctx.Err() == nil && (errors.Is(err, connectors.ErrContract) || errors.Is(err, connectors.ErrDown)) {
				if changed := x.unchanged(ctx, t); errors.Is(changed, errChanged) {
					return changed // rather than what it led to
				}
			}
			return err
		}
		row += uint64(len(x.page.rows))
		if err := x.mark(t, row); err != nil {
			return err
		}
		if token = next; token == "" {
			break
		}
		if len(x.page.rows) == 0 {
			return fmt.Errorf("page %d, from row %d: empty, though more is said to follow: %w", number, row+1, connectors.ErrContract)
		}
	}
	if err := x.unchanged(ctx, t); err != nil {
		return err
	}
	if row != t.rows {
		return fmt.Errorf("it is said to have %d rows, but %d were read: %w", t.rows, row, connectors.ErrDown)
	}
	return nil
}

// unchanged makes sure that a table is still what it was.
func (x *extraction) unchanged(ctx context.Context, t dayTable) error {
	meta, err := x.service.metadata(ctx, t.id)
	switch {
	case errors.Is(err, errMissing):
		return errChanged
	case err != nil:
		return err
	case state(meta) != t.sum:
		return errChanged
	}
	return nil
}

// rowsOf writes the rows of a page, of which the first is a row of its table.
func (x *extraction) rowsOf(t *dayTable, l *layout, first uint64) error {
	if len(x.page.rows) == 0 {
		return nil
	}
	list := l.some
	switch n, err := cells(x.page.row(0)); {
	case err != nil:
		return fmt.Errorf("%w: %w", connectors.ErrContract, err)
	case n != len(l.some): // a server that knows no selectedFields
		list = l.whole
	}
	path := x.service.path(t.id)
	isHome := x.window.Contains(t.window.From)
	for i := range x.page.rows {
		raw := x.page.row(i)
		where := connectors.Origin{File: path, Position: x.before + int64(first) + int64(i) + 1, Raw: raw}
		err := x.decoder.row(raw, list)
		at, ok := x.decoder.event.at()
		switch {
		case errors.Is(err, errSyntax):
			return fmt.Errorf("%w: %w", connectors.ErrContract, err)
		case err != nil || !ok || !t.window.Contains(at.Time()): // nobody knows which day it belongs to
			if !isHome {
				x.other++
				continue
			}
			err = x.sink.Reject(where, why(err, ok))
		case !x.window.Contains(at.Time()):
			x.other++
			continue
		default:
			err = x.row(at, where)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func why(err error, timed bool) string {
	switch {
	case err != nil:
		return err.Error()
	case !timed:
		return "event_timestamp: expected microseconds since 1970"
	}
	return "event_timestamp: outside the day of its table: check property_zone"
}

func (x *extraction) row(at table.Micros, where connectors.Origin) error {
	row, err := x.rows.fill(&x.decoder.event, at)
	var refused rejection
	switch {
	case errors.As(err, &refused):
		return x.sink.Reject(where, refused.Error())
	case err != nil:
		return err
	}
	return x.sink.Row(row, where)
}
