package stitch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crosslift/jobs/analyze"
	"crosslift/jobs/sheet"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/warehouse/columns"
)

// typedColumns are the places of the columns that profiles need.
type typedColumns struct {
	typeA, typeB, rule, first, last int
	kinds                           []sheet.Column
	rules                           graph.Rules
}

func columnsOf(s *sheet.Sheet, rules graph.Rules) typedColumns {
	at := func(name string) int {
		return slices.IndexFunc(s.Columns, func(c sheet.Column) bool { return c.Name == name })
	}
	return typedColumns{at("left_type"), at("right_type"), at("rule"), at("first_ts"), at("last_ts"), s.Columns, rules}
}

// addTyped takes a batch's types, classes and times.
func (r *reader) addTyped(b *sheet.Batch, c typedColumns) error {
	var errs [5]error
	from := len(r.first)
	var last []int64
	r.typeA, errs[0] = r.addTypes(r.typeA, b, c, c.typeA)
	r.typeB, errs[1] = r.addTypes(r.typeB, b, c, c.typeB)
	r.class, errs[2] = addRules(r.class, b, &b.Vectors[c.rule])
	r.first, errs[3] = addTimes(r.first, b, c, c.first)
	last, errs[4] = addTimes(make([]int64, 0, b.Rows), b, c, c.last)
	for i, at := range last[:min(len(last), len(r.first)-from)] {
		if at < r.first[from+i] {
			errs[4] = sheet.First(errs[4], b.Error(i, errors.New("last_ts: it is before first_ts")))
			break
		}
	}
	return sheet.First(errs[:]...)
}

// noType is a text that names no type.
const noType = 255

func (r *reader) addTypes(to []uint8, b *sheet.Batch, c typedColumns, column int) ([]uint8, error) {
	v := &b.Vectors[column]
	r.codes = r.codes[:0]
	for i, name := range v.Strings {
		if i > 0 && name == v.Strings[i-1] {
			r.codes = append(r.codes, r.codes[i-1])
			continue
		}
		code, ok := c.rules.Type(name)
		if !ok {
			code = noType
		}
		r.codes = append(r.codes, code)
	}
	if c.kinds[column].Kind != sheet.Text && c.kinds[column].Kind != sheet.Bytes {
		return to, b.Error(0, fmt.Errorf("%s: %w", c.kinds[column].Name, c.errType("")))
	}
	for i, at := range v.Index {
		if at < 0 {
			return to, b.Error(i, fmt.Errorf("%s: %w", c.kinds[column].Name, c.errType("")))
		}
		if r.codes[at] == noType {
			return to, b.Error(i, fmt.Errorf("%s: %w", c.kinds[column].Name, c.errType(v.Strings[at])))
		}
		to = append(to, r.codes[at])
	}
	return to, nil
}

// errType lists the types.
func (c typedColumns) errType(got string) error {
	var names []string
	for _, t := range c.rules.Types {
		names = append(names, t.Name)
	}
	was := "empty"
	if got != "" {
		was = fmt.Sprintf("type %.40q is unknown", got)
	}
	return fmt.Errorf("%s: expected one of %s", was, strings.Join(names, ", "))
}

var errRule = fmt.Errorf("expected a class from %d, the strongest, to %d", table.RuleVerified, table.RuleShared)

func addRules(to []uint8, b *sheet.Batch, v *columns.Vector) ([]uint8, error) {
	for i := range b.Rows {
		class, ok := int64(-1), present(v, i)
		switch {
		case !ok:
		case len(v.Index) > 0:
			n, err := strconv.ParseUint(v.Strings[v.Index[i]], 10, 8)
			class, ok = int64(n), err == nil
		case len(v.Ints) > 0:
			class = v.Ints[i]
		}
		if !ok || class < table.RuleVerified || class > table.RuleShared {
			return to, b.Error(i, fmt.Errorf("rule: %w", errRule))
		}
		to = append(to, uint8(class))
	}
	return to, nil
}

func present(v *columns.Vector, i int) bool {
	if len(v.Index) > 0 {
		return v.Index[i] >= 0 && len(v.Strings) > 0
	}
	return v.Present == nil || v.Present[i]
}

var errTime = errors.New("expected a time like 2006-01-02T15:04:05Z, or seconds since 1970")

// farthest is a time in seconds beyond which a number is no count of seconds: the year 9999.
const farthest = 253_402_300_799

// addTimes appends times in microseconds since 1970.
func addTimes(to []int64, b *sheet.Batch, c typedColumns, column int) ([]int64, error) {
	v, kind := &b.Vectors[column], c.kinds[column]
	for i := range b.Rows {
		ok := present(v, i)
		var at int64
		switch {
		case !ok:
		case len(v.Index) > 0:
			nanos, err := analyze.ParseTime([]byte(v.Strings[v.Index[i]]))
			at, ok = nanos/1000, err == nil
			if nanos%1000 < 0 {
				at--
			}
		case kind.Kind == sheet.Time:
			at = v.Ints[i]
		default:
			at, ok = v.Ints[i]*1_000_000, v.Ints[i] <= farthest && v.Ints[i] >= -farthest
		}
		if !ok {
			return to, b.Error(i, fmt.Errorf("%s: %w", kind.Name, errTime))
		}
		to = append(to, at)
	}
	return to, nil
}

// devices are the types that one device may be seen under, the most shared first: that one counts.
var devices = []string{table.TypeTV, table.TypeBrowser, table.TypeCookie, table.TypeApp, table.TypeDevice}

// types gives each node's type, or the smallest node that is of two that do not go together.
func (e *edges) types(rules graph.Rules, n int) (types []uint8, clash int64) {
	rank := make([]int, len(rules.Types)) // of a device's type, −1 for others
	for t := range rank {
		rank[t] = slices.Index(devices, rules.Types[t].Name)
	}
	types = make([]uint8, n)
	for i := range types {
		types[i] = noType
	}
	clash = -1
	see := func(node uint32, t uint8) {
		was := types[node]
		switch {
		case was == noType:
			types[node] = t
		case was == t:
		case rank[was] < 0 || rank[t] < 0:
			if clash < 0 || int64(node) < clash {
				clash = int64(node)
			}
		case rank[t] < rank[was]:
			types[node] = t
		}
	}
	for i, a := range e.a {
		see(a, e.typeA[i])
		see(e.b[i], e.typeB[i])
	}
	e.typeA, e.typeB = nil, nil
	return types, clash
}

// clash reads the file again to say where a node is of two types.
func (e *edges) clash(ctx context.Context, o Options, n *nodes, node uint32) (err error) {
	rules := o.Rules
	s, _, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	c, first := columnsOf(s, o.Rules), uint8(noType)
	var where error
	err = s.Read(ctx, 1, func(_ int, b *sheet.Batch) error {
		var r reader
		if err := r.addTyped(b, c); err != nil {
			return err
		}
		for i := range b.Rows {
			for side, types := range [][]uint8{r.typeA, r.typeB} {
				if !n.is(node, &b.Vectors[side], i) {
					continue
				}
				t := types[i]
				switch was := first; {
				case was == noType:
					first, where = t, b.Error(i, errors.New(rules.Types[t].Name))
				case was != t && !(rules.Types[was].Device && rules.Types[t].Device):
					return b.Error(i, fmt.Errorf("%s: type %s, but the identifier is of another in %w", ends[side], rules.Types[t].Name, where))
				}
			}
		}
		return nil
	})
	if err == nil {
		err = fmt.Errorf("%s: it changed while it was read", o.Edges)
	}
	return err
}

// is reports whether a row of a vector holds a node.
func (n *nodes) is(node uint32, v *columns.Vector, row int) bool {
	switch {
	case n.form == integer || n.form == unsigned:
		return n.form.ofInt(v.Ints[row]) == n.ids[node]
	case n.column.Kind == sheet.ID:
		return v.IDs[v.Index[row]] == n.ids[node]
	case n.form == text:
		return v.Strings[v.Index[row]] == n.texts[node]
	}
	id, ok := n.form.parse(v.Strings[v.Index[row]])
	return ok && id == n.ids[node]
}
