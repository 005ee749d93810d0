package sandbox

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

//go:embed crosslift.yaml.tmpl
var projectTemplate string

//go:embed experiment.yaml.tmpl
var experimentTemplate string

// experimentFile is that of the world's experiment.
const experimentFile = "experiments/" + world.Experiment + ".yaml"

// WriteProject makes the folder of a project one that reads this sandbox: crosslift.yaml and its experiment are written,
// everything else stays; a world that assigns by device has no experiment. Product is the URL of the database that Load fills.
func (s *Server) WriteProject(dir, product string) error {
	about := s.options.World.About()
	options, err := about.Options()
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	secrets, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := os.WriteFile(filepath.Join(secrets, "product_url"), []byte(product+"\n"), 0o600); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	quarantine := "1%"
	if about.Faults.Malformed > 0 {
		quarantine = "100%" // a small world's day may have one row only, and that one damaged
	}
	values := map[string]any{
		"Quarantine": quarantine,
		"Server":     s, "Secrets": secrets, "Zone": about.Zone, "Property": Property, "Project": googleProject, "Dataset": googleDataset,
		"Campaign": world.Campaign, "BankClient": bankClient,
		"Start": about.First, "End": about.First + table.Day(options.EntryDays()) - 1,
	}
	files := map[string]string{"crosslift.yaml": projectTemplate, experimentFile: experimentTemplate}
	if about.AssignedBy != "account" {
		// The pipeline analyses no other units yet: what its sources say is all there is to see of such a world.
		delete(files, experimentFile)
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(experimentFile))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	for name, text := range files {
		t, err := template.New(name).Parse(text)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	return nil
}
