// Package s3test starts a private S3 server for tests: versitygw over a temporary folder.
package s3test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"crosslift/warehouse/lake/object"
)

// Server is a running server with one bucket. It ends with the test, or with the process that runs the tests.
type Server struct {
	Endpoint, Region, Bucket string
	AccessKey, SecretKey     string
}

// Config is a store under a prefix of the server's bucket, with parts as small as S3 allows.
func (s *Server) Config(prefix string) object.S3Config {
	return object.S3Config{
		Bucket: s.Bucket, Prefix: prefix, Endpoint: s.Endpoint, Region: s.Region, PathStyle: true,
		AccessKey: s.AccessKey, SecretKey: s.SecretKey, PartSize: 5 << 20,
	}
}

// readyWithin is far more than the server needs, on a busy machine too.
const readyWithin = 30 * time.Second

// Start starts a server. The first one on a machine builds it, which takes two minutes or so; a server that cannot be
// built or started fails the test.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("s3test: %v", err)
	}
	s := &Server{Region: "us-east-1", Bucket: "crosslift-test", AccessKey: "test", SecretKey: "test-secret"}
	var said string
	for range 5 { // somebody else may take the port that we found free
		if said, err = s.start(t, path); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("s3test: %v; it said: %s", err, said)
	}
	client := s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(s.Bucket)}); err != nil {
		t.Fatalf("s3test: making a bucket: %v", err)
	}
	return s
}

// guard runs a server and kills it when its standard input ends: when the test closes it, or dies.
const guard = `exec 3<&0
"$@" 3<&- & server=$!
{ read -r _ <&3; kill -9 $server; } & guard=$!
exec 3<&-
wait $server; status=$?
kill $guard
exit $status`

// start runs the server and waits until it answers. What it said is of interest after an error.
func (s *Server) start(t testing.TB, path string) (said string, err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return "", err
	}
	dir := t.TempDir()
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer output.Close()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		return "", err
	}
	c := exec.Command("sh", "-c", guard, "sh", path, "--port", address, "--quiet", "posix", data)
	c.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	c.Stdout, c.Stderr = output, output
	life, err := c.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop := func() {
		_ = life.Close() // closed already when the server has ended by itself
		ended <- <-ended
	}
	s.Endpoint = "http://" + address
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	if err := ready(ctx, s.Endpoint, ended); err != nil {
		stop()
		log, _ := os.ReadFile(output.Name()) // the error is reported without it
		return string(log), err
	}
	t.Cleanup(stop)
	return "", nil
}

// ready waits until the server answers, with whatever status.
func ready(ctx context.Context, endpoint string, ended chan error) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("the S3 server ended: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the S3 server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
