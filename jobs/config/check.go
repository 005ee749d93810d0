package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-co-op/gocron/v2"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
)

// Validate checks what can be told from crosslift.yaml alone.
func (d *document) Validate() error {
	var errs []error
	required := func(field, what string, given bool) {
		if !given {
			errs = append(errs, strictyaml.At(field, errors.New("required: "+what)))
		}
	}
	required("time_zone", "where business days begin and end, as Europe/Moscow", d.TimeZone.Location != nil)
	required("lake", "a folder as file:lake, or s3://bucket/prefix", d.Lake.URL != "")
	required("warehouse", "local, ${NAME} or file:path", d.Warehouse.Local || d.Warehouse.URL.Given())
	required("identifiers.key", "the secret that identifiers are hashed with, as file:secrets/identifier.key",
		d.Identifiers.Key.Given())
	if d.Workers != nil && *d.Workers < 1 {
		errs = append(errs, strictyaml.At("workers", errors.New("expected at least 1")))
	}
	logs := d.Sources.Assignment != nil && d.Sources.Assignment.Logs != nil
	registry := d.Sources.Bank != nil && d.Sources.Bank.Registry != nil
	if f := d.Sources.Files; f != nil {
		required("sources.files.root", "a folder or s3://bucket/prefix", f.Root.URL != "")
		required("sources.files.streams", "at least one", len(f.Streams) > 0 || logs || registry)
		for name := range f.Streams {
			errs = append(errs, strictyaml.At("sources.files.streams", strictyaml.At(name, metric.CheckName(name))))
		}
	} else {
		const below = "`files`, with the root below which these files lie"
		if logs {
			required("sources.assignment.logs", below, false)
		}
		if registry {
			required("sources.bank.registry", below, false)
		}
	}
	return errors.Join(errs...)
}

// Validate checks the cron expression.
func (s *Schedule) Validate() error {
	if s.Night == "" {
		return nil
	}
	// From an early day on, so that the 29th of February is found; the parser would take a zone and @every too.
	err := errors.New("expected five fields")
	if len(strings.Fields(s.Night)) == 5 && !strings.Contains(s.Night, "=") {
		err = gocron.NewDefaultCron(false).IsValid(s.Night, time.UTC, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	if err != nil {
		reason := strings.ReplaceAll(err.Error(), "\n", ": ")
		return strictyaml.At("night", fmt.Errorf(`not a cron expression, as "30 3 * * *" (%s)`, reason))
	}
	return nil
}

// definition is an experiment or a metric, with the file it came from. Where the file is wrong, the value holds what
// could be read of it.
type definition[T any] struct {
	value *T
	file  string
	doc   *strictyaml.Document // nil when it is not even YAML
}

// readAll reads the definitions of a folder, in the order of their files' names.
func readAll[T any](dir string) ([]definition[T], error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []definition[T]
	var errs []error
	for _, entry := range entries {
		file := filepath.Join(dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".") || entry.IsDir() {
			continue
		}
		if filepath.Ext(file) == ".yml" {
			errs = append(errs, fmt.Errorf("%s: only .yaml files are read: rename it", file))
		}
		if filepath.Ext(file) != ".yaml" {
			continue
		}
		d := definition[T]{value: new(T), file: file}
		content, err := os.ReadFile(file)
		if err == nil {
			d.doc, err = strictyaml.Parse(file, content)
		}
		if err == nil {
			err = d.doc.Decode(nil, d.value) // definitions mean the same everywhere: they see no environment
		}
		if err != nil {
			errs = append(errs, err)
		}
		all = append(all, d)
	}
	return all, errors.Join(errs...)
}
