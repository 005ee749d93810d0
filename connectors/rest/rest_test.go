package rest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
)

// quick are retries that no test waits for.
var quick = rest.Retry{Tries: 4, First: time.Millisecond, Most: 2 * time.Millisecond}

// serve starts a source and gives a client of it.
func serve(t *testing.T, h http.HandlerFunc, with ...func(*rest.Options)) *rest.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	o := rest.Options{Name: "shop", Base: s.URL + "/v1", Retry: quick, Deadline: 10 * time.Second}
	for _, change := range with {
		change(&o)
	}
	c, err := rest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// list reads the elements of a page of {"data":[…]}.
func list(c *rest.Client, r rest.Request) ([]string, *rest.Page, error) {
	var got []string
	r.Array = "data"
	page, err := c.Read(context.Background(), r, func(v rest.Value) error {
		got = append(got, string(v))
		return nil
	})
	return got, page, err
}

func TestAddresses(t *testing.T) {
	for base, problem := range map[string]string{
		"https://api.example.com":      "",
		"https://api.example.com/v1/":  "",
		"http://127.0.0.1:8080":        "",
		"http://[::1]:8080":            "",
		"http://localhost:8080":        "",
		"http://api.example.com":       "plain http is for loopback only",
		"http://127.0.0.1.example.com": "plain http is for loopback only",
		"ftp://api.example.com":        "expected https",
		"api.example.com":              "expected an address",
		"https://user:pw@example.com":  "credentials do not belong",
		"https://example.com?key=1":    "without ? and #",
		"":                             "expected an address",
	} {
		_, err := rest.New(rest.Options{Name: "shop", Base: base})
		if (err == nil) != (problem == "") || err != nil && !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, expected %q", base, err, problem)
		}
	}
}

func TestRequestAsItIsSent(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"line":%q,"accept":%q,"type":%q,"encoding":%q,"agent":%q,"own":%q,"body":%q}`,
			r.Method+" "+r.URL.String(), r.Header.Get("Accept"), r.Header.Get("Content-Type"),
			r.Header.Get("Accept-Encoding"), r.Header.Get("User-Agent"), r.Header.Get("X-Own"), body)
	})
	var got map[string]string
	err := c.JSON(context.Background(), rest.Request{
		Method: "POST", Path: "a%2Fb/search", Query: url.Values{"q": {"1 2"}}, Header: http.Header{"x-own": {"7"}}, Body: []byte(`{}`),
	}, &got)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"line": "POST /v1/a%2Fb/search?q=1+2", "accept": "application/json", "type": "application/json",
		"encoding": "gzip", "agent": "crosslift", "own": "7", "body": "{}",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, expected %q", name, got[name], want)
		}
	}
}

// A status says whether to try again, and what it means when it stays.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]struct {
		tries   int32
		meaning error
	}{
		400: {1, connectors.ErrContract}, 401: {1, connectors.ErrDown}, 402: {1, connectors.ErrDown},
		403: {1, connectors.ErrDown}, 404: {1, connectors.ErrContract}, 408: {4, connectors.ErrDown},
		422: {1, connectors.ErrContract}, 423: {4, connectors.ErrDown}, 425: {4, connectors.ErrDown},
		429: {4, connectors.ErrDown}, 500: {4, connectors.ErrDown}, 501: {1, connectors.ErrDown},
		503: {4, connectors.ErrDown}, 302: {1, connectors.ErrContract},
	} {
		var tries atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			tries.Add(1)
			w.Header().Set("Location", "/elsewhere")
			http.Error(w, "no: ask ann@example.org", status)
		}, func(o *rest.Options) { o.Retry.Also = []int{423} })
		_, _, err := list(c, rest.Request{Path: "charges", Query: url.Values{"email": {"bob@example.org"}}})
		var e *rest.Error
		switch {
		case !errors.As(err, &e) || e.Status != status || !errors.Is(err, want.meaning):
			t.Errorf("%d: %v", status, err)
		case tries.Load() != want.tries || e.Tries != int(want.tries):
			t.Errorf("%d: tried %d times, said %d, expected %d", status, tries.Load(), e.Tries, want.tries)
		case strings.Contains(err.Error(), "@"):
			t.Errorf("%d: personal data in %q", status, err)
		}
	}
}

func TestOnlyWhatMayBeRepeatedIsTriedAgain(t *testing.T) {
	for _, test := range []struct {
		request rest.Request
		tries   int32
	}{
		{rest.Request{Path: "x"}, 4},
		{rest.Request{Method: "POST", Path: "x", Body: []byte("{}")}, 1},
		{rest.Request{Method: "POST", Path: "x", Body: []byte("{}"), Idempotent: true}, 4},
		{rest.Request{Method: "PUT", Path: "x", Body: []byte("{}")}, 4},
	} {
		for fault, answer := range map[string]http.HandlerFunc{
			"500":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			"hang": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"cut": func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, `{"data":[1,`)
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			},
		} {
			var tries atomic.Int32
			var mu sync.Mutex
			bodies := ""
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				bodies += string(body)
				mu.Unlock()
				answer(w, r)
			})
			_, _, err := list(c, test.request)
			if tries.Load() != test.tries || !errors.Is(err, connectors.ErrDown) {
				t.Errorf("%s %v: %d tries, expected %d: %v", fault, test.request, tries.Load(), test.tries, err)
			}
			mu.Lock()
			if want := strings.Repeat(string(test.request.Body), int(test.tries)); bodies != want {
				t.Errorf("%s %v: bodies %s, expected %s", fault, test.request, bodies, want)
			}
			mu.Unlock()
		}
	}
}

// An answer that is cut off, wherever, is asked for again, and every element is given once.
func TestCutAnswers(t *testing.T) {
	const whole = `{"data":[{"id":1},{"id":2},{"id":3}],"more":false}`
	for _, zipped := range []bool{false, true} {
		content := []byte(whole)
		if zipped {
			content = zip(whole)
		}
		for cut := range len(content) {
			var tries atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if zipped {
					w.Header().Set("Content-Encoding", "gzip")
				}
				if tries.Add(1) > 1 {
					w.Write(content)
					return
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				w.Write(content[:cut])
				w.(http.Flusher).Flush()
				panic(http.ErrAbortHandler)
			})
			got, page, err := list(c, rest.Request{Path: "x"})
			if err != nil || strings.Join(got, "") != `{"id":1}{"id":2}{"id":3}` || tries.Load() != 2 {
				t.Fatalf("cut at %d: %v, %v after %d tries", cut, got, err, tries.Load())
			}
			if string(page.Members) != `{"more":false}` || page.Elements != 3 {
				t.Fatalf("cut at %d: %s beside %d elements", cut, page.Members, page.Elements)
			}
		}
	}
}

// An answer may end early without an error of the network: nobody told its length.
func TestShortAnswerWithoutAnError(t *testing.T) {
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		io.WriteString(w, `{"data":[1,2`)
	})
	got, _, err := list(c, rest.Request{Path: "x"})
	if tries.Load() != 4 || !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "cut off at byte") || len(got) > 2 {
		t.Errorf("%v, %v after %d tries", got, err, tries.Load())
	}
}

// Of an answer that is another one when it is asked for again, what was given cannot be taken back.
func TestAnswerThatChangesBetweenTwoTries(t *testing.T) {
	for name, second := range map[string]string{
		"other":   `{"data":[1,9,3]}`,
		"shorter": `{"data":[1]}`,
		"none":    `{}`,
	} {
		want := map[string]string{"other": "1293"}[name]
		if want == "" {
			want = "12"
		}
		var tries atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) > 1 {
				io.WriteString(w, second)
				return
			}
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"data":[1,2,`)
		})
		got, _, err := list(c, rest.Request{Path: "x", MayLack: true})
		if err == nil || tries.Load() != 2 || strings.Join(got, "") != want || !errors.Is(err, connectors.ErrDown) {
			t.Errorf("%s: %v, %v after %d tries", name, got, err, tries.Load())
		}
	}
}

// Nobody promises the order within a page; equal elements count as often as they are there.
func TestAnotherOrderAfterACut(t *testing.T) {
	answers := []string{`{"data":[1,2,2,3,`, `{"data":[4,2,`, `{"data":[5,3,2,4,1,2,2]}`}
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answers[tries.Add(1)-1]) })
	got, page, err := list(c, rest.Request{Path: "x"})
	if err != nil || strings.Join(got, "") != "1223452" || page.Elements != 7 {
		t.Error(got, err)
	}
}

// Of an answer that is longer than what is known again, a cut is an error.
func TestLongAnswerThatIsCut(t *testing.T) {
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		io.WriteString(w, `{"data":[0`+strings.Repeat(",1", 1<<18))
	})
	if _, _, err := list(c, rest.Request{Path: "x"}); !errors.Is(err, connectors.ErrDown) || tries.Load() != 1 || !strings.Contains(err.Error(), "cut off") {
		t.Error(err, tries.Load())
	}
}

func TestErrorsOfTheCallerAreItsOwn(t *testing.T) {
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { tries.Add(1); io.WriteString(w, `[1,2]`) })
	mine := fmt.Errorf("the disk is full: %w", io.ErrUnexpectedEOF)
	_, err := c.Read(context.Background(), rest.Request{}, func(rest.Value) error { return mine })
	if err != mine || tries.Load() != 1 {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}

func TestAnswersThatAreNotWhatIsDocumented(t *testing.T) {
	for name, test := range map[string]struct{ body, says string }{
		"no list":          {`{}`, "lacks the list"},
		"no object":        {`[]`, "expected an object"},
		"another type":     {`{"data":{}}`, "expected a list"},
		"twice":            {`{"data":[1],"data":[2]}`, "twice"},
		"not JSON":         {`{"data":[1,}`, "not JSON"},
		"trailing text":    {`{"data":[1]}oops`, "more follows"},
		"another document": {`{"data":[1]}{}`, "more follows"},
		"a proxy's page":   {`<html>ann@example.org</html>`, "not JSON"},
		"invalid UTF-8":    {"{\"data\":[\"\xff\"]}", "not JSON"},
	} {
		var tries atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { tries.Add(1); io.WriteString(w, test.body) })
		_, _, err := list(c, rest.Request{Path: "x"})
		if !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), test.says) || tries.Load() != 1 {
			t.Errorf("%s: %v after %d tries", name, err, tries.Load())
		}
		if err != nil && strings.Contains(err.Error(), "@") {
			t.Errorf("%s: personal data in %v", name, err)
		}
	}
}

func TestNoContentIsAnEmptyPage(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
	if got, page, err := list(c, rest.Request{Path: "x"}); err != nil || len(got) != 0 || page.Members != nil {
		t.Error(got, err)
	}
}

// What an SDK does goes through the same layers; an answer that is cut off is asked for again before the SDK sees it.
func TestHTTPForSDKs(t *testing.T) {
	var tries atomic.Int32
	answer := atomic.Pointer[http.HandlerFunc]{}
	set := func(h http.HandlerFunc) { tries.Store(0); answer.Store(&h) }
	base := ""
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { tries.Add(1); (*answer.Load())(w, r) },
		func(o *rest.Options) { o.Auth = rest.Bearer{Token: secret.New("t0ken")}; o.Whole = 1000; base = o.Base })
	get := func() (int, string, error) {
		a, err := c.HTTP().Get(base + "/x?email=ann@example.org")
		if err != nil {
			return 0, "", err
		}
		defer a.Body.Close()
		content, err := io.ReadAll(a.Body)
		return a.StatusCode, string(content), err
	}

	set(func(w http.ResponseWriter, r *http.Request) {
		if tries.Load() < 3 {
			w.Header().Set("Content-Length", "20")
			io.WriteString(w, "short")
			return
		}
		io.WriteString(w, r.Header.Get("Authorization"))
	})
	if status, text, err := get(); status != 200 || text != "Bearer t0ken" || err != nil || tries.Load() != 3 {
		t.Error("cut:", status, text, err, tries.Load())
	}

	set(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "busy", http.StatusServiceUnavailable) })
	if status, text, err := get(); status != 503 || text != "busy\n" || err != nil || tries.Load() != 4 {
		t.Error("an error stays the SDK's to read:", status, text, err, tries.Load())
	}

	long := strings.Repeat("0123456789", 1000)
	set(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, long) })
	if status, text, err := get(); status != 200 || text != long || err != nil {
		t.Error("longer than what is held:", status, len(text), err)
	}

	set(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	_, _, err := get()
	if !errors.Is(err, connectors.ErrDown) || tries.Load() < 4 { // package http tries a connection again that was idle
		t.Error("no answer:", err, tries.Load())
	}
	if shown := rest.Cause(err).Error(); strings.Contains(shown, "@") || !strings.Contains(shown, "GET /v1/x") {
		t.Error("shown:", shown)
	}
}

// A page must not be able to send our credentials elsewhere.
func TestNothingGoesToAnotherHost(t *testing.T) {
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer other.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+other.URL+"/2>; rel=next")
		fmt.Fprintf(w, `{"data":[1],"next":"%s/2"}`, other.URL)
	}, func(o *rest.Options) { o.Auth = rest.Bearer{Token: secret.New("t0ken")} })
	for name, by := range map[string]rest.Paging{"header": rest.LinkHeader(), "body": rest.NextURL("next")} {
		_, err := c.Pages(context.Background(), rest.Request{Array: "data"}, by, rest.Cursor{},
			func(int64, rest.Value) error { return nil }, nil, nil)
		if !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), "is configured") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.HTTP().Get(other.URL); !errors.Is(err, connectors.ErrContract) {
		t.Error("SDK:", err)
	}
	if reached.Load() != 0 {
		t.Error("the other host was asked")
	}
}

func TestExplainedErrors(t *testing.T) {
	var tries atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		w.WriteHeader(429)
		io.WriteString(w, `{"why":"DAILY"}`)
	}, func(o *rest.Options) {
		o.Explain = func(status int, _ http.Header, body []byte) (string, bool) {
			return "the day's quota is used up", bytes.Contains(body, []byte("DAILY"))
		}
	})
	_, _, err := list(c, rest.Request{Path: "x"})
	if !errors.Is(err, connectors.ErrDown) || tries.Load() != 1 || err.Error() != "GET /v1/x: 429 Too Many Requests: the day's quota is used up" {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}

// The log names what was asked and how it went; neither values, nor credentials, nor bodies.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "eve@example.org owes", 500)
	}, func(o *rest.Options) {
		o.Auth = rest.Bearer{Token: secret.New("t0ken")}
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	list(c, rest.Request{Method: "POST", Idempotent: true, Path: "people/79161234567", Body: []byte(`{"q":"bob@example.org"}`),
		Query: url.Values{"email": {"ann@example.org"}, "limit": {"10"}}})
	for _, secret := range []string{"t0ken", "example.org", "79161234567"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s in %s", secret, log.String())
		}
	}
	for _, wanted := range []string{"source=shop", "path=/v1/people/[redacted]", "status=500", `query="email limit"`, "trying again"} {
		if !strings.Contains(log.String(), wanted) {
			t.Errorf("no %s in %s", wanted, log.String())
		}
	}
}

func TestSkew(t *testing.T) {
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Add(90*time.Second).Format(http.TimeFormat))
		io.WriteString(w, "{}")
	}, func(o *rest.Options) { o.Now = func() time.Time { return now } })
	if _, known := c.Skew(); known {
		t.Error("known before anything was asked")
	}
	if err := c.Get(context.Background(), "x", nil, nil); err != nil {
		t.Fatal(err)
	}
	if ahead, known := c.Skew(); !known || ahead != 90*time.Second {
		t.Error(ahead, known)
	}
}

func zip(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}
