package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

// upload writes an object to S3: by one PUT when it fits into a part, else by parts, sent while more is written. Each
// part carries a CRC-32 that the store verifies. Parts come from the store's pool: whoever writes faster than the
// network takes waits for one to come back.
type upload struct {
	bucket *bucket
	ctx    context.Context // of Create; parts are sent under it
	key    string
	part   []byte // being filled; nil until something is written
	size   int64

	multipart bool   // by parts, however small: for the probe
	id        string // of the multipart upload, once there is one
	sending   *errgroup.Group
	sendCtx   context.Context
	mu        sync.Mutex
	sent      []types.CompletedPart
}

func (b *bucket) Create(ctx context.Context, key string) (Upload, error) {
	return &upload{bucket: b, ctx: ctx, key: key}, ctx.Err()
}

func (b *bucket) createMultipart(ctx context.Context, key string) (Upload, error) {
	return &upload{bucket: b, ctx: ctx, key: key, multipart: true}, ctx.Err()
}

// take gets a part from the pool.
func (u *upload) take() error {
	select {
	case part := <-u.bucket.parts:
		if part == nil {
			part = make([]byte, 0, u.bucket.partSize)
		}
		u.part = part[:0]
		return nil
	case <-u.ctx.Done():
		return u.ctx.Err()
	}
}

// give puts a part back.
func (u *upload) give(part []byte) { u.bucket.parts <- part[:0] }

func (u *upload) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if u.part != nil && len(u.part) == cap(u.part) {
			if err := u.send(); err != nil {
				return written, err
			}
		}
		if u.part == nil {
			if err := u.take(); err != nil {
				return written, err
			}
		}
		n := min(len(p), cap(u.part)-len(u.part))
		u.part = append(u.part, p[:n]...)
		p, written, u.size = p[n:], written+n, u.size+int64(n)
	}
	return written, nil
}

// send sends the filled part in the background, opening the multipart upload with the first.
func (u *upload) send() error {
	if u.id == "" {
		out, err := u.bucket.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &u.bucket.name, Key: u.bucket.key(u.key), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return u.bucket.failed("starting the upload of "+u.key, err)
		}
		u.id = aws.ToString(out.UploadId)
		u.sending, u.sendCtx = errgroup.WithContext(u.ctx)
	}
	if err := u.sendCtx.Err(); err != nil {
		return u.sending.Wait()
	}
	part, number := u.part, int32(len(u.sent)+1)
	u.part = nil
	u.sent = append(u.sent, types.CompletedPart{PartNumber: &number})
	u.sending.Go(func() error {
		defer u.give(part)
		out, err := u.bucket.client.UploadPart(u.sendCtx, &s3.UploadPartInput{
			Bucket: &u.bucket.name, Key: u.bucket.key(u.key), UploadId: &u.id, PartNumber: &number,
			Body: bytes.NewReader(part), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return u.bucket.failed(fmt.Sprintf("sending part %d of %s", number, u.key), err)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		u.sent[number-1].ETag, u.sent[number-1].ChecksumCRC32 = out.ETag, out.ChecksumCRC32
		return nil
	})
	return nil
}

// Abort drops the parts that were sent.
func (u *upload) Abort(ctx context.Context) error {
	if u.part != nil {
		u.give(u.part)
		u.part = nil
	}
	if u.id == "" {
		return nil
	}
	_ = u.sending.Wait() // what failed has been told, or does not matter any more
	_, err := u.bucket.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &u.bucket.name, Key: u.bucket.key(u.key), UploadId: &u.id})
	if err = u.bucket.failed("aborting the upload of "+u.key, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (u *upload) Commit(ctx context.Context, replaces string) (Info, error) {
	if u.id == "" && !u.multipart {
		return u.put(ctx, replaces)
	}
	if u.part != nil {
		if err := u.send(); err != nil {
			return Info{}, errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
		}
	}
	if err := u.sending.Wait(); err != nil {
		return Info{}, errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &u.bucket.name, Key: u.bucket.key(u.key), UploadId: &u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.sent},
	}
	in.IfMatch, in.IfNoneMatch = conditions(replaces)
	out, err := u.bucket.client.CompleteMultipartUpload(ctx, in)
	if err != nil {
		err = u.fate(err)
		if errors.Is(err, ErrUnknown) { // it may have happened: an abort would say nothing, and could do harm
			return Info{}, err
		}
		return Info{}, errors.Join(err, u.Abort(context.WithoutCancel(ctx)))
	}
	return Info{Key: u.key, ETag: aws.ToString(out.ETag), Size: u.size}, nil
}

// put commits an object of one part.
func (u *upload) put(ctx context.Context, replaces string) (Info, error) {
	if u.part != nil {
		defer func(part []byte) { u.give(part) }(u.part)
	}
	in := &s3.PutObjectInput{
		Bucket: &u.bucket.name, Key: u.bucket.key(u.key), Body: bytes.NewReader(u.part), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	}
	u.part = nil
	in.IfMatch, in.IfNoneMatch = conditions(replaces)
	out, err := u.bucket.client.PutObject(ctx, in)
	if err != nil {
		return Info{}, u.fate(err)
	}
	return Info{Key: u.key, ETag: aws.ToString(out.ETag), Size: u.size}, nil
}

func conditions(replaces string) (match, noneMatch *string) {
	if replaces == "" {
		return nil, aws.String("*")
	}
	return &replaces, nil
}

// fate says what a failed commit means. A refusal is certain, and so is a missing object under If-Match or a missing
// upload, unless a repetition met what the first try had done: that is for the caller to read. Everything else leaves
// it open.
func (u *upload) fate(err error) error {
	err = u.bucket.failed("committing "+u.key, err)
	switch {
	case errors.Is(err, ErrNotFound):
		return fmt.Errorf("%w (there is nothing)", ErrPrecondition)
	case errors.Is(err, ErrPrecondition), errors.Is(err, ErrAccess):
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}
