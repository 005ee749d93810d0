package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/config"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// measureGA extracts a day of so many web events by `crosslift run`, as a night does, from a stand-in for BigQuery in a
// process of its own, and prints what the program took.
func measureGA(ctx context.Context, dir string) error {
	sizes, err := numbers("CROSSLIFT_BENCH_EVENTS", "500000")
	if err != nil {
		return err
	}
	program, err := crosslift(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Printf("\ncrosslift run extract/web_event: a day of GA4 events by the BigQuery API, hashed, checked, sorted and committed\n")
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "events\twall\tCPU\tCPU an event\tpeak memory\tof the first\t")
	first := 0.0
	for _, events := range sizes {
		u, err := gaDay(ctx, program, filepath.Join(dir, fmt.Sprint("ga-", events)), events)
		if err != nil {
			return err
		}
		if first == 0 {
			first = float64(u.peak)
		}
		fmt.Fprintf(t, "%d\t%.1f s\t%.1f s\t%.1f µs\t%s\t%.2f×\t\n", events, u.wall.Seconds(), u.cpu.Seconds(),
			float64(u.cpu.Microseconds())/float64(events), mb(u.peak), float64(u.peak)/first)
	}
	return t.Flush()
}

// gaDay makes a world, serves it, and runs the extract in a project that reads it.
func gaDay(ctx context.Context, program, dir string, events int) (u used, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return u, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	if _, err := measured(ctx, nil, self, "write-ga", filepath.Join(dir, "world"), strconv.Itoa(events)); err != nil {
		return u, err
	}
	s, err := serving(ctx, "serve-ga", filepath.Join(dir, "world"), filepath.Join(dir, "project"))
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	project := filepath.Join(dir, "project", "crosslift.yaml")
	if _, err := measured(ctx, nil, program, "--config", project, "warehouse", "start"); err != nil {
		return u, err
	}
	defer func() {
		_, stopped := measured(context.WithoutCancel(ctx), nil, program, "--config", project, "warehouse", "stop")
		err = errors.Join(err, stopped)
	}()
	u, err = measured(ctx, nil, program, "--config", project, "run", "--day", firstDay.String(), "extract/web_event")
	if err != nil {
		return u, err
	}
	return u, landed(ctx, filepath.Dir(project), events)
}

// landed makes sure that the lake has as many rows as there were events.
func landed(ctx context.Context, project string, events int) error {
	l := lake.New(object.NewFolder(filepath.Join(project, "lake")), project)
	h, err := l.Head(ctx, lake.Partition{Table: table.WebEvent, Day: firstDay})
	if err == nil && h.Rows != int64(events) {
		err = fmt.Errorf("%d events landed: expected %d", h.Rows, events)
	}
	return err
}

// serveGA serves a world, and makes a project that reads it.
func serveGA(_ context.Context, args []string) (err error) {
	w, err := world.Open(args[0])
	if err != nil {
		return err
	}
	dir := args[1]
	if _, err := config.Init(dir, rand.Reader); err != nil {
		return err
	}
	s, err := sandbox.Start(sandbox.Options{World: w, Dir: filepath.Join(dir, ".crosslift", "sandbox"), Now: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.WriteProject(dir, "postgres://nobody@127.0.0.1:1/none"); err != nil { // is not read
		return err
	}
	return untilClosed("serving")
}
