package sandbox

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// TestWriteProject writes definitions that hold, metrics of every type, exactly those that the experiment names, and the
// world's rates.
func TestWriteProject(t *testing.T) {
	t.Parallel()
	for _, by := range []string{world.ByAccount, world.ByDevice} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation("Europe/Moscow")
			if err != nil {
				t.Fatal(err)
			}
			first, err := table.ParseDay("2026-10-30")
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			o := world.Options{Seed: 5, People: 20, Nights: 3, First: first, Zone: zone, AssignedBy: by}
			about, err := world.Create(t.Context(), filepath.Join(dir, "world"), o, nil)
			if err != nil {
				t.Fatal(err)
			}
			w, err := world.Open(filepath.Join(dir, "world"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
				t.Fatal(err)
			}
			s := &Server{options: Options{World: w, Dir: filepath.Join(dir, "secrets")}}
			if err := s.WriteProject(dir, "postgres://nowhere"); err != nil {
				t.Fatal(err)
			}
			read := func(name string) []byte {
				content, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				return content
			}

			var e experiment.Experiment
			if err := strictyaml.Decode("e.yaml", read("experiments/cashback_99.yaml"), nil, &e); err != nil {
				t.Fatal(err)
			}
			if e.AssignedBy != by || e.Name != world.Experiment || e.Control != world.Control || e.Start != first || *e.End != first {
				t.Errorf("%+v", e)
			}
			types, names := map[metric.Type]bool{}, map[string]bool{}
			files, err := filepath.Glob(filepath.Join(dir, "metrics/*.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				var m metric.Metric
				if err := strictyaml.Decode(file, read("metrics/"+filepath.Base(file)), nil, &m); err != nil {
					t.Error(err)
				}
				types[m.Type], names[m.Name] = true, true
				if m.Name+".yaml" != filepath.Base(file) {
					t.Errorf("%s defines %s", file, m.Name)
				}
			}
			if len(types) != len(metric.Types) {
				t.Errorf("metrics are of the types %v", slices.Collect(maps.Keys(types)))
			}
			if used := slices.Sorted(slices.Values(e.Metrics())); !slices.Equal(used, slices.Sorted(maps.Keys(names))) {
				t.Errorf("the experiment names %v\nthere are %v", used, slices.Sorted(maps.Keys(names)))
			}
			for _, effect := range world.Effects() {
				if !names[effect.Metric] {
					t.Errorf("no metric is named %s, which has an injected effect", effect.Metric)
				}
			}

			rates := string(read("data/rates.csv"))
			if !strings.HasPrefix(rates, "id,valid_from,currency,quote,rate\nJPY-2026-10-30,2026-10-30T00:00:00+03:00,JPY,RUB,0.5") || strings.Count(rates, "\n") != 1+3*about.Nights {
				t.Errorf("rates:\n%s", rates)
			}
		})
	}
}
