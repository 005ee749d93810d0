package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	_ "embed"
)

//go:embed dlt.py
var dltScript []byte

// resources is how many there are, read at the same time.
const resources = 4

// reader is a way to read the resources.
type reader struct {
	name string
	run  func(ctx context.Context, base, dir string) (used, error)
}

// compareREST reads the same rows by each reader and prints what it took. What a reader takes to read one page of each
// resource, mostly for starting up, is taken off its processor time a row, which is to the advantage of slow starters.
func compareREST(ctx context.Context, dir string) error {
	sizes, err := numbers("CROSSLIFT_BENCH_ROWS", "500000")
	if err != nil {
		return err
	}
	pages, err := numbers("CROSSLIFT_BENCH_PAGE", "200")
	if err != nil {
		return err
	}
	readers, err := readersOf(dir)
	if err != nil {
		return err
	}
	rows, page := sizes[0]/resources*resources, pages[0]
	full, err := serving(ctx, "serve-rest", strconv.Itoa(rows/resources), strconv.Itoa(page))
	if err != nil {
		return err
	}
	defer full.stop()
	short, err := serving(ctx, "serve-rest", strconv.Itoa(page), strconv.Itoa(page))
	if err != nil {
		return err
	}
	defer short.stop()
	fmt.Printf("\n%d rows of 300 bytes over HTTP in %d resources, pages of %d, into Parquet; the server is not counted\n", rows, resources, page)
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "reader\twall\tCPU\tof it to start\tCPU a row\tof ours\tpeak memory\t")
	ours := 0.0
	for i, r := range readers {
		start, err := once(ctx, r, short.said, filepath.Join(dir, fmt.Sprint("rest-short-", i)), page*resources)
		if err != nil {
			return err
		}
		u, err := once(ctx, r, full.said, filepath.Join(dir, fmt.Sprint("rest-", i)), rows)
		if err != nil {
			return err
		}
		a := float64((u.cpu - start.cpu).Nanoseconds()) / 1000 / float64(rows-page*resources)
		if i == 0 {
			ours = a
		}
		fmt.Fprintf(t, "%s\t%.1f s\t%.1f s\t%.1f s\t%.1f µs\t%.1f×\t%s\t\n",
			r.name, u.wall.Seconds(), u.cpu.Seconds(), start.cpu.Seconds(), a, a/ours, mb(u.peak))
	}
	return t.Flush()
}

// once reads all rows into a new folder, and removes it.
func once(ctx context.Context, r reader, base, dir string, rows int) (used, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return used{}, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	u, err := r.run(ctx, base, dir)
	if err == nil && u.output != strconv.Itoa(rows) {
		err = fmt.Errorf("%s: %q rows: expected %d", r.name, u.output, rows)
	}
	return u, err
}

// readersOf are we, and dlt in its two ways where there is a Python that has it.
func readersOf(dir string) ([]reader, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := []reader{{"crosslift", func(ctx context.Context, base, dir string) (used, error) {
		return measured(ctx, nil, self, "extract-rest", base, dir, strconv.Itoa(resources))
	}}}
	python := os.Getenv("CROSSLIFT_DLT")
	if python == "" {
		fmt.Println("no Python with dlt: the comparison with it is left out (.ci/dlt prints one where it can be had)")
		return all, nil
	}
	script, err := filepath.Abs(filepath.Join(dir, "dlt_reader.py"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(script, dltScript, 0o600); err != nil {
		return nil, err
	}
	for _, mode := range []struct{ name, is string }{{"dlt, rest_api source", "rest_api"}, {"dlt, pages as Arrow", "arrow"}} {
		all = append(all, reader{mode.name, func(ctx context.Context, base, dir string) (used, error) {
			dir, err := filepath.Abs(dir)
			if err != nil {
				return used{}, err
			}
			return measured(ctx, nil, python, script, mode.is, base, dir, strconv.Itoa(resources))
		}})
	}
	return all, nil
}
