package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/config"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres/local"
)

// stage is a sandbox that plays, with a project that reads it: both in one folder.
type stage struct {
	app     *app
	dir     string
	world   *world.World
	server  *sandbox.Server
	product *local.Cluster // of the product's own database
	clock   atomic.Int64   // µs: what the sources show, and the project takes for the present
}

// stageWorld is the folder of the generated population beside a project.
const stageWorld = "world"

// makeWorld generates a population into a folder, unless the same one is there.
func makeWorld(ctx context.Context, dir string, o world.Options) (*world.World, error) {
	if _, missing := os.Lstat(dir); missing == nil {
		w, err := world.Open(dir)
		if err != nil {
			return nil, err
		}
		about := w.About()
		same := about.Seed == o.Seed && about.People == o.People && about.Nights == o.Nights && about.First == o.First && about.AssignedBy == o.AssignedBy
		if lacks := o.Faults.Malformed > about.Faults.Malformed || o.Faults.Drift > about.Faults.Drift || o.Late > about.Late; !same || lacks {
			return nil, usageError{fmt.Errorf("%s holds another world: seed %d, %d people, %d nights from %s, assigned by %s, other faults of its data perhaps: remove it, or choose another folder",
				dir, about.Seed, about.People, about.Nights, about.First, about.AssignedBy)}
		}
		return w, nil
	}
	builders, err := sandbox.Builders(o.Zone)
	if err != nil {
		return nil, err
	}
	if _, err := world.Create(ctx, dir, o, builders); err != nil {
		return nil, err
	}
	return world.Open(dir)
}

// setStage starts the sources of a world, as they are after a night, and makes the folder's project read them. Options say
// the rest.
func (a *app) setStage(ctx context.Context, dir string, w *world.World, night table.Day, o sandbox.Options) (_ *stage, err error) {
	s := &stage{app: a, dir: dir, world: w}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	a.config = filepath.Join(dir, "crosslift.yaml")
	if _, err := os.Stat(a.config); errors.Is(err, os.ErrNotExist) {
		if _, err := config.Init(dir, rand.Reader); err != nil {
			return nil, err
		}
	}
	a.now = func() time.Time { return time.UnixMicro(s.clock.Load()) }
	zone, err := time.LoadLocation(w.About().Zone)
	if err != nil {
		return nil, err
	}
	s.clock.Store(sandbox.Night(night, zone).UnixMicro())
	private := filepath.Join(dir, ".crosslift", "sandbox")
	if s.product, err = local.Join(ctx, filepath.Join(private, "postgres"), a.log); err != nil {
		return nil, err
	}
	o.World, o.Dir, o.Now = w, private, a.now
	if s.server, err = sandbox.Start(o); err != nil {
		return nil, err
	}
	if err := s.server.Load(ctx, s.product.URL("owner")); err != nil {
		return nil, err
	}
	return s, s.server.WriteProject(dir, s.product.URL(sandbox.Reader))
}

// night moves the stage to the morning after a business day.
func (s *stage) night(ctx context.Context, day table.Day) error {
	zone, err := time.LoadLocation(s.world.About().Zone)
	if err != nil {
		return err
	}
	s.clock.Store(sandbox.Night(day, zone).UnixMicro())
	return s.server.Load(ctx, s.product.URL("owner"))
}

// close ends the play; the project and the world stay.
func (s *stage) close(ctx context.Context) error {
	var err error
	if s.server != nil {
		err = s.server.Close()
	}
	if s.product != nil {
		err = errors.Join(err, s.product.Leave(context.WithoutCancel(ctx)))
	}
	return err
}
