// Command bench measures the parts of Crosslift that have peers, each in processes of its own. `make bench` runs it.
//
//	bench [rest] [ga] [identity] [facts]     all without an argument
//
// rest reads the same rows over HTTP by Crosslift and by the Python library dlt, see rest.go. ga extracts a day
// of web events from a stand-in for BigQuery by the program as it is, see ga.go. Both count processor seconds and memory of
// the client alone. identity groups a graph of identifiers beside scipy, Polars, DuckDB and Splink, see identity.go; the
// peers need 14 GB of memory, and the graph, which is kept in .bin, 6 GB of disk. facts makes those of experiments from a
// cinema's viewing beside DuckDB, see facts.go; the viewing, which is kept too, needs 2 GB of disk for 20 million events.
//
// Settings from the environment:
//
//	CROSSLIFT              the program
//	CROSSLIFT_BENCH_ROWS   of rest (500000)
//	CROSSLIFT_BENCH_PAGE   of these in a page (200, the most that HubSpot gives)
//	CROSSLIFT_DLT          a Python that has dlt (none: it is left out)
//	CROSSLIFT_BENCH_EVENTS of ga, several with commas between them (500000)
//	CROSSLIFT_BENCH_EDGES  of identity (34000000, between 50 million identifiers)
//	CROSSLIFT_BENCH_FORMS  of these edges (numbers,nights,uuid,text)
//	CROSSLIFT_BENCH_LIMIT  seconds after which a peer is stopped (900)
//	CROSSLIFT_BENCH_VIEWS  events of facts (20000000)
//	CROSSLIFT_BENCH_LINE   of its last table, several (2000000,20000000; 200000000 needs 8 GB of disk and ten minutes)
//	CROSSLIFT_BENCH_REBUILD  events in 60 days, of which the program makes the facts again (none: left out; 120000000 is two
//	                       million a day)
//	CROSSLIFT_PEERS        a Python that has the peers (none: they are left out)
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"crosslift/bench/facts"
	"crosslift/bench/identity"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The parts that run in processes of their own.
var parts = map[string]func(context.Context, []string) error{
	"serve-rest": serveREST, "extract-rest": extractREST, "serve-ga": serveGA, "write-ga": writeGA,
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && parts[args[0]] != nil {
		return parts[args[0]](ctx, args[1:])
	}
	if len(args) > 0 && identity.Parts[args[0]] != nil {
		return identity.Parts[args[0]](ctx, args[1:])
	}
	if len(args) > 0 && facts.Parts[args[0]] != nil {
		return facts.Parts[args[0]](ctx, args[1:])
	}
	if len(args) == 0 {
		args = []string{"rest", "ga", "identity", "facts"}
	}
	if err := os.MkdirAll(".bin", 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(".bin", "bench-*") // a real disk rather than a RAM-backed /tmp
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, arg := range args {
		switch arg {
		case "rest":
			err = compareREST(ctx, dir)
		case "ga":
			err = measureGA(ctx, dir)
		case "identity":
			err = measureIdentity(ctx, dir)
		case "facts":
			err = measureFacts(ctx, dir)
		default:
			err = fmt.Errorf("%q: expected rest, ga, identity or facts", arg)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// numbers reads a setting: whole numbers above zero with commas between them.
func numbers(name, fallback string) ([]int, error) {
	text := os.Getenv(name)
	if text == "" {
		text = fallback
	}
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: expected whole numbers above zero, with commas between them", name)
		}
		all = append(all, n)
	}
	return all, nil
}
