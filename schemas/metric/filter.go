package metric

// Op is how a column is compared.
type Op string

// The operators. Comparisons are by number for numbers, by bytes for text, by instant or day for times and dates.
const (
	Equal     Op = "="
	NotEqual  Op = "!="
	In        Op = "in"
	Less      Op = "<"
	AtMost    Op = "<="
	More      Op = ">"
	AtLeast   Op = ">="
	Between   Op = "between" // both ends included
	IsNull    Op = "is null"
	HasPrefix Op = "prefix"
)

// Ops lists the operators.
var Ops = []Op{Equal, NotEqual, In, Less, AtMost, More, AtLeast, Between, IsNull, HasPrefix}

// Filter is a test of an event: either a comparison of one column, or one of All, Any and Not.
//
// Logic has two values. A row without a value in the column meets "is null" and no other operator, "!=" included; Not turns a
// test round, so that a row without a value meets Not of "=".
type Filter struct {
	Column string   `yaml:"column"`
	Op     Op       `yaml:"op"`
	Value  Operands `yaml:"value"` // one for most operators, any number for in, two for between, none for is null

	All []Filter `yaml:"all"`
	Any []Filter `yaml:"any"`
	Not *Filter  `yaml:"not"`
}

// Operands are what a column is compared with, as they are written: text, numbers, true or false, RFC 3339 times, YYYY-MM-DD
// dates. In YAML a single one needs no list.
type Operands []string

// UnmarshalText reads a single one.
func (o *Operands) UnmarshalText(text []byte) error {
	*o = Operands{string(text)}
	return nil
}

// Advise says how keys of former filters are written.
func (f *Filter) Advise(key string) string {
	switch key {
	case "in":
		return "write op: in, value: [a, b]"
	case "not_in":
		return "write not: {column: …, op: in, value: [a, b]}"
	case "min":
		return `write op: ">=", value: 1; with both ends op: between, value: [1, 10]`
	case "max":
		return `write op: <=, value: 10; with both ends op: between, value: [1, 10]`
	}
	return ""
}
