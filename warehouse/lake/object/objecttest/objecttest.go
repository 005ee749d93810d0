// Package objecttest says what every object store must do, as one suite of tests. A store joins by
//
//	objecttest.Run(t, func(t *testing.T) object.Store { … })
//
// with a function that gives an empty store; the suite opens objects of up to 18 MiB in it.
package objecttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"crosslift/warehouse/lake/object"
)

const key = "core/t/dt=2026-11-03/data.parquet"

// Run runs the suite on stores that new makes, each empty.
func Run(t *testing.T, new func(t *testing.T) object.Store) {
	for name, test := range map[string]func(*testing.T, object.Store){
		"an object is created once":                        create,
		"an object is replaced by who knows its ETag":      replace,
		"of racing creators one wins":                      racingCreators,
		"of racing replacers one wins":                     racingReplacers,
		"racing large objects: one wins":                   racingLarge,
		"what is aborted leaves nothing":                   abort,
		"what is not committed is not visible":             invisible,
		"a listing is in the order of keys":                list,
		"an empty object is an object":                     empty,
		"a large object comes back as it was":              large,
		"many large objects are written in turns":          interleaved,
		"reads are pinned":                                 pinned,
		"a pinned read ends rather than mix versions":      replacedDuringReads,
		"what is missing is not found":                     missing,
		"to delete twice is no error":                      deletion,
		"keys may hold what partitions' values hold":       oddKeys,
		"what is no key is refused":                        badKeys,
		"a cancelled context ends writing and reading":     cancelled,
		"reads at any place give what was written there":   ranges,
		"two probes at once pass, and leave nothing":       probes,
		"an ETag is the same however one asks":             sameETag,
		"a later object under a deleted key has a new tag": recreated,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, new(t))
		})
	}
}

// Put writes an object in one go.
func Put(ctx context.Context, s object.Store, key string, content []byte, replaces string) (object.Info, error) {
	up, err := s.Create(ctx, key)
	if err != nil {
		return object.Info{}, err
	}
	if _, err := up.Write(content); err != nil {
		return object.Info{}, errors.Join(err, up.Abort(ctx))
	}
	return up.Commit(ctx, replaces)
}

// Get reads an object's present version.
func Get(ctx context.Context, s object.Store, key string) ([]byte, error) {
	o, err := s.Open(ctx, key, "")
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.NewSectionReader(o, 0, o.Info().Size))
	return content, errors.Join(err, o.Close())
}

// Bytes gives n bytes that a seed decides and zstd would not shorten.
func Bytes(seed uint64, n int) []byte {
	content := make([]byte, n)
	var s [32]byte
	s[0], s[1] = byte(seed), byte(seed>>8)
	_, _ = rand.NewChaCha8(s).Read(content) // never fails
	return content
}

func put(t *testing.T, s object.Store, key string, content []byte, replaces string) object.Info {
	t.Helper()
	info, err := Put(t.Context(), s, key, content, replaces)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return info
}

func holds(t *testing.T, s object.Store, key string, want []byte) {
	t.Helper()
	got, err := Get(t.Context(), s, key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: %d bytes, other than the %d expected", key, len(got), len(want))
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, expected one that is: %v", err, want)
	}
}

func keys(t *testing.T, s object.Store, prefix string) []string {
	t.Helper()
	var found []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("listing %q: %v", prefix, err)
		}
		found = append(found, info.Key)
	}
	return found
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, expected %q", got, want)
	}
}

func create(t *testing.T, s object.Store) {
	put(t, s, key, []byte("first"), "")
	_, err := Put(t.Context(), s, key, []byte("second"), "")
	is(t, err, object.ErrPrecondition)
	holds(t, s, key, []byte("first"))
}

func replace(t *testing.T, s object.Store) {
	_, err := Put(t.Context(), s, key, []byte("x"), `"00000000000000000000000000000000"`)
	is(t, err, object.ErrPrecondition)
	first := put(t, s, key, []byte("first"), "")
	second := put(t, s, key, []byte("second"), first.ETag)
	if first.ETag == second.ETag {
		t.Errorf("both versions have the ETag %s", first.ETag)
	}
	_, err = Put(t.Context(), s, key, []byte("third"), first.ETag)
	is(t, err, object.ErrPrecondition)
	holds(t, s, key, []byte("second"))
}

// race lets n writers commit content of their own, after all of them have written it, and checks that one of them won.
func race(t *testing.T, s object.Store, n, size int, replaces string) {
	t.Helper()
	uploads := make([]object.Upload, n)
	for i := range n {
		up, err := s.Create(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := up.Write(Bytes(uint64(i), size)); err != nil {
			t.Fatal(err)
		}
		uploads[i] = up
	}
	results, start := make([]error, n), make(chan struct{})
	var racing sync.WaitGroup
	for i, up := range uploads {
		racing.Go(func() {
			<-start
			_, results[i] = up.Commit(t.Context(), replaces)
		})
	}
	close(start)
	racing.Wait()
	winner := -1
	for i, err := range results {
		switch {
		case err == nil && winner >= 0:
			t.Fatalf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		default:
			is(t, err, object.ErrPrecondition)
		}
	}
	if winner < 0 {
		t.Fatal("no writer won")
	}
	holds(t, s, key, Bytes(uint64(winner), size))
}

func racingCreators(t *testing.T, s object.Store) { race(t, s, 20, 1000, "") }

func racingReplacers(t *testing.T, s object.Store) {
	race(t, s, 20, 1000, put(t, s, key, []byte("old"), "").ETag)
}

func racingLarge(t *testing.T, s object.Store) { race(t, s, 4, 6<<20, "") }

func abort(t *testing.T, s object.Store) {
	for _, size := range []int{0, 1000, 11 << 20} {
		up, err := s.Create(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := up.Write(Bytes(1, size)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := up.Abort(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := up.Write([]byte("more")); err == nil {
			t.Error("an aborted upload was written to")
		}
		if _, err := up.Commit(t.Context(), ""); err == nil {
			t.Error("an aborted upload was committed")
		}
	}
	equal(t, keys(t, s, ""), nil)
}

func invisible(t *testing.T, s object.Store) {
	up, err := s.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := up.Write(Bytes(1, 11<<20)); err != nil {
		t.Fatal(err)
	}
	equal(t, keys(t, s, ""), nil)
	_, err = s.Open(t.Context(), key, "")
	is(t, err, object.ErrNotFound)
	if _, err := up.Commit(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	equal(t, keys(t, s, ""), []string{key})
}

func list(t *testing.T, s object.Store) {
	all := []string{"a-b/x", "a.b/x", "a/b/c", "a/b=1/c", "a/z", "ab", "b/dt=2026-11-03/data.parquet", "b/dt=2026-11-04/data.parquet"}
	if !slices.IsSorted(all) {
		t.Fatal("the test's keys are not in order")
	}
	for _, i := range rand.Perm(len(all)) {
		put(t, s, all[i], []byte(all[i]), "")
	}
	put(t, s, ".crosslift/private", []byte("x"), "")
	equal(t, keys(t, s, ""), all)
	equal(t, keys(t, s, "a"), all[:6])
	equal(t, keys(t, s, "a/"), all[2:5])
	equal(t, keys(t, s, "b/dt=2026-11-04"), all[7:])
	equal(t, keys(t, s, "a/b"), all[2:4])
	equal(t, keys(t, s, "c/"), nil)
	for range s.List(t.Context(), "") {
		break // a caller may stop
	}
}

func empty(t *testing.T, s object.Store) {
	put(t, s, key, nil, "")
	holds(t, s, key, []byte{})
	o, err := s.Open(t.Context(), key, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if n, err := o.ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("reading nothing: %d bytes, %v", n, err)
	}
}

func missing(t *testing.T, s object.Store) {
	_, err := s.Stat(t.Context(), key)
	is(t, err, object.ErrNotFound)
	_, err = s.Open(t.Context(), key, "")
	is(t, err, object.ErrNotFound)
	_, err = s.Open(t.Context(), key, `"00000000000000000000000000000000"`)
	is(t, err, object.ErrChanged)
	equal(t, keys(t, s, ""), nil)
}

func deletion(t *testing.T, s object.Store) {
	put(t, s, key, []byte("x"), "")
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, keys(t, s, ""), nil)
	put(t, s, key, []byte("y"), "")
	holds(t, s, key, []byte("y"))
}

func oddKeys(t *testing.T, s object.Store) {
	odd := []string{"e=50%25 off/x", "e=a b/x", "e=a+b&c/x", "e=ключ/x", "e=~'()!*/x", "e=#?;:@/x"}
	for _, k := range odd {
		put(t, s, k, []byte(k), "")
	}
	for _, k := range odd {
		holds(t, s, k, []byte(k))
		if info, err := s.Stat(t.Context(), k); err != nil || info.Key != k {
			t.Errorf("%q: %q, %v", k, info.Key, err)
		}
	}
	slices.Sort(odd)
	equal(t, keys(t, s, ""), odd)
	equal(t, keys(t, s, "e=a b/"), []string{"e=a b/x"})
}

func badKeys(t *testing.T, s object.Store) {
	for _, k := range []string{"", ".", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\x00b"} {
		_, stat := s.Stat(t.Context(), k)
		_, open := s.Open(t.Context(), k, "")
		_, create := s.Create(t.Context(), k)
		for name, err := range map[string]error{"stat": stat, "open": open, "create": create, "delete": s.Delete(t.Context(), k)} {
			if err == nil {
				t.Errorf("%s of %q passed", name, k)
			}
		}
	}
}

func cancelled(t *testing.T, s object.Store) {
	put(t, s, key, Bytes(1, 1000), "")
	ctx, cancel := context.WithCancel(t.Context())
	up, err := s.Create(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := up.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	o, err := s.Open(ctx, key, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	cancel()
	_, err = o.ReadAt(make([]byte, 10), 0)
	is(t, err, context.Canceled)
	_, err = up.Write([]byte("x"))
	is(t, err, context.Canceled)
	_, err = up.Commit(t.Context(), "") // it was created to be cancelled
	is(t, err, context.Canceled)
	_, err = s.Stat(ctx, key)
	is(t, err, context.Canceled)
	_, err = s.Create(ctx, key)
	is(t, err, context.Canceled)
	_, err = s.Open(ctx, key, "")
	is(t, err, context.Canceled)
	is(t, s.Delete(ctx, key), context.Canceled)
	for _, err := range s.List(ctx, "") {
		is(t, err, context.Canceled)
	}
	up, err = s.Create(t.Context(), "third")
	if err != nil {
		t.Fatal(err)
	}
	_, err = up.Commit(ctx, "")
	is(t, err, context.Canceled)
	equal(t, keys(t, s, ""), []string{key})
}

func probes(t *testing.T, s object.Store) {
	results := make(chan error)
	for range 2 {
		go func() { results <- object.Probe(t.Context(), s) }()
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Errorf("probe: %v", err)
		}
	}
	equal(t, keys(t, s, ""), nil)
}

func sameETag(t *testing.T, s object.Store) {
	for i, size := range []int{0, 1000, 6 << 20} {
		k := fmt.Sprintf("size=%d/data.parquet", i)
		committed := put(t, s, k, Bytes(1, size), "")
		stat, err := s.Stat(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.Open(t.Context(), k, committed.ETag)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		for listed, err := range s.List(t.Context(), k) {
			if err != nil {
				t.Fatal(err)
			}
			for how, got := range map[string]object.Info{"committed": committed, "stat": stat, "opened": o.Info(), "listed": listed} {
				if got.ETag != committed.ETag || got.Size != int64(size) || got.Key != k {
					t.Errorf("%s: %+v, committed as %+v", how, got, committed)
				}
			}
		}
	}
}

func recreated(t *testing.T, s object.Store) {
	first := put(t, s, key, []byte("first"), "")
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	_, err := s.Open(t.Context(), key, first.ETag)
	is(t, err, object.ErrChanged)
	put(t, s, key, []byte("other"), "")
	_, err = Put(t.Context(), s, key, []byte("third"), first.ETag)
	is(t, err, object.ErrPrecondition)
}
