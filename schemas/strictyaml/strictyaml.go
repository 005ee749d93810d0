// Package strictyaml decodes YAML that people write by hand: what it does not know it refuses, and every problem is
// reported with its line and column, all of them at once.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Error is a problem at a place of a file.
type Error struct {
	File         string
	Line, Column int // from 1
	Err          error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Validator is implemented by types with rules of their own. Decode calls Validate, with a pointer receiver, on every
// struct whose fields could all be decoded, inner ones first. Errors made by At are reported at their field.
type Validator interface{ Validate() error }

// ScalarUnmarshaler is implemented by types that care how a value came about: written is the scalar as it stands in
// the file, text is the same after interpolation. Its errors must not contain text.
type ScalarUnmarshaler interface {
	UnmarshalScalar(written, text string) error
}

// Advisor is implemented by structs that know what was meant by some unknown keys, such as former ones, better than the
// nearest known key tells; "" where they do not.
type Advisor interface{ Advise(key string) string }

// Decode reads one YAML document into a struct with `yaml:"…"` tags. A field is a string, bool, number, slice, map,
// pointer or struct (`yaml:",inline"` merges its keys into the outer ones), or implements ScalarUnmarshaler,
// encoding.TextUnmarshaler (scalars only: a struct that implements it may be written as a mapping too, a slice as a list)
// or yaml.Unmarshaler. Unknown and repeated keys, wrong types, anchors and further documents are errors.
//
// ${NAME} in scalar values is replaced by what env says, and $${ stands for a literal ${; with a nil env nothing is
// replaced. Messages never contain what a variable held. name is what errors call the file. An error is an *Error, or
// several of them joined in the order of lines.
func Decode(name string, data []byte, env func(string) (string, bool), into any) error {
	d, err := Parse(name, data)
	if err != nil {
		return err
	}
	return d.Decode(env, into)
}

// Document is a parsed file, for those who find problems after decoding and want to say where they are.
type Document struct {
	name string
	root *yaml.Node // nil for an empty document
}

// Parse reads the one document of a file; an empty file is an empty mapping.
func Parse(name string, data []byte) (*Document, error) {
	d := &Document{name: name}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return d, nil
	case err != nil:
		return nil, d.syntax(err, data)
	case len(first.Content) == 1:
		d.root = first.Content[0]
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return d, nil
	case err != nil:
		return nil, d.syntax(err, data)
	}
	return nil, d.at(&second, errors.New("a second document: expected one only"))
}

// Decode is Decode for a parsed file.
func (d *Document) Decode(env func(string) (string, bool), into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() || target.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("strictyaml: %s: expected a pointer to a struct, got %T", d.name, into)
	}
	root := d.root
	if root == nil || isNull(root) {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	p := decoder{doc: d, env: env}
	p.decode(place{value: root}, target.Elem())
	return sorted(p.errs)
}

// Locate gives errors made by At, alone or joined, the line and column of their field, or of the nearest enclosing one
// that is written in the file. Other errors are placed at its start.
func (d *Document) Locate(err error) error {
	root := d.root
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1, Column: 1}
	}
	return sorted(d.locate(place{value: root}, err))
}

func (d *Document) locate(p place, err error) []error {
	var errs []error
	for _, e := range flatten(err) {
		var marked *fieldError
		var placed *Error
		switch {
		case errors.As(e, &placed):
			errs = append(errs, e)
		case errors.As(e, &marked):
			errs = append(errs, d.at(p.find(marked.path).position(), e))
		default:
			errs = append(errs, d.at(p.position(), e))
		}
	}
	return errs
}

func (d *Document) at(n *yaml.Node, err error) error {
	return &Error{File: d.name, Line: max(n.Line, 1), Column: max(n.Column, 1), Err: err}
}

// syntax places an error of the parser.
func (d *Document) syntax(err error, data []byte) error {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return d.at(&yaml.Node{}, err)
	}
	message := e.Message
	if e.ContextMsg != "" {
		message = e.ContextMsg + ": " + message
	}
	if strings.Contains(message, "flow") && bytes.Contains(data, []byte("${")) {
		message += " (inside [ ] and { }, ${NAME} must be quoted)"
	}
	if lines := bytes.Split(data, []byte("\n")); e.Mark.Line >= 1 && e.Mark.Line <= len(lines) && bytes.Contains(lines[e.Mark.Line-1], []byte(": >")) {
		message += " (what begins with > must be quoted)"
	}
	return d.at(&yaml.Node{Line: e.Mark.Line, Column: e.Mark.Column}, fmt.Errorf("not YAML: %s", message))
}

// fieldError is an error of a field.
type fieldError struct {
	path string
	err  error
}

func (e *fieldError) Error() string { return e.path + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// At marks a validation error with the dotted path of its field, from the struct that validates: keys and, for the
// elements of lists, numbers from 0. Each of several joined errors is marked. Nil stays nil.
func At(field string, err error) error {
	var marked []error
	for _, e := range flatten(err) {
		if inner, ok := e.(*fieldError); ok {
			marked = append(marked, &fieldError{field + "." + inner.path, inner.err})
		} else {
			marked = append(marked, &fieldError{field, e})
		}
	}
	if len(marked) == 1 {
		return marked[0]
	}
	return errors.Join(marked...)
}

// flatten lists the errors that were joined.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() { // several errors in one sentence are one
		return []error{err}
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, flatten(e)...)
	}
	return errs
}

// sorted joins located errors in the order of their places; what is said twice of one place is said once.
func sorted(errs []error) error {
	slices.SortStableFunc(errs, func(a, b error) int {
		var x, y *Error
		if !errors.As(a, &x) || !errors.As(b, &y) {
			return 0
		}
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	errs = slices.CompactFunc(errs, func(a, b error) bool { return a.Error() == b.Error() })
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
