package catalog

import (
	"context"
	"fmt"
	"strings"

	"crosslift/connectors/files"
	"crosslift/warehouse/lake/object"
)

// Bucket lets the files connector read from an S3 prefix.
func Bucket(store object.Store) files.Store { return bucket{store} }

type bucket struct{ store object.Store }

func (b bucket) String() string { return b.store.String() }

func (b bucket) List(ctx context.Context, prefix string) ([]files.Object, error) {
	var objects []files.Object
	for info, err := range b.store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("%s: listing %s: %w", b.store, prefix, err)
		}
		if !strings.HasSuffix(info.Key, "/") { // the marker of a folder that a console made
			objects = append(objects, files.Object{Name: info.Key, Size: info.Size, Version: info.ETag, Modified: info.Modified})
		}
	}
	return objects, nil
}

func (b bucket) Open(ctx context.Context, o files.Object) (files.Content, error) {
	opened, err := b.store.Open(ctx, o.Name, o.Version)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", b.store, o.Name, err)
	}
	return content{opened}, nil
}

type content struct{ object.Object }

func (c content) Size() int64 { return c.Info().Size }
