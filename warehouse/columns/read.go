package columns

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/parquet-go/parquet-go"
)

// File is a Parquet file opened for reading, this program's or anybody's.
type File struct {
	r      io.ReaderAt
	size   int64
	footer *parquet.File
}

// Open reads a file's footer; nothing else is read until asked for.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	return f, guarded(func() (err error) {
		f.footer, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
		return err
	})
}

// Rows is the number of rows.
func (f *File) Rows() int64 { return f.footer.NumRows() }

// Meta is a value of the footer's key-value metadata.
func (f *File) Meta(key string) (string, bool) { return f.footer.Lookup(key) }

// Columns names the leaf columns in file order.
func (f *File) Columns() []string {
	var names []string
	for _, path := range f.footer.Schema().Columns() {
		names = append(names, path[len(path)-1])
	}
	return names
}

// RowGroups is the number of row groups, the unit of parallel reading.
func (f *File) RowGroups() int { return len(f.footer.RowGroups()) }

// column finds a leaf by name, with an error that names the file's columns.
func (f *File) column(name string) (int, error) {
	if i := slices.Index(f.Columns(), name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("no column %q: the file has %v", name, f.Columns())
}

// Batches reads the named columns (all, when none is named) as Arrow record batches, in row order. With row groups
// given, only those are read. A batch is valid until the next one; Retain it to keep it.
func (f *File) Batches(ctx context.Context, columns []string, rowGroups ...int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		if len(columns) == 0 {
			columns = f.Columns()
		}
		var leaves []int
		for _, name := range columns {
			i, err := f.column(name)
			if err != nil {
				yield(nil, err)
				return
			}
			leaves = append(leaves, i)
		}
		records, err := f.records(ctx, leaves, rowGroups)
		if err != nil {
			yield(nil, err)
			return
		}
		defer records.Release()
		for {
			var more bool
			if err := guarded(func() error { more = records.Next(); return nil }); err != nil {
				yield(nil, err)
				return
			}
			if !more {
				break
			}
			if !yield(records.Record(), nil) {
				return
			}
		}
		if err := records.Err(); err != nil && err != io.EOF {
			yield(nil, fmt.Errorf("reading Parquet as Arrow: %w", err))
		}
	}
}

// records opens Arrow's reader of some columns and row groups.
func (f *File) records(ctx context.Context, leaves, rowGroups []int) (records pqarrow.RecordReader, err error) {
	err = guarded(func() error {
		r, err := file.NewParquetReader(io.NewSectionReader(f.r, 0, f.size))
		if err != nil {
			return err
		}
		arrows, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: 16 << 10}, memory.DefaultAllocator)
		if err != nil {
			return err
		}
		if len(rowGroups) == 0 {
			rowGroups = nil // all of them
		}
		records, err = arrows.GetRecordReader(ctx, leaves, rowGroups)
		return err
	})
	return records, err
}

// guarded turns the panics of the Parquet libraries on damaged files into errors.
func guarded(read func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a damaged Parquet file: %v", r)
		}
	}()
	if err := read(); err != nil {
		return fmt.Errorf("reading Parquet: %w", err)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
