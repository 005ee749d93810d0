package bank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"golang.org/x/text/encoding/charmap"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Registry is the daily file of accruals: see the package's comment for what it looks like.
type Registry struct {
	Campaign string `yaml:"campaign"`
	BankID   string `yaml:"bank_id"`   // what the first record must say; without it, anything
	Prefix   string `yaml:"prefix"`    // of the files' names below the store's root, such as cashback/; may be empty
	TimeZone string `yaml:"time_zone"` // cuts the bank's business dates; the business's without it
	Encoding string `yaml:"encoding"`  // utf-8, which is the default, or windows-1251
	BOM      bool   `yaml:"bom"`       // files may start with a byte order mark
	CRLF     bool   `yaml:"crlf"`      // lines may end with a carriage return before the line feed

	Quarantine  *connectors.Percent `yaml:"quarantine"`  // share of a day's rows that may be rejected, 1% without it
	Restatement *int                `yaml:"restatement"` // for how many days a file may be replaced, for ever without it

	Store files.Store `yaml:"-"` // where the files lie, as who wires the source has opened it
	Sums  files.Sums  `yaml:"-"` // remembers the sums of files; nil: each is computed
}

var campaignName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Validate fills in defaults. Its errors are marked with their field.
func (r *Registry) Validate() error {
	var errs []error
	check := func(field string, ok bool, expected string) {
		if !ok {
			errs = append(errs, strictyaml.At(field, errors.New(expected)))
		}
	}
	check("campaign", campaignName.MatchString(r.Campaign),
		"required: the campaign as the files' names have it, of letters, digits, points, hyphens and underscores")
	if r.Encoding == "" {
		r.Encoding = "utf-8"
	}
	check("encoding", r.Encoding == "utf-8" || r.Encoding == "windows-1251", "expected utf-8 or windows-1251")
	check("bom", !r.BOM || r.Encoding == "utf-8", "only utf-8 has a byte order mark")
	check("prefix", prefixName.MatchString(r.Prefix), "expected the start of a path below the root, with slashes and without `..`")
	_, err := zoneNamed(r.TimeZone, nil)
	errs = append(errs, strictyaml.At("time_zone", err))
	check("restatement", r.Restatement == nil || *r.Restatement >= 0,
		"expected a number of days from 0; without it a file may be replaced for ever")
	return errors.Join(errs...)
}

var prefixName = regexp.MustCompile(`^([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*([A-Za-z0-9_-][A-Za-z0-9_.-]*)?$`)

// zoneNamed finds a zone by its name, or gives the one that stands for none.
func zoneNamed(name string, without *time.Location) (*time.Location, error) {
	if name == "" {
		return without, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("%q is no time zone: expected a name such as Europe/Moscow", name)
	}
	return zone, nil
}

// registry is the stream bank/accrual_registry.
type registry struct {
	config  Registry
	cut     *time.Location // of the bank's business dates
	zone    *time.Location // of the business's
	encoded *charmap.Charmap
	hash    hasher
}

func newRegistry(c Registry, env connectors.Env) (*registry, error) {
	if c.Store == nil {
		return nil, errors.New("registry: there is no store that its files lie in")
	}
	cut, err := zoneNamed(c.TimeZone, env.Zone)
	if err != nil {
		return nil, fmt.Errorf("registry: time_zone: %w", err)
	}
	r := &registry{config: c, cut: cut, zone: env.Zone, hash: hasher{env.Key}}
	if c.Encoding == "windows-1251" {
		r.encoded = charmap.Windows1251
	}
	return r, nil
}

// registryLogic is raised when other rows come from the same files.
const registryLogic = "1"

func (r *registry) Name() string        { return Name + "/accrual_registry" }
func (r *registry) Table() *table.Table { return table.BankAccrual }
func (r *registry) Versioned() bool     { return true }
func (r *registry) Quarantine() float64 { return connectors.Quarantine(r.config.Quarantine) }

func (r *registry) Restatement() int {
	if r.config.Restatement == nil {
		return -1 // a file of any date may be replaced, and to look costs little
	}
	return *r.config.Restatement
}

// Definition leaves the options of reading out: they decide whether a file is read, not what it says.
func (r *registry) Definition() string {
	return definition("registry", registryLogic, r.config.Campaign, r.cut.String(), r.zone.String())
}

// Inputs gives the files that hold the day: the one with the highest sequence number of each business date that
// overlaps with it.
func (r *registry) Inputs(ctx context.Context, day table.Day) ([]connectors.Input, error) {
	found, err := r.deliveries(ctx, day)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Name(), day, err)
	}
	inputs := make([]connectors.Input, len(found))
	for i, f := range found {
		sum, err := r.sum(ctx, f.Object)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %s: %w", r.Name(), day, f.Name, err)
		}
		inputs[i] = connectors.Input{Name: f.Name, SHA256: sum}
	}
	return inputs, nil
}

// sum is the SHA-256 of a file as it is stored.
func (r *registry) sum(ctx context.Context, o files.Object) (string, error) {
	compute := func() (string, error) {
		content, err := r.config.Store.Open(ctx, o)
		if err != nil {
			return "", err
		}
		defer content.Close()
		h := sha256.New()
		if _, err := io.Copy(h, sequential(ctx, content)); err != nil {
			return "", fmt.Errorf("reading: %w", err)
		}
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	if r.config.Sums == nil {
		return compute()
	}
	return r.config.Sums.SHA256(ctx, r.config.Store.String(), o, compute)
}

// sequential reads a file from its start to its end, until ctx ends.
func sequential(ctx context.Context, content files.Content) io.Reader {
	return &steps{ctx, io.NewSectionReader(content, 0, content.Size())}
}

type steps struct {
	ctx context.Context
	r   io.Reader
}

func (s *steps) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
