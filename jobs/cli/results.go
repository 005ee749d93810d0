package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"
)

func (a *app) resultsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "results [EXPERIMENT]", Short: "Show the published results", Args: cobra.MaximumNArgs(1),
		Long: `Show the newest published results, as the view bi.experiment_results_latest has them: the difference to the control
variant, absolute and relative, each with its interval.`,
		Example: "  crosslift results\n  crosslift results cashback_99 --output json",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			p, err := a.load()
			if err != nil {
				return err
			}
			s := &session{app: a, project: p}
			if err := s.openWarehouse(ctx); err != nil {
				return errors.Join(err, s.close(ctx))
			}
			defer func() { err = errors.Join(err, s.close(ctx)) }()
			experiment := ""
			if len(args) == 1 {
				experiment = args[0]
			}
			return s.results(ctx, experiment)
		},
	}
}

func (s *session) results(ctx context.Context, experiment string) error {
	rows, err := s.db.Results(ctx, experiment)
	if err != nil {
		return err
	}
	if len(rows) == 0 && s.app.output == "table" {
		fmt.Fprintln(s.app.stdout, "Nothing has been published yet.")
		return nil
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{
			r.Experiment, r.Metric, r.Variant, count(r.N), count(r.Matured), number(r.Mean, r.ValueUnit),
			signed(r.DiffAbs, r.ValueUnit), interval(r.DiffAbsLow, r.DiffAbsHigh, r.ValueUnit),
			signed(r.DiffRel, "share"), interval(r.DiffRelLow, r.DiffRelHigh, "share"), probability(r.PValue), r.AsOf.String(),
		}
	}
	return s.app.print([]string{"experiment", "metric", "variant", "units", "matured", "mean", "difference", "interval",
		"relative", "interval", "p", "as of"}, cells, rows)
}

// number prints a value with its unit, to four significant digits; shares as percent.
func number(x *float64, unit string) string {
	if x == nil {
		return "-"
	}
	value := *x
	if unit == "share" {
		return digits(100*value) + " %"
	}
	return digits(value)
}

func signed(x *float64, unit string) string {
	text := number(x, unit)
	if x != nil && *x >= 0 {
		return "+" + text
	}
	return text
}

func interval(low, high *float64, unit string) string {
	if low == nil && high == nil {
		return "-"
	}
	return signed(low, unit) + " … " + signed(high, unit)
}

func probability(p *float64) string {
	switch {
	case p == nil:
		return "-"
	case *p < 0.0001:
		return "< 0.0001"
	}
	return strconv.FormatFloat(*p, 'f', 4, 64)
}

// digits prints four significant digits without an exponent.
func digits(x float64) string {
	if x == 0 {
		return "0"
	}
	decimals := max(0, 3-int(math.Floor(math.Log10(math.Abs(x)))))
	return strconv.FormatFloat(x, 'f', decimals, 64)
}
