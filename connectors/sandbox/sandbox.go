// Package sandbox generates what the users of an online cinema did during an experiment, as files that a project's
// sources would deliver. The population is drawn from a model with known parameters, so that the true value of every
// metric is known and a result can be compared with it.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"crosslift/schemas/table"
)

// Options say what to generate. The same options give the same bytes.
type Options struct {
	Seed  uint64
	Users int            // that meet the offer during the experiment
	Days  int            // of files, from First on
	First table.Day      // the first day of files and of exposures
	Zone  *time.Location // decides what lies in which day's file

	Progress func(done, total int) // nil, or told about users
}

// The windows of the starter project's metrics, in days after the first exposure. Outcomes are drawn so that each
// falls inside its window.
const (
	payWindow   = 32
	watchWindow = 14
)

// maxExposureDays is for how long users enter the experiment.
const maxExposureDays = 10

// exposureDays is on how many days users enter: as many as leave every window time to close, or a third of the days
// where there are too few.
func (o Options) exposureDays() int {
	return min(max(o.Days-payWindow, (o.Days+2)/3), maxExposureDays)
}

// Truth is what the generator's parameters imply for units whose windows have closed.
type Truth struct {
	Seed       uint64            `json:"seed"`
	Users      int               `json:"users"`
	Days       int               `json:"days"`
	First      table.Day         `json:"first"`
	Zone       string            `json:"zone"`
	Experiment string            `json:"experiment"`
	Control    string            `json:"control"`
	Treatment  string            `json:"treatment"`
	Metrics    map[string]Effect `json:"metrics"`
}

// Effect is the population mean of a metric in both arms, in the metric's unit.
type Effect struct {
	Unit      string  `json:"unit"`
	Control   float64 `json:"control"`
	Treatment float64 `json:"treatment"`
}

// Generate writes the files of all days, and truth.json, into a folder: exposures/DAY.jsonl.gz, payments/DAY.csv and
// viewing/DAY.csv.gz. Every file is written under a temporary name; when all are complete, they replace what was there.
func Generate(ctx context.Context, dir string, o Options) (Truth, error) {
	truth := o.truth()
	if o.Users < 1 || o.Days < 1 || o.Zone == nil {
		return truth, errors.New("sandbox: expected at least one user, one day, and a zone")
	}
	out, err := newOutput(dir, o)
	if err != nil {
		return truth, fmt.Errorf("sandbox: %w", err)
	}
	defer out.abort()
	if err := populate(ctx, o, out); err != nil {
		return truth, fmt.Errorf("sandbox: %w", err)
	}
	content, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return truth, fmt.Errorf("sandbox: truth: %w", err)
	}
	// The truth of earlier files must not stand beside new ones, not even for a moment.
	if err := os.Remove(filepath.Join(dir, "truth.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return truth, fmt.Errorf("sandbox: %w", err)
	}
	if err := out.commit(); err != nil {
		return truth, fmt.Errorf("sandbox: %w", err)
	}
	temp := filepath.Join(dir, ".truth.json.tmp")
	err = os.WriteFile(temp, append(content, '\n'), 0o644)
	if err == nil {
		err = os.Rename(temp, filepath.Join(dir, "truth.json"))
	}
	if err != nil {
		return truth, fmt.Errorf("sandbox: %w", err)
	}
	return truth, nil
}
