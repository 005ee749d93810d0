package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"crosslift/schemas/table"

	"golang.org/x/sync/errgroup"
)

// Format is the version of the files of a world.
const Format = 2

// About is DIR/world.json: what a world was made with.
type About struct {
	Format     int              `json:"format"`
	Seed       uint64           `json:"seed"`
	People     int              `json:"people"`
	Nights     int              `json:"nights"`
	First      table.Day        `json:"first"`
	Zone       string           `json:"zone"`
	AssignedBy string           `json:"assigned_by"`
	Scale      float64          `json:"scale"`
	Late       float64          `json:"late"`
	Faults     Faults           `json:"faults"`
	Records    map[string]int64 `json:"records"` // by source/stream
	Truth      map[string]int64 `json:"truth"`   // rows by table
}

// Create generates a world, has it put into the sources' wire formats, and writes it into a folder that does not exist
// yet. The folder appears when everything is in it. Every builder is given the chunks one after the other, in order, while
// others work on the same ones: it must not change them.
func Create(ctx context.Context, dir string, o Options, builders []Builder) (About, error) {
	about, err := create(ctx, dir, o, builders, 96<<20)
	if err != nil {
		err = fmt.Errorf("world %s: %w", dir, err)
	}
	return about, err
}

// create holds records of so many bytes in memory before it moves them to their files.
func create(ctx context.Context, dir string, o Options, builders []Builder, budget int) (about About, err error) {
	s, err := o.setting()
	if err != nil {
		return about, err
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		return about, errors.New("it exists already: remove it, or choose another folder")
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return about, err
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".tmp-")
	if err != nil {
		return about, err
	}
	defer os.RemoveAll(temp)
	truth, err := newTruthWriter(filepath.Join(temp, "truth"))
	if err != nil {
		return about, err
	}
	defer truth.abort()
	records := newSpool(temp, s, budget)
	takers := []func(*Chunk) error{func(c *Chunk) error { return truth.add(&c.Truth) }}
	for _, b := range builders {
		takers = append(takers, func(c *Chunk) error { return b.Build(c, records) })
	}
	if err = share(ctx, o, takers); err == nil {
		err = records.finish()
	}
	if err == nil {
		err = truth.finish(s, records.weak)
	}
	if err != nil {
		return about, err
	}
	about = About{
		Format: Format, Seed: o.Seed, People: s.People, Nights: s.Nights, First: s.First, Zone: s.Zone.String(), AssignedBy: s.AssignedBy,
		Scale: s.Scale, Late: s.Late, Faults: s.Faults, Records: records.counts, Truth: truth.rows(),
	}
	content, err := json.MarshalIndent(about, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(temp, "world.json"), append(content, '\n'), 0o644)
	}
	if err == nil {
		err = os.Chmod(temp, 0o755)
	}
	if err == nil {
		err = os.Rename(temp, dir)
	}
	return about, err
}

// share gives the chunks to everybody who takes them, each at its own pace.
func share(ctx context.Context, o Options, takers []func(*Chunk) error) error {
	group, ctx := errgroup.WithContext(ctx)
	feeds := make([]chan *Chunk, len(takers))
	for i, take := range takers {
		feeds[i] = make(chan *Chunk, 1)
		group.Go(func() error {
			for c := range feeds[i] {
				if err := take(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer func() {
			for _, feed := range feeds {
				close(feed)
			}
		}()
		return Generate(ctx, o, func(c *Chunk) error {
			for _, feed := range feeds {
				select {
				case feed <- c:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	})
	return group.Wait()
}

// Options are what to generate the same world with.
func (a About) Options() (Options, error) {
	zone, err := time.LoadLocation(a.Zone)
	if err != nil {
		return Options{}, err
	}
	return Options{
		Seed: a.Seed, People: a.People, Nights: a.Nights, First: a.First, Zone: zone, AssignedBy: a.AssignedBy, Scale: a.Scale,
		Late: a.Late, Faults: a.Faults,
	}, nil
}
