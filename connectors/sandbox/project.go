package sandbox

import (
	"bytes"
	_ "embed"
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

// WriteProject makes the folder of a project one that reads this sandbox: crosslift.yaml and its experiment are written,
// everything else stays. Product is the URL of the database that Load fills.
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
		quarantine = "10%" // of a small world's days, one damaged row may be that much
	}
	values := map[string]any{
		"Quarantine": quarantine,
		"Server":     s, "Secrets": secrets, "Zone": about.Zone, "Property": Property, "Project": googleProject, "Dataset": googleDataset,
		"Campaign": world.Campaign, "BankClient": bankClient, "By": about.AssignedBy,
		"Start": about.First, "End": about.First + table.Day(options.EntryDays()) - 1,
	}
	for name, text := range map[string]string{"crosslift.yaml": projectTemplate, "experiments/cashback_99.yaml": experimentTemplate} {
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
