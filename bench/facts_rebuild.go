package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crosslift/bench/facts"
)

// rebuildDays is how many days the viewing of the rebuild lasts.
const rebuildDays = 60

// rebuild makes the facts of three experiments from so many events by the program as it is, in projects that may take more memory
// than all sums need, and less.
func (b *factsBench) rebuild(ctx context.Context, views int) error {
	world, err := b.world(ctx, views, rebuildDays)
	if err != nil {
		return err
	}
	program, err := crosslift(ctx, b.out)
	if err != nil {
		return err
	}
	for _, memory := range []string{"2GiB", "1GiB"} {
		if err := b.rebuildWithin(ctx, program, world, views, memory); err != nil {
			return err
		}
	}
	return nil
}

func (b *factsBench) rebuildWithin(ctx context.Context, program, world string, views int, memory string) (err error) {
	dir, err := filepath.Abs(filepath.Join(b.out, "project"))
	if err != nil {
		return err
	}
	if err := facts.WriteProject(dir, world, rebuildDays, memory); err != nil {
		return err
	}
	project := filepath.Join(dir, "crosslift.yaml")
	if _, err := measured(ctx, nil, program, "--config", project, "warehouse", "start"); err != nil {
		return err
	}
	defer func() {
		_, stopped := measured(context.WithoutCancel(ctx), nil, program, "--config", project, "warehouse", "stop")
		err = errors.Join(err, stopped, os.RemoveAll(dir))
	}()
	night := facts.Night(rebuildDays)
	u, err := watch(ctx, program, append([]string{"--config", project, "run", "--day", night.String()}, facts.Jobs()...)...)
	if err != nil {
		return err
	}
	rows, err := facts.Made(ctx, dir, night)
	if err != nil {
		return err
	}
	fmt.Printf("\ncrosslift run %s: %d facts of %d events in %d days, memory: %s\n%.1f s, CPU %.1f s, peak memory %s\n",
		strings.Join(facts.Jobs(), " "), rows, views, rebuildDays, memory, u.wall.Seconds(), u.cpu.Seconds(), mb(u.peak))
	return nil
}
