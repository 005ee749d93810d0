package object

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3Config says where a store on S3 is. Without keys, the SDK's usual places are searched for credentials: environment,
// shared profile, the machine's role.
type S3Config struct {
	Bucket, Prefix       string // Prefix without slashes around it; "" for the whole bucket
	Endpoint             string // "" for AWS; plain http only to this machine
	Region               string // "" for the environment's or, with an Endpoint, us-east-1
	PathStyle            bool   // https://host/bucket/key rather than https://bucket.host/key
	AccessKey, SecretKey string
	PartSize             int64 // bytes of a multipart upload's part, at least 5 MiB; 0 is 16 MiB, which allows 160 GB
	Parts                int   // parts on their way at once, of all uploads together; 0 is 4
}

const (
	minPart      = 5 << 20 // S3's smallest part but for the last
	maxParts     = 10_000  // S3's limit
	answerWithin = 2 * time.Minute
)

// bucket keeps objects under a prefix of a bucket.
type bucket struct {
	client   *s3.Client
	name     string
	prefix   string // with its final "/", or ""
	endpoint string // for messages
	partSize int
	// buffers holds the memory of parts that are on their way: a part waits here for its turn, and what it gets is what
	// the next one is written into. They are allocated when first needed.
	buffers chan []byte
}

// NewS3 is a store on S3 or a service like it. It asks the store nothing: Probe does.
func NewS3(ctx context.Context, c S3Config) (Store, error) {
	b := &bucket{name: c.Bucket, endpoint: cmp.Or(c.Endpoint, "AWS"), partSize: int(cmp.Or(c.PartSize, 16<<20))}
	if c.Bucket == "" {
		return nil, errors.New("S3: no bucket: expected s3://bucket/prefix")
	}
	if b.prefix = strings.Trim(c.Prefix, "/"); b.prefix != "" {
		if err := valid(b.prefix); err != nil {
			return nil, fmt.Errorf("S3: prefix: %w", err)
		}
		b.prefix += "/"
	}
	if err := checkEndpoint(c.Endpoint); err != nil {
		return nil, fmt.Errorf("S3: endpoint: %w", err)
	}
	if b.partSize < minPart {
		return nil, fmt.Errorf("S3: parts of %d bytes: S3 takes no less than %d", b.partSize, minPart)
	}
	b.buffers = make(chan []byte, cmp.Or(c.Parts, 4))
	for range cap(b.buffers) {
		b.buffers <- nil
	}
	options := []func(*config.LoadOptions) error{
		// Reads are of ranges, of which there are no checksums; uploads name theirs.
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerWithin
			t.MaxIdleConnsPerHost = 64 // footers are read many at a time
		})),
	}
	if c.Region != "" {
		options = append(options, config.WithRegion(c.Region))
	}
	if c.AccessKey != "" || c.SecretKey != "" {
		static := credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")
		options = append(options, config.WithCredentialsProvider(static))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	if _, err := loaded.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("S3: %w: no credentials found: set the lake's access_key and secret_key, AWS_ACCESS_KEY_ID "+
			"and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE", cmp.Or(ctx.Err(), ErrAccess))
	}
	if loaded.Region == "" {
		if c.Endpoint == "" {
			return nil, errors.New("S3: no region: set the lake's region or AWS_REGION")
		}
		loaded.Region = "us-east-1"
	}
	b.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		if c.Endpoint != "" {
			o.BaseEndpoint = aws.String(c.Endpoint)
		}
	})
	return b, nil
}

// checkEndpoint refuses what would send data or signatures in the clear.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("expected https://host[:port]") // not shown: a password may be in it
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is plain HTTP, which is allowed to this machine only: use https", endpoint)
	}
	return nil
}

func (b *bucket) String() string {
	return "s3://" + strings.TrimSuffix(b.name+"/"+b.prefix, "/")
}

func (b *bucket) Stat(ctx context.Context, key string) (Info, error) {
	if err := valid(key); err != nil {
		return Info{}, err
	}
	return b.head(ctx, key, "")
}

func (b *bucket) head(ctx context.Context, key, etag string) (Info, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: &b.name, Key: aws.String(b.prefix + key), IfMatch: optional(etag),
	})
	if err != nil {
		return Info{}, b.reading(ctx, err, etag)
	}
	return Info{
		Key: key, ETag: aws.ToString(out.ETag), Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified),
	}, nil
}

func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
			Bucket: &b.name, Prefix: optional(b.prefix + prefix),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Info{}, b.explain(ctx, err))
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), b.prefix)
				info := Info{Key: key, ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}
				if !hidden(key) && !yield(info, nil) {
					return
				}
			}
		}
	}
}

func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := valid(key); err != nil {
		return err
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: aws.String(b.prefix + key)})
	if err = b.explain(ctx, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
