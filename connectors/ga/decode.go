package ga

import "errors"

// decoder reads rows in the form of tabledata.list. It belongs to one goroutine.
type decoder struct {
	scanner
	event   event
	scratch []byte // unescaped strings; what lies in it is replaced, never moved
}

// errCells is for a row with another number of cells than the schema has columns.
var errCells = errors.New("expected one cell for every column")

// cells counts the cells of a row.
func cells(row []byte) (int, error) {
	s := scanner{data: row}
	if err := s.enter(true); err != nil {
		return 0, err
	}
	n := 0
	for first := true; ; n++ {
		more, err := s.more(&first, ']')
		if err != nil || !more {
			return n, err
		}
		if err := s.skip(); err != nil {
			return 0, err
		}
	}
}

// row reads a row into d.event.
func (d *decoder) row(row []byte, list []node) error {
	d.data, d.at = row, 0
	clear(d.event.texts[:])
	d.event.params = d.event.params[:0]
	if cap(d.scratch) < len(row) { // unescaping never lengthens, so that scratch does not move
		d.scratch = make([]byte, 0, 2*len(row))
	}
	d.scratch = d.scratch[:0]
	return d.record(list)
}

// enter passes over the beginning of an object up to its member f, which must be a list, and into it; or, of a cell, up
// to the value of its member v.
func (s *scanner) enter(isRecord bool) error {
	if !s.take('{') {
		return errSyntax
	}
	want := byte('v')
	if isRecord {
		want = 'f'
	}
	if i := s.at; i+3 < len(s.data) && s.data[i] == '"' && s.data[i+1] == want && s.data[i+2] == '"' && s.data[i+3] == ':' {
		s.at += 4 // as Google writes it
		return s.enterList(isRecord)
	}
	for first := true; ; {
		more, err := s.more(&first, '}')
		if err != nil || !more {
			return errSyntax
		}
		name, err := s.key()
		if err != nil {
			return err
		}
		if len(name) == 1 && name[0] == want {
			return s.enterList(isRecord)
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

func (s *scanner) enterList(isRecord bool) error {
	if isRecord && !s.take('[') {
		return errSyntax
	}
	return nil
}

// leave passes over what is left of an object.
func (s *scanner) leave() error {
	if s.at < len(s.data) && s.data[s.at] == '}' {
		s.at++
		return nil
	}
	for first := false; ; {
		more, err := s.more(&first, '}')
		if err != nil || !more {
			return err
		}
		if _, err := s.key(); err != nil {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

// record reads {"f":[cells]}.
func (d *decoder) record(list []node) error {
	if err := d.enter(true); err != nil {
		return err
	}
	n := 0
	for first := true; ; n++ {
		more, err := d.more(&first, ']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if n == len(list) {
			return errCells
		}
		if err := d.cell(&list[n]); err != nil {
			return err
		}
	}
	if n != len(list) {
		return errCells
	}
	return d.leave()
}

// cell reads {"v": value}.
func (d *decoder) cell(n *node) error {
	if n.use == unused && n.below == nil {
		return d.skip()
	}
	if err := d.enter(false); err != nil {
		return err
	}
	if d.null() {
		return d.leave()
	}
	var err error
	switch {
	case n.repeated && n.below != nil:
		err = d.list(n)
	case n.repeated:
		err = errCells
	case n.below != nil:
		err = d.record(n.below)
	default:
		err = d.value(n.use)
	}
	if err != nil {
		return err
	}
	return d.leave()
}

// list reads the event's parameters, the one repeated column that is used.
func (d *decoder) list(n *node) error {
	if !d.take('[') {
		return errCells
	}
	for first := true; ; {
		more, err := d.more(&first, ']')
		if err != nil || !more {
			return err
		}
		d.event.params = append(d.event.params, param{})
		if err := d.enter(false); err != nil {
			return err
		}
		if !d.null() {
			if err := d.record(n.below); err != nil {
				return err
			}
		}
		if err := d.leave(); err != nil {
			return err
		}
	}
}

// value reads a scalar. Google writes all of them as texts.
func (d *decoder) value(use int) error {
	var text []byte
	if d.peek() == '"' {
		inside, escaped, err := d.text()
		if err != nil {
			return err
		}
		if text = inside; escaped {
			from := len(d.scratch)
			if d.scratch, err = unescape(d.scratch, inside); err != nil {
				return err
			}
			text = d.scratch[from:len(d.scratch):len(d.scratch)]
		}
	} else {
		from := d.at
		if !d.bare() {
			return errCells
		}
		text = d.data[from:d.at]
	}
	if use > eventTexts {
		d.event.params[len(d.event.params)-1].set(use, text)
	} else {
		d.event.texts[use] = text
	}
	return nil
}
