package export

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// CSV writes the table as CSV with a header, and gives the number of rows. Times are RFC 3339, in UTC; what is absent is
// empty.
func (in Input) CSV(ctx context.Context, w io.Writer) (rows int64, err error) {
	all := in.Columns()
	out := csv.NewWriter(w)
	cells := make([]string, len(all))
	for i, c := range all {
		cells[i] = c.Name
	}
	if err := out.Write(cells); err != nil {
		return 0, err
	}
	for row, err := range in.Rows(ctx) {
		if err != nil {
			return rows, err
		}
		for i, v := range row {
			cells[i] = all[i].text(v)
		}
		if err := out.Write(cells); err != nil {
			return rows, err
		}
		rows++
	}
	out.Flush()
	return rows, out.Error()
}

// JSON writes the table as JSON Lines, and gives the number of rows. What is absent is null.
func (in Input) JSON(ctx context.Context, w io.Writer) (rows int64, err error) {
	all := in.Columns()
	out := bufio.NewWriter(w)
	var line []byte
	for row, err := range in.Rows(ctx) {
		if err != nil {
			return rows, err
		}
		line = append(line[:0], '{')
		for i, v := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = strconv.AppendQuote(line, all[i].Name)
			if line = append(line, ':'); v.IsNull() {
				line = append(line, "null"...)
			} else if cell := all[i].text(v); all[i].quoted() {
				text, err := json.Marshal(cell)
				if err != nil {
					return rows, err
				}
				line = append(line, text...)
			} else {
				line = append(line, cell...)
			}
		}
		if _, err := out.Write(append(line, "}\n"...)); err != nil {
			return rows, err
		}
		rows++
	}
	return rows, out.Flush()
}

// quoted reports a column whose values are strings in JSON.
func (c Column) quoted() bool {
	return c.Type == table.String || c.Type == table.ID || c.Type == table.Timestamp
}

// text is a value as people read it.
func (c Column) text(v parquet.Value) string {
	switch {
	case v.IsNull():
		return ""
	case c.Type == table.ID:
		return identifier.ID(v.ByteArray()).String()
	case c.Type == table.Timestamp:
		return table.Micros(v.Int64()).Time().Format("2006-01-02T15:04:05.999999Z07:00")
	case c.Type == table.Float:
		return strconv.FormatFloat(v.Double(), 'g', -1, 64)
	case c.Type == table.Bool:
		return strconv.FormatBool(v.Boolean())
	case c.Type == table.Int:
		return strconv.FormatInt(v.Int64(), 10)
	}
	return string(v.ByteArray())
}

// groupRows are those of a row group of Parquet.
const groupRows = 1 << 16

// Parquet writes the table as Parquet, and gives the number of rows.
func (in Input) Parquet(ctx context.Context, w io.Writer) (rows int64, err error) {
	out := parquet.NewGenericWriter[any](w, in.schema(), parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(groupRows))
	values := make(parquet.Row, len(in.Columns()))
	for row, err := range in.Rows(ctx) {
		if err != nil {
			return rows, err
		}
		for i, v := range row {
			level := 1
			if v.IsNull() {
				level = 0
			}
			values[i] = v.Level(0, level, i)
		}
		if _, err := out.WriteRows([]parquet.Row{values}); err != nil {
			return rows, fmt.Errorf("writing Parquet: %w", err)
		}
		rows++
	}
	return rows, out.Close()
}

// schema is that of the table in Parquet: the columns in their order, each of which may be absent.
func (in Input) schema() *parquet.Schema {
	var fields []reflect.StructField
	for i, c := range in.Columns() {
		of := map[table.Type]struct {
			zero any
			as   string
		}{
			table.ID: {identifier.ID{}, ",uuid"}, table.String: {"", ",dict"}, table.Timestamp: {int64(0), ",timestamp(microsecond)"},
			table.Int: {int64(0), ""}, table.Float: {float64(0), ""}, table.Bool: {false, ""},
		}[c.Type]
		fields = append(fields, reflect.StructField{
			Name: "F" + strconv.Itoa(i), Type: reflect.TypeOf(of.zero), Tag: reflect.StructTag(fmt.Sprintf("parquet:%q", c.Name+",optional"+of.as)),
		})
	}
	return parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Elem().Interface())
}
