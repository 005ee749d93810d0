package identity

import (
	"context"
	"errors"
	"fmt"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
	"crosslift/transform/identity/number"
)

// sameMap tells whether two maps in Parquet hold the same nodes and group them alike, whatever they call the groups.
func sameMap(ctx context.Context, args []string) error {
	var nodes [2]*number.List
	var labels [2][]uint32
	for i, name := range args {
		var err error
		if nodes[i], labels[i], err = readMap(ctx, name); err != nil {
			return err
		}
	}
	if len(labels[0]) != len(labels[1]) {
		return fmt.Errorf("%d nodes and %d", len(labels[0]), len(labels[1]))
	}
	keys, err := number.Rank(ctx, 2, nodes[0], nodes[1])
	if err != nil {
		return err
	}
	if len(keys) != len(labels[0]) {
		return fmt.Errorf("%d nodes in one or the other, but %d in each: they differ", len(keys), len(labels[0]))
	}
	byNode := make([]uint32, len(keys))
	for row, node := range nodes[1].AppendNumbers(nil) {
		byNode[node] = labels[1][row]
	}
	theirs := make([]uint32, len(keys))
	for row, node := range nodes[0].AppendNumbers(nil) {
		theirs[row] = byNode[node]
	}
	return alike(labels[0], theirs)
}

// readMap reads a map; components are numbered.
func readMap(ctx context.Context, name string) (*number.List, []uint32, error) {
	s, err := sheet.Open(ctx, name, []string{"node", "component"}, nil)
	if err != nil {
		return nil, nil, err
	}
	nodes, components := &number.List{}, &number.List{}
	err = s.Read(ctx, 1, func(_ int, b *sheet.Batch) error {
		for i, l := range []*number.List{nodes, components} {
			v := &b.Vectors[i]
			for row := range b.Rows {
				switch s.Columns[i].Kind {
				case sheet.ID:
					l.Add(v.IDs[v.Index[row]])
				case sheet.Text, sheet.Bytes:
					l.Add(shorten(v.Strings[v.Index[row]]))
				default:
					l.Add(spread(v.Ints[row]))
				}
			}
		}
		return nil
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, nil, err
	}
	if _, err := number.Rank(ctx, 2, components); err != nil {
		return nil, nil, err
	}
	return nodes, components.AppendNumbers(nil), nil
}

// shorten gives back the 16 bytes that a node was made from.
func shorten(s string) (id identifier.ID) {
	if len(s) == len(id) {
		copy(id[:], s)
		return id
	}
	at := 0
	for i := 0; i+1 < len(s) && at < len(id); i++ {
		if s[i] != '-' {
			id[at] = digit(s[i])<<4 | digit(s[i+1])
			at++
			i++
		}
	}
	return id
}

func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// spread makes a key of a number, its lowest bytes first, so that keys differ from their first byte on.
func spread(x int64) (id identifier.ID) {
	for i := range 8 {
		id[i] = byte(x >> (8 * i))
	}
	return id
}

// sameLabels tells whether two files of 32-bit labels group the same nodes alike.
func sameLabels(_ context.Context, args []string) error {
	a, err := array[uint32]("", args[0])
	if err != nil {
		return err
	}
	b, err := array[uint32]("", args[1])
	if err != nil {
		return err
	}
	if len(a) != len(b) {
		return fmt.Errorf("%d nodes and %d", len(a), len(b))
	}
	return alike(a, b)
}

// alike tells whether there is one label in b for each in a, and the reverse.
func alike(a, b []uint32) error {
	const none = ^uint32(0)
	ab, ba := make([]uint32, len(a)), make([]uint32, len(a))
	for i := range ab {
		ab[i], ba[i] = none, none
	}
	for i := range a {
		if ab[a[i]] == none {
			ab[a[i]] = b[i]
		}
		if ba[b[i]] == none {
			ba[b[i]] = a[i]
		}
		if ab[a[i]] != b[i] || ba[b[i]] != a[i] {
			return fmt.Errorf("node %d is grouped differently", i)
		}
	}
	return nil
}
