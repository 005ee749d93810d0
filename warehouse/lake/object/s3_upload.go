package object

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
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
	parts   []*types.CompletedPart
	sending *errgroup.Group
}

func (b *bucket) Create(ctx context.Context, key string) (Upload, error) {
	if err := cmp.Or(ctx.Err(), valid(key)); err != nil {
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
	part := &types.CompletedPart{PartNumber: &number, ChecksumCRC32: checksum(u.buffer)}
	u.parts = append(u.parts, part)
	body := u.buffer
	u.buffer = next[:0]
	u.sending.Go(func() error {
		out, err := u.bucket.client.UploadPart(u.ctx, &s3.UploadPartInput{
			Bucket: &u.bucket.name, Key: u.path(), UploadId: &u.id, PartNumber: &number,
			Body: bytes.NewReader(body), ChecksumCRC32: part.ChecksumCRC32,
		})
		if err != nil {
			u.bucket.buffers <- nil // the transport may still be reading from body
			return fmt.Errorf("part %d of a multipart upload: %w", number, u.bucket.explain(u.ctx, err))
		}
		part.ETag = out.ETag
		u.bucket.buffers <- body
		return nil
	})
	return nil
}

// checksum is a CRC-32 (IEEE) as S3 writes it: its four bytes, the highest first, in base64.
func checksum(p []byte) *string {
	return aws.String(base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(p))))
}

func (u *s3Upload) Commit(ctx context.Context, replaces string) (Info, error) {
	if u.ended {
		return Info{}, errors.New("commit of an upload that has ended")
	}
	stop := context.AfterFunc(ctx, u.cancel)
	defer stop()
	info, err := u.commit(ctx, replaces)
	if err != nil {
		_ = u.Abort(ctx) // the commit's error says more; for what may be left see abortWithin
		return Info{}, err
	}
	u.end()
	return info, nil
}

func (u *s3Upload) commit(ctx context.Context, replaces string) (Info, error) {
	if err := cmp.Or(u.ctx.Err(), ctx.Err()); err != nil {
		return Info{}, cmp.Or(u.failed(), err)
	}
	var onlyNew, onlyOn *string
	if replaces == "" {
		onlyNew = aws.String("*")
	} else {
		onlyOn = &replaces
	}
	info := Info{Key: u.key, Size: u.size}
	if u.id == "" {
		out, err := u.bucket.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &u.bucket.name, Key: u.path(), IfNoneMatch: onlyNew, IfMatch: onlyOn,
			Body: bytes.NewReader(u.buffer), ChecksumCRC32: checksum(u.buffer),
		})
		if err != nil {
			return Info{}, u.bucket.committing(ctx, err)
		}
		info.ETag = aws.ToString(out.ETag)
		return info, nil
	}
	if err := u.send(); err != nil {
		return Info{}, err
	}
	if err := u.sending.Wait(); err != nil {
		return Info{}, err
	}
	var parts []types.CompletedPart
	for _, part := range u.parts {
		parts = append(parts, *part)
	}
	out, err := u.bucket.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket.name, Key: u.path(), UploadId: &u.id, IfNoneMatch: onlyNew, IfMatch: onlyOn,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	if err != nil {
		return Info{}, u.bucket.committing(ctx, err)
	}
	info.ETag = aws.ToString(out.ETag)
	return info, nil
}

func (u *s3Upload) Abort(ctx context.Context) error {
	if u.ended {
		return nil
	}
	u.end()
	if u.id == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	_, err := u.bucket.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.bucket.name, Key: u.path(), UploadId: &u.id,
	})
	if err = u.bucket.explain(ctx, err); errors.Is(err, ErrNotFound) {
		return nil // completed, by a try whose answer was lost, or aborted by somebody else
	}
	return err
}

// end stops what is still being sent and waits for it.
func (u *s3Upload) end() {
	u.ended = true
	u.cancel()
	_ = u.sending.Wait() // its error was returned by Write or Commit, or is that it was stopped
	u.buffer = nil
}
