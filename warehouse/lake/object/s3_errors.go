package object

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// answer takes from an error of the SDK what the store said: the HTTP status (0: no answer) and its code.
func answer(err error) (status int, code string) {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		status = response.HTTPStatusCode()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	return status, code
}

// explain says in one line what an error of the SDK means. The SDK's own text has request ids and the whole chain of
// its parts; what the store writes about a wrong signature is longer still.
func (b *bucket) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	status, code := answer(err)
	said := fmt.Sprintf("HTTP %d", status)
	if code != "" {
		said += " " + code
	}
	switch {
	case code == "NoSuchBucket":
		return fmt.Errorf("%w: %s has no bucket %q: create it, or correct its name", ErrAccess, b.endpoint, b.name)
	case code == "InvalidAccessKeyId", code == "SignatureDoesNotMatch", code == "InvalidToken", code == "ExpiredToken",
		code == "XAdminUserNotFound": // versitygw's, with 404
		return fmt.Errorf("%w by %s (%s): check the credentials: access key, secret key, and that they have not expired",
			ErrAccess, b.endpoint, said)
	case code == "RequestTimeTooSkewed":
		return fmt.Errorf("%w by %s (%s): set this machine's clock", ErrAccess, b.endpoint, said)
	case code == "AuthorizationHeaderMalformed", code == "PermanentRedirect", status == http.StatusMovedPermanently:
		return fmt.Errorf("%w by %s (%s): bucket %q is of another region: check the region and the endpoint",
			ErrAccess, b.endpoint, said, b.name)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Errorf("%w by %s (%s): check the credentials, and that they may list, read, write and delete in %s",
			ErrAccess, b.endpoint, said, b)
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("%w: %s answers %s: try again later", ErrUnreachable, b.endpoint, said)
	case status == 0:
		return fmt.Errorf("%w: %s: %w: check the endpoint and the network", ErrUnreachable, b.endpoint, root(err))
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		said += ": " + api.ErrorMessage()
	}
	return fmt.Errorf("%s answers %s", b.endpoint, said)
}

// root is the part of a connection's error that says what happened, without the request's URL.
func root(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// reading explains an error of a read that was pinned to an ETag, or not ("").
func (b *bucket) reading(ctx context.Context, err error, etag string) error {
	status, _ := answer(err)
	explained := b.explain(ctx, err)
	if etag != "" && (status == http.StatusPreconditionFailed || errors.Is(explained, ErrNotFound)) {
		return ErrChanged
	}
	return explained
}

// committing explains an error of a PUT or of the completion of a multipart upload. When no last word of the store is
// known, the object may have been written: by this try, or by an earlier one of the SDK's whose answer was lost.
func (b *bucket) committing(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	status, code := answer(err)
	explained := b.explain(ctx, err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	case status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return fmt.Errorf("%w (HTTP %d %s)", ErrPrecondition, status, code)
	case code == "NoSuchUpload": // completed by an earlier try, or aborted by somebody
		return fmt.Errorf("%w (HTTP %d %s)", ErrUnknown, status, code)
	case errors.Is(explained, ErrNotFound): // what was to be replaced is gone
		return fmt.Errorf("%w (HTTP %d %s)", ErrPrecondition, status, code)
	case errors.Is(explained, ErrUnreachable):
		return fmt.Errorf("%w: %w", ErrUnknown, explained)
	case status == http.StatusOK: // S3 may find that a completion failed after it has begun to answer
		return fmt.Errorf("%w: %w", ErrUnknown, explained)
	}
	return explained
}
