package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
)

// A foreign text is shown redacted, on one line, and cut between two characters.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"plain":                                  "plain",
		"two\r\n\tlines \x00 and \xff more":      "two lines and more",
		"ask ann@example.org or +7 916 123 4567": "ask [redacted] or [redacted]",
		strings.Repeat("я", 150):                 strings.Repeat("я", 100) + "…",
		strings.Repeat("x", 198) + "ann@e.org":   strings.Repeat("x", 0) + "[redacted]",
		strings.Repeat("a ", 5000):               strings.Repeat("a ", 100) + "…",
	} {
		if got := rest.Shown(text); got != want {
			t.Errorf("%.40q: %q, expected %q", text, got, want)
		}
	}
}

func TestDo(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/gone" {
			http.Error(w, "gone", http.StatusGone)
			return
		}
		w.Header().Set("X-Kept", "1")
		io.WriteString(w, "text")
	})
	a, err := c.Do(context.Background(), rest.Request{Path: "x"})
	if err != nil || a.Header.Get("X-Kept") != "1" {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(a.Body); err != nil || string(content) != "text" {
		t.Error(content, err)
	}
	a.Body.Close()
	var e *rest.Error
	if _, err := c.Do(context.Background(), rest.Request{Path: "gone"}); !errors.As(err, &e) || e.Status != 410 {
		t.Error(err)
	}
	if _, err := c.Do(context.Background(), rest.Request{Method: "NO GOOD", Path: "x"}); err == nil {
		t.Error("a method that is none was sent")
	}
}

func TestSmallDocuments(t *testing.T) {
	for body, says := range map[string]string{
		`{"n":1}`:                 "",
		`{"n":"ann@example.org"}`: "not the JSON that is documented",
		`{"n":1}x`:                "not the JSON that is documented",
		`{"n":1`:                  "cut off at byte 6",
		``:                        "cut off at byte 0",
		`{"n":1,"s":"` + strings.Repeat("x", 16<<20):       "longer than 16 MiB",
		`{"n":1,"s":"` + strings.Repeat("x", 1<<20) + `"}`: "",
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, body) })
		var into struct{ N int }
		err := c.Get(context.Background(), "x", url.Values{"a": {"b"}}, &into)
		switch {
		case says == "" && (err != nil || into.N != 1):
			t.Errorf("%.20s: %v", body, err)
		case says != "" && (errors.Is(err, connectors.ErrContract) == strings.HasPrefix(says, "cut off") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "@")):
			t.Errorf("%.20s: %v, expected %q", body, err, says)
		}
	}
}

// A credential that does not change is not tried twice.
func TestConstantCredentialThatIsRefused(t *testing.T) {
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { tries.Add(1); w.WriteHeader(401) },
		func(o *rest.Options) { o.Auth = rest.Bearer{Token: secret.New("old")} })
	if err := c.Get(context.Background(), "x", nil, nil); !errors.Is(err, connectors.ErrDown) || tries.Load() != 1 {
		t.Error(err, tries.Load())
	}
}

// What a token endpoint answers that is no token.
func TestTokensThatAreNone(t *testing.T) {
	for says, answer := range map[string]func(w http.ResponseWriter){
		"holds no access_token":            func(w http.ResponseWriter) { io.WriteString(w, `{"token":"t"}`) },
		"200 OK: the answer holds no":      func(w http.ResponseWriter) { io.WriteString(w, `<html>`) },
		"not of type Bearer":               func(w http.ResponseWriter) { io.WriteString(w, `{"access_token":"t","token_type":"mac"}`) },
		"401 Unauthorized: invalid_client": func(w http.ResponseWriter) { w.WriteHeader(401); io.WriteString(w, `{"error":"invalid_client"}`) },
		"500 Internal Server Error":        func(w http.ResponseWriter) { w.WriteHeader(500) },
		"POST /token after 4 tries":        func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" {
				t.Error("asked without a token")
			}
			answer(w)
		}, func(o *rest.Options) {
			o.Auth = rest.ClientCredentials{TokenURL: strings.TrimSuffix(o.Base, "/v1") + "/token", ID: "us", Secret: secret.New("hush")}
		})
		err := c.Get(context.Background(), "x", nil, nil)
		if !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v, expected %q", err, says)
		}
	}
}

// An SDK's redirects are its own to read, and its searches by POST may be marked as such that may be sent twice.
func TestSDKsRequests(t *testing.T) {
	var tries atomic.Int32
	base := ""
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/moved" {
			http.Redirect(w, r, "/v1/x", http.StatusFound)
			return
		}
		if tries.Add(1) == 1 {
			w.WriteHeader(503)
		}
	}, func(o *rest.Options) { base = o.Base })
	a, err := c.HTTP().Get(base + "/moved")
	if err != nil || a.StatusCode != 302 || tries.Load() != 0 {
		t.Fatal(err, a)
	}
	a.Body.Close()
	for _, test := range []struct {
		ctx   context.Context
		tries int32
	}{{context.Background(), 1}, {rest.Idempotent(context.Background()), 2}} {
		tries.Store(0)
		r, err := http.NewRequestWithContext(test.ctx, "POST", base+"/search", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.HTTP().Do(r)
		if err != nil || tries.Load() != test.tries {
			t.Error(err, tries.Load())
		}
		a.Body.Close()
	}
	for err, want := range map[error]string{
		&url.Error{Op: "Get", URL: "https://x?email=ann", Err: io.ErrUnexpectedEOF}: "unexpected EOF", io.EOF: "EOF",
	} {
		if got := rest.Cause(err).Error(); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}
