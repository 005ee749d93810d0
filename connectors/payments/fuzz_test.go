package payments

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe/stripetest"
)

// FuzzObject reads whatever comes as every kind of object: it becomes a row that keeps its contract, or a reason that
// tells no value.
func FuzzObject(f *testing.F) {
	records := stripetest.Build(f, stripetest.World())
	for _, stream := range strings.Fields("charges refunds disputes subscriptions invoices balance_transactions") {
		all, err := records.Versions("stripe", stream, stripetest.At(99, "00:00:00"))
		if err != nil {
			f.Fatal(err)
		}
		for _, r := range all {
			f.Add([]byte(r.Object))
		}
	}
	f.Add([]byte(`{"id":"ch_1","object":"charge","created":1,"amount":1,"currency":"eur","status":"failed","payment_intent":{}}`))
	s := open(f, "https://api.stripe.com", time.Now).(*source)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, any := range s.streams {
			stream := any.(*stream)
			found := &problems{}
			x := stream.extract(day(1).Window(stripetest.Zone), found)
			o := stream.kind.read(state{glimpse: glimpsed(raw), changed: 1}, x.drift)
			if err := x.give(o); err != nil {
				t.Fatal(err)
			}
			for _, reason := range found.reasons {
				if len(reason) > 120 {
					t.Errorf("%s: %s", stream.Name(), reason)
				}
			}
		}
	})
}

// FuzzPage reads whatever comes as a list, and follows it to an end.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"object":"list","url":"/v1/charges","has_more":true,"data":[{"id":"ch_1","created":2},{"id":"ch_2","created":1}]}`))
	f.Add([]byte(`{"object":"list","has_more":true,"data":[null,7,"x",{"id":null,"created":"1"},{"id":"","created":1e300}]}`))
	f.Add([]byte(`{"object":"list","has_more":false}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := decodePage(bytes.NewReader(raw))
		if err != nil {
			return
		}
		var w walk
		for range 2*maxRepeats + 2 {
			if _, err = w.next(p); err != nil || !*p.HasMore {
				return
			}
		}
		t.Errorf("the same page is read for ever: %q", raw)
	})
}

// FuzzEvent reads whatever comes as an event.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"created":1,"data":{"object":{"id":"ch_1","created":1}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		feed := &feed{objects: map[string]*history{}, broken: map[string]int64{}}
		if feed.take(raw) == nil && len(feed.objects)+len(feed.broken) != 1 {
			t.Errorf("%q was taken and is not there", raw)
		}
	})
}

// FuzzCursor: a cursor is ours or an error, and ours stays what it is.
func FuzzCursor(f *testing.F) {
	f.Add(`{"phase":"changed","after":"ch_1","objects":7,"apart":{"EUR":100}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseCursor(string(written))
		if err != nil || again.Phase != c.Phase || again.After != c.After || again.Objects != c.Objects {
			t.Errorf("%q: %+v, then %+v, %v", text, c, again, err)
		}
	})
}
