package number

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
)

// Rank numbers the keys of all lists, on so many processors: the answer has each key once, in ascending order, and its
// place there is its number. The lists can then be asked for their numbers, and take no more keys.
//
// It refuses more keys than numbers of 32 bits can tell apart.
func Rank(ctx context.Context, workers int, lists ...*List) ([]identifier.ID, error) {
	var all uint64
	for _, l := range lists {
		all += uint64(l.Len())
	}
	if all > math.MaxUint32 {
		return nil, fmt.Errorf("numbering: %d keys are more than the %d that can be numbered", all, uint64(math.MaxUint32))
	}
	var distinct [parts][]identifier.ID
	next := make(chan int, parts)
	for p := range parts {
		if size := pieceSize(p, lists); size < all/4 || size < mostChunk {
			next <- p
			continue
		}
		var err error // so large a piece, of keys that are no hashes, is worth all workers
		if distinct[p], err = (&sorter{workers: workers}).rank(ctx, p, lists); err != nil {
			return nil, err
		}
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range max(workers, 1) {
		g.Go(func() (err error) {
			s := sorter{workers: 1}
			for p := range next {
				if distinct[p], err = s.rank(ctx, p, lists); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	n := 0
	for p := range distinct {
		for _, l := range lists {
			l.first[p] = uint32(n)
		}
		n += len(distinct[p])
	}
	keys := make([]identifier.ID, 0, n)
	for p := range distinct {
		keys = append(keys, distinct[p]...)
		distinct[p] = nil
	}
	return keys, nil
}

// sorter holds what ranking a piece needs, for the next piece.
type sorter struct {
	workers        int
	entries, spare []entry
}

// pieceSize is how many keys of a piece the lists have.
func pieceSize(p int, lists []*List) (n uint64) {
	for _, l := range lists {
		n += uint64(len(l.open[p]))
		for _, chunk := range l.chunks[p] {
			n += uint64(len(chunk))
		}
	}
	return n
}

// rank numbers a piece's keys from 0 and gives them, each once.
func (s *sorter) rank(ctx context.Context, p int, lists []*List) ([]identifier.ID, error) {
	s.entries = s.entries[:0]
	from := make([]int, len(lists)+1)
	for i, l := range lists {
		for _, chunk := range l.take(p) {
			for k := range chunk {
				id := &chunk[k]
				s.entries = append(s.entries, entry{binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:]), uint32(len(s.entries))})
			}
		}
		from[i+1] = len(s.entries)
	}
	if len(s.entries) == 0 {
		return nil, ctx.Err()
	}
	if len(s.spare) < len(s.entries) {
		s.spare = make([]entry, len(s.entries)+len(s.entries)/8)
	}
	if err := radix(ctx, s.workers, s.entries, s.spare[:len(s.entries)], 1); err != nil {
		return nil, err
	}

	distinct := 1
	for i := 1; i < len(s.entries); i++ {
		if !s.entries[i].equal(&s.entries[i-1]) {
			distinct++
		}
	}
	keys, numbers := make([]identifier.ID, 0, distinct), make([]uint32, len(s.entries))
	for i := range s.entries {
		e := &s.entries[i]
		if i == 0 || !e.equal(&s.entries[i-1]) {
			var id identifier.ID
			binary.BigEndian.PutUint64(id[:8], e.high)
			binary.BigEndian.PutUint64(id[8:], e.low)
			keys = append(keys, id)
		}
		numbers[e.place] = uint32(len(keys) - 1)
	}
	for i, l := range lists {
		l.numbers[p] = numbers[from[i]:from[i+1]]
	}
	return keys, nil
}
