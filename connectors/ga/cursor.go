package ga

import (
	"encoding/json"
	"errors"
)

// cursor is how far an extract has come: behind a row of a table in a state, with so many rows before it, in all tables,
// that belong to other business days.
type cursor struct {
	Table string `json:"table"`
	State string `json:"state"`
	Row   uint64 `json:"row"`
	Other int64  `json:"other"`
}

var errResume = errors.New("the extract broke off while reading other tables than these: start it again from the beginning")

// start is where an extract begins.
type start struct {
	cursor
	index int // of the table
}

// resume finds where an extract goes on.
func (x *extraction) resume(tables []dayTable) (start, error) {
	text := x.sink.Resume()
	if text == "" {
		return start{}, nil
	}
	var c cursor
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return start{}, errResume
	}
	for i, t := range tables {
		if t.id == c.Table && t.sum == c.State && c.Row <= t.rows {
			x.other = c.Other
			return start{c, i}, nil
		}
	}
	return start{}, errResume
}

// mark tells the sink that a table is read up to a row.
func (x *extraction) mark(t dayTable, row uint64) error {
	text, err := json.Marshal(cursor{t.id, t.sum, row, x.other})
	if err != nil {
		return err
	}
	return x.sink.Page(string(text))
}
