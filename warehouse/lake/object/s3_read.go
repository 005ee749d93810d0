package object

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// tailSize is read when an object is opened: it holds the footer of all but very wide Parquet files, and the whole
	// of small ones.
	tailSize = 64 << 10
	// windowSize is the least that is read of an object at once.
	windowSize = 1 << 20
	// windowsKept is how many windows are kept for reads in small steps, of several columns in turn.
	windowsKept = 16
	// readTries is how often the rest of a cut answer is asked for. The SDK itself retries until an answer begins.
	readTries = 3
)

// s3Object reads one version of an object in ranges.
type s3Object struct {
	bucket *bucket
	info   Info
	ctx    context.Context
	cancel context.CancelFunc
	tail   *window

	mu      sync.Mutex
	windows []*window // the last used first
}

// window is a part of the object in memory; whoever needs it first loads it, the others wait.
type window struct {
	off  int64
	data []byte
	load func() error // once
}

func (w *window) holds(off int64) bool { return w.off <= off && off < w.off+int64(len(w.data)) }

func (b *bucket) Open(ctx context.Context, key, etag string) (Object, error) {
	if err := valid(key); err != nil {
		return nil, err
	}
	o := &s3Object{bucket: b}
	o.ctx, o.cancel = context.WithCancel(ctx)
	if err := o.open(key, etag); err != nil {
		o.cancel()
		return nil, err
	}
	return o, nil
}

// open pins the version and reads its end, in one request unless the object is empty.
func (o *s3Object) open(key, etag string) error {
	out, err := o.bucket.client.GetObject(o.ctx, &s3.GetObjectInput{
		Bucket: &o.bucket.name, Key: aws.String(o.bucket.prefix + key), IfMatch: optional(etag),
		Range: aws.String(fmt.Sprintf("bytes=-%d", tailSize)),
	})
	if status, _ := answer(err); status == http.StatusRequestedRangeNotSatisfiable {
		o.info, err = o.bucket.head(o.ctx, key, etag)
		if err == nil && o.info.Size != 0 {
			err = fmt.Errorf("%s refuses to read the last %d bytes of %d", o.bucket.endpoint, tailSize, o.info.Size)
		}
		o.tail = &window{}
		return err
	}
	if err != nil {
		return o.bucket.reading(o.ctx, err, etag)
	}
	defer out.Body.Close()
	o.info = Info{Key: key, ETag: aws.ToString(out.ETag), Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified)}
	length := o.info.Size
	if _, total, found := strings.Cut(aws.ToString(out.ContentRange), "/"); found {
		if o.info.Size, err = strconv.ParseInt(total, 10, 64); err != nil || o.info.Size < length {
			return fmt.Errorf("%s answers a range of %q: expected bytes from-to/size", o.bucket.endpoint, aws.ToString(out.ContentRange))
		}
	} else if length > tailSize {
		return fmt.Errorf("%s ignores ranges in reads: it cannot hold a lake", o.bucket.endpoint)
	}
	if o.info.ETag == "" {
		return fmt.Errorf("%s gives objects no ETag: it cannot hold a lake", o.bucket.endpoint)
	}
	if etag != "" && o.info.ETag != etag {
		return ErrChanged // a store that ignores If-Match on reads
	}
	o.tail = &window{off: o.info.Size - length, data: make([]byte, length)}
	n, err := io.ReadFull(out.Body, o.tail.data)
	if err != nil { // cut: ask for the rest
		return o.fetch(o.tail.data[n:], o.tail.off+int64(n))
	}
	return nil
}

func (o *s3Object) Info() Info { return o.info }

// Close ends the reads that are still going on.
func (o *s3Object) Close() error {
	o.cancel()
	return nil
}

func (o *s3Object) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	for n < len(p) {
		if err := o.ctx.Err(); err != nil {
			return n, err
		}
		at := off + int64(n)
		if at >= o.info.Size {
			return n, io.EOF
		}
		if o.tail.holds(at) {
			n += copy(p[n:], o.tail.data[at-o.tail.off:])
			continue
		}
		w := o.window(at, len(p)-n)
		if w == nil { // large: straight into the caller's memory
			rest := p[n:min(len(p), n+int(o.tail.off-at))]
			if err := o.fetch(rest, at); err != nil {
				return n, err
			}
			n += len(rest)
			continue
		}
		if err := w.load(); err != nil {
			o.drop(w)
			return n, err
		}
		n += copy(p[n:], w.data[at-w.off:])
	}
	return n, nil
}

// window finds the window that holds an offset before the tail, or makes one that begins there. It is nil for a read
// that is larger than a window.
func (o *s3Object) window(at int64, wanted int) *window {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.IndexFunc(o.windows, func(w *window) bool { return w.holds(at) }); i >= 0 {
		w := o.windows[i]
		copy(o.windows[1:i+1], o.windows[:i])
		o.windows[0] = w
		return w
	}
	if wanted >= windowSize {
		return nil
	}
	w := &window{off: at, data: make([]byte, min(windowSize, o.tail.off-at))}
	w.load = sync.OnceValue(func() error { return o.fetch(w.data, w.off) })
	o.windows = slices.Insert(o.windows[:min(len(o.windows), windowsKept-1)], 0, w)
	return w
}

// drop forgets a window that could not be loaded.
func (o *s3Object) drop(w *window) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.windows = slices.DeleteFunc(o.windows, func(other *window) bool { return other == w })
}

// fetch reads a range of the pinned version, asking again for the rest of an answer that was cut.
func (o *s3Object) fetch(p []byte, off int64) error {
	var cut error
	for range readTries {
		out, err := o.bucket.client.GetObject(o.ctx, &s3.GetObjectInput{
			Bucket: &o.bucket.name, Key: aws.String(o.bucket.prefix + o.info.Key), IfMatch: &o.info.ETag,
			Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)),
		})
		if err != nil {
			return o.bucket.reading(o.ctx, err, o.info.ETag)
		}
		if aws.ToString(out.ETag) != o.info.ETag || aws.ToInt64(out.ContentLength) != int64(len(p)) {
			return errors.Join(ErrChanged, out.Body.Close()) // the store ignores If-Match on reads
		}
		n, err := io.ReadFull(out.Body, p)
		if closed := out.Body.Close(); err == nil {
			return closed
		}
		cut, p, off = err, p[n:], off+int64(n)
	}
	if err := o.ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %s cuts its answers (%w)", ErrUnreachable, o.bucket.endpoint, root(cut))
}
