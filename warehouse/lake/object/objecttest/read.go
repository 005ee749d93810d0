package objecttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"crosslift/warehouse/lake/object"
)

func large(t *testing.T, s object.Store) {
	content := Bytes(7, 17<<20+12345)
	up, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	for rest := content; len(rest) > 0; { // in pieces that fit no part
		n := min(len(rest), 777_777)
		if _, err := up.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if _, err := up.Commit(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	holds(t, s, key, content)
}

// interleaved writes more large objects at once than parts may be on their way, by one goroutine, so that a store whose
// uploads wait for each other's memory hangs.
func interleaved(t *testing.T, s object.Store) {
	const uploads = 6
	var open [uploads]object.Upload
	for i := range open {
		up, err := s.Create(t.Context(), fmt.Sprintf("o%d", i))
		if err != nil {
			t.Fatal(err)
		}
		open[i] = up
	}
	piece := Bytes(3, 2<<20)
	for range 3 {
		for _, up := range open {
			if _, err := up.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, up := range open {
		if _, err := up.Commit(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		holds(t, s, fmt.Sprintf("o%d", i), bytes.Repeat(piece, 3))
	}
}

func pinned(t *testing.T, s object.Store) {
	first := put(t, s, key, []byte("first"), "")
	opened, err := s.Open(t.Context(), key, first.ETag)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	second := put(t, s, key, []byte("second"), first.ETag)
	_, err = s.Open(t.Context(), key, first.ETag)
	is(t, err, object.ErrChanged)
	if got, err := io.ReadAll(io.NewSectionReader(opened, 0, first.Size)); err != nil || string(got) != "first" {
		t.Errorf("the reader of the first version read %q, %v", got, err)
	}
	again, err := s.Open(t.Context(), key, second.ETag)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Info().ETag != second.ETag {
		t.Errorf("opened %s, expected %s", again.Info().ETag, second.ETag)
	}
}

// replacedDuringReads reads an object at random places while it is replaced: each reader gets its own version's bytes,
// or ErrChanged.
func replacedDuringReads(t *testing.T, s object.Store) {
	const size, versions = 3 << 20, 6
	at := put(t, s, key, Bytes(0, size), "").ETag
	var contents [versions][]byte
	for v := range contents {
		contents[v] = Bytes(uint64(v), size)
	}
	g, ctx := errgroup.WithContext(t.Context())
	done := make(chan struct{})
	for range 4 {
		g.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				default:
				}
				o, err := s.Open(ctx, key, "")
				if err != nil {
					return err
				}
				if err := oneOf(o, contents[:]); err != nil && !errors.Is(err, object.ErrChanged) {
					return err
				}
				if err := o.Close(); err != nil {
					return err
				}
			}
		})
	}
	for v := 1; v < versions; v++ {
		info, err := Put(ctx, s, key, contents[v], at)
		if err != nil {
			t.Error(err)
			break
		}
		at = info.ETag
	}
	close(done)
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// oneOf reads some places of an object and requires them to be of one of the versions.
func oneOf(o object.Object, versions [][]byte) error {
	size := o.Info().Size
	p := make([]byte, 1000)
	candidates := make(map[int]bool)
	for v := range versions {
		candidates[v] = true
	}
	for range 5 {
		off := rand.Int64N(size - int64(len(p)))
		if _, err := o.ReadAt(p, off); err != nil {
			return err
		}
		for v := range candidates {
			if !bytes.Equal(p, versions[v][off:off+int64(len(p))]) {
				delete(candidates, v)
			}
		}
	}
	if len(candidates) != 1 {
		return fmt.Errorf("a reader saw a mixture: %d versions fit what it read", len(candidates))
	}
	return nil
}

// ranges compares reads of all sizes, by several goroutines, with the bytes in memory.
func ranges(t *testing.T, s object.Store) {
	content := Bytes(9, 6<<20+77)
	info := put(t, s, key, content, "")
	o, err := s.Open(t.Context(), key, info.ETag)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	reference := bytes.NewReader(content)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var g errgroup.Group
	for reader := range uint64(4) {
		g.Go(func() error {
			random := rand.New(rand.NewPCG(seed, reader))
			for i := range 60 {
				off := random.Int64N(info.Size + 10)
				if i%10 == 0 {
					off = max(0, info.Size-random.Int64N(200_000)) // about the end
				}
				p := make([]byte, 1+random.IntN(1<<(4+random.IntN(18))))
				want := make([]byte, len(p))
				n, err := o.ReadAt(p, off)
				wantN, wantErr := reference.ReadAt(want, off)
				if n != wantN || (err != nil) != (wantErr != nil) || wantErr == io.EOF && err != io.EOF || !bytes.Equal(p[:n], want[:n]) {
					return fmt.Errorf("%d bytes at %d: read %d, %v; expected %d, %v", len(p), off, n, err, wantN, wantErr)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
