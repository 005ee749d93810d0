package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/lib/pq"
)

// copyChunk is how many bytes of rows are handed to the driver at once: as many as it buffers.
const copyChunk = 64 << 10

// copier is the driver's statement for COPY … FROM STDIN. Its method CopyData takes lines in text format, without
// the last line's end.
type copier interface {
	driver.Stmt
	CopyData(ctx context.Context, lines string) (driver.Result, error)
}

// copyIn copies batches into a data set's table, inside the transaction that is open on the session, and gives the
// number of rows. After an error the transaction is of no use.
func copyIn(
	ctx context.Context, session *sql.Conn, set dataset, loadID int64, batches iter.Seq2[arrow.Record, error],
) (rows int64, err error) {
	err = session.Raw(func(conn any) error {
		preparer, ok := conn.(driver.ConnPrepareContext)
		if !ok {
			return fmt.Errorf("COPY: unexpected driver %T", conn)
		}
		rows, err = copyBatches(ctx, preparer, set, loadID, batches)
		return err
	})
	return rows, err
}

func copyBatches(
	ctx context.Context, conn driver.ConnPrepareContext, set dataset, loadID int64, batches iter.Seq2[arrow.Record, error],
) (rows int64, err error) {
	e := encoder{contract: set.contract, prefix: strconv.FormatInt(loadID, 10)}
	columns := []string{"load_id"}
	for _, name := range set.contract.ColumnNames() {
		columns = append(columns, pq.QuoteIdentifier(name))
	}
	prepared, err := conn.PrepareContext(ctx, `COPY `+set.table+` (`+strings.Join(columns, ", ")+`) FROM STDIN`)
	if err != nil {
		return 0, err
	}
	defer prepared.Close()
	stmt, ok := prepared.(copier)
	if !ok {
		return 0, fmt.Errorf("COPY: unexpected statement %T", prepared)
	}
	buf := make([]byte, 0, copyChunk+copyChunk/4)
	flush := func() error {
		if len(buf) == 0 {
			return nil
		}
		// The driver copies the string before it returns.
		_, err := stmt.CopyData(ctx, unsafe.String(&buf[0], len(buf)-1))
		buf = buf[:0]
		return err
	}
	for batch, err := range batches {
		if err != nil {
			return 0, err
		}
		if err := e.bind(batch); err != nil {
			return 0, err
		}
		for i := range int(batch.NumRows()) {
			if buf, err = e.row(buf, i); err != nil {
				return 0, fmt.Errorf("row %d: %w", rows+1, err)
			}
			rows++
			if len(buf) >= copyChunk {
				if err := flush(); err != nil {
					return 0, err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return 0, err
	}
	result, err := stmt.Exec(nil) // without values: the end of the COPY, and where its errors show
	if err != nil {
		return 0, err
	}
	if copied, err := result.RowsAffected(); err != nil || copied != rows {
		return 0, fmt.Errorf("COPY: the server took %d of %d rows", copied, rows)
	}
	return rows, nil
}
