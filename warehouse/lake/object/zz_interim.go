package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type Store interface {
	Stat(ctx context.Context, key string) (Info, error)
	Open(ctx context.Context, key, etag string) (Object, error)
	Create(ctx context.Context, key string) (Upload, error)
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	Delete(ctx context.Context, key string) error
	String() string
}
type Info struct {
	Key, ETag string
	Size      int64
	Modified  time.Time
}
type Object interface {
	io.ReaderAt
	io.Closer
	Info() Info
}
type Upload interface {
	io.Writer
	Commit(ctx context.Context, replaces string) (Info, error)
	Abort(ctx context.Context) error
}

var (
	ErrNotFound     = errors.New("not found")
	ErrPrecondition = errors.New("precondition")
	ErrChanged      = errors.New("changed")
	ErrUnknown      = errors.New("unknown")
	ErrAccess       = errors.New("access")
	ErrUnreachable  = errors.New("unreachable")
)

type S3Config struct {
	Bucket, Prefix, Endpoint, Region string
	PathStyle                        bool
	AccessKey, SecretKey             string
}

func NewS3(ctx context.Context, c S3Config) (Store, error) { return nil, errors.New("no") }
func Probe(ctx context.Context, s Store) error             { return nil }

type folder string

func NewFolder(dir string) Store { return folder(dir) }

func (f folder) String() string { return string(f) }
func info(key string, fi fs.FileInfo) Info {
	return Info{key, fmt.Sprintf("%d-%d", fi.ModTime().UnixNano(), fi.Size()), fi.Size(), fi.ModTime()}
}
func (f folder) Stat(ctx context.Context, key string) (Info, error) {
	fi, err := os.Stat(filepath.Join(string(f), key))
	if errors.Is(err, fs.ErrNotExist) {
		return Info{}, ErrNotFound
	}
	if err != nil {
		return Info{}, err
	}
	return info(key, fi), nil
}

type obj struct {
	*os.File
	i Info
}

func (o obj) Info() Info { return o.i }
func (f folder) Open(ctx context.Context, key, etag string) (Object, error) {
	file, err := os.Open(filepath.Join(string(f), key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	fi, _ := file.Stat()
	o := obj{file, info(key, fi)}
	if etag != "" && etag != o.i.ETag {
		return nil, ErrChanged
	}
	return o, nil
}
func (f folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		filepath.WalkDir(string(f), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			key, _ := filepath.Rel(string(f), p)
			if strings.HasPrefix(key, prefix) {
				fi, _ := d.Info()
				if !yield(info(key, fi), nil) {
					return fs.SkipAll
				}
			}
			return nil
		})
	}
}
func (f folder) Delete(ctx context.Context, key string) error { return os.Remove(filepath.Join(string(f), key)) }

type up struct {
	*os.File
	f   folder
	key string
}

func (f folder) Create(ctx context.Context, key string) (Upload, error) {
	p := filepath.Join(string(f), key)
	os.MkdirAll(filepath.Dir(p), 0o755)
	file, err := os.CreateTemp(filepath.Dir(p), ".tmp*")
	return up{file, f, key}, err
}
func (u up) Abort(ctx context.Context) error { return os.Remove(u.Name()) }
func (u up) Commit(ctx context.Context, replaces string) (Info, error) {
	was, err := u.f.Stat(ctx, u.key)
	if replaces == "" && err == nil || replaces != "" && was.ETag != replaces {
		u.Abort(ctx)
		return Info{}, ErrPrecondition
	}
	u.Close()
	if err := os.Rename(u.Name(), filepath.Join(string(u.f), u.key)); err != nil {
		return Info{}, err
	}
	return u.f.Stat(ctx, u.key)
}
