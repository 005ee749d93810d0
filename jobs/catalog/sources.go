package catalog

import (
	"crosslift/connectors"
	"crosslift/jobs/config"
)

// Sources makes the project's sources, other than its files.
func Sources(p *config.Project, env connectors.Env) ([]connectors.Source, error) {
	return nil, nil
}
