package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// errChanged is the error for a file with other content than the plan saw.
var errChanged = errors.New("it was changed while being read: run again")

// Extract writes the rows of a business day. See the package's comment for which rows these are.
func (s *Stream) Extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	found, err := s.deliveries(ctx, day)
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.name, day, err)
	}
	if !slices.EqualFunc(found, inputs, func(f delivery, in connectors.Input) bool { return f.Name == in.Name }) {
		return fmt.Errorf("%s %s: files came or went since the plan was made: run again", s.name, day)
	}
	rows, err := newRow(s.table, &s.mapping, s.key)
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.name, day, err)
	}
	for i, f := range found {
		to := &filing{delivery: f, day: day.Window(s.zone), isHome: f.home == day, known: f.window != nil}
		err := s.file(ctx, to, inputs[i].SHA256, rows, sink)
		if errors.Is(err, errChanged) && s.sums != nil {
			s.sums.Forget(s.store.String(), f.Object)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %s: %w", s.name, day, f.Name, err)
		}
	}
	return nil
}

// sinkError is an error of the sink, which no file is to blame for.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// file extracts one file and makes sure that it was the one that the plan saw.
func (s *Stream) file(ctx context.Context, to *filing, want string, rows *row, sink connectors.Sink) error {
	content, err := s.store.Open(ctx, to.Object)
	if err != nil {
		return err
	}
	defer content.Close()
	h := sha256.New()
	stored := io.TeeReader(sequential(ctx, content), h)
	f, err := s.mapping.format().resolve(to.Name)
	if err != nil {
		return err
	}
	if f.Type == typeParquet { // which is not read in order
		if err := verify(stored, h, want); err != nil {
			return err
		}
	}
	r, err := s.open(ctx, content, stored, to.Name, f, rows)
	if err == nil {
		defer r.Close()
		err = s.records(ctx, r, to, rows, sink)
	}
	var stopped sinkError
	if errors.As(err, &stopped) || f.Type == typeParquet || ctx.Err() != nil {
		return err
	}
	if changed := verify(stored, h, want); changed != nil {
		return changed // rather than what it led to
	}
	return err
}

// verify reads what is left of a file and compares its sum.
func verify(stored io.Reader, h hash.Hash, want string) error {
	if _, err := io.Copy(io.Discard, stored); err != nil {
		return fmt.Errorf("reading: %w", cause(err))
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return errChanged
	}
	return nil
}

// open gives a reader of the columns that the mapping needs.
func (s *Stream) open(
	ctx context.Context, content Content, stored io.Reader, name string, f Format, rows *row,
) (*Reader, error) {
	var r *Reader
	var err error
	if f.Type == typeParquet {
		r, err = NewReader(ctx, content, content.Size(), name, f)
	} else {
		r, err = newTextReader(ctx, stored, name, f)
	}
	if err != nil {
		return nil, err
	}
	columns := rows.columns
	personal := func(column string) bool { return !s.free[column] }
	if f.Type == typeParquet && !slices.ContainsFunc(r.Columns(), personal) {
		columns = slices.Clone(columns) // so that rejected rows can show all their fields
		for _, c := range r.chosen {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	if err := r.Select(columns...); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// records writes a file's records as far as they are the day's.
func (s *Stream) records(ctx context.Context, r *Reader, to *filing, rows *row, sink connectors.Sink) error {
	if s.constant != nil {
		to.dated(s.constant.Time())
	}
	contradiction := s.table.EventTime + ": outside the day that the file is named for"
	target := rows.row.Interface()
	for {
		rec, err := r.Next()
		origin := connectors.Origin{File: to.Name, Position: rec.Position, Raw: rec.Raw}
		broken, isBroken := err.(*RecordError)
		reason := ""
		switch {
		case err == io.EOF:
			return nil
		case isBroken:
			origin.Position, origin.Raw, reason = broken.Position, broken.Raw, broken.Reason
		case err != nil:
			return err
		default:
			at, err := rows.at(rec)
			if err != nil {
				reason = err.Error()
				break
			}
			switch to.dated(at.Time()) {
			case skip:
				continue
			case refuse:
				reason = contradiction
			case keep:
				if err := rows.fill(rec); err != nil {
					reason = err.Error()
				}
			}
			origin.Fields = s.fields(rec, reason, target)
			if err := s.give(sink, target, origin, reason); err != nil {
				return err
			}
			continue
		}
		if !to.known {
			if err := s.lookAhead(ctx, to); err != nil {
				return err
			}
		}
		if to.isHome {
			if !isBroken {
				origin.Fields = s.fields(rec, reason, target)
			}
			if err := s.give(sink, target, origin, reason); err != nil {
				return err
			}
		}
	}
}

// give hands a row to the sink, or a rejected one with its reason.
func (s *Stream) give(sink connectors.Sink, row any, origin connectors.Origin, reason string) error {
	var err error
	if reason == "" {
		err = sink.Row(row, origin)
	} else {
		err = sink.Reject(origin, reason)
	}
	if err != nil {
		return sinkError{err}
	}
	return nil
}

// fields gives the record's fields for quarantine, when they may be kept and it may come to that.
func (s *Stream) fields(rec Record, reason string, row any) map[string]string {
	if len(s.free) == 0 || reason == "" && s.table.Check(row) == nil {
		return nil
	}
	return rec.fields(s.free)
}

// lookAhead settles who takes the broken rows at the start of a file that is named for no day: the day of the first row
// that has a time.
func (s *Stream) lookAhead(ctx context.Context, to *filing) error {
	content, err := s.store.Open(ctx, to.Object)
	if err != nil {
		return err
	}
	defer content.Close()
	f, err := s.mapping.format().resolve(to.Name)
	if err != nil {
		return err
	}
	rows, err := newRow(s.table, &s.mapping, s.key)
	if err != nil {
		return err
	}
	r, err := s.open(ctx, content, sequential(ctx, content), to.Name, f, rows)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		_, isBroken := err.(*RecordError)
		switch {
		case err == io.EOF:
			return fmt.Errorf("none of its rows has a readable %s, so that they belong to no day", s.table.EventTime)
		case isBroken:
			continue
		case err != nil:
			return err
		}
		if at, err := rows.at(rec); err == nil {
			to.dated(at.Time())
			return nil
		}
	}
}

// sequential reads a file from its start to its end, in large steps, until ctx ends.
func sequential(ctx context.Context, content Content) io.Reader {
	return &steps{ctx, io.NewSectionReader(content, 0, content.Size())}
}

type steps struct {
	ctx context.Context
	r   io.Reader
}

func (s *steps) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
