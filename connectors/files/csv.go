package files

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// csvFile reads RFC 4180 as encoding/csv does in its strict mode: empty lines are skipped, \r\n within quotes reads as
// \n, a quote may only open a field or be doubled within a quoted one. Unlike there a broken record costs its first
// line only: reading goes on with the next line, so that a stray quote does not take good rows with it.
type csvFile struct {
	text    *text
	comma   byte
	crlf    bool // within quotes, \r\n stays
	header  []string
	order   []int  // of the chosen columns in a record
	bounds  []span // of the fields of the last record
	scratch []byte // unquoted fields
	raw     []byte
	bad     RecordError
}

// span is a field: a part of the raw record, or of scratch.
type span struct {
	from, to int
	scratch  bool
}

func openCSV(t *text, format Format) (*csvFile, error) {
	f := &csvFile{text: t, comma: format.Delimiter, crlf: format.CRLF}
	n, lines, err := f.scan()
	if err == io.EOF {
		return f, nil // an empty file
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for i := range f.bounds {
		f.header = append(f.header, strings.TrimSpace(string(f.field(i))))
	}
	t.consume(n, lines)
	return f, nil
}

func (f *csvFile) columns() []string { return f.header }

func (f *csvFile) choose(columns []string) error {
	f.order = f.order[:0]
	for _, c := range columns {
		for i, h := range f.header {
			if h == c {
				f.order = append(f.order, i)
				break
			}
		}
	}
	return nil
}

func (f *csvFile) next(cells []cell) (position int64, raw []byte, err error) {
	n, lines, err := f.scan()
	position = f.text.line
	if err != nil {
		if err == error(&f.bad) {
			f.text.consume(n, lines)
		}
		return 0, nil, err
	}
	if len(f.bounds) != len(f.header) {
		if lines > 1 { // perhaps a stray quote: give up the first line only
			n, lines = bytes.IndexByte(f.raw, '\n')+1, 1
		}
		err := f.broken(n, fmt.Sprintf("expected %d fields", len(f.header)))
		f.text.consume(n, lines)
		return 0, nil, err
	}
	f.text.consume(n, lines)
	for i, j := range f.order {
		cells[i] = cell{f.field(j), true}
	}
	return position, trimEnd(f.raw), nil
}

func (f *csvFile) fields(visit func(string, cell)) error {
	for i, column := range f.header {
		visit(column, cell{f.field(i), true})
	}
	return nil
}

func (f *csvFile) close() error { return f.text.close() }

func (f *csvFile) field(i int) []byte {
	b := f.bounds[i]
	if b.scratch {
		return f.scratch[b.from:b.to]
	}
	return f.raw[b.from:b.to]
}

// scan finds the next record's fields, and how many bytes and lines it takes, without consuming it. The error is a
// *RecordError where only the first line, n bytes, is to be given up.
func (f *csvFile) scan() (n, lines int, err error) {
	t := f.text
	for {
		n, err = t.lineAfter(0)
		if err == errTooLong {
			return 0, 0, fmt.Errorf("line %d is longer than 1 MiB: is the file text with line ends?", t.line)
		}
		if err != nil {
			return 0, 0, err
		}
		f.raw = t.buf[t.from : t.from+n]
		if len(trimEnd(f.raw)) > 0 {
			break
		}
		t.consume(n, 1)
	}
	if err := t.check(f.raw); err != nil {
		return 0, 0, err
	}
	f.bounds, f.scratch = f.bounds[:0], f.scratch[:0]
	if bytes.IndexByte(f.raw, '"') < 0 {
		f.split(trimEnd(f.raw))
		return n, 1, nil
	}
	return f.quoted(n)
}

// split finds the fields of a line without quotes.
func (f *csvFile) split(line []byte) {
	for from := 0; ; {
		i := bytes.IndexByte(line[from:], f.comma)
		if i < 0 {
			f.bounds = append(f.bounds, span{from, len(line), false})
			return
		}
		f.bounds = append(f.bounds, span{from, from + i, false})
		from += i + 1
	}
}

// quoted finds the fields of a record whose first line has quotes and takes n bytes.
func (f *csvFile) quoted(n int) (end, lines int, err error) {
	t := f.text
	first, lines := n, 1
	line := trimEnd(f.raw) // the content of the record's last line; its start is at raw[at-…]
	at := 0                // in line
	start := 0             // of line, in raw
	for {
		if at >= len(line) || line[at] != '"' { // a bare field
			i := bytes.IndexByte(line[at:], f.comma)
			stop := len(line)
			if i >= 0 {
				stop = at + i
			}
			if bytes.IndexByte(line[at:stop], '"') >= 0 {
				return first, 1, f.broken(first, "a quote within a field that is not quoted")
			}
			f.bounds = append(f.bounds, span{start + at, start + stop, false})
			if i < 0 {
				return n, lines, nil
			}
			at = stop + 1
			continue
		}
		at++
		from := len(f.scratch)
	field:
		for {
			i := bytes.IndexByte(line[at:], '"')
			if i < 0 { // it goes on in the next line
				f.scratch = append(f.scratch, line[at:]...)
				if f.crlf && bytes.HasSuffix(f.raw, []byte("\r\n")) {
					f.scratch = append(f.scratch, '\r')
				}
				f.scratch = append(f.scratch, '\n')
				m, err := t.lineAfter(n)
				switch {
				case err == errTooLong:
					return 0, 0, fmt.Errorf("line %d: a quoted field runs on for more than 1 MiB: is a quote astray?", t.line)
				case err == io.EOF:
					return 0, 0, fmt.Errorf("line %d: a quoted field is never closed: is a quote astray, or the file cut off?", t.line)
				case err != nil:
					return 0, 0, err
				}
				f.raw = t.buf[t.from : t.from+m]
				if err := t.check(f.raw[n:]); err != nil {
					return 0, 0, err
				}
				start, n, at = n, m, 0
				lines++
				line = trimEnd(f.raw[start:])
				continue
			}
			f.scratch = append(f.scratch, line[at:at+i]...)
			at += i + 1
			switch {
			case at < len(line) && line[at] == '"':
				f.scratch = append(f.scratch, '"')
				at++
			case at == len(line):
				f.bounds = append(f.bounds, span{from, len(f.scratch), true})
				return n, lines, nil
			case line[at] == f.comma:
				f.bounds = append(f.bounds, span{from, len(f.scratch), true})
				at++
				break field
			default:
				return first, 1, f.broken(first, "a quote within a quoted field that is not doubled")
			}
		}
	}
}

// broken gives up the first n bytes, which are a line.
func (f *csvFile) broken(n int, reason string) error {
	f.bad = RecordError{Position: f.text.line, Reason: reason, Raw: trimEnd(f.raw[:n])}
	return &f.bad
}
