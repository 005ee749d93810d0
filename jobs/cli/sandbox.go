package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/faults"
	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// population are the flags that say which world to generate.
type population struct {
	seed   uint64
	people int
	nights int
	first  string
	by     string
	faults []string
}

// defaultFirst is a world's first day, where its nights need not lie near the present.
const defaultFirst = "2026-09-01"

func (p *population) flags(c *cobra.Command, people, nights int, first string) {
	f := c.Flags()
	says := "the first of these days"
	if first == "" {
		says += "; without it, the last one has just ended"
	}
	f.Uint64Var(&p.seed, "seed", 1, "the same seed gives the same world, to the byte")
	f.IntVar(&p.people, "people", people, "how many people there are")
	f.IntVar(&p.nights, "nights", nights, "how many business days they live through")
	f.StringVar(&p.first, "first", first, says)
	f.StringVar(&p.by, "assigned-by", "account", "account or device: what the experiment's variants are drawn by")
	f.StringSliceVar(&p.faults, "faults", nil, "what goes wrong: "+strings.Join(sandbox.FaultNames, ", ")+", or all")
}

// sandboxZone cuts the business's days.
const sandboxZone = "Europe/Moscow"

// options are the world's, and the servers' faults.
func (p *population) options(now time.Time) (o world.Options, f faults.Options, err error) {
	zone, err := time.LoadLocation(sandboxZone)
	if err != nil {
		return o, f, err
	}
	first := lastNight(now, zone) - table.Day(p.nights) + 1
	if p.first != "" {
		if first, err = table.ParseDay(p.first); err != nil {
			return o, f, usageError{fmt.Errorf("--first %w", err)}
		}
	}
	on := map[string]bool{}
	for _, name := range p.faults {
		switch {
		case name == "all":
			for _, name := range sandbox.FaultNames {
				on[name] = true
			}
		case name == "none":
		case !slices.Contains(sandbox.FaultNames, name):
			return o, f, usageError{fmt.Errorf("--faults %q: expected some of %s, or all", name, strings.Join(sandbox.FaultNames, ", "))}
		default:
			on[name] = true
		}
	}
	o = world.Options{Seed: p.seed, People: p.people, Nights: p.nights, First: first, Zone: zone, AssignedBy: p.by}
	o.Faults, f = sandbox.Faults(p.seed, func(name string) bool { return on[name] })
	if on["restated"] {
		o.Late = 0.1
	}
	return o, f, nil
}

// lastNight is the last business day whose night has come: yesterday or, before the sources have exported it, the day
// before.
func lastNight(now time.Time, zone *time.Location) table.Day {
	day := table.DayOf(now, zone) - 1
	if sandbox.Night(day, zone).After(now) {
		day--
	}
	return day
}

// adopt takes from a world that is there whatever the flags do not say.
func (p *population) adopt(given func(flag string) bool, about world.About) {
	if !given("seed") {
		p.seed = about.Seed
	}
	if !given("people") {
		p.people = about.People
	}
	if !given("nights") {
		p.nights = about.Nights
	}
	if !given("first") {
		p.first = about.First.String()
	}
	if !given("assigned-by") {
		p.by = about.AssignedBy
	}
}

func (a *app) sandboxCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "sandbox", Short: "All sources as local servers over a generated population whose truth is known",
		Example: "  crosslift sandbox serve\n  crosslift sandbox verify --people 2000 --nights 40",
	}
	c.AddCommand(a.sandboxServeCommand(), a.sandboxTruthCommand(), a.sandboxVerifyCommand())
	return c
}

func (a *app) sandboxServeCommand() *cobra.Command {
	var p population
	var dir, worldDir, night string
	var port int
	c := &cobra.Command{
		Use: "serve", Short: "Serve the sources of a world, beside a project that reads them", Args: cobra.NoArgs,
		Long: `Generate a world whose last night is the present one, or take one that is there, also an edited one, and serve its
sources on this machine as they are on the morning after a night, until interrupted. The folder gets a project whose
crosslift.yaml reads them: run it from another terminal. The product's own database is a private Postgres.

A world that the folder holds already is served again: flags that say otherwise are an error.`,
		Example: `  crosslift sandbox serve --dir play --people 5000 --nights 40
  crosslift --config play/crosslift.yaml check     # in another terminal
  crosslift sandbox serve --dir play --world edited --night 2026-10-01 --faults limits,cut`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.servedWorld(cmd, &p, dir, worldDir)
			if err != nil {
				return err
			}
			_, f, err := p.options(a.now())
			if err != nil {
				return err
			}
			return a.serveSandbox(cmd.Context(), dir, w, night, port, f)
		},
	}
	p.flags(c, 2000, 45, "")
	c.Flags().StringVar(&dir, "dir", "sandbox", "the folder of the project")
	c.Flags().StringVar(&worldDir, "world", "", "serve the world in this folder instead of generating one")
	c.Flags().StringVar(&night, "night", "", "the last business day that has ended; without it, the world's last")
	c.Flags().IntVar(&port, "port", 0, "of the first server, the others follow; without it, any that are free")
	return c
}

// servedWorld opens the world in a folder, or the project's, which it generates if it is not there.
func (a *app) servedWorld(cmd *cobra.Command, p *population, dir, worldDir string) (*world.World, error) {
	if worldDir != "" {
		return world.Open(worldDir)
	}
	worldDir = filepath.Join(dir, stageWorld)
	if _, missing := os.Lstat(worldDir); missing == nil {
		w, err := world.Open(worldDir)
		if err != nil {
			return nil, err
		}
		p.adopt(cmd.Flags().Changed, w.About())
	}
	o, _, err := p.options(a.now())
	if err != nil {
		return nil, err
	}
	return makeWorld(cmd.Context(), worldDir, o)
}

func (a *app) serveSandbox(ctx context.Context, dir string, w *world.World, night string, port int, f faults.Options) (err error) {
	about := w.About()
	end := about.First + table.Day(about.Nights) - 1
	last := end
	if night != "" {
		if last, err = dayFlag("night", night); err != nil {
			return err
		}
		if last < about.First || last > end {
			return usageError{fmt.Errorf("--night %s: the world's nights are %s to %s", last, about.First, end)}
		}
	}
	now := a.now()
	s, err := a.setStage(ctx, dir, w, last, sandbox.Options{Faults: f, Port: port, Wall: a.now, Edited: true})
	if err != nil {
		return err
	}
	defer func() {
		if closed := s.close(ctx); err == nil {
			err = closed
		}
	}()
	fmt.Fprintf(a.stdout, "The world in %s: seed %d, %s people, %d nights from %s to %s, assigned by %s.\nIt is the morning after %s, in %s. The sources:\n",
		w.Dir(), about.Seed, count(int64(about.People)), about.Nights, about.First, end, about.AssignedBy, last, about.Zone)
	rows := [][]string{
		{"payments", s.server.Stripe, "Stripe"}, {"ga", s.server.BigQuery, "GA4 export in BigQuery"}, {"crm", s.server.HubSpot, "HubSpot"},
		{"bank", s.server.Bank, "Open Banking, and cashback accruals"}, {"productdb, assignment", "a private Postgres", "the product's tables"},
		{"files", filepath.Join(dir, "data", "rates.csv"), "rates of currencies"},
	}
	if err := writeTable(a.stdout, []string{"source", "at", "is"}, rows); err != nil {
		return err
	}
	zone, err := time.LoadLocation(about.Zone)
	if err != nil {
		return err
	}
	if past := lastNight(now, zone) - last; past > 0 {
		fmt.Fprintf(a.stdout, "\nThat morning was %d days ago: to who reads now, Stripe has forgotten the changes of more than 30 days ago.\n", past)
	}
	fmt.Fprintf(a.stdout, "\nIn another terminal:\n  crosslift --config %[1]s check\n  crosslift --config %[1]s backfill --from %[2]s --to %[3]s\n\nCtrl-C ends it.\n",
		filepath.Join(dir, "crosslift.yaml"), about.First, last)
	<-ctx.Done()
	return nil
}

func (a *app) sandboxTruthCommand() *cobra.Command {
	var p population
	var worldDir, out string
	c := &cobra.Command{
		Use: "truth", Short: "Write the truth of a world as Parquet", Args: cobra.NoArgs,
		Long: `Write what is true of a world, before its sources get it wrong: node (who used which identifier when), exposure (units
with what they would have done under either arm), subscription, payment, accrual, effect, planted (personal data that no
output may hold) and damaged (records made unreadable).`,
		Example: "  crosslift sandbox truth --seed 7 --people 5000 --nights 40 --out truth\n  crosslift sandbox truth --world play/world --out truth",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{fmt.Errorf("--out is required: a folder")}
			}
			dir := worldDir
			if dir == "" {
				o, _, err := p.options(a.now())
				if err != nil {
					return err
				}
				temp, err := os.MkdirTemp(filepath.Dir(filepath.Clean(out)), ".crosslift-world-*")
				if err != nil {
					return fmt.Errorf("truth: %w", err)
				}
				defer os.RemoveAll(temp)
				dir = filepath.Join(temp, stageWorld)
				if _, err := makeWorld(cmd.Context(), dir, o); err != nil {
					return err
				}
			}
			return a.copyTruth(filepath.Join(dir, "truth"), out)
		},
	}
	p.flags(c, 2000, 45, defaultFirst)
	c.Flags().StringVar(&worldDir, "world", "", "of the world in this folder")
	c.Flags().StringVar(&out, "out", "", "the folder to write to (required)")
	return c
}

// copyTruth copies the tables of the truth.
func (a *app) copyTruth(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.parquet"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("truth: %s holds none: is it a world?", from)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	var rows [][]string
	var values []map[string]any
	for _, path := range files {
		n, err := copyFile(path, filepath.Join(to, filepath.Base(path)))
		if err != nil {
			return fmt.Errorf("truth: %w", err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".parquet")
		rows = append(rows, []string{name, filepath.Join(to, filepath.Base(path)), count(n)})
		values = append(values, map[string]any{"table": name, "file": filepath.Join(to, filepath.Base(path)), "bytes": n})
	}
	return a.print([]string{"table", "file", "bytes"}, rows, values)
}

func copyFile(from, to string) (n int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	if n, err = io.Copy(out, in); err != nil {
		out.Close()
		return n, err
	}
	return n, out.Close()
}
