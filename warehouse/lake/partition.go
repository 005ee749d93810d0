// Package lake keeps the pipeline's tables as partitions: one Parquet object each, which is its own manifest. It knows
// keys, recipes and the commit protocol; the bytes are warehouse/columns', the stores are lake/object's.
package lake

import (
	"fmt"
	"strconv"
	"strings"

	"crosslift/schemas/table"
)

// Partition names one object of the lake.
type Partition struct {
	Table      *table.Table
	Experiment string // of tables by experiment, else ""
	Day        table.Day
	Revision   int // of results, from 1; else 0
}

const objectName = "data.parquet"

// Key is the partition's place: layer/table/[experiment=E/]dt=D/[revision=R/]data.parquet.
func (p Partition) Key() string {
	var b strings.Builder
	b.WriteString(prefix(p.Table, p.Experiment))
	fmt.Fprintf(&b, "dt=%s/", p.Day)
	if p.Table.Kind == table.Result {
		fmt.Fprintf(&b, "revision=%d/", p.Revision)
	}
	b.WriteString(objectName)
	return b.String()
}

func (p Partition) String() string { return strings.TrimSuffix(p.Key(), "/"+objectName) }

// prefix is the folder of a table's partitions, of one experiment where the table has it and one is named.
func prefix(t *table.Table, experiment string) string {
	if t.ByExperiment && experiment != "" {
		return t.Path() + "/experiment=" + experiment + "/"
	}
	return t.Path() + "/"
}

// ParseKey is the inverse of Key; ok is false for an object that is no partition of a known table.
func ParseKey(key string) (p Partition, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) < 4 || parts[len(parts)-1] != objectName {
		return p, false
	}
	if p.Table = table.Named(parts[0] + "/" + parts[1]); p.Table == nil {
		return p, false
	}
	for _, part := range parts[2 : len(parts)-1] {
		name, value, _ := strings.Cut(part, "=")
		var err error
		switch name {
		case "experiment":
			p.Experiment = value
		case "dt":
			p.Day, err = table.ParseDay(value)
		case "revision":
			p.Revision, err = strconv.Atoi(value)
		}
		if err != nil {
			return p, false
		}
	}
	return p, p.Key() == key
}
