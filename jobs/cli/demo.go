package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/run"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres"
)

// The demo's world. The seed is fixed, so that everybody sees the same numbers.
const (
	demoSeed       = 3
	demoPeople     = 20_000
	demoNights     = 45
	demoExperiment = "cashback_99"
	demoFollowed   = 2 // nights that are run one by one
)

func (a *app) demoCommand() *cobra.Command {
	var people int
	c := &cobra.Command{
		Use: "demo [FOLDER]", Short: "Run the whole pipeline on the sandbox, and compare the result with the injected truth",
		Long: `Generate a population in FOLDER (default: demo), serve it as the sources of a company would, install a project from
their history into a folder lake and a private Postgres, run the last nights as they come, and show each interval beside
the effect that was injected. Run again, it finds everything current.`,
		Example: "  crosslift demo\n  crosslift demo /data/try --people 5000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "demo"
			if len(args) == 1 {
				dir = args[0]
			}
			return a.demo(cmd.Context(), dir, people)
		},
	}
	c.Flags().IntVar(&people, "people", demoPeople, "how many people there are")
	return c
}

func (a *app) demo(ctx context.Context, dir string, people int) (err error) {
	first, err := table.ParseDay(defaultFirst)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(sandboxZone)
	if err != nil {
		return err
	}
	o := world.Options{Seed: demoSeed, People: people, Nights: demoNights, First: first, Zone: zone, AssignedBy: "account"}
	a.say("A world of %s people and %d nights from %s: what they do, and what a bank, web analytics, a CRM, a payment system and\nthe product's database come to know of it. Seed %d, in %s",
		count(int64(people)), demoNights, first, demoSeed, filepath.Join(dir, stageWorld))
	w, err := makeWorld(ctx, filepath.Join(dir, stageWorld), o)
	if err != nil {
		return err
	}
	last := first + demoNights - 1
	history := last - demoFollowed
	_, missing := os.Stat(filepath.Join(dir, "lake"))
	if missing == nil {
		history = last // it has been run before
	}
	stage, err := a.setStage(ctx, dir, w, history, sandbox.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close(ctx)) }()
	a.say("\n$ crosslift --config %s backfill --from %s --to %s", a.config, first, history)
	if err := a.execute(ctx, selection{request: run.Request{From: first, To: history}}, "crosslift demo"); err != nil {
		return err
	}
	for night := history + 1; night <= last; night++ {
		a.say("\n$ crosslift --config %s run --day %s", a.config, night)
		if err := stage.night(ctx, night); err != nil {
			return err
		}
		if err := a.execute(ctx, selection{request: run.Request{From: night, To: night, Heal: true}}, "crosslift demo"); err != nil {
			return err
		}
	}
	if err := a.demoIdentity(ctx, stage, first, history, last); err != nil {
		return err
	}
	if err := a.demoFacts(ctx, stage, first, history, last); err != nil {
		return err
	}
	return a.demoResults(ctx, w)
}

// demoIdentity shows who is said to be one person beside who is, and beside what simpler ways make of the same observations.
func (a *app) demoIdentity(ctx context.Context, stage *stage, first, history, last table.Day) error {
	checks, err := stage.compare(ctx, "identity", first, history, last)
	if err != nil {
		return err
	}
	var cells [][]string
	for _, c := range checks {
		cells = append(cells, []string{c.Name, strconv.FormatFloat(c.Value, 'f', 3, 64), count(c.N)})
	}
	if a.output == "json" {
		return nil
	}
	a.say("\nWho is one person, held against the truth; \"the world\" is what simpler ways make of the same observations:")
	return writeTable(a.stdout, []string{"share, or number", "value", "of"}, cells)
}

// demoResults shows what was found beside what is true.
func (a *app) demoResults(ctx context.Context, w *world.World) (err error) {
	p, err := a.load()
	if err != nil {
		return err
	}
	s := &session{app: a, project: p}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.openWarehouse(ctx); err != nil {
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
	truth, err := world.ReadEffects(w.Dir())
	if err != nil {
		return err
	}
	units, err := world.ReadExposures(w.Dir())
	if err != nil {
		return err
	}
	if a.output == "json" {
		return nil
	}
	if err := a.demoFunnel(rows); err != nil {
		return err
	}
	if err := a.compare(rows, truth); err != nil {
		return err
	}
	return a.whereNext(units[0].Account)
}

// say prints a line of the demo's story; with --output json it goes to standard error.
func (a *app) say(format string, args ...any) {
	out := a.stdout
	if a.output == "json" {
		out = a.stderr
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// compare shows each interval beside the effect that was injected.
func (a *app) compare(rows []postgres.Result, truth []world.TrueEffect) error {
	effects := map[string]world.TrueEffect{}
	for _, e := range truth {
		effects[e.Metric] = e
	}
	var cells [][]string
	covered, all := 0, 0
	for _, r := range rows {
		effect, ok := effects[r.Metric]
		if !ok || r.DiffAbsLow == nil || r.DiffAbsHigh == nil {
			continue
		}
		all++
		inside := "no"
		if *r.DiffAbsLow <= effect.Effect && effect.Effect <= *r.DiffAbsHigh {
			covered++
			inside = "yes"
		}
		cells = append(cells, []string{r.Metric, difference(&effect.Effect, r.ValueUnit), interval(r.DiffAbsLow, r.DiffAbsHigh, r.ValueUnit), inside})
	}
	a.say("\nThe effects that the world was made with, and the intervals found:")
	if err := writeTable(a.stdout, []string{"metric", "injected", "interval", "covered"}, cells); err != nil {
		return err
	}
	a.say("%d of %d intervals cover the injected effect.", covered, all)
	return nil
}

// whereNext names what to look at in the demo's project; account is one of its accounts.
func (a *app) whereNext(account string) error {
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
  cd %s        # the project: experiments, metrics, and crosslift.yaml with its sources
  %[2]s lake ls          # the Parquet partitions; any engine reads them as they are
  %[2]s lake cat raw/source_total --limit 20       # what the sources say they have, and what landed
  %[2]s identity show account:%[3]s       # whose devices and addresses are one profile, since when and why
  %[2]s lake cat core/exposure_quality       # who was exposed, linked, and met several variants
  %[2]s metrics sql revenue --experiment cashback_99        # a metric as a query for DuckDB over the lake
  %[2]s facts export --experiment cashback_99 --out units.parquet       # a row a unit, for notebooks
  %[2]s warehouse start  # leaves the private Postgres running for
  psql "$(%[2]s warehouse url)" -c 'SELECT * FROM bi.experiment_results_latest'
  %[2]s sandbox serve --dir . --world world    # the sources, for crosslift check, run and extract`, root, self, account)
	return nil
}
