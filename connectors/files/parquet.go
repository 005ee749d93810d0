package files

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// parquetFile reads a Parquet file column by column, in step. Only columns with one value a row can be chosen.
type parquetFile struct {
	file   *parquet.File
	leaves []leaf
	names  []string
	chosen []*leafReader
	group  int   // of the row groups, the next to open
	left   int64 // rows of the current group
	row    int64
	text   []byte // of the current row's values
	ends   []int
}

// leaf is a column as the file's schema has it.
type leaf struct {
	name     string
	column   *parquet.Column
	repeated bool
}

// leafReader steps through the values of a column of a row group.
type leafReader struct {
	leaf   leaf
	write  writeValue
	pages  parquet.Pages
	page   parquet.Page
	reader parquet.ValueReader
	values []parquet.Value
	at     int
}

func openParquet(content io.ReaderAt, size int64) (f *parquetFile, err error) {
	defer recovered(&err)
	var magic [4]byte
	if _, err := content.ReadAt(magic[:], 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading: %w", cause(err))
	}
	switch {
	case string(magic[:2]) == string(gzipMagic), string(magic[:]) == string(zstdMagic):
		return nil, errors.New("a compressed Parquet file cannot be read: decompress it (Parquet compresses within)")
	case string(magic[:]) != "PAR1":
		return nil, fmt.Errorf("not a Parquet file: it does not start with PAR1")
	}
	file, err := parquet.OpenFile(content, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("not a whole Parquet file: %w", cause(err))
	}
	f = &parquetFile{file: file}
	f.walk(file.Root(), nil, false)
	return f, nil
}

// walk lists the leaves below a node.
func (f *parquetFile) walk(node *parquet.Column, path []string, repeated bool) {
	for _, c := range node.Columns() {
		path := append(slices.Clip(path), c.Name())
		repeated := repeated || c.Repeated()
		if !c.Leaf() {
			f.walk(c, path, repeated)
			continue
		}
		name := strings.Join(path, ".")
		f.leaves = append(f.leaves, leaf{name, c, repeated})
		f.names = append(f.names, name)
	}
}

func (f *parquetFile) columns() []string { return f.names }

func (f *parquetFile) choose(columns []string) error {
	f.closeGroup()
	f.chosen = f.chosen[:0]
	for _, name := range columns {
		l := f.leaves[slices.Index(f.names, name)]
		write, err := writerOf(l.column.Type())
		if l.repeated {
			err = errors.New("a list has no single value a row")
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		f.chosen = append(f.chosen, &leafReader{leaf: l, write: write})
	}
	return nil
}

func (f *parquetFile) next(cells []cell) (position int64, raw []byte, err error) {
	defer recovered(&err)
	for f.left == 0 {
		if f.group == len(f.file.RowGroups()) {
			return 0, nil, io.EOF
		}
		f.closeGroup()
		group := f.file.RowGroups()[f.group]
		for _, r := range f.chosen {
			r.pages = group.ColumnChunks()[r.leaf.column.Index()].Pages()
		}
		f.left = group.NumRows()
		f.group++
	}
	f.left--
	f.row++
	f.text, f.ends = f.text[:0], f.ends[:0]
	for i, r := range f.chosen {
		if err = r.advance(); err != nil {
			return 0, nil, fmt.Errorf("row %d: %w", f.row, err)
		}
		v := r.values[r.at]
		if cells[i].present = !v.IsNull(); cells[i].present {
			f.text = r.write(f.text, v)
		}
		f.ends = append(f.ends, len(f.text))
	}
	from := 0
	for i, end := range f.ends {
		cells[i].value = f.text[from:end]
		from = end
	}
	return f.row, nil, nil
}

// advance steps to the next value.
func (r *leafReader) advance() error {
	if r.at++; r.at < len(r.values) {
		return nil
	}
	if r.values == nil {
		r.values = make([]parquet.Value, 0, 256)
	}
	for {
		if r.reader == nil {
			page, err := r.pages.ReadPage()
			if err == io.EOF {
				return fmt.Errorf("column %q ends before the others: the file is damaged", r.leaf.name)
			}
			if err != nil {
				return fmt.Errorf("column %q: %w", r.leaf.name, cause(err))
			}
			r.page, r.reader = page, page.Values()
		}
		n, err := r.reader.ReadValues(r.values[:cap(r.values)])
		if err != nil && err != io.EOF {
			return fmt.Errorf("column %q: %w", r.leaf.name, cause(err))
		}
		if n > 0 {
			r.values, r.at = r.values[:n], 0
			return nil
		}
		if err == io.EOF {
			r.closePage()
		}
	}
}

func (r *leafReader) closePage() {
	if r.page != nil {
		parquet.Release(r.page)
	}
	r.page, r.reader = nil, nil
}

func (f *parquetFile) closeGroup() {
	for _, r := range f.chosen {
		r.closePage()
		r.values, r.at = r.values[:0], 0
		if r.pages != nil {
			r.pages.Close()
			r.pages = nil
		}
	}
}

// fields gives the chosen columns only; with others in the file, visit hears of them as absent.
func (f *parquetFile) fields(visit func(string, cell)) error {
	from := 0
	for i, r := range f.chosen {
		visit(r.leaf.name, cell{f.text[from:f.ends[i]], !r.values[r.at].IsNull()})
		from = f.ends[i]
	}
	for _, name := range f.names {
		visit(name, cell{})
	}
	return nil
}

func (f *parquetFile) close() error {
	f.closeGroup()
	return nil
}

// recovered turns a panic of the Parquet decoder, which trusts its input in places, into an error of the file.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("a damaged Parquet file: %v", p)
	}
}
