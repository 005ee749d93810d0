package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// decoder fills a value from nodes and collects what is wrong.
type decoder struct {
	doc  *Document
	env  func(string) (string, bool)
	errs []error
}

func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, d.doc.at(n, fmt.Errorf(format, args...)))
}

// mismatch says what was expected of a value.
func (d *decoder) mismatch(p place, expected string) {
	d.fail(p.position(), "%sexpected %s, found %s", p.label(), expected, found(p.value))
}

// found says what a node is without giving away what a variable holds.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	}
	if runes := []rune(n.Value); len(runes) > 60 {
		return strconv.Quote(string(runes[:60])) + "…"
	}
	return strconv.Quote(n.Value)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func (d *decoder) decode(p place, v reflect.Value) {
	n := p.value
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(n, "%sanchors and aliases are not supported: write the value out", p.label())
		return
	}
	if v.Kind() == reflect.Pointer {
		if !isNull(n) {
			v.Set(reflect.New(v.Type().Elem()))
			d.decode(p, v.Elem())
		}
		return
	}
	switch u := v.Addr().Interface().(type) {
	case ScalarUnmarshaler:
		if n.Kind == yaml.ScalarNode || !composed(v) {
			d.scalar(p, func(text string) error { return u.UnmarshalScalar(n.Value, text) })
			return
		}
	case yaml.Unmarshaler:
		if resolved := d.interpolated(p); resolved != nil {
			if err := u.UnmarshalYAML(resolved); err != nil {
				d.errs = append(d.errs, d.doc.locate(p, err)...)
				return
			}
			d.validate(p, v)
		}
		return
	case encoding.TextUnmarshaler:
		if n.Kind == yaml.ScalarNode || !composed(v) {
			d.scalar(p, func(text string) error { return u.UnmarshalText([]byte(text)) })
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		if n.Kind != yaml.MappingNode {
			d.mismatch(p, "a mapping")
			return
		}
		before := len(d.errs)
		d.fields(p, v)
		if len(d.errs) == before {
			d.validate(p, v)
		}
	case reflect.Map:
		d.mapping(p, v)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.mismatch(p, "a list")
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			d.decode(place{name: p.name + "." + strconv.Itoa(i), value: item}, v.Index(i))
		}
	default:
		d.basic(p, v)
	}
}

func (d *decoder) validate(p place, v reflect.Value) {
	if u, ok := v.Addr().Interface().(Validator); ok {
		d.errs = append(d.errs, d.doc.locate(p, u.Validate())...)
	}
}

// scalar gives a scalar's interpolated text to a type that reads itself.
func (d *decoder) scalar(p place, read func(text string) error) {
	n := p.value
	if n.Kind != yaml.ScalarNode || isNull(n) {
		d.mismatch(p, "text")
		return
	}
	text, err := interpolate(n.Value, d.env)
	if err != nil {
		d.fail(n, "%s%w", p.label(), err)
		return
	}
	if err := read(text); err != nil {
		if text != n.Value {
			err = masked(err, text, n.Value)
		}
		d.fail(n, "%s%w", p.label(), err)
	}
}

// masked is an error without what variables held: it quotes the value as it is written, or says nothing about it.
func masked(err error, text, written string) error {
	message := strings.ReplaceAll(err.Error(), strconv.Quote(text), strconv.Quote(written))
	if text != "" && strings.Contains(strings.ReplaceAll(message, strconv.Quote(written), ""), text) {
		return fmt.Errorf("the value of %s does not fit", written)
	}
	return errors.New(message)
}

// pairs walks the keys of a mapping, each once.
func (d *decoder) pairs(n *yaml.Node, each func(key, value *yaml.Node)) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "":
			d.fail(key, "expected a plain key, found %s", found(key))
		case first[key.Value] != nil:
			d.fail(key, "duplicate key %q: first on line %d", key.Value, first[key.Value].Line)
		default:
			first[key.Value] = key
			each(key, value)
		}
	}
}

func (d *decoder) fields(p place, v reflect.Value) {
	names, fields := fieldsOf(v)
	d.pairs(p.value, func(key, value *yaml.Node) {
		field, ok := fields[key.Value]
		if !ok {
			d.fail(key, "unknown key %q: %s", key.Value, advice(v, key.Value, names))
			return
		}
		d.decode(place{name: key.Value, key: key, value: value}, field)
	})
}

// advice ends a message about a key that a struct does not have.
func advice(v reflect.Value, key string, names []string) string {
	if a, ok := v.Addr().Interface().(Advisor); ok {
		if said := a.Advise(key); said != "" {
			return said
		}
	}
	return Suggest(key, names)
}

// fieldsOf gives a struct's settable fields by key, and the keys in the order of declaration.
func fieldsOf(v reflect.Value) (names []string, fields map[string]reflect.Value) {
	fields = map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline": // an embedded struct may be unexported, its fields are not
			inner, more := fieldsOf(v.Field(i))
			names = append(names, inner...)
			for name, field := range more {
				fields[name] = field
			}
		case !f.IsExported() || name == "-":
		default:
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			names = append(names, name)
			fields[name] = v.Field(i)
		}
	}
	return names, fields
}

// composed reports whether a value can be written as a mapping with known keys, or as a list.
func composed(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return v.Kind() == reflect.Slice
	}
	names, _ := fieldsOf(v)
	return len(names) > 0
}

func (d *decoder) mapping(p place, v reflect.Value) {
	if p.value.Kind != yaml.MappingNode {
		d.mismatch(p, "a mapping")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(p.value, func(key, value *yaml.Node) {
		k, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		d.decode(place{name: key.Value, key: key, value: value}, item)
		plain := &decoder{doc: d.doc} // keys are never interpolated
		plain.decode(place{value: key}, k)
		d.errs = append(d.errs, plain.errs...)
		if len(plain.errs) == 0 {
			v.SetMapIndex(k, item)
		}
	})
}

// basic decodes strings, bools and numbers. A string takes any scalar as it is written; the others take plain ones.
func (d *decoder) basic(p place, v reflect.Value) {
	n, expected := p.value, expectation(v.Type())
	if expected == "" {
		d.fail(n, "%sa field of type %s cannot be written in YAML", p.label(), v.Type())
		return
	}
	if n.Kind != yaml.ScalarNode || isNull(n) || v.Kind() != reflect.String && n.Style&^yaml.TaggedStyle != 0 {
		d.mismatch(p, expected)
		return
	}
	text, err := interpolate(n.Value, d.env)
	if err != nil {
		d.fail(n, "%s%w", p.label(), err)
		return
	}
	if !set(v, text) {
		d.mismatch(p, expected)
	}
}

func expectation(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint64:
		return "a whole number from 0"
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<t.Bits()-1)
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return ""
}

func set(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return false
		}
		v.SetBool(text == "true")
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
		v.SetFloat(x)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		x, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return false
		}
		v.SetUint(x)
	default:
		x, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return false
		}
		v.SetInt(x)
	}
	return true
}
