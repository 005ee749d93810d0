package payments

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe/stripetest"
	"crosslift/schemas/table"
)

// TestFeedIsShared: the days of a first installation read the feed once, whatever their order; a later day reads on.
func TestFeedIsShared(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var spans []string
	short := func(second string) string {
		at, err := time.ParseDuration(second + "s")
		if err != nil {
			return "?"
		}
		return time.Unix(int64(at.Seconds()), 0).In(stripetest.Zone).Format("01-02T15:04:05")
	}
	a := serve(t, stripetest.Build(t, stripetest.World()), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/events" {
				mu.Lock()
				spans = append(spans, short(r.URL.Query().Get("created[gte]"))+" "+short(r.URL.Query().Get("created[lt]")))
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	s := a.open(t)
	want := []string{}
	for _, c := range []struct {
		now   time.Time
		day   int
		spans string
	}{
		{stripetest.At(25, "03:00:00"), 20, "11-20T00:00:00 11-25T03:00:01"},
		{stripetest.At(25, "03:00:00"), 24, ""},
		{stripetest.At(25, "03:00:00"), 1, "11-01T00:00:00 11-20T00:00:00"},
		{stripetest.At(25, "03:00:00"), 5, ""},
		{stripetest.At(25, "03:10:00"), 5, "11-25T02:59:01 11-25T03:10:01"},  // what came meanwhile
		{stripetest.At(26, "03:00:00"), 25, "11-25T00:00:00 11-26T03:00:01"}, // the next night starts afresh
	} {
		a.clock.Set(c.now)
		if r := read(t, s, "disputes", c.day, "", nil); r.err != nil {
			t.Fatal(r.err)
		}
		if c.spans != "" {
			want = append(want, strings.Split(c.spans, ",")...)
		}
		mu.Lock()
		got := slices.Clone(spans)
		mu.Unlock()
		if !slices.Equal(got, want) {
			t.Fatalf("day %d at %s: %q, expected %q", c.day, c.now, got, want)
		}
	}
}

// TestFeedDay tells of a window what changed in it and whether it changed later, for as long as events are kept.
func TestFeedDay(t *testing.T) {
	t.Parallel()
	a := serve(t, stripetest.Build(t, stripetest.World()))
	s := a.open(t)
	f := streamOf(t, s, "charges").(*stream).feed
	yen := func(n int) (change, bool) {
		t.Helper()
		changes, _, err := f.day(t.Context(), day(n).Window(stripetest.Zone))
		if err != nil {
			t.Fatal(err)
		}
		c, ok := changes["ch_yen"]
		return c, ok
	}
	created, disputed := stripetest.At(2, "23:59:59").Unix(), stripetest.At(4, "10:00:00").Unix()
	if c, _ := yen(2); c.created != created || c.last.at != created || !strings.HasPrefix(c.last.id, "evt_") || !c.later {
		t.Errorf("day 2: %+v", c)
	}
	if _, ok := yen(3); ok {
		t.Error("day 3: nothing happened")
	}
	if c, _ := yen(4); c.created != created || c.last.at != disputed || c.later {
		t.Errorf("day 4: %+v", c)
	}
	a.clock.Set(stripetest.At(34, "12:00:00")) // 30 days after noon of day 4
	if _, ok := yen(4); ok {
		t.Error("day 4 is out of reach")
	}
	if changes, _, err := f.day(t.Context(), table.Window{}); err != nil || changes != nil {
		t.Errorf("long ago: %v, %v", changes, err)
	}
}
