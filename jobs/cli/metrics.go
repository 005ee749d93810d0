package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs/config"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts/query"
)

func (a *app) metricsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "metrics", Short: "Look at the metrics that the project defines",
		Example: "  crosslift metrics list\n  crosslift metrics sql revenue --experiment cashback_99 | duckdb",
	}
	c.AddCommand(a.metricsListCommand(), a.metricsSQLCommand())
	return c
}

// metricJSON is a line of `metrics list`.
type metricJSON struct {
	Metric      string   `json:"metric"`
	Type        string   `json:"type"`
	Unit        string   `json:"unit"`
	Table       string   `json:"table"`
	Denominator string   `json:"denominator_table"` // of ratios; else empty
	Window      string   `json:"window"`
	Direction   string   `json:"direction"` // what is good: up, down
	Experiments []string `json:"experiments"`
}

func (a *app) metricsListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the metrics, and the experiments that use them", Args: cobra.NoArgs,
		Example: "  crosslift metrics list\n  crosslift metrics list --output json",
		RunE: func(*cobra.Command, []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			rows, values := [][]string{}, []metricJSON{}
			for _, m := range p.Metrics {
				v := metricJSON{Metric: m.Name, Type: string(m.Type), Unit: m.Unit, Table: m.Table, Window: window(m), Direction: m.Direction, Experiments: []string{}}
				tables := m.Table
				if m.Denominator != nil {
					v.Denominator = m.Denominator.Table
					tables += " / " + v.Denominator
				}
				for _, e := range p.Experiments {
					if slices.Contains(e.Metrics(), m.Name) {
						v.Experiments = append(v.Experiments, e.Name)
					}
				}
				used := "-"
				if len(v.Experiments) > 0 {
					used = strings.Join(v.Experiments, ", ")
				}
				rows, values = append(rows, []string{v.Metric, v.Type, v.Unit, tables, v.Window, used}), append(values, v)
			}
			return a.print([]string{"metric", "type", "in", "table", "window", "experiments"}, rows, values)
		},
	}
}

// window is a metric's window as people write it.
func window(m *metric.Metric) string {
	text := m.Window.String()
	if m.Days != nil {
		text = fmt.Sprintf("days %d to %d", m.Days.From, m.Days.To)
	}
	if m.Delay != 0 {
		text += " after " + m.Delay.String()
	}
	if m.LookBack != 0 {
		text += ", its last " + m.LookBack.String()
	}
	return text
}

func (a *app) metricsSQLCommand() *cobra.Command {
	var f factsOf
	c := &cobra.Command{
		Use: "sql METRIC --experiment E", Short: "Print a metric as SQL for DuckDB", Args: cobra.ExactArgs(1),
		Long: `Print the query that gives the same facts from the lake as the pipeline has made: the rows and columns of
facts/unit_metric. Any metric of the project will do, also one that the experiment does not name yet. Run it where this
command is run: a lake in a folder is named relative to that.`,
		Example: `  crosslift metrics sql revenue --experiment cashback_99 | duckdb
  crosslift metrics sql revenue --experiment cashback_99 --night 2026-11-03 --stitching as_of_exposure --stitching device`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			p, err := a.load()
			if err != nil {
				return err
			}
			m, err := defined("metric", args[0], p.Metrics, func(m *metric.Metric) string { return m.Name })
			if err != nil {
				return err
			}
			l, err := a.openLake(ctx, p)
			if err != nil {
				return err
			}
			e, head, err := f.find(ctx, p, l)
			if err != nil {
				return err
			}
			in := query.Input{Experiment: e, Metric: m, Stitchings: f.stitchings, Night: head.Day, Zone: p.Zone}
			if in.Lake, err = fromHere(p.Lake); err != nil {
				return err
			}
			keys, err := l.Keys(ctx, "")
			if err != nil {
				return err
			}
			in.Exists = func(t *table.Table) bool {
				for p := range keys {
					if p.Table == t {
						return true
					}
				}
				return false
			}
			sql, err := query.SQL(in)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.stdout, strings.TrimSpace(sql))
			return nil
		},
	}
	f.flags(c)
	return c
}

// fromHere is how an engine that is started here names a lake.
func fromHere(l config.Lake) (string, error) {
	if l.S3 != nil {
		return strings.TrimSuffix("s3://"+l.S3.Bucket+"/"+l.S3.Prefix, "/"), nil
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	path, err := filepath.Rel(here, l.Folder)
	if err != nil {
		return l.Folder, nil
	}
	return filepath.ToSlash(path), nil
}
