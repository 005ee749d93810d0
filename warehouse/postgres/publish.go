package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v17/arrow"

	"crosslift/schemas/table"
)

// dataset is a table that loads are copied into: load_id and the columns of a lake table's contract.
type dataset struct {
	table    string
	contract *table.Table
}

// datasets by name. Another one takes a migration with its table and views, and a line here.
var datasets = map[string]dataset{
	"experiment_results": {"warehouse.experiment_results", table.ExperimentResult},
}

// Load names a partition of the lake to be published, and what is in it.
type Load struct {
	Dataset    string // experiment_results
	Experiment string
	AsOf       table.Day // the night
	Revision   int
	Content    string // content hash of the rows
	Recipe     string // hash of the recipe
}

func (l Load) String() string {
	return fmt.Sprintf("%s of %s as of %s, revision %d", l.Dataset, l.Experiment, l.AsOf, l.Revision)
}

// Published says what a publication came to.
type Published struct {
	LoadID    int64
	Rows      int64
	Unchanged bool // the warehouse had these very rows
}

// Published reports whether the warehouse shows a load: the same rows by the same recipe, and the pointer of its data
// set and experiment at it or past it.
func (d *DB) Published(ctx context.Context, l Load) (bool, error) {
	var found bool
	err := d.db.GetContext(ctx, &found, `SELECT EXISTS (
		SELECT FROM warehouse.load l JOIN warehouse.published p USING (dataset, experiment)
		JOIN warehouse.load newest ON newest.load_id = p.load_id
		WHERE l.dataset = $1 AND l.experiment = $2 AND l.as_of = $3 AND l.revision = $4 AND l.content = $5 AND l.recipe = $6
		AND (newest.as_of, newest.revision) >= (l.as_of, l.revision))`,
		l.Dataset, l.Experiment, l.AsOf.String(), l.Revision, l.Content, l.Recipe)
	return found, failed("looking for "+l.String(), err)
}

// Publish loads the rows of a partition and moves the pointer of its data set and experiment, if this is the newest
// night and revision, in one transaction: readers see all of it or nothing. The transaction commits only if the claim
// still holds (ErrLost). Publishing the same again changes nothing but the recipe, and does not read the batches. Other
// rows for a night and revision that is there are refused (ErrConflict).
//
// The batches must have the columns of the data set's contract, in any order.
func (d *DB) Publish(
	ctx context.Context, claim *Claim, l Load, batches iter.Seq2[arrow.Record, error],
) (Published, error) {
	set, ok := datasets[l.Dataset]
	if !ok {
		return Published{}, fmt.Errorf("postgres: publishing %s: there is no such data set", l)
	}
	p, err := d.publish(ctx, claim, l, set, batches)
	if err != nil {
		return Published{}, failed("publishing "+l.String(), err)
	}
	return p, nil
}

func (d *DB) publish(
	ctx context.Context, claim *Claim, l Load, set dataset, batches iter.Seq2[arrow.Record, error],
) (p Published, err error) {
	session, err := d.db.DB.Conn(ctx)
	if err != nil {
		return p, err
	}
	defer session.Close()
	tx, err := session.BeginTx(ctx, nil)
	if err != nil {
		return p, err
	}
	defer tx.Rollback()
	if p, err = l.enter(ctx, tx, claim); err != nil {
		return p, err
	}
	if !p.Unchanged {
		if p.Rows, err = copyIn(ctx, session, set, p.LoadID, batches); err != nil {
			return p, err
		}
		_, err := tx.ExecContext(ctx, `UPDATE warehouse.load SET row_count = $2 WHERE load_id = $1`, p.LoadID, p.Rows)
		if err != nil {
			return p, err
		}
	}
	if err := l.point(ctx, tx, p.LoadID); err != nil {
		return p, err
	}
	// Last, so that a next claim of the task waits for the commit only.
	if err := claim.check(ctx, tx); err != nil {
		return p, err
	}
	return p, tx.Commit()
}

// enter makes the load's row, or finds it with the same content. When another transaction is making it, that one is
// waited for.
func (l Load) enter(ctx context.Context, tx *sql.Tx, claim *Claim) (p Published, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO warehouse.load (dataset, experiment, as_of, revision, content, recipe, row_count, task_id, attempt)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8) ON CONFLICT DO NOTHING RETURNING load_id`,
		l.Dataset, l.Experiment, l.AsOf.String(), l.Revision, l.Content, l.Recipe, claim.id, claim.attempt).Scan(&p.LoadID)
	if !errors.Is(err, sql.ErrNoRows) {
		return p, err
	}
	p.Unchanged = true
	var content string
	err = tx.QueryRowContext(ctx, `
		UPDATE warehouse.load SET recipe = $5 WHERE dataset = $1 AND experiment = $2 AND as_of = $3 AND revision = $4
		RETURNING load_id, content, row_count`,
		l.Dataset, l.Experiment, l.AsOf.String(), l.Revision, l.Recipe).Scan(&p.LoadID, &content, &p.Rows)
	if err == nil && content != l.Content {
		return p, fmt.Errorf("%w: publish a correction as a new revision; if the lake was made anew, delete "+
			"what it was before (DELETE FROM warehouse.load WHERE load_id = %d) and run again", ErrConflict, p.LoadID)
	}
	return p, err
}

// point moves the pointer forward to a load; it never moves back.
func (l Load) point(ctx context.Context, tx *sql.Tx, loadID int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO warehouse.published AS p (dataset, experiment, load_id) VALUES ($1, $2, $3)
		ON CONFLICT (dataset, experiment) DO UPDATE SET load_id = excluded.load_id, published_at = clock_timestamp()
		WHERE (SELECT (as_of, revision) FROM warehouse.load WHERE load_id = p.load_id) < ROW ($4::date, $5::integer)`,
		l.Dataset, l.Experiment, loadID, l.AsOf.String(), l.Revision)
	return err
}
