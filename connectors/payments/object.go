package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"crosslift/schemas/table"
)

// object is one answer of Stripe's, read with the types of its library.
type object struct {
	state
	value   any   // *stripe.Charge, …
	partial bool  // what comes with it could not all be read
	problem error // why it cannot be read; nil
}

// kind is what a stream knows of its objects.
type kind struct {
	name     string       // of the stream: charges
	object   string       // what Stripe calls one: charge
	path     string       // of the list
	table    *table.Table //
	events   []string     // that tell of a change; none of objects that never change
	status   string       // parameter of the list, so that it hides nothing
	expand   []string     // what comes with an object instead of its id
	required []string     // fields without which there is no row
	balance  []string     // types of the balance transactions that vouch for the amounts

	fields  map[string]bool // that Stripe's library knows
	decode  func(raw []byte) (any, error)
	row     func(x *extract, value any, changed table.Micros) (any, error)
	prepare func(ctx context.Context, x *extract, page []*object) error // nil, or asks for what the rows of a page need besides
	settle  func(value any) settled                                     // nil, or how an object shows in the balance
}

// of completes a kind with what its type in Stripe's library implies.
func of[T any](k kind, row func(x *extract, value *T, changed table.Micros) (any, error)) *kind {
	k.fields = map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			k.fields[name] = true
		}
	}
	k.decode = func(raw []byte) (any, error) {
		value := new(T)
		return value, json.Unmarshal(raw, value)
	}
	k.row = func(x *extract, value any, changed table.Micros) (any, error) { return row(x, value.(*T), changed) }
	return &k
}

// ignored are fields that Stripe's library does not have: those that Stripe sends for the sake of old programs, and what
// later versions of the same release added. They hold nothing that is needed here.
var ignored = set("object destination dispute order invoice plan quantity tax_percent amount_paid_off_stripe billing_schedules")

// read reads an object. drift is told the fields that Stripe's library does not know.
func (k *kind) read(s state, drift func(field string)) *object {
	o, g := &object{state: s}, s.glimpse
	var fields map[string]json.RawMessage
	if json.Unmarshal(g.raw, &fields) != nil || fields == nil {
		o.problem = errors.New("expected an object")
		return o
	}
	for field := range fields {
		if !k.fields[field] && !ignored[field] {
			drift(field)
		}
	}
	for _, field := range append([]string{"id", "object", "created"}, k.required...) {
		if value := string(fields[field]); value == "" || value == "null" || value == `""` {
			o.problem = fieldError(field, "required, but empty")
			return o
		}
	}
	if string(fields["object"]) != `"`+k.object+`"` {
		o.problem = fieldError("object", "expected a "+k.object)
		return o
	}
	value, partial, err := k.whole(g.raw)
	switch {
	case err != nil:
		o.problem = reason(err)
	case g.created <= 0:
		o.problem = fieldError("created", "expected seconds since 1970")
	default:
		o.value, o.partial = value, partial
	}
	return o
}

// whole decodes an object with what comes with it or, where that is broken, with as much of it as can be read: another
// object's fault is no reason to lose this one.
func (k *kind) whole(raw json.RawMessage) (value any, partial bool, err error) {
	value, err = k.decode(raw)
	for n := len(k.expand) - 1; err != nil && n >= 0; n-- {
		if less, without := k.decode(bare(raw, k.expand[n:])); without == nil {
			return less, true, nil
		}
	}
	return value, false, err
}

// bare is an object without what comes with it, so that its bytes are the same whenever it is seen.
func (k *kind) bare(raw json.RawMessage) json.RawMessage { return bare(raw, k.expand) }

// bare puts ids in the place of objects.
func bare(raw json.RawMessage, expanded []string) json.RawMessage {
	var fields map[string]json.RawMessage
	if len(expanded) == 0 || json.Unmarshal(raw, &fields) != nil {
		return raw
	}
	for _, field := range expanded {
		if inner := fields[field]; len(inner) > 0 && inner[0] == '{' {
			id, err := json.Marshal(glimpsed(inner).id)
			if err != nil {
				return raw
			}
			fields[field] = id
		}
	}
	less, err := json.Marshal(fields)
	if err != nil {
		return raw
	}
	return less
}

// reason says what was expected of an object that cannot be decoded, and never what was found.
func reason(err error) error {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return errors.New("a field is not written as Stripe documents it")
	}
	expected := "another type"
	switch mismatch.Type.Kind() {
	case reflect.Int64:
		expected = "a whole number"
	case reflect.Float64:
		expected = "a number"
	case reflect.String:
		expected = "text"
	case reflect.Bool:
		expected = "true or false"
	case reflect.Struct, reflect.Map:
		expected = "an object"
	case reflect.Slice:
		expected = "a list"
	}
	return fieldError(mismatch.Field, "expected "+expected)
}

// fieldError says what is wrong with a field of an object.
func fieldError(field, problem string) error { return fmt.Errorf("%s: %s", field, problem) }
