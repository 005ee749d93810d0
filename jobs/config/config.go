// Package config reads a project: crosslift.yaml and, in folders beside it, the experiments and their metrics. Every
// problem is reported with its file, line and column, all of them at once.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
	_ "time/tzdata" // zones are known on machines without a database of them

	"crosslift/connectors/assignment"
	"crosslift/connectors/bank"
	"crosslift/connectors/crm"
	"crosslift/connectors/files"
	"crosslift/connectors/ga"
	"crosslift/connectors/payments"
	"crosslift/connectors/productdb"
	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// ErrConfig is wrapped by every error of Load: what is wrong is in the project's files.
var ErrConfig = errors.New("configuration")

// invalid is an error of Load. It says only what is wrong; that it is of the configuration is seen from the places.
type invalid struct{ err error }

func (e invalid) Error() string   { return e.err.Error() }
func (e invalid) Unwrap() []error { return []error{ErrConfig, e.err} }

// Project is a project as its files define it, with defaults filled in.
type Project struct {
	Root        string // the folder of crosslift.yaml, absolute
	Zone        *time.Location
	Lake        Lake
	Warehouse   Warehouse
	Schedule    Schedule
	Memory      int64 // bytes that sorting may take, and making facts altogether
	Workers     int
	Identifiers Identifiers
	Identity    Identity
	Files       *Files // nil without that source
	Sources     Sources
	Experiments []*experiment.Experiment
	Metrics     []*metric.Metric
}

// Warehouse is where results are published: a private Postgres in the project's folder, or the one at URL.
type Warehouse struct {
	Local bool          `yaml:"-"`
	URL   secret.Secret `yaml:"-"`
}

// UnmarshalScalar reads `local`, ${NAME} or file:path.
func (w *Warehouse) UnmarshalScalar(written, text string) error {
	if w.Local = text == "local"; w.Local {
		return nil
	}
	if err := w.URL.UnmarshalScalar(written, text); err != nil {
		return fmt.Errorf("local, or the URL of a Postgres, which may hold a password: %w", err)
	}
	return nil
}

// Schedule says when `crosslift schedule` runs what; a cron expression of five fields in the project's zone.
type Schedule struct {
	Night string `yaml:"night"`
}

// Identifiers says how identifiers are made pseudonymous.
type Identifiers struct {
	Key secret.Secret `yaml:"key"` // the content of a key file
}

// Sources are the systems other than files that a project reads; nil where it does not.
type Sources struct {
	Assignment *assignment.Config `yaml:"assignment"`
	Bank       *bank.Config       `yaml:"bank"`
	CRM        *crm.Config        `yaml:"crm"`
	GA         *ga.Config         `yaml:"ga"`
	Payments   *payments.Config   `yaml:"payments"`
	ProductDB  *productdb.Config  `yaml:"productdb"`
}

// Files is the source of files in a folder or under an S3 prefix.
type Files struct {
	Root    Lake
	Streams map[string]files.Mapping
}

// Names lists the streams in alphabetical order.
func (f *Files) Names() []string { return slices.Sorted(maps.Keys(f.Streams)) }

// document is crosslift.yaml as it is written.
type document struct {
	TimeZone    zone        `yaml:"time_zone"`
	Lake        location    `yaml:"lake"`
	Warehouse   Warehouse   `yaml:"warehouse"`
	Schedule    Schedule    `yaml:"schedule"`
	Memory      size        `yaml:"memory"`
	Workers     *int        `yaml:"workers"`
	Identifiers Identifiers `yaml:"identifiers"`
	Identity    Identity    `yaml:"identity"`
	Sources     struct {
		Files *struct {
			Root    location                 `yaml:"root"`
			Streams map[string]files.Mapping `yaml:"streams"`
		} `yaml:"files"`
		Sources `yaml:",inline"`
	} `yaml:"sources"`
}

// defaultMemory is taken where the configuration does not.
const defaultMemory = 512 << 20

// Load reads a project by the path of its crosslift.yaml; env is what ${NAME} refers to.
func Load(path string, env func(string) (string, bool)) (*Project, error) {
	root, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, invalid{fmt.Errorf("%s: %w", path, err)}
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: no such file: make a project with `crosslift init`, or name one with --config", path)
		return nil, invalid{err}
	}
	if err != nil {
		return nil, invalid{err}
	}
	p := &Project{Root: root}
	mainErr := p.readMain(path, content, env)
	metrics, metricsErr := readAll[metric.Metric](filepath.Join(filepath.Dir(path), "metrics"))
	experiments, experimentsErr := readAll[experiment.Experiment](filepath.Join(filepath.Dir(path), "experiments"))
	err = errors.Join(mainErr, experimentsErr, metricsErr)
	known := project{streams: p.Files, sources: p.Sources, streamsKnown: mainErr == nil, metrics: metrics, experiments: experiments}
	if err = errors.Join(err, known.check()); err != nil {
		return nil, invalid{err}
	}
	for _, m := range metrics {
		p.Metrics = append(p.Metrics, m.value)
	}
	for _, e := range experiments {
		p.Experiments = append(p.Experiments, e.value)
	}
	return p, nil
}

// readMain reads crosslift.yaml.
func (p *Project) readMain(path string, content []byte, env func(string) (string, bool)) error {
	doc, err := strictyaml.Parse(path, content)
	if err != nil {
		return err
	}
	var d document
	if err := doc.Decode(env, &d); err != nil {
		return err
	}
	p.Zone, p.Warehouse, p.Schedule, p.Identifiers = d.TimeZone.Location, d.Warehouse, d.Schedule, d.Identifiers
	p.Identity, p.Sources = d.Identity, d.Sources.Sources
	if p.Memory = int64(d.Memory); p.Memory == 0 {
		p.Memory = defaultMemory
	}
	p.Workers = runtime.GOMAXPROCS(0)
	if d.Workers != nil {
		p.Workers = *d.Workers
	}
	errs := []error{
		strictyaml.At("lake", d.Lake.resolve(p.Root, &p.Lake)),
		strictyaml.At("warehouse", p.Warehouse.URL.Read(p.Root)),
		strictyaml.At("identifiers.key", p.Identifiers.read(p.Root)),
	}
	errs = append(errs, strictyaml.At("sources", secret.ReadAll(&p.Sources, p.Root)))
	if f := d.Sources.Files; f != nil {
		p.Files = &Files{Streams: f.Streams}
		errs = append(errs, strictyaml.At("sources.files.root", f.Root.resolve(p.Root, &p.Files.Root)))
	}
	return doc.Locate(errors.Join(errs...))
}
