package rest

import (
	"bytes"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Value is a JSON value as it came, whose syntax was checked when it was read: to look into it costs no more than to
// walk over it. nil is a value that is not there. Of what is no JSON it gives something, and never panics.
type Value []byte

// Kind is the value's first byte, with 0 for every number and n for null, or 0 where there is no value, as a byte.
func (v Value) Kind() jsontext.Kind { return jsontext.Value(v).Kind() }

// Absent reports whether there is no value or null.
func (v Value) Absent() bool { return len(v) == 0 || v[0] == 'n' }

// Text gives a string unescaped, a number, true and false as they are written, and "" for everything else.
func (v Value) Text() string {
	if len(v) == 0 {
		return ""
	}
	switch v[0] {
	case '"':
		return string(unquoted(v))
	case '{', '[', 'n':
		return ""
	}
	return string(v)
}

// Int gives a whole number, or one that a string holds.
func (v Value) Int() (n int64, ok bool) {
	if len(v) == 0 {
		return 0, false
	}
	text := v
	if v[0] == '"' {
		text = unquoted(v)
	}
	if len(text) > 0 && len(text) <= 18 && text[0] != '-' && text[0] != '+' { // the usual ones, without a copy
		for _, c := range text {
			if c < '0' || c > '9' {
				return 0, false
			}
			n = n*10 + int64(c-'0')
		}
		return n, true
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil && n != math.MinInt64
}

// Bool gives true or false, or what a string of these says.
func (v Value) Bool() (value, ok bool) {
	switch v.Text() {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Get gives the member at a dotted path, such as paging.next.after.
func (v Value) Get(path string) Value {
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		v, path = v.member(name), rest
	}
	return v
}

func (v Value) member(name string) Value {
	for n, m := range v.Members() {
		if string(n) == name {
			return m
		}
	}
	return nil
}

// Members gives the members of an object in their order; of other values, nothing. A name is valid until the next.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		at := space(v, 0)
		if at >= len(v) || v[at] != '{' {
			return
		}
		for at = space(v, at+1); at < len(v) && v[at] == '"'; at = space(v, at+1) {
			end := skipText(v, at)
			name := unquoted(v[at:end])
			at = space(v, end)
			if at >= len(v) || v[at] != ':' {
				return
			}
			from := space(v, at+1)
			to := skip(v, from)
			if to <= from || !yield(name, v[from:to:to]) {
				return
			}
			if at = space(v, to); at >= len(v) || v[at] != ',' {
				return
			}
		}
	}
}

// Elements gives the elements of an array in their order; of other values, nothing.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		at := space(v, 0)
		if at >= len(v) || v[at] != '[' {
			return
		}
		for at = space(v, at+1); at < len(v) && v[at] != ']'; at = space(v, at+1) {
			to := skip(v, at)
			if to <= at || !yield(v[at:to:to]) {
				return
			}
			if at = space(v, to); at >= len(v) || v[at] != ',' {
				return
			}
		}
	}
}

func space(v Value, at int) int {
	for at < len(v) && v[at] <= ' ' {
		at++
	}
	return at
}

// skipText gives where the string at a place ends.
func skipText(v Value, at int) int {
	for at++; at < len(v); at++ {
		n := bytes.IndexByte(v[at:], '"')
		if n < 0 {
			return len(v)
		}
		slashes := 0
		for at += n; v[at-1-slashes] == '\\'; {
			slashes++ // ends at the latest at the opening quote
		}
		if slashes%2 == 0 {
			return at + 1
		}
	}
	return len(v)
}

// skip gives where the value at a place ends.
func skip(v Value, at int) int {
	if at >= len(v) {
		return at
	}
	switch v[at] {
	case '"':
		return skipText(v, at)
	case '{', '[':
		for depth := 0; at < len(v); {
			switch v[at] {
			case '"':
				at = skipText(v, at)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return at + 1
				}
			}
			at++
		}
		return len(v)
	}
	for at < len(v) && v[at] > ' ' && v[at] != ',' && v[at] != ']' && v[at] != '}' && v[at] != ':' {
		at++
	}
	return at
}

// unquoted gives what a string says, without a copy where nothing is escaped.
func unquoted(v Value) []byte {
	if len(v) >= 2 && v[len(v)-1] == '"' && bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	text, err := jsontext.AppendUnquote(nil, []byte(v))
	if err != nil {
		return nil
	}
	return text
}
