package metric

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/money"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// deepest is how many filters may stand within each other.
const deepest = 8

// CheckEvents checks from what events a definition reads, and writes the operands of its filters in the one way of their
// columns' types. Errors are of the fields table and filter.
func CheckEvents(path string, filters []Filter) (*table.Table, error) {
	t, err := eventsIn(path)
	if err != nil {
		return nil, strictyaml.At("table", err)
	}
	if err := CheckFilters(t, filters); err != nil {
		return t, strictyaml.At("filter", err)
	}
	for i := range filters {
		filters[i].normalise(t)
	}
	return t, nil
}

// eventsIn finds a table whose events belong to somebody.
func eventsIn(path string) (*table.Table, error) {
	var known []string
	for _, t := range table.Raw() {
		if t.EventTime == "" || !hasID(t, "account") && !hasID(t, "device") {
			continue
		}
		if t.Path() == path {
			return t, nil
		}
		known = append(known, t.Path())
	}
	if path == "" {
		return nil, fmt.Errorf("required: one of %s", strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("no events of accounts or devices are in %q: %s", path, strictyaml.Suggest(path, known))
}

func hasID(t *table.Table, column string) bool {
	c, ok := t.Column(column)
	return ok && c.Type == table.ID
}

// CheckFilters holds filters against a table's contract. Errors are of the filters' places.
func CheckFilters(t *table.Table, filters []Filter) error { return checkAll(t, filters, 1) }

func checkAll(t *table.Table, filters []Filter, depth int) error {
	var errs []error
	for i := range filters {
		if err := filters[i].check(t, depth); err != nil {
			errs = append(errs, strictyaml.At(strconv.Itoa(i), err))
		}
	}
	return errors.Join(errs...)
}

func (f *Filter) check(t *table.Table, depth int) error {
	forms := 0
	for _, given := range []bool{f.Column != "" || f.Op != "" || f.Value != nil, f.All != nil, f.Any != nil, f.Not != nil} {
		if given {
			forms++
		}
	}
	switch {
	case forms != 1:
		return errors.New("expected either column, op and value, or one of all, any and not")
	case depth > deepest:
		return fmt.Errorf("filters are nested deeper than %d", deepest)
	case f.All != nil:
		return strictyaml.At("all", checkList(t, f.All, depth))
	case f.Any != nil:
		return strictyaml.At("any", checkList(t, f.Any, depth))
	case f.Not != nil:
		return strictyaml.At("not", f.Not.check(t, depth+1))
	}
	return f.checkComparison(t)
}

func checkList(t *table.Table, filters []Filter, depth int) error {
	if len(filters) == 0 {
		return errors.New("expected at least one filter")
	}
	return checkAll(t, filters, depth+1)
}

func (f *Filter) checkComparison(t *table.Table) error {
	c, columnErr := f.column(t)
	opErr := f.Op.check()
	switch {
	case columnErr != nil || opErr != nil:
		return errors.Join(columnErr, opErr)
	case c.Class == table.Pseudonym && f.Op != IsNull:
		return strictyaml.At("op", fmt.Errorf("%s tells persons apart: it can be asked only whether it is null", c.Name))
	case !f.Op.fits(c.Type):
		return strictyaml.At("op", fmt.Errorf("%s is %s: %s", c.Name, kind(c.Type), expectedOps(c.Type)))
	}
	return strictyaml.At("value", f.checkOperands(c))
}

// column is the column that is compared.
func (f *Filter) column(t *table.Table) (table.Column, error) {
	c, ok := t.Column(f.Column)
	if ok {
		return c, nil
	}
	var free []string
	for _, c := range t.Columns {
		if c.Class == table.Free {
			free = append(free, c.Name)
		}
	}
	err := fmt.Errorf("%s has no column %q: %s", t, f.Column, strictyaml.Suggest(f.Column, free))
	if f.Column == "" {
		err = errors.New("required: " + strictyaml.Suggest("", free))
	}
	return c, strictyaml.At("column", err)
}

// advised says what to write for operators that other languages have.
var advised = map[Op]string{
	"==": `write "="`, "<>": `write "!="`, "≤": `write "<="`, "≥": `write ">="`, "like": "write prefix", "starts with": "write prefix",
	"not in": "write not: {column: …, op: in, value: […]}", "is not null": "write not: {column: …, op: is null}",
}

func (o Op) check() error {
	switch near := Op(strings.ToLower(strings.ReplaceAll(string(o), "_", " "))); {
	case o == "":
		return strictyaml.At("op", fmt.Errorf(`required: one of %s; "!=", ">" and ">=" are written in quotes`, listed(Ops)))
	case slices.Contains(Ops, o):
		return nil
	case advised[near] != "":
		return strictyaml.At("op", fmt.Errorf("%q: %s", string(o), advised[near]))
	default:
		return strictyaml.At("op", fmt.Errorf("%q: %s", string(o), strictyaml.Suggest(string(near), names(Ops))))
	}
}

// fits reports whether columns of a type can be compared so.
func (o Op) fits(of table.Type) bool {
	switch o {
	case IsNull:
		return true
	case HasPrefix:
		return of == table.String
	case Equal, NotEqual, In:
		return of != table.ID
	}
	return of != table.ID && of != table.Bool
}

func expectedOps(of table.Type) string {
	var fit []Op
	for _, o := range Ops {
		if o.fits(of) {
			fit = append(fit, o)
		}
	}
	return "expected one of " + listed(fit)
}

// kind is a column's type with its article.
func kind(of table.Type) string {
	if of == table.Int || of == table.ID {
		return "an " + of.String()
	}
	return "a " + of.String()
}

// names are words as text.
func names[T ~string](words []T) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return list
}

func listed[T ~string](words []T) string { return strings.Join(names(words), ", ") }

func (f *Filter) checkOperands(c table.Column) error {
	n := len(f.Value)
	switch {
	case f.Op == IsNull && f.Value != nil:
		return errors.New("is null compares with nothing: leave it out")
	case f.Op == IsNull:
		return nil
	case f.Op == In && n == 0:
		return errors.New("expected at least one value")
	case f.Op == Between && n != 2:
		return fmt.Errorf("expected two values, as [1, 10], found %d", n)
	case f.Op != In && f.Op != Between && n != 1:
		return fmt.Errorf("expected one value, found %d", n)
	case f.Op == HasPrefix && f.Value[0] == "":
		return errors.New("expected at least one character: every value begins with nothing")
	}
	var errs []error
	operands := make([]Operand, n)
	for i, text := range f.Value {
		o, err := ParseOperand(c.Type, text)
		if err == nil && c.Unit == "currency" && (f.Op == Equal || f.Op == NotEqual || f.Op == In) {
			if _, unknown := money.Exponent(text); unknown != nil {
				err = fmt.Errorf("%w, found %q", unknown, text)
			}
		}
		if operands[i] = o; err != nil {
			errs = append(errs, strictyaml.At(strconv.Itoa(i), err))
		}
	}
	if f.Op == Between && errs == nil && operands[0].compare(operands[1]) > 0 {
		return errors.New("the first lies above the second: no value lies between them")
	}
	return errors.Join(errs...)
}

// normalise writes the operands of a filter that fits its table in the one way of their columns' types.
func (f *Filter) normalise(t *table.Table) {
	if c, ok := t.Column(f.Column); ok {
		for i, text := range f.Value {
			if o, err := ParseOperand(c.Type, text); err == nil {
				f.Value[i] = o.format(c.Type)
			}
		}
	}
	for _, list := range [][]Filter{f.All, f.Any} {
		for i := range list {
			list[i].normalise(t)
		}
	}
	if f.Not != nil {
		f.Not.normalise(t)
	}
}
