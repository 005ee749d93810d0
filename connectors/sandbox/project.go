package sandbox

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
)

// project is what a project that reads a sandbox is made of: crosslift.yaml, its experiment, and the metrics that this names.
//
//go:embed project
var project embed.FS

// WriteProject makes the folder of a project one that reads this sandbox: it writes crosslift.yaml, the experiment, the metrics
// that this names, and a file with rates of currencies; everything else stays. Product is the URL of the database that Load
// fills.
func (s *Server) WriteProject(dir, product string) error {
	secrets, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	files, err := s.project(secrets)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := os.WriteFile(filepath.Join(secrets, "product_url"), []byte(product+"\n"), 0o600); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	for name, content := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
	}
	return nil
}

// project gives the contents of the project's files by name; secrets is the folder of the credentials.
func (s *Server) project(secrets string) (map[string][]byte, error) {
	about := s.options.World.About()
	options, err := about.Options()
	if err != nil {
		return nil, err
	}
	quarantine := "1%"
	if about.Faults.Malformed > 0 {
		quarantine = "100%" // a small world's day may have one row only, and that one damaged
	}
	values := map[string]any{
		"Quarantine": quarantine,
		"Server":     s, "Secrets": secrets, "Zone": about.Zone, "Property": Property, "Project": googleProject, "Dataset": googleDataset,
		"Campaign": world.Campaign, "BankClient": bankClient,
		"AssignedBy": about.AssignedBy, "Start": about.First, "End": about.First + table.Day(options.EntryDays()) - 1,
	}
	files := map[string][]byte{"data/rates.csv": rates(about, options.Zone)}
	err = fs.WalkDir(project, "project", func(from string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimPrefix(from, "project/")
		if name == "experiment.yaml" {
			name = path.Join("experiments", world.Experiment+".yaml")
		}
		t, err := template.ParseFS(project, from)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			return err
		}
		files[name] = b.Bytes()
		return nil
	})
	return files, err
}

// rates are what currencies are worth on the days of a world.
func rates(about world.About, zone *time.Location) []byte {
	b := []byte("id,valid_from,currency,quote,rate\n")
	for day := about.First; day < about.First+table.Day(about.Nights); day++ {
		for _, currency := range world.Foreign {
			b = fmt.Appendf(b, "%s-%s,%s,%s,%s,%.6f\n", currency, day, day.Window(zone).From.Format(time.RFC3339), currency, world.Home,
				about.Rate(currency, day))
		}
	}
	return b
}
