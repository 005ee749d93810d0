package object

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// abortWithin bounds the discarding of a multipart upload after its context has ended. One that is not discarded is
// invisible and left to the bucket's lifecycle rule (AbortIncompleteMultipartUpload).
const abortWithin = 20 * time.Second

// s3Upload collects a small object in memory, for one PUT, and sends a larger one in parts while it is being written.
// Each request carries the CRC-32 of its bytes, and a signature over their SHA-256, which the store verifies.
type s3Upload struct {
	bucket *bucket
	key    string
	size   int64
	buffer []byte // the part being filled; never more than the bucket's part size
	ended  bool

	ctx     context.Context // of the parts' requests; ends with Create's context and with the upload
	cancel  context.CancelFunc
	id      string // of the multipart upload; "" while there is none
	parts   []types.CompletedPart
	sending *errgroup.Group
}

func (b *bucket) Create(ctx context.Context, key string) (Upload, error) {
	if err := errors.Join(ctx.Err(), valid(key)); err != nil {
		return nil, err
	}
	u := &s3Upload{bucket: b, key: key}
	ctx, u.cancel = context.WithCancel(ctx)
	u.sending, u.ctx = errgroup.WithContext(ctx)
	return u, nil
}

// createMultipart is Create for an object in parts, whatever its size: for Probe.
func (b *bucket) createMultipart(ctx context.Context, key string) (Upload, error) {
	up, err := b.Create(ctx, key)
	if err != nil {
		return nil, err
	}
	u := up.(*s3Upload)
	return u, u.begin()
}

func (u *s3Upload) Write(p []byte) (n int, err error) {
	if u.ended {
		return 0, errors.New("write to an upload that has ended")
	}
	if u.ctx.Err() != nil {
		return 0, u.failed()
	}
	for len(p) > 0 {
		if len(u.buffer) == u.bucket.partSize {
			if err := u.send(); err != nil {
				return n, err
			}
		}
		fits := min(len(p), u.bucket.partSize-len(u.buffer))
		if need := len(u.buffer) + fits; need > cap(u.buffer) {
			grown := make([]byte, len(u.buffer), min(max(need, 2*cap(u.buffer)), u.bucket.partSize))
			copy(grown, u.buffer)
			u.buffer = grown
		}
		u.buffer = append(u.buffer, p[:fits]...)
		p, n = p[fits:], n+fits
		u.size += int64(fits)
	}
	return n, nil
}

// failed is why the parts' context has ended: what the first part to fail met, or the end of Create's context.
func (u *s3Upload) failed() error {
	if err := u.sending.Wait(); err != nil {
		return err
	}
	return u.ctx.Err()
}

func (u *s3Upload) begin() error {
	out, err := u.bucket.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
		Bucket: &u.bucket.name, Key: u.path(), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return fmt.Errorf("starting a multipart upload: %w", u.bucket.explain(u.ctx, err))
	}
	u.id = aws.ToString(out.UploadId)
	return nil
}

func (u *s3Upload) path() *string { return aws.String(u.bucket.prefix + u.key) }

// send hands the filled part to a goroutine of the upload, when it is its turn, and takes another buffer for it. Before
// its turn no upload waits with a buffer that another needs, so any number may be written in any order.
func (u *s3Upload) send() error {
	if u.id == "" {
		if err := u.begin(); err != nil {
			return err
		}
	}
	number := int32(len(u.parts) + 1)
	if number > maxParts {
		return fmt.Errorf("larger than %d parts of %d bytes", maxParts, u.bucket.partSize)
	}
	var next []byte
	select {
	case next = <-u.bucket.buffers:
	case <-u.ctx.Done():
		return u.failed()
	}
	part := u.buffer
	u.buffer = next[:0]
	u.parts = append(u.parts, types.CompletedPart{PartNumber: &number, ChecksumCRC32: checksum(part)})
	u.sending.Go(func() error {
		defer func() { u.bucket.buffers <- part }()
		etag, err := u.sendPart(number, part)
		if err != nil {
			return err
		}
		u.tag(number, etag)
		return nil
	})
	return nil
}
