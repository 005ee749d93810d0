package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"crosslift/warehouse/columns"
)

// Draft is a partition being made. Rows may be added in any order; memory is bounded. Nothing is visible in the lake
// until Commit.
//
// Rows that come in the table's order are written as they come. The first that does not has the others sorted, and what was
// written until then merged with them: the same rows give the same partition, however they come.
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

	straight *written // all rows, as long as they come in order; nil for the first few
	early    *written // rows that came before the first one that was out of order
}

// written is a temporary file with rows in order.
type written struct {
	*columns.Writer
	file *os.File
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
	return d.AddEncoded(d.row)
}

// inOrder is how many rows have to come in order before it is believed that all will.
const inOrder = 1 << 8

// AddEncoded copies a row that has been checked, in the encoding of columns.Codec.
func (d *Draft) AddEncoded(row []byte) error {
	if d.straight != nil {
		switch err := d.straight.Write(row); {
		case err == nil:
			return nil
		case !errors.Is(err, columns.ErrOrder):
			return fmt.Errorf("lake: %s: %w", d.partition, err)
		}
		if err := d.turn(); err != nil {
			return fmt.Errorf("lake: %s: %w", d.partition, err)
		}
	}
	if err := d.sorter.Add(row); err != nil {
		return err
	}
	if d.early != nil || d.sorter.Len() < inOrder || !d.sorter.Ordered() {
		return nil
	}
	var err error
	if d.straight, err = d.begin(); err != nil {
		return fmt.Errorf("lake: %s: %w", d.partition, err)
	}
	for row := range d.sorter.Drain() {
		if err := d.straight.Write(row); err != nil {
			return fmt.Errorf("lake: %s: %w", d.partition, err)
		}
	}
	return nil
}

// begin begins a file. It has no name: whatever happens to the program, nothing is left behind.
func (d *Draft) begin() (*written, error) {
	file, err := os.CreateTemp(d.lake.temp, "crosslift-draft-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	w := columns.NewWriter(file, d.partition.Table)
	if d.Unique {
		w.Unique()
	}
	return &written{w, file}, nil
}

// turn has the rows sorted from now on, and those that were written merged with them.
func (d *Draft) turn() error {
	d.early, d.straight = d.straight, nil
	if _, err := d.early.Close(func(columns.Summary) map[string]string { return nil }); err != nil {
		return err
	}
	size, err := d.early.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	f, err := columns.Open(d.early.file, size)
	if err == nil {
		d.sorter.AddFile(f, d.partition.Table)
	}
	return err
}

// Close frees what the draft holds.
func (d *Draft) Close() error {
	err := d.sorter.Close()
	for _, w := range []*written{d.straight, d.early} {
		if w != nil {
			w.Abandon()
			err = errors.Join(err, w.file.Close())
		}
	}
	d.straight, d.early = nil, nil
	return err
}

// write completes the file, for which it sorts the rows unless they came in order, and the head.
func (d *Draft) write(ctx context.Context, head *Head) (*os.File, error) {
	if d.straight == nil {
		if err := d.sort(ctx); err != nil {
			return nil, err
		}
	}
	var refused error
	_, err := d.straight.Writer.Close(func(s columns.Summary) map[string]string {
		head.Counts.Written = s.Rows
		head.Rows, head.Content, head.Sums = s.Rows, s.Content, s.Sums
		if d.Audit != nil {
			refused = d.Audit(head)
		}
		return footer(s.Content, head.Recipe, head.Counts, s.Sums)
	})
	return d.straight.file, cmp.Or(refused, err)
}

// sort writes the sorted rows.
func (d *Draft) sort(ctx context.Context) (err error) {
	if d.straight, err = d.begin(); err != nil {
		return err
	}
	n := 0
	for row, err := range d.sorter.Rows() {
		if err != nil {
			return err
		}
		if n++; n%(1<<14) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.straight.Write(row); err != nil {
			return err
		}
	}
	return nil
}
