package facts

import (
	"cmp"
	"context"
	"hash/maphash"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// newest says of a table of changes which row of each source_id stands for all of them: the one that was changed last.
type newest struct {
	seeds  [2]maphash.Seed
	shards [64]struct {
		sync.Mutex
		rows map[[2]uint64]place // by 128 bits of hash: two keys share them less often than memory fails
	}
}

// place is where a row is, in the order in which rows replace each other.
type place struct {
	changed int64
	day     table.Day
	row     int64 // of the file
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.changed, o.changed), cmp.Compare(p.day, o.day), cmp.Compare(p.row, o.row))
}

// readNewest reads the keys and times of all rows of a table of changes.
func readNewest(ctx context.Context, t *table.Table, days []Day, workers int) (*newest, error) {
	n := &newest{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range n.shards {
		n.shards[i].rows = map[[2]uint64]place{}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	for _, day := range days {
		row := int64(0)
		for rowGroup := range day.File.RowGroups() {
			first := row
			row += day.File.RowGroupRows(rowGroup)
			g.Go(func() error { return n.read(ctx, t, day, rowGroup, first) })
		}
	}
	return n, g.Wait()
}

func (n *newest) read(ctx context.Context, t *table.Table, day Day, rowGroup int, first int64) error {
	var keys, changed columns.Vector
	if err := day.File.Vector(ctx, rowGroup, "source_id", &keys); err != nil {
		return err
	}
	if err := day.File.Vector(ctx, rowGroup, t.EventTime, &changed); err != nil {
		return err
	}
	for row, at := range keys.Index {
		key := n.key(keys.Strings[at])
		p := place{changed.Ints[row], day.Day, first + int64(row)}
		shard := &n.shards[key[0]%uint64(len(n.shards))]
		shard.Lock()
		if known, is := shard.rows[key]; !is || known.compare(p) < 0 {
			shard.rows[key] = p
		}
		shard.Unlock()
	}
	return nil
}

func (n *newest) key(s string) [2]uint64 {
	return [2]uint64{maphash.String(n.seeds[0], s), maphash.String(n.seeds[1], s)}
}

// is reports whether a row stands for its key; once all rows have been read.
func (n *newest) is(key string, p place) bool {
	hash := n.key(key)
	return n.shards[hash[0]%uint64(len(n.shards))].rows[hash] == p
}

// bytes is about how many it takes.
func (n *newest) bytes() (bytes int64) {
	for i := range n.shards {
		bytes += 80 * int64(len(n.shards[i].rows))
	}
	return bytes
}
