// Package columns is Parquet and Arrow in memory: it encodes, sorts and writes the rows of lake tables, and reads them
// back as Arrow batches or, on the hot path, as pages and dictionaries. It knows contracts and bytes, neither where
// objects lie nor what partitions are.
package columns

import (
	"cmp"
	"slices"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/table"
)

// Fixed sizes of what is written: they belong to the format, since under one program version equal rows give equal
// bytes. A row group is also the unit of parallel reading, and its dictionaries are what the hot path looks up.
const (
	rowGroupRows = 1 << 17
	pageBytes    = 256 << 10
	batchRows    = 1 << 10
)

// schema is the Parquet schema of a table, its columns in the contract's order.
func schema(t *table.Table) *parquet.Schema {
	group := parquet.Group{}
	for _, c := range t.Columns {
		group[c.Name] = node(c)
	}
	return parquet.NewSchema(t.Name, ordered{Group: group, table: t})
}

func node(c table.Column) parquet.Node {
	var n parquet.Node
	switch c.Type {
	case table.String:
		n = parquet.String()
	case table.Int:
		n = parquet.Int(64)
	case table.Float:
		n = parquet.Leaf(parquet.DoubleType)
	case table.Bool:
		n = parquet.Leaf(parquet.BooleanType)
	case table.Timestamp:
		n = parquet.Timestamp(parquet.Microsecond)
	case table.Date:
		n = parquet.Date()
	case table.ID:
		n = parquet.UUID()
	}
	if c.Dict {
		n = parquet.Encoded(n, &parquet.RLEDictionary)
	}
	if c.Optional {
		n = parquet.Optional(n)
	}
	return n
}

// ordered is a group whose fields keep the contract's order instead of the alphabet's.
type ordered struct {
	parquet.Group
	table *table.Table
}

func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	at := map[string]int{}
	for i, c := range o.table.Columns {
		at[c.Name] = i
	}
	slices.SortFunc(fields, func(a, b parquet.Field) int { return cmp.Compare(at[a.Name()], at[b.Name()]) })
	return fields
}
