package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"crosslift/connectors/files"
	"crosslift/jobs/analyze"
)

func (a *app) analyzeCommand() *cobra.Command {
	var o analyze.Options
	var metrics []string
	c := &cobra.Command{
		Use: "analyze FILE", Short: "Compare the variants in any unit-level file, without a warehouse", Args: cobra.ExactArgs(1),
		Long: `Read a CSV, JSON Lines or Parquet file (plain, gzip or zstd) with a row a unit, or several, and compare the variants with
the control. A proportion is "any row of the unit", a mean is the sum over the unit's rows. A unit seen in more than one
variant keeps the first, by --time or by the file's order, and is counted; with --crossover exclude it is left out.`,
		Example: `  crosslift analyze cats.csv.gz --unit userid --variant version --control gate_30 \
      --metric retention_1=proportion:retention_1 --metric rounds=mean:sum_gamerounds
  crosslift analyze ab.csv --unit user_id --variant group --control control --time timestamp \
      --metric converted=proportion:converted --crossover exclude --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, text := range metrics {
				m, err := analyze.ParseMetric(text)
				if err != nil {
					return usageError{err}
				}
				o.Metrics = append(o.Metrics, m)
			}
			if err := o.Validate(); err != nil {
				return usageError{err}
			}
			return a.analyze(cmd.Context(), args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Unit, "unit", "", "the column that names the unit (required)")
	f.StringVar(&o.Variant, "variant", "", "the column that names the variant (required)")
	f.StringVar(&o.Control, "control", "", "the variant that the others are compared with (required)")
	f.StringArrayVar(&metrics, "metric", nil, "NAME=proportion:COLUMN or NAME=mean:COLUMN; may be repeated (required)")
	f.StringVar(&o.Time, "time", "", "the column that orders a unit's rows")
	f.StringVar(&o.Crossover, "crossover", "first", "units seen in several variants: first or exclude")
	f.Float64Var(&o.Alpha, "alpha", 0.05, "one minus the confidence of the intervals")
	return c
}

func (a *app) analyze(ctx context.Context, name string, o analyze.Options) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	if info.IsDir() {
		return fmt.Errorf("analyze: %s is a folder: name a file", name)
	}
	r, err := files.NewReader(ctx, file, info.Size(), name, files.Format{})
	if err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	defer r.Close()
	report, problem := analyze.Run(ctx, name, r, o)
	if report == nil {
		return fmt.Errorf("analyze: %w", problem)
	}
	header, rows := report.Table()
	if err := a.print(header, rows, report); err != nil {
		return errors.Join(problem, err)
	}
	if a.output == "table" {
		for _, note := range report.Notes {
			fmt.Fprintln(a.stdout, note)
		}
	}
	if problem != nil {
		return fmt.Errorf("analyze: %w", problem)
	}
	return nil
}
