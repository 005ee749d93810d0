package object

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// Probe proves that a store honours conditions, on which every commit of the lake depends, and refuses it otherwise.
// It writes a small object of its own, tries to overwrite it where that must be refused, in each way in which the
// store commits, and removes it. Probes of several programs do not meet.
func Probe(ctx context.Context, s Store) error {
	key := ".crosslift/probe-" + rand.Text()
	ways := []func(context.Context, string) (Upload, error){s.Create}
	if large, ok := s.(interface {
		createMultipart(context.Context, string) (Upload, error)
	}); ok {
		ways = append(ways, large.createMultipart)
	}
	for i, create := range ways {
		way := [...]string{"a PUT", "the completion of a multipart upload"}[i]
		if err := probe(ctx, s, fmt.Sprintf("%s-%d", key, i), way, create); err != nil {
			return fmt.Errorf("probing the store: %w", err)
		}
	}
	return nil
}

func probe(ctx context.Context, s Store, key, way string, create func(context.Context, string) (Upload, error)) (err error) {
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
	defer func() { err = errors.Join(err, s.Delete(context.WithoutCancel(ctx), key)) }()
	first, err := put("")
	if err != nil {
		return err
	}
	for condition, replaces := range map[string]string{"If-None-Match": "", "If-Match": `"00000000000000000000000000000000"`} {
		if _, err := put(replaces); err == nil {
			return fmt.Errorf("it ignores %s on %s, so two runs could overwrite each other: it cannot hold a lake", condition, way)
		} else if !errors.Is(err, ErrPrecondition) {
			return fmt.Errorf("%s on %s: %w", condition, way, err)
		}
	}
	if _, err := put(first.ETag); err != nil {
		return fmt.Errorf("it refuses a matching If-Match on %s: %w", way, err)
	}
	return nil
}
