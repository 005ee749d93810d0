package ga

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// page is an answer of tabledata.list in memory. It is used for one page after another, so that its memory is had once.
type page struct {
	columns []string // that are asked for; empty for all

	body []byte
	rows []span
}

// span is where a row lies in the body.
type span struct{ from, to int }

// maxBody is above what Google sends in a page, and what a page may take in memory.
const maxBody = 64 << 20

var errLong = errors.New("the page has more than 64 MiB: lower page_size")

// fill reads a body.
func (p *page) fill(r io.Reader) error {
	p.body = p.body[:0]
	for {
		if len(p.body) == cap(p.body) {
			p.body = slices.Grow(p.body, max(64<<10, len(p.body)/4))
		}
		n, err := r.Read(p.body[len(p.body):cap(p.body)])
		p.body = p.body[:len(p.body)+n]
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(p.body) > maxBody:
			return errLong
		}
	}
}

// split finds the rows in the body and gives the answer without them: with one row in their place, which holds their
// number. A body that ends early is an io.ErrUnexpectedEOF.
func (p *page) split() (others string, err error) {
	p.rows = p.rows[:0]
	s := scanner{data: p.body}
	members, err := p.members(&s)
	if err != nil {
		if s.peek() == 0 && s.at == len(s.data) {
			return "", io.ErrUnexpectedEOF
		}
		return "", err
	}
	if s.peek() != 0 || s.at != len(s.data) {
		return "", errSyntax
	}
	return `{"rows":[{"f":[{"v":"` + strconv.Itoa(len(p.rows)) + `"}]}]` + string(members) + "}", nil
}

// members gives those beside the rows, each behind a comma.
func (p *page) members(s *scanner) (others []byte, err error) {
	if !s.take('{') {
		return nil, errSyntax
	}
	found := false
	for first := true; ; {
		if more, err := s.more(&first, '}'); err != nil || !more {
			return others, err
		}
		s.peek()
		start := s.at
		name, err := s.key()
		if err != nil {
			return nil, err
		}
		if string(name) != "rows" {
			if err := s.skip(); err != nil {
				return nil, err
			}
			others = append(append(others, ','), p.body[start:s.at]...)
			continue
		}
		if s.null() {
			continue
		}
		if found {
			return nil, errSyntax
		}
		found = true
		if err := p.array(s); err != nil {
			return nil, err
		}
	}
}

func (p *page) array(s *scanner) error {
	if !s.take('[') {
		return errSyntax
	}
	for first := true; ; {
		more, err := s.more(&first, ']')
		if err != nil || !more {
			return err
		}
		s.peek()
		from := s.at
		if err := s.skip(); err != nil {
			return fmt.Errorf("row %d of the page: %w", len(p.rows)+1, err)
		}
		p.rows = append(p.rows, span{from, s.at})
	}
}

// row gives the bytes of a row, valid until the page is filled again.
func (p *page) row(i int) []byte { return p.body[p.rows[i].from:p.rows[i].to] }
