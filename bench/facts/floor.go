package facts

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"
)

// floor reads the pages of some columns of every row group of raw/viewing and does nothing with them: what any pass over them
// takes at the least. Its arguments are the folder of the world, the columns with commas between them, and how many of the
// experiments: the columns that say who their units are, and whose events are theirs, are read too.
func floor(ctx context.Context, args []string) error {
	reads := []read{{"raw/viewing/*", strings.Split(args[1], ",")}}
	experiments, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	for _, t := range trials[:experiments] {
		reads = append(reads, read{"facts/exposure/experiment=" + t.name + "/*", []string{"stitching", "unit_id", "variant", "first_exposed_at", "received_at", "crossover"}},
			read{"facts/unit_identifier/experiment=" + t.name + "/*", []string{"stitching", "identifier_type", "identifier", "from_ts", "unit_id"}})
	}
	if experiments > 0 {
		reads = append(reads, read{"core/device_timeline/*", []string{"device", "from_ts", "to_ts", "account", "method"}})
	}
	s, rows := start(), int64(0)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, r := range reads {
		files, err := filepath.Glob(filepath.Join(args[0], lakeIn, r.partitions, "data.parquet"))
		if err != nil {
			return err
		}
		for _, name := range files {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			n, err := r.pages(ctx, g, f)
			if err != nil {
				return err
			}
			rows += n
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.say(Took{Rows: rows})
}

// read is some columns of a table.
type read struct {
	partitions string
	columns    []string
}

// pages has the pages of a file read, and gives the number of its rows.
func (r read) pages(ctx context.Context, g *errgroup.Group, f *os.File) (int64, error) {
	of, err := f.Stat()
	if err != nil {
		return 0, err
	}
	file, err := parquet.OpenFile(f, of.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return 0, err
	}
	names := file.Schema().Columns()
	for _, group := range file.RowGroups() {
		g.Go(func() error {
			for i, chunk := range group.ColumnChunks() {
				if slices.Contains(r.columns, names[i][0]) {
					if err := readPages(ctx, chunk); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return file.NumRows(), nil
}

func readPages(ctx context.Context, chunk parquet.ColumnChunk) error {
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return ctx.Err()
			}
			return err
		}
		parquet.Release(page)
	}
}
