package query

import (
	"strings"
	"time"

	"crosslift/schemas/table"
)

// writer collects the common table expressions of a statement.
type writer struct {
	Input
	end     time.Time // of the night
	sources []source  // the numerator's, and the denominator's of a ratio
	text    strings.Builder
	written map[string]bool // by name
}

// with writes a table expression: its name, what it holds, and its lines.
func (w *writer) with(name, says string, body ...string) {
	if w.text.Len() == 0 {
		w.text.WriteString("WITH ")
	} else {
		w.text.WriteString(",\n")
	}
	w.written[name] = true
	w.text.WriteString(name + " AS ( -- " + says)
	for line := range strings.SplitSeq(lines(body...), "\n") {
		w.text.WriteString("\n  " + line)
	}
	w.text.WriteString("\n)")
}

// raw is a table's rows of all days until the night, as a relation and the condition that cuts it.
func (w *writer) raw(t *table.Table) (from, until string) {
	return "read_parquet(" + quote(w.Lake+"/"+t.Path()+"/*/data.parquet") + ", hive_partitioning = true)", "dt <= DATE " + quote(w.Night.String())
}

// state is a table's partition of the night.
func (w *writer) state(t *table.Table) string {
	return "read_parquet(" + quote(w.Lake+"/"+t.Path()+"/dt="+w.Night.String()+"/data.parquet") + ")"
}

// fact is a table's partition of the experiment and night.
func (w *writer) fact(t *table.Table) string {
	return "read_parquet(" + quote(w.Lake+"/"+t.Path()+"/experiment="+w.Experiment.Name+"/dt="+w.Night.String()+"/data.parquet") + ")"
}

// stitched is the condition of rows of a stitching that is asked for.
func (w *writer) stitched() string {
	if len(w.Stitchings) == 1 {
		return "stitching = " + quote(w.Stitchings[0])
	}
	return "stitching IN " + list(w.Stitchings)
}

// lines joins lines, leaving out those that are empty.
func lines(of ...string) string {
	var kept []string
	for _, line := range of {
		if line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// where is a clause that asks for all of some conditions, one a line; those that are empty are left out.
func where(conditions ...string) string {
	text := strings.ReplaceAll(lines(conditions...), "\n", "\n  AND ")
	if text == "" {
		return ""
	}
	return "WHERE " + text
}
