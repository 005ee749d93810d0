package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// print shows a table, or its rows as JSON: value is the documented form of the same thing.
func (a *app) print(header []string, rows [][]string, value any) error {
	if a.output == "json" {
		e := json.NewEncoder(a.stdout)
		e.SetIndent("", "  ")
		return e.Encode(value)
	}
	return writeTable(a.stdout, header, rows)
}

// writeTable writes a table; a cell of several lines takes as many.
func writeTable(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	rule := make([]string, len(header))
	for i, h := range header {
		rule[i] = strings.Repeat("─", utf8.RuneCountInString(h))
	}
	fmt.Fprintln(t, strings.Join(rule, "\t"))
	for _, row := range rows {
		for line, more := 0, true; more; line++ {
			cells := make([]string, len(row))
			more = false
			for i, cell := range row {
				if lines := strings.Split(cell, "\n"); line < len(lines) {
					cells[i] = lines[line]
					more = more || line+1 < len(lines)
				}
			}
			fmt.Fprintln(t, strings.Join(cells, "\t"))
		}
	}
	return t.Flush()
}

// oneLine joins the parts of an error that has several.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}

// count prints a number with thin groups of thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
