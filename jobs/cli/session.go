package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/jobs"
	"crosslift/jobs/catalog"
	"crosslift/jobs/config"
	"crosslift/jobs/run"
	"crosslift/schemas/identifier"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/postgres"
	"crosslift/warehouse/postgres/local"
)

// session is an opened project: what a verb needs of it, opened once and closed together.
type session struct {
	app     *app
	project *config.Project
	key     identifier.Key
	lake    *lake.Lake
	cluster *local.Cluster // nil unless the warehouse is local
	db      *postgres.DB
	sums    *catalog.Sums
	files   *files.Source // nil without files
	sources []connectors.Source
	jobs    []*jobs.Job
}

// load reads the project's configuration.
func (a *app) load() (*config.Project, error) { return config.Load(a.config, a.env) }

// state is the folder for what the program keeps beside a project; losing it loses nothing but a private cluster.
func state(p *config.Project) string { return filepath.Join(p.Root, ".crosslift") }

// temp makes the folder for spilled rows: a real disk rather than a RAM-backed /tmp.
func temp(p *config.Project) (string, error) {
	dir := filepath.Join(state(p), "tmp")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("temporary files: %w", err)
	}
	return dir, nil
}

// openLake opens the project's lake.
func (a *app) openLake(ctx context.Context, p *config.Project) (*lake.Lake, error) {
	dir, err := temp(p)
	if err != nil {
		return nil, err
	}
	store, err := a.store(ctx, p.Lake)
	if err != nil {
		return nil, fmt.Errorf("lake: %w", err)
	}
	return lake.New(store, dir), nil
}

func (a *app) store(ctx context.Context, l config.Lake) (object.Store, error) {
	if l.S3 == nil {
		return object.NewFolder(l.Folder), nil
	}
	return object.NewS3(ctx, object.S3Config{
		Bucket: l.S3.Bucket, Prefix: l.S3.Prefix, Endpoint: l.S3.Endpoint, Region: l.S3.Region, PathStyle: l.S3.PathStyle,
		AccessKey: l.S3.AccessKey.Reveal(), SecretKey: l.S3.SecretKey.Reveal(),
	})
}

// open opens a project with its lake, its sources and its warehouse.
func (a *app) open(ctx context.Context) (*session, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	s := &session{app: a, project: p}
	if s.lake, err = a.openLake(ctx, p); err != nil {
		return nil, err
	}
	if err := s.openSources(ctx); err != nil {
		return nil, err
	}
	if err := s.openWarehouse(ctx); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	if s.jobs, err = s.catalog(); err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

// openKey reads the key by which the project hashes identifiers.
func (s *session) openKey() (err error) {
	if s.key, err = identifier.ParseKey(s.project.Identifiers.Key.Reveal()); err != nil {
		return fmt.Errorf("%w: %s: identifiers: %w", config.ErrConfig, s.app.config, err)
	}
	return nil
}

// openSources makes the streams of the project's sources.
func (s *session) openSources(ctx context.Context) error {
	p := s.project
	err := s.openKey()
	if err != nil {
		return err
	}
	if s.sums, err = catalog.OpenSums(filepath.Join(state(p), "sums.json"), s.app.now); err != nil {
		return err
	}
	env := connectors.Env{Key: s.key, Zone: p.Zone, Log: s.app.log, Now: s.app.now}
	store, err := s.fileStore(ctx)
	if err != nil {
		return err
	}
	if store != nil {
		if s.files, err = files.NewSource(p.Files.Streams, store, s.sums, env); err != nil {
			return err
		}
	}
	s.sources, err = catalog.Sources(p.Sources, env, store, s.sums)
	return err
}

// fileStore opens where the project's files lie; nil where it has none.
func (s *session) fileStore(ctx context.Context) (files.Store, error) {
	source := s.project.Files
	if source == nil {
		return nil, nil
	}
	if source.Root.S3 == nil {
		return files.Folder(source.Root.Folder), nil
	}
	objects, err := s.app.store(ctx, source.Root)
	if err != nil {
		return nil, fmt.Errorf("sources: files: %w", err)
	}
	return catalog.Bucket(objects), nil
}

// streams are those of all sources, files first.
func (s *session) streams() (all []connectors.Stream) {
	if s.files != nil {
		all = s.files.Streams()
	}
	for _, source := range s.sources {
		all = append(all, source.Streams()...)
	}
	return all
}

// catalog makes the project's jobs.
func (s *session) catalog() ([]*jobs.Job, error) {
	p := s.project
	stitching, err := s.identity()
	if err != nil {
		return nil, err
	}
	c := catalog.Project{
		Identity: stitching, Memory: p.Memory, Zone: p.Zone, Sources: s.sources, Key: s.key, Experiments: p.Experiments, Metrics: p.Metrics, Warehouse: s.db,
		Journals: filepath.Join(state(p), "journals"), Now: s.app.now, Log: s.app.log,
	}
	if s.files != nil {
		c.Streams = s.files.Streams()
	}
	return catalog.Jobs(c)
}

// identity is how the project stitches identifiers.
func (s *session) identity() (catalog.Identity, error) {
	of := &s.project.Identity
	i := catalog.Identity{Rules: of.Rules(), Timeline: timeline.Default()}
	for _, list := range []struct {
		field     string
		decisions []config.Decision
		to        *[][2]identifier.ID
	}{{"must_link", of.MustLink, &i.Decisions.Must}, {"cannot_link", of.CannotLink, &i.Decisions.Cannot}} {
		for n, d := range list.decisions {
			var pair [2]identifier.ID
			for end, text := range []string{d.Left, d.Right} {
				var err error
				if pair[end], err = s.key.Named(text); err != nil {
					return i, fmt.Errorf("%w: %s: identity.%s[%d]: %w", config.ErrConfig, s.app.config, list.field, n, err)
				}
			}
			*list.to = append(*list.to, pair)
		}
	}
	return i, nil
}

// openWarehouse connects to the warehouse, starting the private cluster where the project has one.
func (s *session) openWarehouse(ctx context.Context) error {
	url := s.project.Warehouse.URL.Reveal()
	if s.project.Warehouse.Local {
		var err error
		if s.cluster, err = s.app.join(ctx, s.project); err != nil {
			return err
		}
		url = s.cluster.URL("owner")
	}
	var err error
	s.db, err = postgres.Open(ctx, url, s.app.log)
	return err
}

// join starts or finds the project's private cluster.
func (a *app) join(ctx context.Context, p *config.Project) (*local.Cluster, error) {
	return local.Join(ctx, clusterFolder(p), a.log)
}

func clusterFolder(p *config.Project) string { return filepath.Join(state(p), "postgres") }

// close ends the session; the private cluster stops when nobody else uses it.
func (s *session) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var err error
	if s.sums != nil {
		err = s.sums.Save()
	}
	for _, source := range s.sources {
		err = errors.Join(err, source.Close())
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Leave(ctx))
	}
	return err
}

// runner gives the jobs' runner, with a run begun in the ledger when one is wanted.
func (s *session) runner(ledger *postgres.Run, notify func(run.Event)) *run.Runner {
	if notify == nil {
		notify = func(run.Event) {}
	}
	return &run.Runner{
		Lake: s.lake, Jobs: s.jobs, Zone: s.project.Zone, Memory: s.project.Memory, Workers: s.project.Workers,
		Ledger: ledger, Log: s.app.log, Now: s.app.now, Notify: notify,
	}
}

// begin enters a run into the ledger.
func (s *session) begin(ctx context.Context, command ...string) (*postgres.Run, error) {
	return s.db.BeginRun(ctx, postgres.RunInfo{Command: strings.Join(command, " "), Version: buildVersion()})
}
