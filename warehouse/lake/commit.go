package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"crosslift/schemas/table"
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

// Commit sorts, writes, audits and publishes the rows, once, replacing what the plan saw there: was, nil for nothing. It is
// atomic: readers see the old object or the new one. The file is first written to an unnamed temporary file: only
// when its content hash is known can it be decided whether anything needs to be uploaded at all, and a commit whose
// fate the network hid can be repeated.
//
// Of a result, was is the highest revision: other rows get the next one, and nothing is replaced.
func (d *Draft) Commit(ctx context.Context, recipe Recipe, counts Counts, was *Head) (*Head, Outcome, error) {
	defer d.Close()
	next := &Head{Partition: d.partition, Recipe: recipe, Counts: counts}
	file, err := d.write(ctx, next)
	if err != nil {
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
