package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// Each way of paging reads all pages, in one go or broken off after any page.
func TestPages(t *testing.T) {
	const pages, size = 4, 3
	serveOf := func(answer func(r *http.Request, page int, items string) (body, link string)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			page := 0
			for _, name := range []string{"after", "page", "offset"} {
				if n, err := strconv.Atoi(q.Get(name)); err == nil {
					page = map[string]int{"after": n, "page": n - 1, "offset": n / size}[name]
				}
			}
			if q.Get("kept") != "1" {
				w.WriteHeader(400)
				return
			}
			var items []string
			for i := range size {
				if page < pages {
					items = append(items, strconv.Itoa(page*size+i+1))
				}
			}
			body, link := answer(r, page, "["+strings.Join(items, ",")+"]")
			if link != "" {
				w.Header().Set("Link", link)
			}
			fmt.Fprint(w, body)
		}
	}
	for name, test := range map[string]struct {
		by     rest.Paging
		answer func(r *http.Request, page int, items string) (body, link string)
		asked  int // pages with the empty one
	}{
		"cursor": {rest.BodyCursor("paging.after", "after"), func(_ *http.Request, page int, items string) (string, string) {
			if page == pages-1 {
				return `{"data":` + items + `}`, ""
			}
			return fmt.Sprintf(`{"paging":{"after":"%d"},"data":%s}`, page+1, items), ""
		}, pages},
		"page number": {rest.PageNumber("page", 1, rest.MoreIf("has_more")), func(_ *http.Request, page int, items string) (string, string) {
			return fmt.Sprintf(`{"data":%s,"has_more":%t}`, items, page < pages-1), ""
		}, pages},
		"offset": {rest.Offset("offset", rest.UntilEmpty), func(_ *http.Request, page int, items string) (string, string) {
			return fmt.Sprintf(`{"data":%s}`, items), ""
		}, pages + 1},
		"link": {rest.LinkHeader(), func(r *http.Request, page int, items string) (string, string) {
			if page == pages-1 {
				return fmt.Sprintf(`{"data":%s}`, items), `</>; rel="first"`
			}
			return fmt.Sprintf(`{"data":%s}`, items), fmt.Sprintf(`</>; rel="prev first", <?kept=1&after=%d>; rel="next"`, page+1)
		}, pages},
		"address in the body": {rest.NextURL("Links.Next"), func(r *http.Request, page int, items string) (string, string) {
			if page == pages-1 {
				return fmt.Sprintf(`{"data":%s,"Links":{}}`, items), ""
			}
			return fmt.Sprintf(`{"data":%s,"Links":{"Next":"http://%s/v1/other?kept=1&after=%d"}}`, items, r.Host, page+1), ""
		}, pages},
	} {
		c := serve(t, serveOf(test.answer))
		request := rest.Request{Path: "items", Query: url.Values{"kept": {"1"}}, Array: "data"}
		var got []string
		each := func(n int64, v rest.Value) error {
			if string(v) != strconv.FormatInt(n, 10) {
				t.Errorf("%s: position %d of %s", name, n, v)
			}
			got = append(got, string(v))
			return nil
		}
		want := "1 2 3 4 5 6 7 8 9 10 11 12"
		seen := 0
		end, err := c.Pages(context.Background(), request, test.by, rest.Cursor{Phase: "p"}, each,
			func(*rest.Page) error { seen++; return nil }, nil)
		if err != nil || strings.Join(got, " ") != want || end != (rest.Cursor{Phase: "p", Pages: int64(test.asked), Read: 12}) || seen != test.asked {
			t.Errorf("%s: %v, %+v, %v", name, got, end, err)
		}

		got = nil
		stop := errors.New("broken off")
		from := rest.Cursor{}
		for runs := 0; ; runs++ {
			saved := ""
			_, err := c.Pages(context.Background(), request, test.by, from, each, nil, func(at rest.Cursor) error { saved = at.String(); return stop })
			if err == nil {
				break
			}
			if err != stop || runs > pages {
				t.Fatal(name, err)
			}
			if from, err = rest.ParseCursor(saved); err != nil {
				t.Fatal(name, err)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s broken off: %v", name, got)
		}
		if values := request.Query.Encode(); values != "kept=1" {
			t.Errorf("%s: the request was changed: %s", name, values)
		}
	}
}

func TestPageThatIsItsOwnNext(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"data":[],"next":"7"}`) })
	_, err := c.Pages(context.Background(), rest.Request{Array: "data"}, rest.BodyCursor("next", "after"), rest.Cursor{},
		func(int64, rest.Value) error { return nil }, nil, nil)
	if !errors.Is(err, connectors.ErrContract) || !strings.HasPrefix(err.Error(), "page 2: ") {
		t.Error(err)
	}
}

// A page that is served again in place of the next one costs nothing but another request.
func TestPageThatIsServedAgain(t *testing.T) {
	var asked atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("after"))
		if asked.Add(1) == 3 {
			n-- // the proxy's cache
		}
		if n == 3 {
			fmt.Fprint(w, `{"data":[3]}`)
			return
		}
		fmt.Fprintf(w, `{"data":[%d],"next":"%d"}`, n, n+1)
	})
	var got []string
	pages := 0
	end, err := c.Pages(context.Background(), rest.Request{Array: "data"}, rest.BodyCursor("next", "after"), rest.Cursor{},
		func(n int64, v rest.Value) error { got = append(got, fmt.Sprintf("%d:%s", n, v)); return nil },
		func(*rest.Page) error { pages++; return nil }, nil)
	if err != nil || strings.Join(got, " ") != "1:0 2:1 3:1 3:2 4:3" || pages != 4 || end.Read != 4 || end.Pages != 4 {
		t.Error(got, pages, end, err)
	}
}

func TestErrorsNameThePage(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "13" {
			http.Error(w, "gone", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"data":[1],"next":13}`)
	})
	_, err := c.Pages(context.Background(), rest.Request{Path: "items", Array: "data"}, rest.BodyCursor("next", "after"), rest.Cursor{Pages: 12},
		func(int64, rest.Value) error { return nil }, nil, nil)
	if !errors.Is(err, connectors.ErrDown) || err.Error() != "page 14: GET /v1/items: 403 Forbidden: gone" {
		t.Error(err)
	}
}

func TestCursorsThatAreNone(t *testing.T) {
	if _, err := rest.ParseCursor("x"); err == nil {
		t.Error("x passed")
	}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	for _, next := range []string{"http://elsewhere.example/x", "x"} {
		_, err := c.Pages(context.Background(), rest.Request{Array: "data"}, rest.NextURL("next"), rest.Cursor{Next: next},
			func(int64, rest.Value) error { return nil }, nil, nil)
		if err == nil {
			t.Errorf("%s was followed", next)
		}
	}
}

func TestNextLink(t *testing.T) {
	for header, want := range map[string]string{
		`<https://x/2>; rel="next"`:                         "https://x/2",
		`<https://x/2>;rel=next`:                            "https://x/2",
		`</a,b;c>; title="a, <b>; rel=no"; rel="last NEXT"`: "/a,b;c",
		`<1>; rel=prev , <2> ; rel = "next"`:                "2",
		`<1>; rel="prev"; rel="next"`:                       "",
		`<1>; title="\"; rel=next"`:                         "",
		`<1>; foo; rel=next`:                                "1",
		`<1>; rel*=UTF-8''next`:                             "",
		`<1`:                                                "",
		`1; rel=next`:                                       "",
		``:                                                  "",
		`<1>; title="open`:                                  "",
		`< 1 >; rel=next`:                                   "1",
	} {
		if got := rest.NextLink([]string{header}); got != want {
			t.Errorf("%s: %q, expected %q", header, got, want)
		}
	}
	if got := rest.NextLink([]string{`<1>; rel=prev`, `<2>; rel=next`}); got != "2" {
		t.Errorf("two headers: %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "99999999999999999999": 365 * 24 * time.Hour,
		"Tue, 03 Nov 2026 12:00:05 GMT": 5 * time.Second, "Tue, 03 Nov 2026 11:00:00 GMT": 0,
		"Tuesday, 03-Nov-26 12:00:05 GMT": 5 * time.Second,
	} {
		if wait, given := rest.RetryAfter(http.Header{"Retry-After": {text}}, now); !given || wait != want {
			t.Errorf("%q: %s, %t", text, wait, given)
		}
	}
	for _, text := range []string{"", "soon", "-1", "1.5", "2026-11-03"} {
		if wait, given := rest.RetryAfter(http.Header{"Retry-After": {text}}, now); given {
			t.Errorf("%q: %s", text, wait)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(`<https://x/2>; rel="next", <1>; title="a\"`)
	f.Add("120")
	f.Add("Tue, 03 Nov 2026 12:00:05 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		if next := rest.NextLink([]string{text}); next != "" && !strings.Contains(text, next) {
			t.Errorf("%q is not in %q", next, text)
		}
		if wait, given := rest.RetryAfter(http.Header{"Retry-After": {text}}, time.Now()); wait < 0 || !given && wait != 0 {
			t.Errorf("%q: %s", text, wait)
		}
	})
}
