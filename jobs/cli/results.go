package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/warehouse/postgres"
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
	if s.app.output == "json" {
		return s.app.print(nil, nil, rows)
	}
	if len(rows) == 0 {
		fmt.Fprintln(s.app.stdout, "Nothing has been published yet.")
	}
	for len(rows) > 0 {
		one := rows[:1]
		for len(one) < len(rows) && rows[len(one)].Experiment == rows[0].Experiment {
			one = rows[:len(one)+1]
		}
		if err := s.app.printExperiment(one); err != nil {
			return err
		}
		if rows = rows[len(one):]; len(rows) > 0 {
			fmt.Fprintln(s.app.stdout)
		}
	}
	return nil
}

// printExperiment shows the rows of one experiment.
func (a *app) printExperiment(rows []postgres.Result) error {
	r := rows[0]
	fmt.Fprintf(a.stdout, "%s as of %s, revision %d; intervals at %.4g %%; sample ratio p = %s\n\n",
		r.Experiment, r.AsOf, r.Revision, 100*(1-r.Alpha), probability(r.SRMP))
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{
			r.Metric, r.Variant, count(r.N), count(r.Matured), number(r.Mean, percent(r.ValueUnit)), unit(r.ValueUnit),
			difference(r.DiffAbs, r.ValueUnit), interval(r.DiffAbsLow, r.DiffAbsHigh, r.ValueUnit),
			signed(r.DiffRel, true), span(r.DiffRelLow, r.DiffRelHigh, func(x *float64) string { return signed(x, true) }),
			probability(r.PValue),
		}
	}
	return a.print([]string{"metric", "variant", "units", "matured", "mean", "in", "difference", "interval", "relative", "interval", "p"}, cells, rows)
}

// share is the unit of proportions: shown in percent, their differences in percentage points.
const share = "share"

func percent(unit string) bool { return unit == share }

func unit(name string) string {
	if name == share {
		return "of units"
	}
	return name
}

// number prints a value to four significant digits.
func number(x *float64, percent bool) string {
	if x == nil {
		return "-"
	}
	if percent {
		return digits(100*(*x)) + " %"
	}
	return digits(*x)
}

func signed(x *float64, percent bool) string {
	text := number(x, percent)
	if x != nil && *x >= 0 {
		return "+" + text
	}
	return text
}

// difference prints a difference of means: of shares, in percentage points.
func difference(x *float64, unit string) string {
	return strings.Replace(signed(x, percent(unit)), " %", " pp", 1)
}

func interval(low, high *float64, unit string) string {
	return span(low, high, func(x *float64) string { return difference(x, unit) })
}

func span(low, high *float64, end func(*float64) string) string {
	if low == nil && high == nil {
		return "-"
	}
	return end(low) + " … " + end(high)
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
