package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

func (a *app) lakeCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "lake", Short: "Look at the lake's partitions",
		Example: "  crosslift lake ls raw/payment\n  crosslift lake cat results/experiment --limit 10\n  crosslift lake verify",
	}
	c.AddCommand(a.lakeLsCommand(), a.lakeTablesCommand(), a.lakeCatCommand(), a.lakeVerifyCommand())
	return c
}

// partitions lists those whose key starts with a prefix, in the order of their keys. The name of a table is that table,
// though others' names may start with it.
func partitions(ctx context.Context, l *lake.Lake, prefix string) ([]lake.Partition, error) {
	keys, err := l.Keys(ctx, "")
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(slices.Collect(maps.Keys(keys)), func(p lake.Partition) bool { return !strings.HasPrefix(p.Key(), prefix) })
	if exact := slices.DeleteFunc(slices.Clone(found), func(p lake.Partition) bool { return p.Table.Path() != prefix }); len(exact) > 0 {
		found = exact
	}
	slices.SortFunc(found, func(a, b lake.Partition) int {
		return cmp.Or(cmp.Compare(a.Table.Path(), b.Table.Path()), cmp.Compare(a.Experiment, b.Experiment),
			cmp.Compare(a.Day, b.Day), cmp.Compare(a.Revision, b.Revision))
	})
	if len(found) == 0 && prefix != "" {
		return nil, usageError{fmt.Errorf("no partition of %s starts with %q: `crosslift lake ls` lists them", l, prefix)}
	}
	return found, nil
}

// partitionJSON is a line of `lake ls`.
type partitionJSON struct {
	Key     string `json:"key"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	Content string `json:"content"`
	Recipe  string `json:"recipe"`
	Job     string `json:"job"`
}

func (a *app) lakeLsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "ls [PREFIX]", Short: "List partitions, with their rows and content hashes", Args: cobra.MaximumNArgs(1),
		Example: "  crosslift lake ls\n  crosslift lake ls raw/payment/dt=2026-11\n  crosslift lake ls results --output json",
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.lakeOnly(cmd.Context())
			if err != nil {
				return err
			}
			found, err := partitions(cmd.Context(), l, strings.Join(args, ""))
			if err != nil {
				return err
			}
			rows, values := [][]string{}, []partitionJSON{}
			for _, p := range found {
				h, err := l.Head(cmd.Context(), p)
				if err != nil {
					return err
				}
				values = append(values, partitionJSON{h.Key(), h.Rows, h.Size, h.Content, h.Recipe.Hash(), h.Recipe.Job})
				rows = append(rows, []string{p.String(), count(h.Rows), count(h.Size), h.Content[:12], h.Recipe.Job})
			}
			return a.print([]string{"partition", "rows", "bytes", "content", "made by"}, rows, values)
		},
	}
}

// lakeOnly opens the lake of a project and nothing else of it.
func (a *app) lakeOnly(ctx context.Context) (*lake.Lake, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.openLake(ctx, p)
}

func (a *app) lakeCatCommand() *cobra.Command {
	var limit int
	var names []string
	var describe bool
	c := &cobra.Command{
		Use: "cat PREFIX", Short: "Print the rows of partitions as CSV, or as JSON Lines with --output json", Args: cobra.ExactArgs(1),
		Example: `  crosslift lake cat results/experiment/experiment=cashback_99
  crosslift lake cat raw/payment/dt=2026-11-03 --limit 10 --columns paid_at,amount_minor,status
  crosslift lake cat raw/payment/dt=2026-11-03 --recipe`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			l, err := a.lakeOnly(ctx)
			if err != nil {
				return err
			}
			found, err := partitions(ctx, l, args[0])
			if err != nil {
				return err
			}
			if found[0].Table != found[len(found)-1].Table {
				return usageError{fmt.Errorf("%q names partitions of %s and of %s: name one table", args[0], found[0].Table, found[len(found)-1].Table)}
			}
			if describe {
				return a.catRecipes(ctx, l, found)
			}
			return a.cat(ctx, l, found, names, limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", 0, "at most so many rows; 0: all")
	c.Flags().StringSliceVar(&names, "columns", nil, "only these columns")
	c.Flags().BoolVar(&describe, "recipe", false, "print how the partitions were made, as JSON, instead of their rows")
	return c
}

func (a *app) catRecipes(ctx context.Context, l *lake.Lake, found []lake.Partition) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	for _, p := range found {
		h, err := l.Head(ctx, p)
		if err != nil {
			return err
		}
		if err := e.Encode(struct {
			Key     string            `json:"key"`
			Content string            `json:"content"`
			Counts  lake.Counts       `json:"counts"`
			Sums    map[string]string `json:"sums"`
			Recipe  lake.Recipe       `json:"recipe"`
		}{h.Key(), h.Content, h.Counts, h.Sums, h.Recipe}); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) cat(ctx context.Context, l *lake.Lake, found []lake.Partition, names []string, limit int) error {
	t := found[0].Table
	for _, name := range names {
		if _, ok := t.Column(name); !ok {
			return usageError{fmt.Errorf("--columns: %s has no column %q; it has %s", t, name, strings.Join(t.ColumnNames(), ", "))}
		}
	}
	if len(names) == 0 {
		names = t.ColumnNames()
	}
	out := bufio.NewWriter(a.stdout)
	defer out.Flush()
	w := csv.NewWriter(out)
	if a.output == "table" {
		if err := w.Write(names); err != nil {
			return err
		}
	}
	left := limit
	for _, p := range found {
		done, err := a.catOne(ctx, l, p, names, func(cells []any) (bool, error) {
			if a.output == "json" {
				b, err := json.Marshal(record{names, cells})
				if err != nil {
					return false, err
				}
				fmt.Fprintf(out, "%s\n", b)
			} else {
				text := make([]string, len(cells))
				for i, c := range cells {
					if c != nil {
						text[i] = fmt.Sprint(c)
					}
				}
				if err := w.Write(text); err != nil {
					return false, err
				}
			}
			left--
			return limit > 0 && left == 0, nil
		})
		if err != nil {
			return err
		}
		if done {
			break
		}
	}
	w.Flush()
	return w.Error()
}

// record writes cells as a JSON object that keeps the order of the columns.
type record struct {
	names []string
	cells []any
}

// MarshalJSON implements json.Marshaler.
func (r record) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	for i, name := range r.names {
		cell, err := json.Marshal(r.cells[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, cell)
	}
	return []byte("{" + b.String() + "}"), nil
}

func (a *app) catOne(ctx context.Context, l *lake.Lake, p lake.Partition, names []string, row func([]any) (bool, error)) (bool, error) {
	h, err := l.Head(ctx, p)
	if err != nil {
		return false, err
	}
	r, err := l.Read(ctx, h)
	if err != nil {
		return false, err
	}
	defer r.Close()
	for batch, err := range r.Batches(ctx, names) {
		if err != nil {
			return false, fmt.Errorf("%s: %w", p, err)
		}
		if done, err := eachRow(batch, row); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

func eachRow(batch arrow.Record, row func([]any) (bool, error)) (bool, error) {
	cells := make([]any, batch.NumCols())
	for i := range int(batch.NumRows()) {
		for c := range cells {
			var err error
			if cells[c], err = columns.Cell(batch.Column(c), i); err != nil {
				return false, fmt.Errorf("%s: %w", batch.ColumnName(c), err)
			}
		}
		if done, err := row(cells); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

func (a *app) lakeVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify [PREFIX]", Short: "Read partitions back and check them against their own footers", Args: cobra.MaximumNArgs(1),
		Long: `Read every row, and compare content hashes, order, row counts and control sums with the footers; compare the recipes of
tables that one job writes together.`,
		Example: "  crosslift lake verify\n  crosslift lake verify facts",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			l, err := a.lakeOnly(ctx)
			if err != nil {
				return err
			}
			found, err := partitions(ctx, l, strings.Join(args, ""))
			if err != nil {
				return err
			}
			var rows [][]string
			broken := []faultJSON{}
			for _, p := range found {
				if err := l.Verify(ctx, p); err != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					rows = append(rows, []string{p.String(), oneLine(err)})
					broken = append(broken, faultJSON{p.Key(), oneLine(err)})
				}
			}
			if len(broken) == 0 && a.output == "table" {
				fmt.Fprintf(a.stdout, "%s partitions of %s are what their footers say.\n", count(int64(len(found))), l)
				return nil
			}
			if err := a.print([]string{"partition", "fault"}, rows, broken); err != nil {
				return err
			}
			if len(broken) > 0 {
				fmt.Fprintln(a.stderr, "crosslift: remove a damaged object, then make it again: crosslift run --day D --missing")
				return &silentError{jobs.ExitFailed}
			}
			return nil
		},
	}
}

// faultJSON is a line of `lake verify`.
type faultJSON struct {
	Key   string `json:"key"`
	Fault string `json:"fault"`
}
