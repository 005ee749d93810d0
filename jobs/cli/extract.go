package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

func (a *app) extractCommand() *cobra.Command {
	var day, to string
	var limit int
	c := &cobra.Command{
		Use: "extract STREAM --day D", Short: "Look at what a source's stream gives for a day", Args: cobra.ExactArgs(1),
		Long: `Read a stream as the nightly extract would, and print the rows as they would enter the lake, with identifiers
hashed. Nothing is written to the lake. Rows that break the contract are named on standard error.`,
		Example: `  crosslift extract files/payments --day 2026-11-03 --limit 10
  crosslift extract files/payments --day 2026-11-03 --to payments.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dayFlag("day", day)
			if err != nil {
				return err
			}
			p, err := a.load()
			if err != nil {
				return err
			}
			s := &session{app: a, project: p}
			if err := s.openSources(cmd.Context()); err != nil {
				return err
			}
			return errors.Join(s.extract(cmd.Context(), args[0], d, limit, to), s.sums.Save())
		},
	}
	c.Flags().StringVar(&day, "day", "", "the business day, YYYY-MM-DD (required)")
	c.Flags().IntVar(&limit, "limit", 0, "at most so many rows; 0: all")
	c.Flags().StringVar(&to, "to", "-", "a file, or - for standard output")
	return c
}

// errEnough ends an extract that has shown what was asked for.
var errEnough = errors.New("enough rows")

func (s *session) extract(ctx context.Context, name string, day table.Day, limit int, to string) (err error) {
	var stream connectors.Stream
	var names []string
	for _, known := range s.streams() {
		names = append(names, known.Name())
		if known.Name() == name {
			stream = known
		}
	}
	if stream == nil {
		return usageError{fmt.Errorf("no stream is named %q: there are %s", name, strings.Join(names, ", "))}
	}
	var out io.Writer = s.app.stdout
	if to != "-" {
		file, err := os.Create(to)
		if err != nil {
			return fmt.Errorf("extract: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		out = file
	}
	inputs, err := stream.Inputs(ctx, day)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	look := &look{table: stream.Table(), limit: limit, json: s.app.output == "json", out: buffered, csv: csv.NewWriter(buffered), complain: s.app.stderr}
	if err := look.header(); err != nil {
		return err
	}
	if err := stream.Extract(ctx, day, inputs, look); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	look.csv.Flush()
	return errors.Join(look.csv.Error(), buffered.Flush())
}

// look is a sink that prints.
type look struct {
	table    *table.Table
	limit    int
	json     bool
	out      *bufio.Writer
	csv      *csv.Writer
	complain io.Writer
	rows     int
}

func (l *look) header() error {
	if l.json {
		return nil
	}
	return l.csv.Write(l.table.ColumnNames())
}

// Row implements connectors.Sink.
func (l *look) Row(row any, where connectors.Origin) error {
	if err := l.table.Check(row); err != nil {
		return l.Reject(where, err.Error())
	}
	cells := make([]string, len(l.table.Columns))
	values := make([]any, len(cells))
	for i, c := range l.table.Columns {
		cells[i] = l.table.Text(row, c)
		values[i] = cells[i]
	}
	if l.json {
		b, err := json.Marshal(record{l.table.ColumnNames(), values})
		if err != nil {
			return err
		}
		fmt.Fprintf(l.out, "%s\n", b)
	} else if err := l.csv.Write(cells); err != nil {
		return err
	}
	if l.rows++; l.rows == l.limit {
		return errEnough
	}
	return nil
}

// Reject implements connectors.Sink.
func (l *look) Reject(where connectors.Origin, reason string) error {
	_, err := fmt.Fprintf(l.complain, "%s line %d: to quarantine: %s\n", where.File, where.Position, reason)
	return err
}

// Resume implements connectors.Sink: a look starts at the beginning.
func (l *look) Resume() string { return "" }

// Page implements connectors.Sink.
func (l *look) Page(string) error { return nil }

// Total implements connectors.Sink.
func (l *look) Total(t connectors.Total) error {
	_, err := fmt.Fprintf(l.complain, "the source says: %s %d %s\n", t.Measure, t.Value, t.Currency)
	return err
}

// Unclassified implements connectors.Sink.
func (l *look) Unclassified(field string) {
	fmt.Fprintf(l.complain, "a new field, which is dropped: %s\n", field)
}
