package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
)

// pipes is a listener whose connections are pipes.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// timed runs a test under a fake clock, with a source at the other end of pipes.
func timed(t *testing.T, h http.HandlerFunc, o rest.Options, test func(t *testing.T, c *rest.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := make(pipes)
		server := &http.Server{Handler: h}
		done := make(chan struct{})
		go func() { server.Serve(listener); close(done) }()
		o.Name, o.Base = "shop", "http://127.0.0.1:1"
		c, err := rest.New(o)
		if err != nil {
			t.Fatal(err)
		}
		c.Over(func(ctx context.Context, _, _ string) (net.Conn, error) {
			near, far := net.Pipe()
			select {
			case listener <- far:
				return near, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		test(t, c)
		c.Close()
		close(listener)
		<-done
		server.Close()
		synctest.Wait()
	})
}

// After n tries a call waits for less than first·2ⁿ and at most for most, and not always equally long.
func TestBackoff(t *testing.T) {
	const rounds = 200
	var at []time.Time
	policy := rest.Retry{Tries: 6, First: time.Second, Most: 10 * time.Second}
	timed(t, func(w http.ResponseWriter, r *http.Request) { at = append(at, time.Now()); w.WriteHeader(500) },
		rest.Options{Retry: policy}, func(t *testing.T, c *rest.Client) {
			longest := make([]time.Duration, policy.Tries)
			sum := make([]time.Duration, policy.Tries)
			for range rounds {
				at = nil
				if err := c.Get(t.Context(), "x", nil, nil); !errors.Is(err, connectors.ErrDown) || len(at) != policy.Tries {
					t.Fatal(err, len(at))
				}
				for n := 1; n < len(at); n++ {
					waited := at[n].Sub(at[n-1])
					longest[n], sum[n] = max(longest[n], waited), sum[n]+waited
				}
			}
			for n := 1; n < policy.Tries; n++ {
				bound := min(policy.First<<n, policy.Most)
				mean := sum[n] / rounds
				if longest[n] > bound || longest[n] < bound*9/10 || mean < bound*4/10 || mean > bound*6/10 {
					t.Errorf("wait %d: up to %s, on average %s, expected evenly below %s", n, longest[n], mean, bound)
				}
			}
		})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for name, header := range map[string]func(now time.Time) (retry, date string){
		"seconds": func(time.Time) (string, string) { return "90", "" },
		"a date":  func(now time.Time) (string, string) { return now.Add(90 * time.Second).Format(http.TimeFormat), "" },
		"a date by a clock that is wrong": func(now time.Time) (string, string) {
			return now.Add(time.Hour + 90*time.Second).Format(http.TimeFormat), now.Add(time.Hour).Format(http.TimeFormat)
		},
	} {
		var tries atomic.Int32
		timed(t, func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) > 1 {
				io.WriteString(w, "{}")
				return
			}
			retry, date := header(time.Now().UTC())
			w.Header()["Date"] = nil
			if date != "" {
				w.Header().Set("Date", date)
			}
			w.Header().Set("Retry-After", retry)
			w.WriteHeader(429)
		}, rest.Options{}, func(t *testing.T, c *rest.Client) {
			start := time.Now()
			err := c.Get(t.Context(), "x", nil, nil)
			if took := time.Since(start); err != nil || tries.Load() != 2 || took < 90*time.Second || took > 92*time.Second {
				t.Errorf("%s: %v after %d tries and %s", name, err, tries.Load(), took)
			}
		})
	}
}

// Who would have to wait beyond the deadline says so at once.
func TestDeadline(t *testing.T) {
	timed(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "slow down", http.StatusTooManyRequests)
	}, rest.Options{Deadline: time.Minute}, func(t *testing.T, c *rest.Client) {
		start := time.Now()
		err := c.Get(t.Context(), "x", nil, nil)
		if !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "slow down; it asks to wait for 1h0m0s") || time.Since(start) > time.Second {
			t.Error(err, time.Since(start))
		}
	})
	timed(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		rest.Options{Deadline: time.Minute, Retry: rest.Retry{Tries: 1000, Most: time.Second}}, func(t *testing.T, c *rest.Client) {
			start := time.Now()
			err := c.Get(t.Context(), "x", nil, nil)
			if took := time.Since(start); !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "503") || took < 58*time.Second || took > time.Minute {
				t.Error(err, took)
			}
		})
	timed(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		rest.Options{Deadline: 30 * time.Second}, func(t *testing.T, c *rest.Client) {
			start := time.Now()
			err := c.Get(t.Context(), "x", nil, nil)
			if took := time.Since(start); !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "no answer within the deadline") || took != 30*time.Second {
				t.Error(err, took)
			}
		})
	timed(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		rest.Options{}, func(t *testing.T, c *rest.Client) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := c.Get(ctx, "x", nil, nil)
			if !errors.Is(err, context.Canceled) || errors.Is(err, connectors.ErrDown) {
				t.Error(err)
			}
		})
}

// A try that stalls, before the answer or within it, is given up and made again.
func TestStall(t *testing.T) {
	for _, early := range []bool{true, false} {
		var tries atomic.Int32
		timed(t, func(w http.ResponseWriter, r *http.Request) {
			if tries.Add(1) == 1 {
				if !early {
					io.WriteString(w, `{"data":[1,`)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
				return
			}
			for _, part := range []string{`{"da`, `ta":[1,`, `2]`, `}`} { // slow, but it goes on
				time.Sleep(40 * time.Second)
				io.WriteString(w, part)
				w.(http.Flusher).Flush()
			}
		}, rest.Options{Stall: time.Minute}, func(t *testing.T, c *rest.Client) {
			start := time.Now()
			got, _, err := list(c, rest.Request{Path: "x"})
			if took := time.Since(start); err != nil || strings.Join(got, "") != "12" || tries.Load() != 2 || took < 220*time.Second || took > 225*time.Second {
				t.Error(early, got, err, tries.Load(), took)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	var at []time.Time
	timed(t, func(w http.ResponseWriter, r *http.Request) {
		if at = append(at, time.Now()); len(at)%5 == 0 {
			w.WriteHeader(500) // tries count too
		}
		io.WriteString(w, "{}")
	}, rest.Options{Limit: rest.Limit{PerSecond: 2, Burst: 3}, Retry: rest.Retry{First: time.Nanosecond, Most: time.Nanosecond}},
		func(t *testing.T, c *rest.Client) {
			for range 20 {
				c.Get(t.Context(), "x", nil, nil)
			}
			for n := range at {
				for burst := 4; n+burst <= len(at); burst++ {
					least := time.Duration(burst-3) * 500 * time.Millisecond
					if took := at[n+burst-1].Sub(at[n]); took < least-time.Millisecond {
						t.Fatalf("%d requests within %s, expected %s", burst, took, least)
					}
				}
			}
			if total := at[len(at)-1].Sub(at[0]); total > time.Duration(len(at))*500*time.Millisecond {
				t.Errorf("%d requests took %s", len(at), total)
			}
		})
}

// A token is replaced when 80 % of its life has passed, and once when it is refused.
func TestTokens(t *testing.T) {
	var issued, refused int
	var down, revoked bool
	var used []string
	source := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if down {
				w.WriteHeader(400)
				io.WriteString(w, `{"error":"invalid_client","error_description":"ask ann@example.org"}`)
				return
			}
			issued++
			fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":100}`, issued)
			return
		}
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if revoked && token != fmt.Sprintf("t%d", issued+1) {
			refused++
			w.WriteHeader(401)
			return
		}
		used = append(used, token)
		io.WriteString(w, "{}")
	}
	timed(t, source, rest.Options{Auth: rest.ClientCredentials{
		TokenURL: "http://127.0.0.1:1/token", ID: "us", Secret: secret.New("hush"),
	}}, func(t *testing.T, c *rest.Client) {
		ask := func() error { return c.Get(t.Context(), "x", nil, nil) }
		for range 9 { // at 0, 10, … 80 s
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if got := strings.Join(used, " "); got != "t1 t1 t1 t1 t1 t1 t1 t1 t2" {
			t.Errorf("used %s", got)
		}

		down = true // at 90 s: the second token is good until 180 s
		time.Sleep(75 * time.Second)
		if err := ask(); err != nil || used[len(used)-1] != "t2" {
			t.Error("a token that is still good is used while another is not to be had:", err)
		}
		time.Sleep(20 * time.Second)
		err := ask()
		if !errors.Is(err, connectors.ErrDown) || err.Error() != "POST /token: 400 Bad Request: invalid_client: ask [redacted]" {
			t.Error("an expired token is not used:", err)
		}

		down, revoked, issued = false, true, 7
		if err := ask(); !errors.Is(err, connectors.ErrDown) || refused != 2 {
			t.Error("a token that is refused is replaced once:", err, refused)
		}
	})
}
