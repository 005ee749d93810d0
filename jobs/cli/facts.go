package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs/catalog"
	"crosslift/jobs/config"
	"crosslift/jobs/export"
	"crosslift/jobs/sheet"
	"crosslift/schemas/experiment"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

func (a *app) factsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "facts", Short: "What each unit of an experiment did",
		Example: "  crosslift facts export --experiment cashback_99 --out offer.parquet\n  crosslift lake cat facts/exclusion",
	}
	c.AddCommand(a.factsExportCommand())
	return c
}

// factsOf is which facts a command is about.
type factsOf struct {
	experiment, night string
	stitchings        []string
}

func (f *factsOf) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.experiment, "experiment", "", "the experiment (required)")
	c.Flags().StringVar(&f.night, "night", "", "the night, YYYY-MM-DD; without it, the newest that has facts")
	c.Flags().StringArrayVar(&f.stitchings, "stitching", []string{table.AsOfExposure}, "how identifiers are linked to units; may be given several times")
}

// stitchings are those that there are.
var stitchings = []string{table.AsOfExposure, table.ByDevice, table.Strict, table.Latest, table.Loose}

// find finds the experiment, and the night of its facts.
func (f *factsOf) find(ctx context.Context, p *config.Project, l *lake.Lake) (*experiment.Experiment, *lake.Head, error) {
	for _, s := range f.stitchings {
		if !slices.Contains(stitchings, s) {
			return nil, nil, usageError{fmt.Errorf("--stitching %q: %s", s, strictyaml.Suggest(s, stitchings))}
		}
	}
	e, err := defined("experiment", f.experiment, p.Experiments, func(e *experiment.Experiment) string { return e.Name })
	if err != nil {
		return nil, nil, err
	}
	heads, err := l.Heads(ctx, table.UnitMetric, e.Name)
	if err != nil {
		return nil, nil, err
	}
	if len(heads) == 0 {
		return nil, nil, usageError{fmt.Errorf("no night of %s has facts yet: make one with `crosslift run --day D`", e.Name)}
	}
	if f.night == "" {
		return e, heads[len(heads)-1], nil
	}
	night, err := dayFlag("night", f.night)
	if err != nil {
		return nil, nil, err
	}
	var nights []string
	for _, h := range heads {
		if h.Day == night {
			return e, h, nil
		}
		nights = append(nights, h.Day.String())
	}
	return nil, nil, usageError{fmt.Errorf("--night %s: %s has facts of %s", night, e.Name, strings.Join(nights, ", "))}
}

// defined finds one of a kind of definitions.
func defined[T any](what, name string, all []T, nameOf func(T) string) (found T, err error) {
	var names []string
	for _, of := range all {
		if nameOf(of) == name {
			return of, nil
		}
		names = append(names, nameOf(of))
	}
	if name == "" {
		return found, usageError{fmt.Errorf("--%s is required: %s", what, strictyaml.Suggest(name, names))}
	}
	return found, usageError{fmt.Errorf("no %s is named %q: %s", what, name, strictyaml.Suggest(name, names))}
}

func (a *app) factsExportCommand() *cobra.Command {
	var f factsOf
	var out string
	c := &cobra.Command{
		Use: "export --experiment E", Short: "Write an experiment's units and what they did, for notebooks", Args: cobra.NoArgs,
		Long: `Write a row a unit: unit_id, stitching, arm, first_exposure_at, devices, platform, country, channel, plan, newness,
crossover, activated_at; then, of each metric in the experiment's order, METRIC_numerator, METRIC_denominator (1 where it is
no ratio), METRIC_covariate, METRIC_received (the unit saw the offer before the outcome) and METRIC_matured (its window has
closed). Without --out it is CSV, or JSON Lines with --output json; with --out, what the file's name ends in.`,
		Example: `  crosslift facts export --experiment cashback_99 > offer.csv
  crosslift facts export --experiment cashback_99 --out offer.parquet
  crosslift facts export --experiment cashback_99 --night 2026-11-03 --stitching device --out devices.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.exportFacts(cmd.Context(), f, out) },
	}
	f.flags(c)
	c.Flags().StringVar(&out, "out", "", "a file, by its name .csv or .parquet, which is replaced; without it, stdout")
	return c
}

// exportedJSON says what `facts export --out` has written.
type exportedJSON struct {
	Experiment string    `json:"experiment"`
	Night      table.Day `json:"night"`
	Rows       int64     `json:"rows"`
	Columns    int       `json:"columns"`
	File       string    `json:"file"`
}

func (a *app) exportFacts(ctx context.Context, f factsOf, out string) error {
	var write func(export.Input, context.Context, io.Writer) (int64, error)
	switch ext := strings.ToLower(filepath.Ext(out)); {
	case out == "" && a.output == "json":
		write = export.Input.JSON
	case out == "", ext == ".csv":
		write = export.Input.CSV
	case ext == ".parquet":
		write = export.Input.Parquet
	default:
		return usageError{fmt.Errorf("--out %s: expected a name that ends in .csv or .parquet", out)}
	}
	if err := sheet.Replaceable(out); err != nil {
		return usageError{fmt.Errorf("--out %w", err)}
	}
	p, err := a.load()
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
	in := export.Input{Experiment: e, Stitchings: f.stitchings}
	if in.Metrics, err = catalog.MetricsOf(e, p.Metrics); err != nil {
		return err
	}
	exposures, err := l.Head(ctx, lake.Partition{Table: table.UnitExposure, Experiment: e.Name, Day: head.Day})
	if err != nil {
		return err
	}
	if head.Recipe.Inputs[exposures.Key()] != exposures.Content {
		return fmt.Errorf("%s was not made from %s as it is now: bring night %s up to date first", head.Partition, exposures.Partition, head.Day)
	}
	units, err := l.Read(ctx, exposures)
	if err != nil {
		return err
	}
	defer units.Close()
	facts, err := l.Read(ctx, head)
	if err != nil {
		return err
	}
	defer facts.Close()
	in.Exposures, in.Facts = units.File, facts.File
	if out == "" {
		_, err := write(in, ctx, a.stdout)
		return err
	}
	done := exportedJSON{Experiment: e.Name, Night: head.Day, Columns: len(in.Columns()), File: out}
	err = sheet.Replace(out, func(w io.Writer) (err error) {
		done.Rows, err = write(in, ctx, w)
		return err
	})
	if err != nil {
		return fmt.Errorf("facts export: %w", err)
	}
	return a.print([]string{"experiment", "night", "rows", "columns", "file"},
		[][]string{{done.Experiment, done.Night.String(), count(done.Rows), fmt.Sprint(done.Columns), done.File}}, done)
}
