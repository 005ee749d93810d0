package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/jobs/sheet"
	"crosslift/jobs/stitch"
	"crosslift/transform/identity/graph"
)

func (a *app) stitchCommand() *cobra.Command {
	var o stitch.Options
	var types []string
	c := &cobra.Command{
		Use: "stitch --edges FILE --out FILE", Short: "Group the identifiers of any file of edges", Args: cobra.NoArgs,
		Long: `Read a CSV (plain, gzip or zstd) or Parquet file of edges and write a map: a row a node, with the component that it is in.

With the columns left and right, or with --plain, components are connected components. With left, left_type, right,
right_type, rule, source, first_ts and last_ts they are profiles: links are tried from the strongest and oldest on, and
refused where they would join what may not be one person; a node that too many share is a component of its own.

  type   account, email, phone, card, crm, bank_client, reference, app, cookie, tv, browser, device
  rule   0 verified, 1 account's, 2 typed by hand, 3 card, 4 app, 5 cookie, 6 shared screen
  time   seconds since 1970 or RFC 3339; in Parquet timestamps too

--type adds a type, or changes one: its cap is how many accounts may touch a node before it is shared (0: any number), its
limit how many of them a profile may have (0: any number); a device attaches to one profile and bridges none.

Nodes are taken as they are written, in Parquet also whole numbers or 16 bytes. A component is named by its smallest
node, so the order of the edges plays no part. The map is in the order of its nodes.`,
		Example: `  crosslift identity stitch --edges logins.csv.gz --out map.csv
  crosslift identity stitch --edges edges.parquet --out map.parquet --output json
  crosslift identity stitch --edges edges.parquet --out components.parquet --plain
  crosslift identity stitch --edges edges.csv --out map.csv --type loyalty:cap=2,limit=1 --type tv:cap=4,device`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Rules, err = rulesWith(types); err != nil {
				return usageError{err}
			}
			return a.stitch(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Edges, "edges", "", "the file of edges (required)")
	f.StringVar(&o.Out, "out", "", "the map, by its name .csv or .parquet (required)")
	f.BoolVar(&o.Plain, "plain", false, "connected components, whatever other columns there are")
	f.StringArrayVar(&types, "type", nil, "a type of nodes, as NAME:cap=N,limit=N,device; may be given several times")
	return c
}

// rulesWith are the default rules with some types added or changed.
func rulesWith(types []string) (graph.Rules, error) {
	rules := graph.DefaultRules()
	for _, text := range types {
		name, settings, _ := strings.Cut(text, ":")
		t := graph.Type{Name: name}
		if name == "" {
			return rules, fmt.Errorf("--type %q: expected NAME:cap=N,limit=N,device", text)
		}
		for _, setting := range strings.FieldsFunc(settings, func(r rune) bool { return r == ',' }) {
			key, value, _ := strings.Cut(setting, "=")
			n, err := strconv.ParseUint(value, 10, 15)
			switch {
			case setting == "device":
				t.Device = true
			case key == "cap" && err == nil:
				t.Cap = int(n)
			case key == "limit" && err == nil:
				t.Limit = int(n)
			default:
				return rules, fmt.Errorf("--type %q: %q: expected cap=N, limit=N or device", text, setting)
			}
		}
		if at, known := rules.Type(name); known {
			rules.Types[at] = t
		} else {
			rules.Types = append(rules.Types, t)
		}
	}
	return rules, nil
}

func (a *app) stitch(ctx context.Context, o stitch.Options) error {
	if err := required("edges", o.Edges, "out", o.Out); err != nil {
		return err
	}
	o.Now = a.now
	r, err := stitch.Run(ctx, o)
	if err != nil {
		return identityError("stitch", err)
	}
	header, rows := r.Table()
	return a.print(header, rows, r)
}

func (a *app) evaluateCommand() *cobra.Command {
	var truth, of string
	c := &cobra.Command{
		Use: "evaluate --truth FILE --map FILE", Short: "Measure a map against the truth", Args: cobra.NoArgs,
		Long: `Compare a map (node, component) with the truth (node, type, owner): precision, recall and F1 over pairs of nodes and
over pairs of accounts, the same by node as B-cubed, and the share of accounts in a component with another owner's. A
node without owner is shared by several: it is counted, and left out of all else. So is a node that one file lacks.`,
		Example: `  crosslift identity evaluate --truth truth.csv --map map.parquet
  crosslift identity evaluate --truth truth.parquet --map map.csv --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.evaluate(cmd.Context(), truth, of) },
	}
	c.Flags().StringVar(&truth, "truth", "", "the file with node, type and owner (required)")
	c.Flags().StringVar(&of, "map", "", "the file with node and component (required)")
	return c
}

func (a *app) evaluate(ctx context.Context, truth, of string) error {
	if err := required("truth", truth, "map", of); err != nil {
		return err
	}
	r, err := stitch.Evaluate(ctx, truth, of)
	if err != nil {
		return identityError("evaluate", err)
	}
	header, rows := r.Table()
	return a.print(header, rows, r)
}

// required refuses the first of some flags that is empty; they come with their names before them.
func required(flags ...string) error {
	for i := 0; i < len(flags); i += 2 {
		if flags[i+1] == "" {
			return usageError{fmt.Errorf("--%s: required: name a file", flags[i])}
		}
	}
	return nil
}

// identityError gives an error of what a file holds the code of a broken contract.
func identityError(command string, err error) error {
	var content *sheet.ContentError
	var usage *stitch.UsageError
	named := fmt.Errorf("identity %s: %w", command, err)
	switch {
	case errors.As(err, &content):
		return jobs.Exit(jobs.ExitContract, named)
	case errors.Is(err, os.ErrNotExist), errors.As(err, &usage):
		return usageError{named}
	}
	return named
}
