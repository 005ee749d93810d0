package columns

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/table"
)

// Writer writes one Parquet file of a table from encoded rows. It is the only caller of parquet-go's writer.
type Writer struct {
	table    *table.Table
	codec    *Codec
	parquet  *parquet.GenericWriter[any]
	out      *tail
	hash     hash.Hash
	sums     []*sum
	currency int // place of the column that names the currency of money, where there is one

	unique  bool
	rows    int64
	last    []byte            // the row before
	batch   batch             // rows that are being collected
	full    batch             // those before, which are being written meanwhile
	columns [][]parquet.Value // of full, by column; values refer to its bytes
	written chan error        // what came of them; nil before the first
}

// ErrOrder says that a row is less than the one before it.
var ErrOrder = errors.New("out of order")

// Summary is what a writer learnt from the rows that passed.
type Summary struct {
	Rows    int64
	Content string            // SHA-256 over the rows in order, in the canonical encoding; hexadecimal
	Sums    map[string]string // control sums, decimal: of each integer column and, as "column/RUB", of money by currency
}

// NewWriter starts a file.
func NewWriter(w io.Writer, t *table.Table) *Writer {
	out := &tail{w: w}
	schema := schema(t)
	wr := &Writer{
		table: t, codec: NewCodec(t), out: out, hash: sha256.New(),
		parquet: parquet.NewGenericWriter[any](out, schema,
			parquet.Compression(&parquet.Zstd), parquet.PageBufferSize(pageBytes), parquet.CreatedBy("crosslift", "1", "")),
		columns: make([][]parquet.Value, len(t.Columns)),
	}
	for c := range wr.columns {
		wr.columns[c] = make([]parquet.Value, batchRows)
	}
	currency, hasCurrency := t.Column("currency")
	wr.currency = currency.Field
	for _, c := range t.Columns {
		if c.Type == table.Int {
			s := &sum{column: c}
			if c.Unit == "minor" && hasCurrency {
				s.currencies = map[string]*sum{}
			}
			wr.sums = append(wr.sums, s)
		}
	}
	fmt.Fprintf(wr.hash, "%s %d\n", t.Path(), t.Version)
	for _, at := range t.Order {
		fmt.Fprintf(wr.hash, "%s %s %t\n", t.Columns[at].Name, t.Columns[at].Type, t.Columns[at].Optional)
	}
	return wr
}

// Unique has the writer drop rows that are equal to the one before them.
func (w *Writer) Unique() { w.unique = true }

// Write appends an encoded row. Rows must come in order: a row that is less than the one before it is refused with ErrOrder,
// and may be kept for somewhere else.
func (w *Writer) Write(row []byte) error {
	switch order := bytes.Compare(row, w.last); {
	case order < 0:
		return fmt.Errorf("%s: row %d is %w", w.table, w.rows+1, ErrOrder)
	case order == 0 && w.unique:
		return nil
	}
	w.last = w.batch.add(row)
	w.rows++
	if w.batch.rows() == batchRows {
		return w.flush()
	}
	return nil
}

// flush has the rows of the batch written while the next ones are collected.
func (w *Writer) flush() error {
	if err := w.wait(); err != nil {
		return err
	}
	w.batch, w.full = w.full, w.batch
	w.batch.reset()
	written, ends := make(chan error, 1), w.rows%rowGroupRows == 0
	w.written = written
	go func() { written <- w.write(ends) }()
	return nil
}

// wait waits for the rows that are being written.
func (w *Writer) wait() error {
	if w.written == nil {
		return nil
	}
	err := <-w.written
	w.written = nil
	return err
}

// Abandon waits for the rows that are being written; the file stays unfinished. After Close it does nothing.
func (w *Writer) Abandon() { _ = w.wait() }

// write hands the full batch to parquet-go, column by column.
func (w *Writer) write(endsRowGroup bool) error {
	w.hash.Write(w.full.bytes)
	if err := w.codec.decode(&w.full, w.columns); err != nil {
		return err
	}
	rows := w.full.rows()
	for _, s := range w.sums {
		s.addAll(w.columns[s.column.Field][:rows], w.columns[w.currency])
	}
	for c, out := range w.parquet.ColumnWriters() {
		if _, err := out.WriteRowValues(w.columns[c][:rows]); err != nil {
			return fmt.Errorf("%s: writing column %s: %w", w.table, w.table.Columns[c].Name, err)
		}
	}
	if endsRowGroup {
		if err := w.parquet.Flush(); err != nil {
			return fmt.Errorf("%s: writing a row group: %w", w.table, err)
		}
	}
	return nil
}

// Close ends the file: describe is given the summary and returns the key-value metadata for the footer. The footer is
// then read back from the bytes that were written and compared, so that a file that cannot be read is never published.
func (w *Writer) Close(describe func(Summary) map[string]string) (Summary, error) {
	if w.batch.rows() > 0 {
		if err := w.flush(); err != nil {
			return Summary{}, err
		}
	}
	if err := w.wait(); err != nil {
		return Summary{}, err
	}
	if err := w.parquet.Flush(); err != nil {
		return Summary{}, fmt.Errorf("%s: writing a row group: %w", w.table, err)
	}
	s := Summary{Rows: w.rows, Content: hex.EncodeToString(w.hash.Sum(nil)), Sums: map[string]string{}}
	for _, sum := range w.sums {
		s.Sums[sum.column.Name] = sum.String()
		for currency, of := range sum.currencies {
			s.Sums[sum.column.Name+"/"+currency] = of.String()
		}
	}
	meta := describe(s)
	for _, key := range sortedKeys(meta) {
		w.parquet.SetKeyValueMetadata(key, meta[key])
	}
	w.out.keep = true
	if err := w.parquet.Close(); err != nil {
		return s, fmt.Errorf("%s: writing the footer: %w", w.table, err)
	}
	return s, w.audit(s, meta)
}

func (w *Writer) audit(s Summary, meta map[string]string) error {
	f, err := parquet.OpenFile(w.out, w.out.size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("%s: the footer just written cannot be read: %w", w.table, err)
	}
	if f.NumRows() != s.Rows {
		return fmt.Errorf("%s: the footer counts %d rows, %d were written", w.table, f.NumRows(), s.Rows)
	}
	for key, want := range meta {
		if got, _ := f.Lookup(key); got != want {
			return fmt.Errorf("%s: the footer's %s is not what was written", w.table, key)
		}
	}
	return nil
}

// tail passes bytes on and keeps the first four and those from the mark on, which is all that opening a footer reads.
type tail struct {
	w    io.Writer
	size int64
	head []byte
	keep bool
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	if len(t.head) < 4 {
		t.head = append(t.head, p[:min(n, 4-len(t.head))]...)
	}
	if t.keep {
		t.kept = append(t.kept, p[:n]...)
	}
	t.size += int64(n)
	return n, err
}

// ReadAt serves the kept bytes.
func (t *tail) ReadAt(p []byte, at int64) (int, error) {
	from := t.size - int64(len(t.kept))
	switch {
	case at+int64(len(p)) <= int64(len(t.head)):
		return copy(p, t.head[at:]), nil
	case at >= from:
		n := copy(p, t.kept[at-from:])
		if n < len(p) {
			return n, io.EOF
		}
		return n, nil
	}
	return 0, errors.New("bytes before the footer are not kept")
}
