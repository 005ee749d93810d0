package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// columnJSON is a line of `lake tables TABLE`.
type columnJSON struct {
	Column   string `json:"column"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	Unit     string `json:"unit"`      // minor, currency; else empty
	HashedAs string `json:"hashed_as"` // the kind of identifier as which connectors hash it; else empty
	Personal bool   `json:"personal"`  // tells persons apart
	EventDay bool   `json:"event_day"` // decides dt
}

// tableJSON is a line of `lake tables`.
type tableJSON struct {
	Table        string `json:"table"`
	Kind         string `json:"kind"`
	Version      int    `json:"version"`
	ByExperiment bool   `json:"by_experiment"`
	Columns      int    `json:"columns"`
}

func (a *app) lakeTablesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "tables [TABLE]", Short: "List the tables, or the columns of one", Args: cobra.MaximumNArgs(1),
		Long: `Lists the tables that a lake may hold, or what the contract of one says: its columns, their types, which are
required, and as what kind of identifier a value is hashed. It needs no project.`,
		Example: "  crosslift lake tables\n  crosslift lake tables raw/payment\n  crosslift lake tables raw/crm_contact --output json",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.printTables()
			}
			t := table.Named(args[0])
			if t == nil {
				var names []string
				for _, t := range table.All() {
					names = append(names, t.Path())
				}
				return usageError{fmt.Errorf("no table is named %q: %s", args[0], strictyaml.Suggest(args[0], names))}
			}
			return a.printColumns(t)
		},
	}
}

func (a *app) printTables() error {
	var rows [][]string
	var values []tableJSON
	for _, t := range table.All() {
		rows = append(rows, []string{t.Path(), t.Kind.String(), fmt.Sprint(len(t.Columns))})
		values = append(values, tableJSON{t.Path(), t.Kind.String(), t.Version, t.ByExperiment, len(t.Columns)})
	}
	return a.print([]string{"table", "kind", "columns"}, rows, values)
}

func (a *app) printColumns(t *table.Table) error {
	var rows [][]string
	var values []columnJSON
	for _, c := range t.Columns {
		v := columnJSON{c.Name, c.Type.String(), !c.Optional, c.Unit, string(c.Kind), c.Class != table.Free, c.Name == t.EventTime}
		var notes []string
		switch {
		case v.HashedAs != "":
			notes = append(notes, "hashed as "+v.HashedAs)
		case v.Personal:
			notes = append(notes, "tells persons apart")
		}
		switch v.Unit {
		case "minor":
			notes = append(notes, "money in minor units")
		case "currency":
			notes = append(notes, "ISO 4217 code")
		}
		if v.EventDay {
			notes = append(notes, "decides the day")
		}
		required := map[bool]string{true: "yes", false: "-"}[v.Required]
		rows = append(rows, []string{v.Column, v.Type, required, cmp.Or(strings.Join(notes, ", "), "-")})
		values = append(values, v)
	}
	return a.print([]string{"column", "type", "required", "meaning"}, rows, values)
}
