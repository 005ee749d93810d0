package object_test

import (
	"sync/atomic"
	"testing"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/objecttest"
	"crosslift/warehouse/lake/object/s3test"
	"fmt"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	objecttest.Run(t, func(t *testing.T) object.Store { return object.NewFolder(t.TempDir()) })
}

func TestS3(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var stores atomic.Int32
	objecttest.Run(t, func(t *testing.T) object.Store {
		return s3Store(t, server.Config(fmt.Sprintf("suite/%d", stores.Add(1))))
	})
}

func s3Store(t *testing.T, c object.S3Config) object.Store {
	t.Helper()
	s, err := object.NewS3(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
