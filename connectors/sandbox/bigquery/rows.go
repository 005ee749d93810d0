package bigquery

import (
	"errors"
	"fmt"
)

// rowWriter puts rows from the export's newline-JSON form into the form of tabledata.list: a record is a list of cells
// in the schema's order, every cell {"v": …}, every scalar a text.
type rowWriter struct {
	data  []byte
	at    int
	spans []span // a stack of the values found in the records that are open
}

// span is where a value lies; the zero span is a field that the row does not have.
type span struct{ from, to int }

var errUnknown = errors.New("the schema has no field")

var errRow = errors.New("the row is no JSON object")

// append writes one row.
func (w *rowWriter) append(out, object []byte, columns []Field) ([]byte, error) {
	w.data, w.at, w.spans = object, 0, w.spans[:0]
	out, err := w.record(out, columns)
	if err == nil && w.peek() != 0 {
		err = errRow
	}
	return out, err
}

// record writes {"f":[…]} from an object.
func (w *rowWriter) record(out []byte, fields []Field) ([]byte, error) {
	base := len(w.spans)
	for range fields {
		w.spans = append(w.spans, span{})
	}
	defer func() { w.spans = w.spans[:base] }()
	if err := w.members(base, fields); err != nil {
		return out, err
	}
	end := w.at
	out = append(out, `{"f":[`...)
	first := true
	for i, f := range fields {
		if f.hidden {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(out, `{"v":`...)
		var err error
		if out, err = w.cell(out, w.spans[base+i], f); err != nil {
			return out, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, '}')
	}
	w.at = end
	return append(out, ']', '}'), nil
}

// members notes where an object's values lie. A hint saves the search: fields mostly come in one order.
func (w *rowWriter) members(base int, fields []Field) error {
	if w.peek() != '{' {
		return errRow
	}
	w.at++
	if w.peek() == '}' {
		w.at++
		return nil
	}
	hint := 0
	for {
		if w.peek() != '"' {
			return errRow
		}
		from := w.at + 1
		if !w.skip() {
			return errRow
		}
		name := w.data[from : w.at-1]
		if w.peek() != ':' {
			return errRow
		}
		w.at++
		w.peek()
		found := -1
		for i := range fields {
			if j := (hint + i) % len(fields); fields[j].Name == string(name) {
				found, hint = j, j+1
				break
			}
		}
		start := w.at
		if !w.skip() {
			return errRow
		}
		if found < 0 {
			return fmt.Errorf("%w %q", errUnknown, name)
		}
		w.spans[base+found] = span{start, w.at}
		switch w.peek() {
		case ',':
			w.at++
		case '}':
			w.at++
			return nil
		default:
			return errRow
		}
	}
}

// cell writes the value of a field.
func (w *rowWriter) cell(out []byte, s span, f Field) ([]byte, error) {
	isNull := s.to == 0 || w.data[s.from] == 'n'
	if f.Mode != "REPEATED" {
		if isNull {
			return append(out, "null"...), nil
		}
		return w.value(out, s, f)
	}
	if isNull {
		return append(out, '[', ']'), nil
	}
	if w.data[s.from] != '[' {
		return out, errors.New("expected a list")
	}
	out = append(out, '[')
	w.at = s.from + 1
	for i := 0; w.peek() != ']'; i++ {
		if i > 0 {
			w.at++ // the comma
			w.peek()
			out = append(out, ',')
		}
		element := span{from: w.at}
		if !w.skip() {
			return out, errRow
		}
		element.to = w.at
		out = append(out, `{"v":`...)
		var err error
		if out, err = w.value(out, element, f); err != nil {
			return out, err
		}
		out = append(out, '}')
		w.at = element.to
	}
	return append(out, ']'), nil
}

// value writes a value that is there.
func (w *rowWriter) value(out []byte, s span, f Field) ([]byte, error) {
	switch c := w.data[s.from]; {
	case f.Type == "RECORD" && c == '{':
		w.at = s.from
		return w.record(out, f.Fields)
	case f.Type == "RECORD" || c == '{' || c == '[':
		return out, fmt.Errorf("expected a %s", f.Type)
	case c == '"' || c == 'n':
		return append(out, w.data[s.from:s.to]...), nil
	}
	out = append(out, '"')
	out = append(out, w.data[s.from:s.to]...)
	return append(out, '"'), nil
}

// peek skips white space and gives the next byte, 0 at the end.
func (w *rowWriter) peek() byte {
	for w.at < len(w.data) {
		switch c := w.data[w.at]; c {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return c
		}
	}
	return 0
}

// skip passes over one value, which starts here; false when it has no end.
func (w *rowWriter) skip() bool {
	depth := 0
	for w.at < len(w.data) {
		switch w.data[w.at] {
		case '"':
			for w.at++; ; w.at++ {
				if w.at >= len(w.data) {
					return false
				}
				if c := w.data[w.at]; c == '\\' {
					w.at++
				} else if c == '"' {
					break
				}
			}
			w.at++
			if depth == 0 {
				return true
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return true // the end of what holds a bare value
			}
			if depth--; depth == 0 {
				w.at++
				return true
			}
		case ',', ' ', '\n', '\t', '\r', ':':
			if depth == 0 {
				return true
			}
		}
		w.at++
	}
	return depth == 0
}
