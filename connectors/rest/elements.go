package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"crosslift/connectors"
)

// ErrNoArray is wrapped by the error of Elements for a document that lacks the array; its members are given all the
// same.
var ErrNoArray = fmt.Errorf("the answer lacks the list: %w", connectors.ErrContract)

// Members are the members of a document beside the array that its elements are read from, as one JSON object; those
// beside it in inner objects are left at their place. A member longer than 64 KiB is left out.
type Members = Value

// maxMember bounds what is kept of a document beside its elements.
const maxMember = 64 << 10

// Elements reads one JSON document and gives each the elements of the array at a path, such as results or
// Data.Transaction, one by one; the path "" is the document itself. An element is valid until each returns; an error of
// each ends the reading and is returned as it is. The members beside the array are there at the end, whatever their
// order. A document that ends early is an io.ErrUnexpectedEOF; one that is not JSON, has another type at the path, has
// the array twice, or goes on after its end is a connectors.ErrContract.
func Elements(r io.Reader, path string, each func(element Value) error) (Members, error) {
	d := &decoding{
		json: jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true)), // half the time; only the path's matter
		each: each,
	}
	var names []string
	if path != "" {
		names = strings.Split(path, ".")
	}
	if err := d.value(names); err != nil {
		return nil, d.problem(err)
	}
	if _, err := d.json.ReadToken(); err != io.EOF {
		if err != nil && !isSyntax(err) {
			return nil, d.problem(err)
		}
		return nil, fmt.Errorf("%w: the JSON ends at byte %d, but more follows", connectors.ErrContract, d.end)
	}
	if !d.found {
		return d.others.Bytes(), ErrNoArray
	}
	return d.others.Bytes(), nil
}

// decoding is one document being read.
type decoding struct {
	json   *jsontext.Decoder
	each   func(Value) error
	others bytes.Buffer // the document without the array
	found  bool
	end    int64
}

// stopped is an error of each.
type stopped struct{ error }

func (s stopped) Unwrap() error { return s.error }

// value reads the document, or the object at an outer part of the path.
func (d *decoding) value(path []string) error {
	kind := d.json.PeekKind()
	switch {
	case len(path) == 0 && kind == '[':
		return d.array()
	case len(path) > 0 && kind == '{':
		return d.object(path)
	case kind == jsontext.KindNull:
		_, err := d.json.ReadToken()
		d.others.WriteString("null")
		d.end = d.json.InputOffset()
		return err
	case kind == jsontext.KindInvalid: // what ReadToken says why
		_, err := d.json.ReadToken()
		return err
	case len(path) == 0:
		return fmt.Errorf("%w: expected a list at byte %d", connectors.ErrContract, d.json.InputOffset())
	}
	return fmt.Errorf("%w: expected an object at byte %d", connectors.ErrContract, d.json.InputOffset())
}

func (d *decoding) object(path []string) error {
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	d.others.WriteByte('{')
	for first := true; d.json.PeekKind() != '}'; {
		token, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		start := d.others.Len()
		if !first {
			d.others.WriteByte(',')
		}
		quoted, err := jsontext.AppendQuote(d.others.AvailableBuffer(), name)
		if err != nil {
			return err
		}
		d.others.Write(quoted)
		d.others.WriteByte(':')
		from := d.others.Len()
		if name == path[0] {
			err = d.value(path[1:])
		} else {
			err = d.other()
		}
		if err != nil {
			return err
		}
		if d.others.Len() == from {
			d.others.Truncate(start) // the array itself, or too long
		} else {
			first = false
		}
	}
	_, err := d.json.ReadToken()
	d.others.WriteByte('}')
	d.end = d.json.InputOffset()
	return err
}

// other reads a member that is not on the path, token by token, so that one that is too long is never held.
func (d *decoding) other() error {
	from, depth := d.others.Len(), d.json.StackDepth()
	out := jsontext.NewEncoder(&d.others, jsontext.AllowDuplicateNames(true))
	short := true
	for {
		token, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		if short {
			if err := out.WriteToken(token); err != nil {
				return err
			}
			short = d.others.Len()-from <= maxMember
		}
		if d.json.StackDepth() == depth {
			break
		}
	}
	if !short {
		d.others.Truncate(from)
		return nil
	}
	d.others.Truncate(from + len(bytes.TrimRight(d.others.Bytes()[from:], "\n")))
	return nil
}

func (d *decoding) array() error {
	if d.found {
		return fmt.Errorf("%w: the list is there twice, again at byte %d", connectors.ErrContract, d.json.InputOffset())
	}
	d.found = true
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		element, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		if err := d.each(Value(element)); err != nil {
			return stopped{err}
		}
	}
	_, err := d.json.ReadToken()
	d.end = d.json.InputOffset()
	return err
}

// errCut is an answer that ends early.
type errCut struct{ at int64 }

func (e errCut) Error() string { return fmt.Sprintf("the answer was cut off at byte %d", e.at) }
func (e errCut) Unwrap() error { return io.ErrUnexpectedEOF }

// problem says what is wrong with a document, without any of it.
func (d *decoding) problem(err error) error {
	var syntax *jsontext.SyntacticError
	var stop stopped
	switch {
	case errors.As(err, &stop):
		return stop.error
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errCut{d.json.InputOffset()}
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: the answer is not JSON at byte %d", connectors.ErrContract, syntax.ByteOffset)
	}
	return err
}

func isSyntax(err error) bool {
	var syntax *jsontext.SyntacticError
	return errors.As(err, &syntax)
}
