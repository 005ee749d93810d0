package ga

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over JSON (RFC 8259) that lies in memory whole. Its methods stand at the beginning of a value or a mark
// and pass over it.
type scanner struct {
	data []byte
	at   int
}

// errSyntax is for what is not JSON, or not as it is documented.
var errSyntax = errors.New("the answer is not the JSON that is documented")

const maxDepth = 100

// peek skips white space and gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.data) {
		c := s.data[s.at]
		if c > ' ' {
			return c
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.at++
	}
	return 0
}

// take passes over a mark that must be next.
func (s *scanner) take(mark byte) bool {
	if s.at < len(s.data) && s.data[s.at] == mark || s.peek() == mark {
		s.at++
		return true
	}
	return false
}

// more reports whether another element of an array or object follows, and passes over what is before it.
func (s *scanner) more(first *bool, end byte) (bool, error) {
	switch c := s.peek(); {
	case c == end:
		s.at++
		return false, nil
	case *first:
		*first = false
		if c == 0 {
			return false, errSyntax
		}
		return true, nil
	case c == ',':
		s.at++
		if s.peek() == end {
			return false, errSyntax
		}
		return true, nil
	}
	return false, errSyntax
}

// nearby is up to where a string is looked through byte by byte: most are shorter than what a search costs to start.
const nearby = 24

// text passes over a string and gives what is between its quotes, escapes as they are.
func (s *scanner) text() (inside []byte, escaped bool, err error) {
	if !s.take('"') {
		return nil, false, errSyntax
	}
	start := s.at
	for i := start; i < len(s.data) && i < start+nearby; i++ {
		switch s.data[i] {
		case '"':
			s.at = i + 1
			return s.data[start:i], false, nil
		case '\\':
			i = start + nearby
		}
	}
	end := s.quote(start)
	if end < 0 {
		return nil, false, errSyntax
	}
	s.at = end + 1
	inside = s.data[start:end]
	return inside, bytes.IndexByte(inside, '\\') >= 0, nil
}

// quote finds the end of the string whose inside begins at from; without one the scanner stands at its end.
func (s *scanner) quote(from int) int {
	for i := from; ; i++ {
		n := bytes.IndexByte(s.data[i:], '"')
		if n < 0 {
			s.at = len(s.data)
			return -1
		}
		i += n
		backslashes := 0
		for j := i - 1; j >= from && s.data[j] == '\\'; j-- {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i
		}
	}
}

// key passes over the name of a member and its colon.
func (s *scanner) key() ([]byte, error) {
	name, _, err := s.text()
	if err != nil || !s.take(':') {
		return nil, errSyntax
	}
	return name, nil
}

// skip passes over any value. Within it only strings and brackets are looked at.
func (s *scanner) skip() error {
	switch s.peek() {
	case '"':
		_, _, err := s.text()
		return err
	case '{', '[':
	default:
		if !s.bare() {
			return errSyntax
		}
		return nil
	}
	depth := 0
	data := s.data
	for i := s.at; i < len(data); i++ {
		switch marks[data[i]] {
		case 0:
		case quotes:
			i++
			for near := i + nearby; ; i++ {
				if i >= near || i >= len(data) || data[i] == '\\' {
					if i = s.quote(near - nearby); i < 0 {
						return errSyntax
					}
					break
				}
				if data[i] == '"' {
					break
				}
			}
		case opens:
			if depth++; depth > maxDepth {
				return errSyntax
			}
		case closes:
			if depth--; depth == 0 {
				s.at = i + 1
				return nil
			}
		}
	}
	s.at = len(data)
	return errSyntax
}

const (
	quotes = iota + 1
	opens
	closes
)

// marks are the bytes at which skip stops.
var marks = [256]byte{'"': quotes, '{': opens, '[': opens, '}': closes, ']': closes}

// bare passes over a number or a literal.
func (s *scanner) bare() bool {
	start := s.at
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c == '-', c == '+', c == '.', c == 'E':
			s.at++
		default:
			return s.at > start
		}
	}
	return s.at > start
}

// null passes over a null and reports whether there was one.
func (s *scanner) null() bool {
	if s.peek() == 'n' && bytes.HasPrefix(s.data[s.at:], []byte("null")) {
		s.at += len("null")
		return true
	}
	return false
}

// unescape appends what the inside of a string stands for.
func unescape(out, inside []byte) ([]byte, error) {
	for i := 0; i < len(inside); {
		n := bytes.IndexByte(inside[i:], '\\')
		if n < 0 {
			return append(out, inside[i:]...), nil
		}
		out = append(out, inside[i:i+n]...)
		i += n + 1
		if i >= len(inside) {
			return out, errSyntax
		}
		c := inside[i]
		i++
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(inside[i:])
			if !ok {
				return out, errSyntax
			}
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(utf8.RuneError)
				if i+1 < len(inside) && inside[i] == '\\' && inside[i+1] == 'u' {
					if second, ok := hex4(inside[i+2:]); ok {
						low = second
					}
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return out, errSyntax
		}
	}
	return out, nil
}

func hex4(digits []byte) (r rune, ok bool) {
	if len(digits) < 4 {
		return 0, false
	}
	for _, c := range digits[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
