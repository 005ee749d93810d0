package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"crosslift/connectors/sandbox"
	"crosslift/jobs/config"
	"crosslift/jobs/run"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres"
)

// The demo's world. The seed is fixed, so that everybody sees the same numbers.
const (
	demoSeed       = 99
	demoUsers      = 300_000
	demoDays       = 42
	demoExperiment = "cashback_99"
)

var demoFirst = mustDay("2026-09-01")

func mustDay(s string) table.Day {
	d, err := table.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

func (a *app) demoCommand() *cobra.Command {
	var users int
	c := &cobra.Command{
		Use: "demo [FOLDER]", Short: "Run the whole pipeline on generated input, and compare the result with the injected truth",
		Long: `Make a starter project in FOLDER (default: demo), generate its input files with a seeded generator that injects a known
effect, run the pipeline into a folder lake and a private Postgres, and show each interval beside the truth. Run again,
it finds everything current.`,
		Example: "  crosslift demo\n  crosslift demo /data/try --users 20000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "demo"
			if len(args) == 1 {
				dir = args[0]
			}
			return a.demo(cmd.Context(), dir, users)
		},
	}
	c.Flags().IntVar(&users, "users", demoUsers, "how many users meet the offer")
	return c
}

func (a *app) demo(ctx context.Context, dir string, users int) (err error) {
	a.config = filepath.Join(dir, "crosslift.yaml")
	if _, err := os.Stat(a.config); errors.Is(err, fs.ErrNotExist) {
		a.say("$ crosslift init %s", dir)
		if _, err := config.Init(dir, rand.Reader); err != nil {
			return err
		}
	}
	p, err := a.load()
	if err != nil {
		return err
	}
	truth, err := a.generate(ctx, p, users)
	if err != nil {
		return err
	}
	last := demoFirst + demoDays - 1
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	a.say("\n$ crosslift --config %s backfill --from %s --to %s", a.config, demoFirst, last)
	if err := s.execute(ctx, selection{request: run.Request{From: demoFirst, To: last}}, "crosslift demo"); err != nil {
		return err
	}
	a.say("\n$ crosslift --config %s results %s", a.config, demoExperiment)
	if err := s.results(ctx, demoExperiment); err != nil {
		return err
	}
	rows, err := s.db.Results(ctx, demoExperiment)
	if err != nil {
		return err
	}
	return a.compare(rows, truth)
}

// say prints a line of the demo's story; with --output json it goes to standard error.
func (a *app) say(format string, args ...any) {
	out := a.stdout
	if a.output == "json" {
		out = a.stderr
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// generate writes the input files, unless the same ones are there.
func (a *app) generate(ctx context.Context, p *config.Project, users int) (sandbox.Truth, error) {
	root := p.Files.Root.Folder
	o := sandbox.Options{Seed: demoSeed, Users: users, Days: demoDays, First: demoFirst, Zone: p.Zone}
	if truth, ok := generated(filepath.Join(root, "truth.json"), o); ok {
		a.say("The generated input in %s is there.", root)
		return truth, nil
	}
	a.say("Generating what %s users did from %s on: seed %d, one injected effect a metric, into %s", count(int64(users)), demoFirst, demoSeed, root)
	if terminal(a.stderr) {
		b := bar(a.stderr, 100, "generating")
		o.Progress = func(done, total int) { _ = b.Set(100 * done / max(total, 1)) }
		defer func() { _ = b.Clear() }()
	}
	return sandbox.Generate(ctx, root, o)
}

// generated reads the truth of input files that these options have made.
func generated(path string, o sandbox.Options) (truth sandbox.Truth, ok bool) {
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &truth) != nil {
		return truth, false
	}
	return truth, truth.Seed == o.Seed && truth.Users == o.Users && truth.Days == o.Days && truth.First == o.First
}

// compare shows each interval beside the effect that was injected.
func (a *app) compare(rows []postgres.Result, truth sandbox.Truth) error {
	var cells [][]string
	covered, all := 0, 0
	for _, r := range rows {
		effect, ok := truth.Metrics[r.Metric]
		if !ok || r.DiffAbsLow == nil || r.DiffAbsHigh == nil {
			continue
		}
		all++
		injected, inside := effect.Treatment-effect.Control, "no"
		if *r.DiffAbsLow <= injected && injected <= *r.DiffAbsHigh {
			covered++
			inside = "yes"
		}
		cells = append(cells, []string{r.Metric, difference(&injected, r.ValueUnit), interval(r.DiffAbsLow, r.DiffAbsHigh, r.ValueUnit), inside})
	}
	if a.output == "json" {
		return nil
	}
	a.say("\nThe effects that the generator injected, and the intervals found:")
	if err := writeTable(a.stdout, []string{"metric", "injected", "interval", "covered"}, cells); err != nil {
		return err
	}
	a.say("%d of %d intervals cover the injected effect.", covered, all)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	root, err := filepath.Abs(filepath.Dir(a.config))
	if err != nil {
		return err
	}
	a.say(`
Where to look next:
  cd %s        # experiments, metrics and mappings, to play with
  %[2]s status           # what is current, and what would be made again
  %[2]s lake ls          # the Parquet partitions; any engine reads them as they are
  %[2]s warehouse start  # leaves the private Postgres running for
  psql "$(%[2]s warehouse url)" -c 'SELECT * FROM bi.experiment_results_latest'`, root, self)
	if covered < all {
		return fmt.Errorf("demo: %d of %d intervals miss the injected effect", all-covered, all)
	}
	return nil
}
