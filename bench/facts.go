package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	_ "embed"

	"crosslift/bench/facts"
)

//go:embed facts.py
var factsScript []byte

// measureFacts makes the facts of experiments beside DuckDB, and prints what each took. The viewing is made once and kept in .bin.
func measureFacts(ctx context.Context, dir string) error {
	views, err := numbers("CROSSLIFT_BENCH_VIEWS", "20000000")
	if err != nil {
		return err
	}
	line, err := numbers("CROSSLIFT_BENCH_LINE", "2000000,20000000")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &factsBench{self: self, python: os.Getenv("CROSSLIFT_PEERS"), out: dir}
	if b.script, err = filepath.Abs(filepath.Join(dir, "facts.py")); err != nil {
		return err
	}
	if err := os.WriteFile(b.script, factsScript, 0o600); err != nil {
		return err
	}
	if b.python == "" {
		fmt.Println("no Python with duckdb: the comparison with it is left out (.ci/peers prints one where it can be had)")
	}
	world, err := b.world(ctx, views[0], factsDays)
	if err != nil {
		return err
	}
	for _, s := range []scenario{
		{"one metric of one experiment", 1, facts.One, ""},
		{"five metrics of three experiments", 3, facts.Five, ""},
		{"distinct titles of one experiment", 1, facts.Distinct, ",title"},
	} {
		if err := b.compare(ctx, world, s); err != nil {
			return err
		}
	}
	if err := b.line(ctx, line); err != nil || os.Getenv("CROSSLIFT_BENCH_REBUILD") == "" {
		return err
	}
	rebuilt, err := numbers("CROSSLIFT_BENCH_REBUILD", "")
	if err != nil {
		return err
	}
	return b.rebuild(ctx, rebuilt[0])
}

// factsDays is how many days the viewing lasts, and factsDevices how many devices there are; half of them are watched on.
const (
	factsDays    = 30
	factsDevices = 3_000_000
)

// factsBench is a run of all ways.
type factsBench struct{ self, python, script, out string }

// scenario is what is computed.
type scenario struct {
	name        string
	experiments int
	metrics     string // with commas between them
	more        string // columns of events besides those that every scenario reads
}

// world makes a cinema's viewing, unless it is there, and what DuckDB takes ready-made.
func (b *factsBench) world(ctx context.Context, views, days int) (string, error) {
	dir, err := filepath.Abs(filepath.Join(".bin", fmt.Sprintf("views-%d-%d", views, days)))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if _, err := measured(ctx, nil, b.self, "write-views", dir, strconv.Itoa(views), strconv.Itoa(days), strconv.Itoa(factsDevices)); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// rounds is how often each way runs, in turn; its shortest time counts.
const rounds = 3

// compare holds our facts against DuckDB's, and then lets every way make them for their time.
func (b *factsBench) compare(ctx context.Context, world string, s scenario) error {
	n := strconv.Itoa(s.experiments)
	if b.python != "" {
		if err := b.same(ctx, world, n, s.metrics); err != nil {
			return err
		}
	}
	columns := "account,device,viewed_at,seconds" + s.more
	ways := []*way{
		{name: "pages of the events, unused", command: []string{b.self, "read-pages", world, columns, "0"}},
		{name: "and those of units and timeline", command: []string{b.self, "read-pages", world, columns, n}},
		{name: "crosslift", command: []string{b.self, "make-facts", world, n, s.metrics}},
		{name: "of it, without any event", command: []string{b.self, "make-zeros", world, n, s.metrics}},
	}
	if b.python != "" {
		ways = append(ways, &way{name: "DuckDB", command: []string{b.python, b.script, "run", world, n, s.metrics}})
	}
	for range rounds {
		for _, w := range ways {
			if err := w.run(ctx); err != nil {
				return err
			}
		}
	}
	floor, ours := ways[0], ways[2]
	fmt.Printf("\n%s: %d facts of %d events\n", s.name, ours.said.Facts, ours.said.Rows)
	const form = "%-32s %10s %10s %12s %14s %11s\n"
	fmt.Printf(form, "way", "wall", "CPU", "peak memory", "times pages", "times ours")
	for _, w := range ways {
		fmt.Printf(form, w.name, fmt.Sprintf("%.2f s", w.said.Seconds), fmt.Sprintf("%.2f s", w.said.CPU), mb(w.peak),
			fmt.Sprintf("%.2f×", w.said.Seconds/floor.said.Seconds), fmt.Sprintf("%.2f×", w.said.Seconds/ours.said.Seconds))
	}
	units := ways[3].said.CPU
	fmt.Printf("of ours, seconds of processors: %.2f units, timeline and giving rows, %.2f pages of the events, %.2f finding whose they are and adding\n",
		units, floor.said.CPU, ours.said.CPU-units-floor.said.CPU)
	return nil
}

// same makes sure that DuckDB has the same facts, row by row.
func (b *factsBench) same(ctx context.Context, world, experiments, metrics string) error {
	if _, err := os.Stat(filepath.Join(world, "duckdb")); errors.Is(err, fs.ErrNotExist) {
		if _, err := measured(ctx, nil, b.python, b.script, "prepare", world); err != nil {
			return err
		}
	}
	ours := filepath.Join(b.out, "facts.parquet")
	defer os.Remove(ours)
	if _, err := measured(ctx, nil, b.self, "write-facts", world, experiments, metrics, ours); err != nil {
		return err
	}
	_, err := measured(ctx, nil, b.python, b.script, "compare", world, experiments, metrics, ours)
	return err
}

// way makes facts in a process of its own.
type way struct {
	name    string
	command []string
	said    facts.Took // of the shortest run
	peak    int64      // of all runs
}

func (w *way) run(ctx context.Context) error {
	u, err := watch(ctx, w.command[0], w.command[1:]...)
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	var said facts.Took
	if err := json.Unmarshal([]byte(u.last()), &said); err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	again := w.said.Seconds > 0
	if again && (w.said.Facts != said.Facts || w.said.Sum != said.Sum) {
		return fmt.Errorf("%s: other facts than the last time", w.name)
	}
	if !again || said.Seconds < w.said.Seconds {
		w.said = said
	}
	w.peak = max(w.peak, u.peak)
	return nil
}

// line makes the facts of the same people from ever more events.
func (b *factsBench) line(ctx context.Context, sizes []int) error {
	fmt.Printf("\nfive metrics of three experiments, the same people watching more\n")
	const form = "%14s %10s %10s %14s %22s %12s\n"
	fmt.Printf(form, "events", "wall", "CPU", "CPU an event", "CPU a further event", "peak memory")
	var last *way
	for _, views := range sizes {
		world, err := b.world(ctx, views, factsDays)
		if err != nil {
			return err
		}
		w := &way{name: "crosslift", command: []string{b.self, "make-facts", world, "3", facts.Five}}
		for range rounds {
			if err := w.run(ctx); err != nil {
				return err
			}
		}
		further := "–"
		if last != nil {
			further = fmt.Sprintf("%.0f ns", 1e9*(w.said.CPU-last.said.CPU)/float64(w.said.Rows-last.said.Rows))
		}
		fmt.Printf(form, strconv.FormatInt(w.said.Rows, 10), fmt.Sprintf("%.2f s", w.said.Seconds), fmt.Sprintf("%.2f s", w.said.CPU),
			fmt.Sprintf("%.0f ns", 1e9*w.said.CPU/float64(w.said.Rows)), further, mb(w.peak))
		last = w
	}
	return nil
}
