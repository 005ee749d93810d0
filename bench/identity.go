package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "embed"

	"crosslift/bench/identity"
)

//go:embed identity.py
var peersScript []byte

// measureIdentity groups one graph by every way there is, and prints what each took. The graph is made once and kept in
// .bin, since that takes as long as all the rest.
func measureIdentity(ctx context.Context, dir string) error {
	edges, err := numbers("CROSSLIFT_BENCH_EDGES", "34000000")
	if err != nil {
		return err
	}
	limit, err := numbers("CROSSLIFT_BENCH_LIMIT", "900")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := &identityBench{edges: edges[0], self: self, python: os.Getenv("CROSSLIFT_PEERS"), out: dir, limit: time.Duration(limit[0]) * time.Second}
	if b.graph, err = filepath.Abs(filepath.Join(".bin", fmt.Sprint("graph-", edges[0]))); err != nil {
		return err
	}
	if b.script, err = filepath.Abs(filepath.Join(dir, "identity.py")); err != nil {
		return err
	}
	if err := os.WriteFile(b.script, peersScript, 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(b.graph, 0o755); err != nil {
		return err
	}
	if b.python == "" {
		fmt.Println("no Python with scipy, polars, duckdb and splink: the comparison with them is left out (.ci/peers prints one where it can be had)")
	}
	fmt.Printf("\n%d edges; peers are stopped after %s. CPU is of all processors; ratios are of wall time\n", edges[0], b.limit)
	forms := os.Getenv("CROSSLIFT_BENCH_FORMS")
	if forms == "" {
		forms = "numbers,nights,uuid,text"
	}
	for form := range strings.SplitSeq(forms, ",") {
		switch form {
		case "numbers":
			err = b.inMemory(ctx)
		case "nights":
			err = b.nights(ctx)
		case "uuid":
			err = b.endToEnd(ctx, form, "keys of 128 bits")
		case "text":
			err = b.endToEnd(ctx, form, "the same keys as text")
		default:
			err = fmt.Errorf("CROSSLIFT_BENCH_FORMS: %q: expected numbers, nights, uuid or text", form)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// identityBench is a run of all ways.
type identityBench struct {
	self, python, script string
	graph, out           string // folders
	edges                int
	limit                time.Duration
}

// make writes the graph in a form, unless it is there.
func (b *identityBench) make(ctx context.Context, form, name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	_, err := measured(ctx, nil, b.self, "write-graph", b.graph, strconv.Itoa(b.edges), form)
	return err
}

// endToEnd makes the map of a file of edges by each way, and holds each map against ours.
func (b *identityBench) endToEnd(ctx context.Context, file, what string) error {
	edges := filepath.Join(b.graph, file+".parquet")
	if err := b.make(ctx, file, edges); err != nil {
		return err
	}
	ours := filepath.Join(b.out, "ours.parquet")
	title("end to end, from Parquet to Parquet: " + what)
	u, err := watch(ctx, b.self, "stitch-graph", edges, ours)
	if err != nil {
		return err
	}
	var r identity.Stitched
	if err := json.Unmarshal([]byte(u.output), &r); err != nil {
		return err
	}
	var parts []string
	at := u.wall.Seconds()
	for _, p := range r.Seconds {
		at -= p.Seconds
	}
	for i, p := range r.Seconds {
		parts = append(parts, fmt.Sprintf("%s %.1f s (CPU %.1f s) %s", p.Name, p.Seconds, r.CPU[i], mb(u.peakBetween(at, at+p.Seconds))))
		at += p.Seconds
	}
	row("crosslift", u.used, u.used, strings.Join(parts, ", "))
	for _, peer := range []struct{ mode, name string }{{"polars", "Polars and scipy"}, {"duckdb", "DuckDB, Splink's loop"}, {"splink", "Splink on DuckDB"}} {
		theirs := filepath.Join(b.out, "theirs.parquet")
		p, note, err := b.peer(ctx, peer.mode, edges, theirs)
		if err != nil {
			return err
		}
		if note == "" {
			note = p.parts()
			if _, err := measured(ctx, nil, b.self, "same-map", ours, theirs); err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
		}
		row(peer.name, p.used, u.used, note)
	}
	fmt.Printf("%d identifiers in %d components, the largest of %d; every map has the same\n", r.Nodes, r.Components, r.Largest)
	return nil
}

// inMemory measures what begins at numbers: clusters, profiles, and the profiles of one more night.
func (b *identityBench) inMemory(ctx context.Context) error {
	title("in memory, from numbers: the time of the step alone, reading not counted")
	if err := b.make(ctx, "numbers", filepath.Join(b.graph, "numbers")); err != nil {
		return err
	}
	labels := filepath.Join(b.out, "labels")
	plain := map[string]used{}
	for _, order := range []string{"shuffled", "blocks"} {
		u, err := watch(ctx, b.self, "cluster-graph", b.graph, order, labels)
		if err != nil {
			return err
		}
		ours, err := step(u)
		if err != nil {
			return err
		}
		row("clusters, "+order, ours, ours, "")
		plain[order] = ours
		theirs := filepath.Join(b.out, "labels-scipy")
		p, note, err := b.peer(ctx, "clusters", order, theirs)
		if err != nil {
			return err
		}
		if note == "" {
			if _, err := measured(ctx, nil, b.self, "same-labels", labels, theirs); err != nil {
				return fmt.Errorf("scipy: %w", err)
			}
			var s map[string]float64
			if err := json.Unmarshal([]byte(p.last()), &s); err != nil {
				return err
			}
			note = p.parts()
			p.wall, p.cpu = time.Duration((s["csr"]+s["clusters"])*1e9), time.Duration(s["CPU of the two"]*1e9)
		}
		row("scipy with its matrix, "+order, p.used, ours, note)
	}
	// Profiles and a night are held against the clusters of the same numbering.
	for _, order := range []string{"shuffled", "blocks"} {
		u, err := watch(ctx, b.self, "profile-graph", b.graph, order)
		if err != nil {
			return err
		}
		ours, err := step(u)
		if err != nil {
			return err
		}
		row("profiles, "+order, ours, plain[order], u.note())
	}
	u, err := watch(ctx, b.self, "night-graph", b.graph)
	if err != nil {
		return err
	}
	ours, err := step(u)
	if err != nil {
		return err
	}
	row("profiles, one night more", ours, plain["blocks"], u.note())
	return nil
}

// nights makes two nights in a lake, the second with one new edge in 400, and that one again from nothing.
func (b *identityBench) nights(ctx context.Context) error {
	u, err := watch(ctx, b.self, "lake-nights", b.out, strconv.Itoa(b.edges/nightsPart))
	if err != nil {
		return err
	}
	var said identity.Nights
	if err := json.Unmarshal([]byte(u.last()), &said); err != nil {
		return err
	}
	const form = "%-32s %10s %10s %10s %12s %12s %12s\n"
	fmt.Printf("\nnights in a lake, from edges to every table but the timeline, of %d edges; peak memory of all three %s\n"+form,
		b.edges/nightsPart, mb(u.peak), "night", "made", "sorted", "written", "state", "links", "redone")
	for _, n := range []struct {
		name string
		of   identity.Night
	}{{"the first", said.First}, {"the next, 0.25 % new", said.Next}, {"the next, from nothing", said.Whole}} {
		fmt.Printf(form, n.name, fmt.Sprintf("%.2f s", n.of.Made), fmt.Sprintf("%.2f s", n.of.Sorted), fmt.Sprintf("%.2f s", n.of.Written),
			mb(n.of.Bytes), strconv.FormatInt(n.of.Links, 10), strconv.FormatInt(n.of.Redone, 10))
	}
	return nil
}

// nightsPart is how much smaller the lake's graph is: its nights keep all that was observed, not numbers alone.
const nightsPart = 10

// step is what a part of ours says of its step alone: "seconds cpu note".
func step(u watched) (used, error) {
	fields := strings.Fields(u.last())
	if len(fields) < 2 {
		return used{}, fmt.Errorf("%q: expected seconds", u.output)
	}
	wall, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return used{}, err
	}
	cpu, err := strconv.ParseFloat(fields[1], 64)
	return used{wall: time.Duration(wall * 1e9), cpu: time.Duration(cpu * 1e9), peak: u.peak}, err
}

// peer runs a mode of the Python script; the note says why there is nothing, if so.
func (b *identityBench) peer(ctx context.Context, mode, file, out string) (u watched, note string, err error) {
	if b.python == "" {
		return u, "not here", nil
	}
	limited, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	u, err = watch(limited, b.python, b.script, mode, b.graph, file, out)
	switch {
	case ctx.Err() != nil:
		return u, "", ctx.Err()
	case limited.Err() != nil:
		return watched{}, fmt.Sprintf("not finished after %s", b.limit), nil
	case err != nil:
		lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
		return watched{}, "failed: " + lines[len(lines)-1], nil
	}
	return u, "", nil
}

// The columns of a table, whose rows are printed as they come: a way may take minutes.
const columns = "%-32s %10s %10s %12s %11s  %s\n"

func title(text string) {
	fmt.Printf("\n%s\n"+columns, text, "way", "wall", "CPU", "peak memory", "times ours", "")
}

func row(name string, u, ours used, note string) {
	if u.wall == 0 {
		fmt.Printf(columns, name, "–", "–", "–", "–", note)
		return
	}
	fmt.Printf(columns, name, fmt.Sprintf("%.2f s", u.wall.Seconds()), fmt.Sprintf("%.2f s", u.cpu.Seconds()), mb(u.peak),
		fmt.Sprintf("%.1f×", u.wall.Seconds()/ours.wall.Seconds()), note)
}
