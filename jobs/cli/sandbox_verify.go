package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/faults"
	"crosslift/connectors/sandbox/world"
	"crosslift/jobs"
	"crosslift/jobs/run"
	"crosslift/jobs/verify"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

func (a *app) sandboxVerifyCommand() *cobra.Command {
	var p population
	var dir, only string
	c := &cobra.Command{
		Use: "verify", Short: "Run the whole pipeline on a fresh world, and compare each stage with the truth", Args: cobra.NoArgs,
		Long: `Generate a world, serve its sources, install a project from their history, run the last nights one by one as they
come, and compare what was made with what is true. Exit code 1 when a comparison is not as it should be.`,
		Example: "  crosslift sandbox verify --seed 7 --people 2000 --nights 40\n  crosslift sandbox verify --people 500 --nights 12 --faults all --stage extract --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, f, err := p.options(a.now())
			if err != nil {
				return err
			}
			if only != "" && !slices.Contains(verify.Stages, only) {
				return usageError{fmt.Errorf("--stage %q: %s", only, strictyaml.Suggest(only, verify.Stages))}
			}
			return a.verifySandbox(cmd.Context(), dir, only, o, f)
		},
	}
	p.flags(c, 1000, 30, defaultFirst)
	c.Flags().StringVar(&dir, "dir", "", "a new folder for the world and the project, which stays; without it, a temporary one")
	c.Flags().StringVar(&only, "stage", "", "compare this stage only: "+strings.Join(verify.Stages, ", "))
	return c
}

// followed is how many nights are run one by one, after the installation from history.
const followed = 5

func (a *app) verifySandbox(ctx context.Context, dir, only string, o world.Options, f faults.Options) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "crosslift-verify-"); err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		return usageError{fmt.Errorf("--dir %s is not empty: a world is verified from its beginning", dir)}
	}
	began := time.Now()
	tell := func(format string, args ...any) {
		fmt.Fprintf(a.stderr, "%5.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	tell("generating the world of seed %d: %s people, %d nights from %s", o.Seed, count(int64(o.People)), o.Nights, o.First)
	w, err := makeWorld(ctx, filepath.Join(dir, stageWorld), o)
	if err != nil {
		return err
	}
	// What the pipeline says is a part of what it writes: it is searched too.
	log, err := os.Create(filepath.Join(dir, "log.txt"))
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer log.Close()
	quiet := *a
	quiet.stdout, quiet.stderr, quiet.verbose = log, log, true
	if err := quiet.openLog(); err != nil {
		return err
	}
	last := o.First + table.Day(o.Nights) - 1
	history := max(o.First, last-followed)
	s, err := quiet.setStage(ctx, dir, w, history, sandbox.Options{Faults: f})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	tell("installing from history: %s to %s", o.First, history)
	if err := quiet.extractedAll(ctx, run.Request{From: o.First, To: history}); err != nil {
		return err
	}
	for day := history + 1; day <= last; day++ {
		tell("the night of %s", day)
		if err := s.night(ctx, day); err != nil {
			return err
		}
		if err := quiet.extractedAll(ctx, run.Request{From: day, To: day, Heal: true}); err != nil {
			return err
		}
	}
	tell("comparing with the truth")
	checks, err := s.compare(ctx, only, o.First, history, last)
	if err != nil {
		return err
	}
	return a.printChecks(checks)
}

// tries is how often a night that failed is run again, as an operator would.
const tries = 3

// extractedAll runs a request until every source has been read.
func (a *app) extractedAll(ctx context.Context, q run.Request) error {
	for try := 1; ; try++ {
		err := a.extracted(ctx, q)
		if err == nil || ctx.Err() != nil || try == tries || jobs.ExitCode(err) != jobs.ExitSource {
			return err
		}
		a.log.Warn("trying again", "error", err)
	}
}

// extracted runs a request, and gives the first error of an extract. That an experiment has nothing to publish yet is no
// fault of the sources.
func (a *app) extracted(ctx context.Context, q run.Request) (err error) {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	progress := newProgress(a)
	runner := s.runner(nil, progress.event)
	plan, err := runner.Plan(ctx, q)
	if err != nil {
		return err
	}
	results, _, err := s.make(ctx, runner, plan, []string{"crosslift sandbox verify"})
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Err == nil {
			continue
		}
		fmt.Fprintln(a.stderr, oneLine(r.Err))
		if job := r.Verdict.Task.Job; !job.Night() && r.Outcome == run.Failed && err == nil {
			err = r.Err
		}
	}
	return err
}

// compare holds the project's lake against the truth of the stage's world. The nights up to history were installed.
func (s *stage) compare(ctx context.Context, only string, from, history, to table.Day) (checks []verify.Check, err error) {
	p, err := s.app.load()
	if err != nil {
		return nil, err
	}
	session := &session{app: s.app, project: p}
	defer func() { err = errors.Join(err, session.close(ctx)) }()
	if session.lake, err = s.app.openLake(ctx, p); err != nil {
		return nil, err
	}
	if err := session.openSources(ctx); err != nil {
		return nil, err
	}
	in := verify.Input{
		World: s.world, Lake: session.lake, Zone: p.Zone, Key: session.key, Stripe: p.Sources.Payments.Account, At: s.app.now(), From: from, To: to, History: sandbox.Night(history, p.Zone),
		Written: []string{
			p.Lake.Folder, clusterFolder(p), filepath.Join(state(p), "journals"), filepath.Join(state(p), "sums.json"),
			filepath.Join(state(p), "tmp"), filepath.Join(s.dir, "log.txt"),
		},
	}
	for _, name := range verify.Stages {
		if only != "" && name != only {
			continue
		}
		of, err := verify.Stage(ctx, name, in)
		if err != nil {
			return nil, fmt.Errorf("verify: %s: %w", name, err)
		}
		checks = append(checks, of...)
	}
	return checks, nil
}

// printChecks shows comparisons, and fails when one is not as it should be.
func (a *app) printChecks(checks []verify.Check) error {
	rows, wrong := checkRows(checks)
	if err := a.print([]string{"", "stage", "what", "value", "expected", "of"}, rows, struct {
		Checks []verify.Check `json:"checks"`
	}{checks}); err != nil {
		return err
	}
	if wrong > 0 {
		fmt.Fprintf(a.stderr, "crosslift: %d of %d comparisons are not as they should be\n", wrong, len(checks))
		return &silentError{jobs.ExitFailed}
	}
	return nil
}

// checkRows are comparisons as rows of a table, and how many are not as they should be.
func checkRows(checks []verify.Check) (rows [][]string, wrong int) {
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	for _, c := range checks {
		tick := "✓"
		if !c.OK {
			tick = "✗"
			wrong++
		}
		rows = append(rows, []string{tick, c.Stage, c.Name, number(c.Value), c.Op + " " + number(c.Limit), count(c.N)})
	}
	return rows, wrong
}
