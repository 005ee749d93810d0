package bigquery

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
)

// stored is a table as it was looked through last.
type stored struct {
	mu    sync.Mutex
	state *state
}

// state is what a table holds for as long as nothing appears in it and nothing is taken back.
type state struct {
	since, until time.Time // until is zero when there is no end
	rows, bytes  int64
	columns      []Field
	pieces       []piece
}

// piece is a run of a table's rows: all of a part, or those of it that are visible.
type piece struct {
	*part
	rows   int64
	places []int64 // the offsets of its rows 0, blockRows, 2×blockRows …
}

// due reports whether a table may be there at all.
func (s *server) due(t exportTable, at time.Time) bool {
	window := t.day.Window(s.options.Zone)
	daily := !at.Before(window.To.Add(s.options.Delay))
	if t.intraday {
		return !daily && !at.Before(window.From)
	}
	return daily
}

// late is how long after a day's end what becomes visible was never streamed.
const late = 24 * time.Hour

// seen gives from when until when a record is in a table; until is zero when there is no end, and ok is false for one
// that never gets there.
func (s *server) seen(t exportTable, r *world.Record) (from, until time.Time, ok bool) {
	from, ok = r.Visible, true
	if t.intraday {
		from, ok = r.At, r.Visible.Before(t.day.Window(s.options.Zone).To.Add(late))
	}
	if r.Gone != nil {
		until = *r.Gone
	}
	return from, until, ok
}

// find gives a table's state; nil when it is not there.
func (s *server) find(t exportTable, at time.Time) (*state, error) {
	if !s.due(t, at) {
		return nil, nil
	}
	s.mu.Lock()
	kept := s.tables[t.id]
	if kept == nil {
		kept = &stored{}
		s.tables[t.id] = kept
	}
	s.mu.Unlock()
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if st := kept.state; st == nil || at.Before(st.since) || !st.until.IsZero() && !at.Before(st.until) {
		st, err := s.look(t, at)
		if err != nil {
			return nil, err
		}
		kept.state = st
	}
	if kept.state.rows == 0 {
		return nil, nil
	}
	return kept.state, nil
}

// look finds a table's state. Only parts of which some rows are visible and some are not are read.
func (s *server) look(t exportTable, at time.Time) (*state, error) {
	parts, err := s.files.parts(t.day)
	if err != nil {
		return nil, err
	}
	st := &state{columns: s.columns(t)}
	change := func(when time.Time) {
		switch {
		case when.IsZero():
		case !when.After(at):
			if when.After(st.since) {
				st.since = when
			}
		case st.until.IsZero() || when.Before(st.until):
			st.until = when
		}
	}
	for _, p := range parts {
		st.columns = merged(st.columns, p.more)
		switch {
		case t.intraday || p.gone || p.visible.to.After(at) && !p.visible.from.After(at):
			if err := s.some(t, at, p, st, change); err != nil {
				return nil, err
			}
		case p.visible.from.After(at):
			change(p.visible.from)
		default:
			change(p.visible.to)
			st.rows += p.rows
			st.bytes += p.bytes
			st.pieces = append(st.pieces, piece{p, p.rows, p.places})
		}
	}
	return st, nil
}

// some adds those rows of a part that a table has.
func (s *server) some(t exportTable, at time.Time, p *part, st *state, change func(time.Time)) error {
	found := piece{part: p}
	err := s.rows(t, time.Time{}, p, p.places[0], func(r *world.Record, offset int64) error {
		from, until, _ := s.seen(t, r)
		change(from)
		change(until)
		if from.After(at) || !until.IsZero() && !until.After(at) {
			return nil
		}
		if found.rows%blockRows == 0 {
			found.places = append(found.places, offset)
		}
		found.rows++
		st.bytes += int64(len(r.Object))
		return nil
	})
	if found.rows > 0 {
		st.rows += found.rows
		st.pieces = append(st.pieces, found)
	}
	return err
}

// rows gives the rows of a part that a table has at an instant, or, without one, has ever, from a place on.
func (s *server) rows(t exportTable, at time.Time, p *part, from int64, give func(r *world.Record, offset int64) error) error {
	window := t.day.Window(s.options.Zone)
	return s.files.each(p, from, func(r *world.Record, offset int64) error {
		if !window.Contains(r.At) {
			return nil
		}
		seen, until, ok := s.seen(t, r)
		if !ok || !at.IsZero() && (seen.After(at) || !until.IsZero() && !until.After(at)) {
			return nil
		}
		return give(r, offset)
	})
}

// etag is one for one content: what is visible changes at the instant since.
func (st *state) etag(id string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", id, st.rows, st.since.UnixNano()))
	return base64.StdEncoding.EncodeToString(sum[:16])
}
