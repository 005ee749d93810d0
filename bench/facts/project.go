package facts

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"crosslift/jobs/config"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// Night is the last of so many days.
func Night(days int) table.Day { return firstDay + table.Day(days) - 1 }

// Jobs make the facts of all experiments.
func Jobs() (names []string) {
	for _, t := range trials {
		names = append(names, "facts/"+t.name)
	}
	return names
}

// Made counts the facts of a project's night.
func Made(ctx context.Context, dir string, night table.Day) (rows int64, err error) {
	l := lakeOf(dir)
	for _, t := range trials {
		h, err := l.Head(ctx, lake.Partition{Table: table.UnitMetric, Experiment: t.name, Day: night})
		if err != nil {
			return 0, err
		}
		rows += h.Rows
	}
	return rows, nil
}

// settings of a project whose sources are never read: its lake is there already.
const settings = `time_zone: Europe/Moscow
lake: file:lake
warehouse: local
memory: %s
identifiers: {key: file:secrets/identifier.key}
sources:
  files:
    root: data
    streams:
      viewing:
        table: raw/viewing
        path: viewing/{day}.csv
        columns: {source_id: {from: id}, viewed_at: {from: at, time: unix}, account: {from: account}, device: {from: device}, title: {from: title}, seconds: {from: seconds}}
      exposures:
        table: raw/exposure
        path: exposures/{day}.csv
        columns: {source_id: {from: id}, exposed_at: {from: at, time: unix}, experiment: {from: experiment}, variant: {from: variant}, account: {from: account}, device: {from: device}}
`

// WriteProject makes a project with the lake of a world of so many days, whose files it shares, and no facts yet; it may take
// so much memory, as its configuration says it.
func WriteProject(dir, world string, days int, memory string) error {
	if _, err := config.Init(dir, rand.Reader); err != nil {
		return err
	}
	for _, starter := range []string{"experiments", "metrics"} {
		if err := os.RemoveAll(filepath.Join(dir, starter)); err != nil {
			return err
		}
	}
	files := map[string]string{"crosslift.yaml": fmt.Sprintf(settings, memory)}
	metrics := strings.Split(Five, ",")
	for _, t := range trials {
		files["experiments/"+t.name+".yaml"] = t.definition(days, metrics)
	}
	for _, name := range metrics {
		files["metrics/"+name+".yaml"] = definitions[name]
	}
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	from := filepath.Join(world, lakeIn)
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, lakeIn, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		return os.Link(path, to)
	})
}
