package files

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// wanted is a column that is searched for: the rest of its path below the object being read.
type wanted struct {
	index int
	path  string
}

// jsonScanner reads one JSON object (RFC 8259) and gives the values at some paths as text: strings unescaped, numbers
// digit by digit as they stand, null as absent, nested values as JSON. Values that nobody wants are only checked. The
// input is valid UTF-8.
type jsonScanner struct {
	data    []byte
	at      int
	scratch []byte // unescaped strings
	deeper  []wanted
	give    func(index int, c cell)
	top     func(column string, c cell) // of every field of the outermost object
}

var (
	errJSON  = errors.New("expected one JSON object")
	errDepth = errors.New("JSON nested deeper than 1000 levels")
)

const maxDepth = 1000

// object reads a whole line. What give gets is valid until the next call.
func (s *jsonScanner) object(data []byte, want []wanted, give func(index int, c cell)) error {
	s.data, s.at, s.give = data, 0, give
	s.scratch, s.deeper = s.scratch[:0], s.deeper[:0]
	if cap(s.scratch) < len(data) { // unescaping never lengthens, so that scratch does not move
		s.scratch = make([]byte, 0, 2*len(data))
	}
	if s.peek() != '{' {
		return errJSON
	}
	if err := s.value(want, s.top, 1); err != nil {
		return err
	}
	if s.peek() != 0 || s.at < len(s.data) {
		return errJSON
	}
	return nil
}

// peek skips white space and gives the next byte, 0 at the end.
func (s *jsonScanner) peek() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// value reads a value; for an object, want is searched below it.
func (s *jsonScanner) value(want []wanted, visit func(string, cell), depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch c := s.peek(); {
	case c == '{':
		return s.members(want, visit, depth)
	case c == '[':
		s.at++
		if s.peek() == ']' {
			s.at++
			return nil
		}
		for {
			if err := s.value(nil, nil, depth+1); err != nil {
				return err
			}
			switch s.peek() {
			case ',':
				s.at++
			case ']':
				s.at++
				return nil
			default:
				return errJSON
			}
		}
	case c == '"':
		return s.skipString()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, literal := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.at:], []byte(literal)) {
			s.at += len(literal)
			return nil
		}
	}
	return errJSON
}

func (s *jsonScanner) members(want []wanted, visit func(string, cell), depth int) error {
	s.at++
	if s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		if s.peek() != '"' {
			return errJSON
		}
		from := s.at
		if err := s.skipString(); err != nil {
			return err
		}
		var key []byte
		if len(want) > 0 || visit != nil {
			key = s.unescape(s.data[from+1 : s.at-1])
		}
		if s.peek() != ':' {
			return errJSON
		}
		s.at++
		if err := s.member(key, want, visit, depth); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.at++
		case '}':
			s.at++
			return nil
		default:
			return errJSON
		}
	}
}

// member reads the value of a key, and gives it to whoever wants it or something below it.
func (s *jsonScanner) member(key []byte, want []wanted, visit func(string, cell), depth int) error {
	mark := len(s.deeper)
	for _, w := range want {
		if len(w.path) > len(key) && w.path[len(key)] == '.' && w.path[:len(key)] == string(key) {
			s.deeper = append(s.deeper, wanted{w.index, w.path[len(key)+1:]})
		}
	}
	s.peek()
	from := s.at
	err := s.value(s.deeper[mark:], nil, depth+1)
	s.deeper = s.deeper[:mark]
	if err != nil {
		return err
	}
	found, done := cell{}, false
	text := func() cell {
		if !done {
			found, done = s.text(s.data[from:s.at]), true
		}
		return found
	}
	for _, w := range want {
		if w.path == string(key) {
			s.give(w.index, text())
		}
	}
	if visit != nil {
		visit(string(key), text())
	}
	return nil
}

// text gives a value's JSON as the text of a cell.
func (s *jsonScanner) text(json []byte) cell {
	switch json[0] {
	case 'n':
		return cell{}
	case '"':
		return cell{s.unescape(json[1 : len(json)-1]), true}
	}
	return cell{json, true}
}

func (s *jsonScanner) skipString() error {
	for s.at++; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c < 0x20:
			return errJSON
		case c == '\\':
			s.at++
			if s.at == len(s.data) {
				return errJSON
			}
			switch s.data[s.at] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if _, ok := hex4(s.data[s.at+1:]); !ok {
					return errJSON
				}
				s.at += 4
			default:
				return errJSON
			}
		}
	}
	return errJSON
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	return rune(n), err == nil
}

// unescape reads the inside of a string that skipString has accepted. A lone surrogate becomes U+FFFD.
func (s *jsonScanner) unescape(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b
	}
	from := len(s.scratch)
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			s.scratch = append(s.scratch, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'u':
			r, _ := hex4(b[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					low, ok = hex4(b[i+3:])
				}
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				}
			}
			s.scratch = utf8.AppendRune(s.scratch, r)
		case 'b':
			s.scratch = append(s.scratch, '\b')
		case 'f':
			s.scratch = append(s.scratch, '\f')
		case 'n':
			s.scratch = append(s.scratch, '\n')
		case 'r':
			s.scratch = append(s.scratch, '\r')
		case 't':
			s.scratch = append(s.scratch, '\t')
		default:
			s.scratch = append(s.scratch, b[i])
		}
	}
	return s.scratch[from:]
}

// number checks RFC 8259's grammar, which has no leading zeros and no bare points.
func (s *jsonScanner) number() error {
	digits := func() bool {
		from := s.at
		for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	accept := func(chars string) bool {
		if s.at < len(s.data) && bytes.IndexByte([]byte(chars), s.data[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	accept("-")
	if !accept("0") && !digits() {
		return errJSON
	}
	if accept(".") && !digits() {
		return errJSON
	}
	if accept("eE") {
		accept("+-")
		if !digits() {
			return errJSON
		}
	}
	return nil
}
