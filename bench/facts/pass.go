package facts

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
)

// pass makes the facts and hands each row to a sink that counts them and sums up what they say. Its arguments are the folder of
// the world, how many of the experiments, and the metrics with commas between them.
func pass(ctx context.Context, args []string) error { return count(ctx, args, true) }

// passNothing does the same as if nobody had watched anything: what is left is reading units and timeline, and giving rows.
func passNothing(ctx context.Context, args []string) error { return count(ctx, args, false) }

func count(ctx context.Context, args []string, events bool) error {
	var rows, sums [8]struct {
		of int64
		_  [56]byte // experiments emit at the same time
	}
	return build(ctx, args, events, func(experiment int, r *table.UnitMetricRow) error {
		rows[experiment].of++
		sums[experiment].of += r.Count + int64(r.Sum)
		return nil
	}, func(t *Took) {
		for i := range rows {
			t.Facts, t.Sum = t.Facts+rows[i].of, t.Sum+sums[i].of
		}
	})
}

// passRows writes the rows to a file, which its last argument names.
func passRows(ctx context.Context, args []string) error {
	f, err := os.Create(args[3])
	if err != nil {
		return err
	}
	out := parquet.NewGenericWriter[fact](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(1<<18))
	rows := make([]fact, 0, 1<<12)
	var mu sync.Mutex
	err = build(ctx, args, true, func(experiment int, r *table.UnitMetricRow) error {
		mu.Lock()
		defer mu.Unlock()
		rows = append(rows, fact{trials[experiment].name, r.Metric, r.Stitching, r.Unit, r.Sum, copied(r.Uncapped), r.Count, copied((*int64)(r.FirstAt)), copied((*int64)(r.LastAt)),
			copied(r.Divisor), copied(r.Covariate), copied(r.Before), r.Received, r.Matured})
		if len(rows) < cap(rows) {
			return nil
		}
		_, err := out.Write(rows)
		rows = rows[:0]
		return err
	}, func(*Took) {})
	if err == nil {
		_, err = out.Write(rows)
	}
	return errors.Join(err, out.Close(), f.Close())
}

// fact is a row as facts.py compares it.
type fact struct {
	Experiment string        `parquet:"experiment,dict"`
	Metric     string        `parquet:"metric,dict"`
	Stitching  string        `parquet:"stitching,dict"`
	Unit       identifier.ID `parquet:"unit_id,uuid"`
	Sum        float64       `parquet:"sum"`
	Uncapped   *float64      `parquet:"uncapped"`
	Count      int64         `parquet:"count"`
	First      *int64        `parquet:"first_at"`
	Last       *int64        `parquet:"last_at"`
	Divisor    *float64      `parquet:"denominator"`
	Covariate  *float64      `parquet:"covariate"`
	Before     *float64      `parquet:"covariate_denominator"`
	Received   bool          `parquet:"received"`
	Matured    bool          `parquet:"matured"`
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// passMemory is what the pass may take.
const passMemory = 2 << 30

// build opens the files and makes the facts; what it says of itself it says when all is done.
func build(ctx context.Context, args []string, events bool, emit func(experiment int, r *table.UnitMetricRow) error, add func(*Took)) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	s, o := start(), opener{lake: lakeOf(args[0])}
	defer o.close()
	in := facts.Input{Zone: zone(), Memory: passMemory, Events: map[string][]facts.Day{}}
	for _, h := range o.heads(ctx, table.Viewing, "") {
		in.Events[table.Viewing.Path()] = append(in.Events[table.Viewing.Path()], facts.Day{Day: h.Day, File: o.file(ctx, h)})
		in.Night, in.End = h.Day, h.Day.Window(zone()).To
	}
	experiments, metrics, err := defined(len(in.Events[table.Viewing.Path()]), n, strings.Split(args[2], ","))
	if err != nil {
		return err
	}
	in.Timeline = o.only(ctx, table.DeviceTimeline, "")
	for i, e := range experiments {
		in.Experiments = append(in.Experiments, facts.Experiment{Experiment: e, Metrics: metrics,
			Exposures: o.only(ctx, table.UnitExposure, e.Name), Identifiers: o.only(ctx, table.UnitIdentifier, e.Name),
			Unit:      func(r *table.UnitMetricRow) error { return emit(i, r) },
			Day:       func(*table.ExperimentDayRow) error { return nil },
			Exclusion: func(*table.ExclusionRow) error { return nil },
		})
	}
	if o.err != nil {
		return o.err
	}
	if !events {
		in.Events = nil
	}
	counts, failed, err := facts.Build(ctx, in, workers)
	if err = errors.Join(append(failed, err)...); err != nil {
		return err
	}
	took := Took{Rows: counts.Rows}
	add(&took)
	return s.say(took)
}
