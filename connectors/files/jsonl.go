package files

import (
	"errors"
	"fmt"
	"strings"
)

// jsonLines reads one JSON object a line. A column is a dotted path into nested objects; a key that itself holds dots
// is found too. The last of equal keys counts.
type jsonLines struct {
	text    *text
	wanted  []wanted
	raw     []byte
	scanner jsonScanner
	bad     RecordError
}

func (f *jsonLines) columns() []string { return nil }

func (f *jsonLines) choose(columns []string) error {
	f.wanted = f.wanted[:0]
	for i, c := range columns {
		f.wanted = append(f.wanted, wanted{i, c})
	}
	return nil
}

func (f *jsonLines) next(cells []cell) (position int64, raw []byte, err error) {
	for {
		n, err := f.text.lineAfter(0)
		if err == errTooLong {
			return 0, nil, fmt.Errorf("line %d is longer than 1 MiB: expected one JSON object a line", f.text.line)
		}
		if err != nil {
			return 0, nil, err
		}
		f.raw = trimEnd(f.text.buf[f.text.from : f.text.from+n])
		if err := f.text.check(f.raw); err != nil {
			return 0, nil, err
		}
		position = f.text.line
		if position == 1 && strings.HasPrefix(strings.TrimSpace(string(f.raw[:min(len(f.raw), 64)])), "[") {
			return 0, nil, errors.New("it is a JSON array: expected JSON Lines, one object a line")
		}
		f.text.consume(n, 1)
		if len(f.raw) > 0 {
			break
		}
	}
	clear(cells)
	if err := f.scanner.object(f.raw, f.wanted, func(i int, c cell) { cells[i] = c }); err != nil {
		f.bad = RecordError{Position: position, Reason: err.Error(), Raw: f.raw}
		return 0, nil, &f.bad
	}
	return position, f.raw, nil
}

// fields gives the top-level fields; nested ones come as JSON.
func (f *jsonLines) fields(visit func(string, cell)) error {
	var s jsonScanner
	s.top = visit
	return s.object(f.raw, nil, nil)
}

func (f *jsonLines) close() error { return f.text.close() }
