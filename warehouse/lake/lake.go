package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake/object"
)

// footersAtOnce is how many footers are read in parallel: they are small, and on S3 each costs a round trip.
const footersAtOnce = 32

// Lake is the tables in one store.
type Lake struct {
	store object.Store
	temp  string // folder for spilled rows and drafts

	mu    sync.Mutex
	heads map[string]*Head // by key, valid while the ETag is the listed one
}

// New gives the lake in a store. Temporary files go to temp.
func New(store object.Store, temp string) *Lake {
	return &Lake{store: store, temp: temp, heads: map[string]*Head{}}
}

// Probe proves that the store honours conditions, on which every commit depends. Whoever means to commit calls it first.
func (l *Lake) Probe(ctx context.Context) error {
	if err := object.Probe(ctx, l.store); err != nil {
		return fmt.Errorf("lake %s: %w", l.store, err)
	}
	return nil
}

func (l *Lake) String() string { return l.store.String() }

// ErrNotFound says that a partition does not exist.
var ErrNotFound = object.ErrNotFound

// ErrChanged says that a partition was replaced, with other rows, by somebody else since its head was read.
var ErrChanged = object.ErrChanged

// Head reads a partition's footer. ErrNotFound when there is no such partition.
func (l *Lake) Head(ctx context.Context, p Partition) (*Head, error) {
	return l.head(ctx, p, "")
}

// head reads a footer, from memory when the object's ETag is known to be the one seen before.
func (l *Lake) head(ctx context.Context, p Partition, etag string) (*Head, error) {
	key := p.Key()
	l.mu.Lock()
	known := l.heads[key]
	l.mu.Unlock()
	if known != nil && etag != "" && known.ETag == etag {
		return known, nil
	}
	o, err := l.store.Open(ctx, key, "")
	if err != nil {
		return nil, fmt.Errorf("lake: %s: %w", key, err)
	}
	defer o.Close()
	f, err := columns.Open(o, o.Info().Size)
	if err != nil {
		return nil, fmt.Errorf("lake: %s: %w", key, err)
	}
	h := &Head{Partition: p, ETag: o.Info().ETag, Size: o.Info().Size, Rows: f.Rows()}
	if err := h.read(f.Meta); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.heads[key] = h
	l.mu.Unlock()
	return h, nil
}

// Keys lists the objects under a prefix that are partitions, by key.
func (l *Lake) Keys(ctx context.Context, prefix string) (map[Partition]object.Info, error) {
	found := map[Partition]object.Info{}
	for info, err := range l.store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("lake %s: listing %s: %w", l.store, prefix, err)
		}
		if p, ok := ParseKey(info.Key); ok {
			found[p] = info
		}
	}
	return found, nil
}

// Heads reads the footers of a table's partitions, of one experiment where the table has it, ordered by day and
// revision. Footers that were read before and have not changed are not read again.
func (l *Lake) Heads(ctx context.Context, t *table.Table, experiment string) ([]*Head, error) {
	keys, err := l.Keys(ctx, prefix(t, experiment))
	if err != nil {
		return nil, err
	}
	partitions := slices.SortedFunc(maps.Keys(keys), func(a, b Partition) int {
		return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Revision, b.Revision))
	})
	heads := make([]*Head, len(partitions))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(footersAtOnce)
	for i, p := range partitions {
		g.Go(func() (err error) {
			heads[i], err = l.head(ctx, p, keys[p].ETag)
			return err
		})
	}
	return heads, g.Wait()
}

// Reading is a partition opened for reading, pinned: whatever happens to the object meanwhile, its rows are those of
// the head, or an error that wraps ErrChanged.
type Reading struct {
	*columns.File
	Head   *Head
	object object.Object
}

// Close frees what the reading holds.
func (r *Reading) Close() error { return r.object.Close() }

// Read opens a partition as its head says it is.
func (l *Lake) Read(ctx context.Context, h *Head) (*Reading, error) {
	for {
		o, err := l.store.Open(ctx, h.Key(), h.ETag)
		if errors.Is(err, object.ErrChanged) { // committed again: the same rows under a new footer will do
			now, again := l.Head(ctx, h.Partition)
			if again == nil && now.Content == h.Content {
				h = now
				continue
			}
		}
		if err != nil {
			return nil, fmt.Errorf("lake: %s: %w", h.Key(), err)
		}
		f, err := columns.Open(o, o.Info().Size)
		if err != nil {
			return nil, fmt.Errorf("lake: %s: %w", h.Key(), errors.Join(err, o.Close()))
		}
		return &Reading{File: f, Head: h, object: o}, nil
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Unreachable reports whether an error means that the store is down or refuses us, rather than that something is wrong
// with what it holds.
func Unreachable(err error) bool {
	return errors.Is(err, object.ErrUnreachable) || errors.Is(err, object.ErrAccess) || errors.Is(err, object.ErrUnknown)
}
