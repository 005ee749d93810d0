package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs"
)

func (a *app) jobsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "jobs", Short: "Show the graph of jobs", Args: cobra.NoArgs,
		Long:    "Show the project's jobs, each after those that feed it: what it reads, what it writes, and which jobs it follows.",
		Example: "  crosslift jobs\n  crosslift jobs --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.load()
			if err != nil {
				return err
			}
			s := &session{app: a, project: p}
			if err := s.openSources(cmd.Context()); err != nil {
				return err
			}
			all, err := s.catalog()
			if err != nil {
				return err
			}
			return a.printJobs(all)
		},
	}
}

// jobJSON is a line of `jobs`.
type jobJSON struct {
	Job     string   `json:"job"`
	Reads   []string `json:"reads"`
	Writes  []string `json:"writes"`
	Follows []string `json:"follows"`
}

func (a *app) printJobs(all []*jobs.Job) error {
	var rows [][]string
	var values []jobJSON
	for _, j := range all {
		v := jobJSON{Job: j.Name, Reads: []string{}, Writes: []string{}, Follows: []string{}}
		for _, r := range j.Reads {
			name := r.Table.Path()
			if r.Previous {
				name += " (night before)"
			}
			v.Reads = append(v.Reads, name)
		}
		for _, t := range j.Writes {
			v.Writes = append(v.Writes, t.Path())
		}
		if j.Publish != nil {
			v.Writes = append(v.Writes, "Postgres")
		}
		for _, before := range all {
			if before.FeedsInto(j) {
				v.Follows = append(v.Follows, before.Name)
			}
		}
		reads := v.Reads
		if j.Files != nil {
			reads = []string{"its sources"}
		}
		rows = append(rows, []string{v.Job, strings.Join(reads, "\n"), strings.Join(v.Writes, "\n"), strings.Join(v.Follows, "\n")})
		values = append(values, v)
	}
	return a.print([]string{"job", "reads", "writes", "follows"}, rows, values)
}
