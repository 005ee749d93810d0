package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/strictyaml"
)

// checkJSON is a line of `check`.
type checkJSON struct {
	Of      string `json:"of"` // lake, warehouse, or a source
	What    string `json:"what"`
	OK      bool   `json:"ok"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check [SOURCE]", Short: "Try everything that a night will need, and say what to do about the rest", Args: cobra.MaximumNArgs(1),
		Long: `Try the lake, the warehouse and every source, or one of them: credentials, permissions, clocks, and one page of each
stream against its contract. Nothing is extracted. Exit code 14 when something is not as it should be.`,
		Example: "  crosslift check\n  crosslift check payments --output json",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			s := &session{app: a, project: p}
			return s.check(cmd.Context(), strings.Join(args, ""))
		},
	}
}

// checked is a part of the project that can be tried.
type checked struct {
	name  string
	check func(context.Context) []connectors.Finding
}

// patience is for how long a part may be tried: a night would try longer.
const patience = 20 * time.Second

// within tries a part for as long as anybody waits for an answer.
func (c checked) within(ctx context.Context) []connectors.Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	findings := c.check(ctx)
	for i, f := range findings {
		last := i == len(findings)-1 && f.Problem != nil && ctx.Err() != nil // what it was at when time ran out
		if last || errors.Is(f.Problem, context.DeadlineExceeded) {
			findings[i].Problem = fmt.Errorf("no good answer within %s", patience)
		}
	}
	return findings
}

func (s *session) check(ctx context.Context, only string) (err error) {
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.openSources(ctx); err != nil {
		return err
	}
	parts := []checked{{"lake", s.checkLake}, {"warehouse", s.checkWarehouse}}
	if s.files != nil {
		parts = append(parts, checked{s.files.Name(), s.files.Check})
	}
	for _, source := range s.sources {
		parts = append(parts, checked{source.Name(), source.Check})
	}
	var names []string
	for _, part := range parts {
		names = append(names, part.name)
	}
	if only != "" && !slices.Contains(names, only) {
		return usageError{fmt.Errorf("nothing is named %q: %s", only, strictyaml.Suggest(only, names))}
	}
	var rows [][]string
	values, wrong := []checkJSON{}, 0
	for _, part := range parts {
		if only != "" && part.name != only {
			continue
		}
		for _, f := range part.within(ctx) {
			v, tick := checkJSON{Of: part.name, What: f.What, OK: f.Problem == nil}, "✓"
			if f.Problem != nil {
				v.Problem, v.Remedy, tick = oneLine(f.Problem), f.Remedy, "✗"
				wrong++
			}
			values = append(values, v)
			rows = append(rows, []string{tick, v.Of, v.What, strings.TrimSuffix(v.Problem+"; "+v.Remedy, "; ")})
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := s.app.print([]string{"", "of", "what", "problem, and what to do"}, rows, values); err != nil {
		return err
	}
	if wrong > 0 {
		fmt.Fprintf(s.app.stderr, "crosslift: %d of %d things are not as a night needs them\n", wrong, len(values))
		return &silentError{jobs.ExitSource}
	}
	return nil
}

func (s *session) checkLake(ctx context.Context) []connectors.Finding {
	f := connectors.Finding{What: "conditional writes"}
	if s.lake, f.Problem = s.app.openLake(ctx, s.project); f.Problem == nil {
		f.What += " to " + s.lake.String()
		f.Problem = s.lake.Probe(ctx)
	}
	if f.Problem != nil {
		f.Remedy = "check lake in crosslift.yaml"
	}
	return []connectors.Finding{f}
}

func (s *session) checkWarehouse(ctx context.Context) []connectors.Finding {
	f := connectors.Finding{What: "connection and migrations"}
	if f.Problem = s.openWarehouse(ctx); f.Problem != nil {
		f.Remedy = "check warehouse in crosslift.yaml"
	}
	return []connectors.Finding{f}
}
