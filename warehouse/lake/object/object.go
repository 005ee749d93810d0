// Package object stores the lake's objects: whole files under keys, in a folder or on S3, written atomically under a
// condition and read pinned to one version.
//
// A key is a relative path with "/" between its parts. A key with a part that begins with "." is private to the
// program: List does not show it.
package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// What an error of a store means for its caller. Errors wrap one of these and say more; anything else is a fault that
// neither waiting nor reading again will mend, or the context's own error.
var (
	// ErrNotFound: there is no object under the key.
	ErrNotFound = errors.New("no such object")
	// ErrPrecondition: a commit's condition did not hold when the store looked. On S3 an earlier try of the same commit,
	// whose answer was lost, may have won: read the object and see.
	ErrPrecondition = errors.New("the object is not what the commit was to replace")
	// ErrChanged: the object was replaced or deleted since the version that a reader asked for.
	ErrChanged = errors.New("the object was replaced meanwhile")
	// ErrUnknown: a commit's answer was lost, so the object may have been written or not: read it and see.
	ErrUnknown = errors.New("the store did not say whether the object was written")
	// ErrAccess: the store refuses these credentials, or what they ask for.
	ErrAccess = errors.New("access refused")
	// ErrUnreachable: the store does not answer.
	ErrUnreachable = errors.New("the store cannot be reached")
)

// Info describes one version of an object.
type Info struct {
	Key  string
	ETag string // another one for each replacement; opaque
	Size int64  // bytes
	// Modified is informative: stores round it differently in a listing and in an answer about one object.
	Modified time.Time
}

// Object is one version of an object, opened for reading. Its ReadAt is safe for concurrent use, ends with the context
// that opened it, and gives that version's bytes or an error: ErrChanged when a store no longer has them.
type Object interface {
	io.ReaderAt
	io.Closer
	Info() Info
}

// Upload is an object being written by one goroutine. It ends with Commit or Abort; after either, Abort does nothing.
type Upload interface {
	io.Writer
	// Commit makes what was written the object, if the object's ETag is replaces or, with "", if there is no object;
	// otherwise ErrPrecondition. It is atomic: readers find the old object or the new one. After an error nothing of the
	// upload is left but, with ErrUnknown or ErrPrecondition, perhaps the object itself.
	Commit(ctx context.Context, replaces string) (Info, error)
	// Abort discards what was written.
	Abort(ctx context.Context) error
}

// Store keeps objects. Its String names it in messages.
type Store interface {
	// Stat describes an object.
	Stat(ctx context.Context, key string) (Info, error)
	// Open opens an object for reading: the version with an ETag, or ErrChanged; with "", the present version.
	Open(ctx context.Context, key, etag string) (Object, error)
	// Create begins an object. Nothing is visible before its Commit. Writing ends with the context.
	Create(ctx context.Context, key string) (Upload, error)
	// List gives the objects whose keys begin with a prefix, in the byte order of their keys.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes an object; that there is none is no error.
	Delete(ctx context.Context, key string) error
	String() string
}

// valid refuses what is no key, before a store makes another one of it.
func valid(key string) error {
	if !fs.ValidPath(key) || key == "." || strings.ContainsAny(key, "\x00\\") {
		return fmt.Errorf("%q is no key: expected a relative path, none of its parts empty or made of dots", key)
	}
	return nil
}

// hidden reports whether a part of a key begins with a dot.
func hidden(key string) bool { return strings.HasPrefix(key, ".") || strings.Contains(key, "/.") }
