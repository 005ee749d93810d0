package object_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/s3test"
)

// fault stands between the store and the server: it does what it does with a request, or forwards it.
type fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// behind gives a configuration whose requests meet a fault.
func behind(t *testing.T, server *s3test.Server, prefix string, f fault) object.S3Config {
	t.Helper()
	upstream, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // it is signed
			if r.Out.Header.Get("Authorization") == "" {
				sign(r.Out, server)
			}
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, forward) }))
	t.Cleanup(proxy.Close)
	config := server.Config(prefix)
	config.Endpoint = proxy.URL
	return config
}

// sign signs a request whose headers the proxy has changed.
func sign(r *http.Request, server *s3test.Server) {
	keys := aws.Credentials{AccessKeyID: server.AccessKey, SecretAccessKey: server.SecretKey}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(r.Context(), keys, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", server.Region, time.Now()); err != nil {
		panic(err)
	}
}

// ignoring forwards the requests of a kind without one of their headers, as a store does that does not know it.
func ignoring(kind func(*http.Request) bool, header string) fault {
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if kind(r) && r.Header.Get(header) != "" {
			r.Header.Del(header)
			r.Header.Del("Authorization")
		}
		forward.ServeHTTP(w, r)
	}
}

// The kinds of requests.
func isPut(r *http.Request) bool {
	return r.Method == http.MethodPut && !r.URL.Query().Has("partNumber")
}
func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
}
func isComplete(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
}
func isCommit(r *http.Request) bool { return isPut(r) || isComplete(r) }
func isGet(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Query().Get("list-type") == ""
}

// first makes a fault befall the first n requests of a kind.
func first(n int32, kind func(*http.Request) bool, f fault) fault {
	var seen atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		if kind(r) && seen.Add(1) <= n {
			f(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	}
}

const always = 1 << 30

// cutAnswer lets the server act, and cuts the connection instead of its answer.
func cutAnswer(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
	forward.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// cutRequest cuts the connection before the server has seen anything.
func cutRequest(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// answer says what a server would say, without asking it.
func answer(status int, code string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+code+`</Code><Message>said the proxy</Message></Error>`)
	}
}
