package object

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// creator begins an object in one of a store's ways.
type creator func(ctx context.Context, key string) (Upload, error)

// Probe proves that a store can be read and honours conditions, on which every commit of the lake depends; it refuses
// one that does not. It writes a small object of its own, tries to overwrite it where that must be refused, in each way
// in which the store commits, and removes it. Probes of several programs do not meet.
func Probe(ctx context.Context, s Store) error {
	name := ".crosslift/probe-" + rand.Text()
	for _, err := range s.List(ctx, name) { // the first question: its errors are clear, and nothing is in doubt after them
		if err != nil {
			return err
		}
	}
	ways := map[string]creator{"PUT": s.Create}
	if large, ok := s.(interface {
		createMultipart(context.Context, string) (Upload, error)
	}); ok {
		ways["CompleteMultipartUpload"] = large.createMultipart
	}
	var g errgroup.Group // each ends by itself: a commit that is cut off could land after its object was removed
	for way, create := range ways {
		g.Go(func() error {
			if err := probe(ctx, s, name+"-"+way, create); err != nil {
				return fmt.Errorf("probing conditions on %s: %w", way, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func probe(ctx context.Context, s Store, key string, create creator) (err error) {
	put := func(replaces string) (Info, error) {
		up, err := create(ctx, key)
		if err != nil {
			return Info{}, err
		}
		if _, err := up.Write([]byte("probe")); err != nil {
			return Info{}, errors.Join(err, up.Abort(ctx))
		}
		return up.Commit(ctx, replaces)
	}
	defer func() {
		if left := s.Delete(context.WithoutCancel(ctx), key); err == nil {
			err = left
		}
	}()
	first, err := put("")
	if err != nil {
		return err
	}
	for _, condition := range []struct{ header, replaces string }{
		{"If-None-Match", ""}, {"If-Match", `"00000000000000000000000000000000"`},
	} {
		if _, err := put(condition.replaces); err == nil {
			return fmt.Errorf("the store ignores %s, so that two runs could overwrite each other: it cannot hold a lake",
				condition.header)
		} else if !errors.Is(err, ErrPrecondition) {
			return fmt.Errorf("%s: %w", condition.header, err)
		}
	}
	if _, err := put(first.ETag); err != nil {
		return fmt.Errorf("a matching If-Match is refused: %w", err)
	}
	return nil
}
