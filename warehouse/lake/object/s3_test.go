package object_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/objecttest"
	"crosslift/warehouse/lake/object/s3test"
)

// TestS3Access: what is wrong with a configuration is said in one line, with what to check and without the secret.
func TestS3Access(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	right := server.Config("x")
	for name, test := range map[string]struct {
		change func(*object.S3Config)
		err    error
		says   string
	}{
		"wrong secret":     {func(c *object.S3Config) { c.SecretKey = "wrong-one" }, object.ErrAccess, "check the credentials"},
		"wrong access key": {func(c *object.S3Config) { c.AccessKey = "nobody" }, object.ErrAccess, "check the credentials"},
		"no bucket":        {func(c *object.S3Config) { c.Bucket = "nowhere-to-be-found" }, object.ErrAccess, `no bucket "nowhere-to-be-found"`},
		"nobody listens":   {func(c *object.S3Config) { c.Endpoint = "http://127.0.0.1:1" }, object.ErrUnreachable, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := right
			test.change(&config)
			store := s3Store(t, config)
			_, written := objecttest.Put(t.Context(), store, key, []byte("x"), "")
			for what, err := range map[string]error{"probe": object.Probe(t.Context(), store), "commit": written} {
				isOneOf(t, err, []error{test.err})
				text := errorText(err)
				if !strings.Contains(text, test.says) || strings.Contains(text, "\n") || strings.Contains(text, config.SecretKey) {
					t.Errorf("%s: %q: expected one line with %q, without the secret", what, text, test.says)
				}
			}
		})
	}
}

func TestS3Config(t *testing.T) {
	t.Parallel()
	for endpoint, fine := range map[string]bool{
		"":                             true,
		"https://storage.example.test": true,
		"http://localhost:9000":        true,
		"http://127.0.0.2:9000":        true,
		"http://[::1]:9000":            true,
		"http://storage.example.test":  false,
		"http://10.0.0.1:9000":         false,
		"http://localhost.example":     false,
		"storage.example.test":         false,
		"ftp://localhost":              false,
		"https://user:pass@host":       false,
		"https://":                     false,
	} {
		_, err := object.NewS3(t.Context(), object.S3Config{Bucket: "b", Endpoint: endpoint, Region: "eu-west-1", AccessKey: "a", SecretKey: "s"})
		if (err == nil) != fine {
			t.Errorf("endpoint %q: %v", endpoint, err)
		}
		if strings.Contains(errorText(err), "pass@") {
			t.Errorf("endpoint %q: the password is shown: %v", endpoint, err)
		}
	}
	for name, c := range map[string]object.S3Config{
		"no bucket":       {Region: "r", AccessKey: "a", SecretKey: "s"},
		"a prefix upward": {Bucket: "b", Prefix: "a/../..", Region: "r", AccessKey: "a", SecretKey: "s"},
		"parts too small": {Bucket: "b", PartSize: 1 << 20, Region: "r", AccessKey: "a", SecretKey: "s"},
	} {
		if _, err := object.NewS3(t.Context(), c); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
	for prefix, want := range map[string]string{"": "s3://b", "x/y": "s3://b/x/y", "/x/": "s3://b/x"} {
		s := s3Store(t, object.S3Config{Bucket: "b", Prefix: prefix, Region: "r", AccessKey: "a", SecretKey: "s"})
		if s.String() != want {
			t.Errorf("prefix %q: %s, expected %s", prefix, s, want)
		}
	}
}

// TestS3Requests counts what reading costs.
func TestS3Requests(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	var requests atomic.Int32
	store := s3Store(t, behind(t, server, "reads", func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		requests.Add(1)
		forward.ServeHTTP(w, r)
	}))
	const size = 8 << 20
	content := objecttest.Bytes(1, size)
	mustPut(t, store, content, "")
	requests.Store(0)
	expect := func(what string, most int32) {
		t.Helper()
		if got := requests.Swap(0); got > most {
			t.Errorf("%s: %d requests, expected %d at most", what, got, most)
		}
	}
	o, err := store.Open(t.Context(), key, "")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	read := func(off int64, n int) {
		t.Helper()
		p := make([]byte, n)
		if _, err := o.ReadAt(p, off); err != nil || !bytes.Equal(p, content[off:off+int64(n)]) {
			t.Fatalf("%d bytes at %d: %v", n, off, err)
		}
	}
	read(size-8, 8)
	read(size-40_000, 39_992)
	expect("opening, and reading a footer", 1)
	read(0, 5<<20)
	expect("a large range", 1)
	read(size-3<<20, 3<<20)
	expect("a large range that ends in the footer", 1)
	for off := int64(0); off < size; off += 8 << 10 { // two columns in turns
		read(off, 4<<10)
		read((off+size/2)%size, 4<<10)
	}
	expect("all in small steps, at two places in turns", 10)
}

// TestS3CutReads cuts each answer to a read in its middle: what is left is asked for.
func TestS3CutReads(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	content := objecttest.Bytes(1, 3<<20)
	mustPut(t, s3Store(t, server.Config("cut")), content, "")
	store := s3Store(t, behind(t, server, "cut", cutBodies(2)))
	got, err := objecttest.Get(t.Context(), store, key)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	store = s3Store(t, behind(t, server, "cut", cutBodies(always)))
	_, err = objecttest.Get(t.Context(), store, key)
	isOneOf(t, err, []error{object.ErrUnreachable})
}

// cutBodies cuts the first n answers to GETs after half of their bytes.
func cutBodies(n int32) fault {
	return first(n, isGet, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		forward.ServeHTTP(&cutter{ResponseWriter: w}, r)
	})
}

// cutter passes one write on, half of it.
type cutter struct{ http.ResponseWriter }

func (c *cutter) Write(p []byte) (int, error) {
	_, _ = c.ResponseWriter.Write(p[:len(p)/2])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// TestS3IgnoredPin: a store that ignores If-Match on reads does not give us another version's bytes.
func TestS3IgnoredPin(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	store := s3Store(t, behind(t, server, "pin", ignoring(isGet, "If-Match")))
	was := mustPut(t, store, objecttest.Bytes(1, 1<<20), "")
	o, err := store.Open(t.Context(), key, was.ETag)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	mustPut(t, store, objecttest.Bytes(2, 1<<20), was.ETag)
	_, err = io.ReadAll(io.NewSectionReader(o, 0, was.Size))
	isOneOf(t, err, []error{object.ErrChanged})
	_, err = store.Open(t.Context(), key, was.ETag)
	isOneOf(t, err, []error{object.ErrChanged})
}
