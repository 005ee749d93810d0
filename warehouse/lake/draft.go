package lake

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake/object"
)

// Outcome says what a commit did.
type Outcome string

// The outcomes.
const (
	Written     Outcome = "written"     // new rows
	Recommitted Outcome = "recommitted" // the same rows, made by another recipe: descendants stay current
	Unchanged   Outcome = "unchanged"   // the same rows by the same recipe: nothing was uploaded
)

// ConflictError says that somebody else committed other rows to a partition after the plan was made.
type ConflictError struct{ Partition Partition }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("lake: %s: somebody else has committed other rows meanwhile; nothing was overwritten: run again", e.Partition)
}

// Draft is a partition being made. Rows may be added in any order; memory is bounded. Nothing is visible in the lake
// until Commit.
type Draft struct {
	// Unique drops rows that are equal in every column: of a source that may serve the same row twice.
	Unique bool
	// Audit, where it is set, looks at the finished partition before its footer is written, and may complete the counts in
	// it; its error stops the commit.
	Audit func(*Head) error

	lake      *Lake
	partition Partition
	codec     *columns.Codec
	sorter    *columns.Sorter
	row       []byte
}

// Draft starts a partition that sorts within about memory bytes. It must be closed.
func (l *Lake) Draft(p Partition, memory int64) *Draft {
	return &Draft{lake: l, partition: p, codec: columns.NewCodec(p.Table), sorter: columns.NewSorter(memory, l.temp)}
}

// Partition says what is being made.
func (d *Draft) Partition() Partition { return d.partition }

// Add checks a row, a pointer to the table's row type, and copies it.
func (d *Draft) Add(row any) error {
	if err := d.partition.Table.Check(row); err != nil {
		return fmt.Errorf("lake: %s: %w", d.partition, err)
	}
	var err error
	if d.row, err = d.codec.Append(d.row[:0], row); err != nil {
		return err
	}
	return d.sorter.Add(d.row)
}

// AddEncoded copies a row that has been checked, in the encoding of columns.Codec.
func (d *Draft) AddEncoded(row []byte) error { return d.sorter.Add(row) }

// Close frees what the draft holds.
func (d *Draft) Close() error { return d.sorter.Close() }

// Commit sorts, writes, audits and publishes the rows, replacing what the plan saw there: was, nil for nothing. It is
// atomic: readers see the old object or the new one. The file is first written to an unnamed temporary file: only
// when its content hash is known can it be decided whether anything needs to be uploaded at all, and a commit whose
// fate the network hid can be repeated.
//
// Of a result, was is the highest revision: other rows get the next one, and nothing is replaced.
func (d *Draft) Commit(ctx context.Context, recipe Recipe, counts Counts, was *Head) (*Head, Outcome, error) {
	file, err := os.CreateTemp(d.lake.temp, "crosslift-draft-*")
	if err != nil {
		return nil, "", fmt.Errorf("lake: %s: %w", d.partition, err)
	}
	defer file.Close()
	if err := os.Remove(file.Name()); err != nil {
		return nil, "", fmt.Errorf("lake: %s: %w", d.partition, err)
	}
	next := &Head{Partition: d.partition, Recipe: recipe, Counts: counts}
	if err := d.write(ctx, file, next); err != nil {
		return nil, "", fmt.Errorf("lake: %s: %w", d.partition, err)
	}
	if was != nil && d.partition.Table.Kind == table.Result {
		d.partition.Revision = was.Revision
		if was.Content != next.Content {
			d.partition.Revision, was = was.Revision+1, nil // a correction stands beside what it corrects
		}
		next.Partition = d.partition
	}
	outcome := Written
	for try := 1; ; try++ {
		if was != nil && was.Content == next.Content {
			if was.Recipe.Hash() == recipe.Hash() {
				if outcome == Written {
					outcome = Unchanged
				}
				return was, outcome, nil
			}
			outcome = Recommitted
		}
		err := d.upload(ctx, file, next, was)
		if err == nil {
			return next, outcome, nil
		}
		open := errors.Is(err, object.ErrPrecondition) || errors.Is(err, object.ErrUnknown)
		err = fmt.Errorf("lake: %s: %w", d.partition, err)
		if !open || ctx.Err() != nil {
			return nil, "", err
		}
		// The store's answer says less than the object does: read it.
		now, again := d.lake.Head(ctx, d.partition)
		switch gone := errors.Is(again, object.ErrNotFound); {
		case again != nil && !gone:
			return nil, "", errors.Join(err, again)
		case gone && was != nil:
			return nil, "", &ConflictError{Partition: d.partition}
		case !gone && now.Content == next.Content && now.Recipe.Hash() == recipe.Hash():
			return now, outcome, nil // it was our own, or somebody has done the same work
		case gone || was != nil && now.ETag == was.ETag: // it certainly did not happen
			if try == commitTries {
				return nil, "", err
			}
		case now.Content == next.Content:
			was = now // committed by somebody under another recipe: put ours on top of that
		default:
			return nil, "", &ConflictError{Partition: d.partition}
		}
	}
}

// commitTries is how often a commit is sent that the store refused or lost without a visible reason.
const commitTries = 3

// write sorts the rows into a Parquet file and completes the head.
func (d *Draft) write(ctx context.Context, file *os.File, head *Head) error {
	w := columns.NewWriter(file, d.partition.Table)
	n := 0
	d.row = d.row[:0] // the row before
	for row, err := range d.sorter.Rows() {
		if err != nil {
			return err
		}
		if n++; n%(1<<14) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if d.Unique {
			if n > 1 && bytes.Equal(row, d.row) {
				continue
			}
			d.row = append(d.row[:0], row...)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	var refused error
	_, err := w.Close(func(s columns.Summary) map[string]string {
		head.Counts.Written = s.Rows
		head.Rows, head.Content, head.Sums = s.Rows, s.Content, s.Sums
		if d.Audit != nil {
			refused = d.Audit(head)
		}
		return footer(s.Content, head.Recipe, head.Counts, s.Sums)
	})
	return cmp.Or(refused, err)
}

func (d *Draft) upload(ctx context.Context, file *os.File, next, was *Head) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	up, err := d.lake.store.Create(ctx, d.partition.Key())
	if err != nil {
		return err
	}
	if _, err := io.Copy(up, io.NewSectionReader(file, 0, size)); err != nil {
		return errors.Join(err, up.Abort(context.WithoutCancel(ctx)))
	}
	replaces := ""
	if was != nil {
		replaces = was.ETag
	}
	info, err := up.Commit(ctx, replaces)
	if err != nil {
		return err
	}
	next.ETag, next.Size = info.ETag, info.Size
	d.lake.remember(next)
	return nil
}

func (l *Lake) remember(h *Head) {
	l.mu.Lock()
	l.heads[h.Key()] = h
	l.mu.Unlock()
}
