package stripe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
)

// entry is an object that can be listed: of a stream, or an event.
type entry struct {
	id      string
	created int64 // seconds since 1970
	facts   map[string]string
	raw     json.RawMessage
}

// newest orders a list as Stripe does: the newest first.
func newest(a, b entry) int {
	return cmp.Or(cmp.Compare(b.created, a.created), strings.Compare(b.id, a.id))
}

// shelf is a list as it is at one second.
type shelf struct {
	at      int64
	entries []entry // newest first
	place   map[string]int
}

func (s *shelf) find(id string) (entry, bool) {
	i, ok := s.place[id]
	if !ok {
		return entry{}, false
	}
	return s.entries[i], true
}

// shelves give the lists of an instant, each made once a second at most.
type shelves struct {
	reader world.Reader

	mu    sync.Mutex
	made  map[string]*shelf
	known map[string]read
}

// read is what was once read of a version, so that a second does not read it again.
type read struct {
	at      time.Time
	created int64
	facts   map[string]string
}

// of gives the list of a stream.
func (s *shelves) of(stream string, now time.Time) (*shelf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stream(stream, now)
}

func (s *shelves) stream(stream string, now time.Time) (*shelf, error) {
	if made := s.made[stream]; made != nil && made.at == now.Unix() {
		return made, nil
	}
	if stream == "prices" {
		return s.put(stream, now, prices())
	}
	records, err := s.reader.Current(Source, stream, now)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(records))
	for _, r := range records {
		e, err := s.entry(stream, r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return s.put(stream, now, entries)
}

func (s *shelves) put(stream string, now time.Time, entries []entry) (*shelf, error) {
	slices.SortFunc(entries, newest)
	made := &shelf{at: now.Unix(), entries: entries, place: make(map[string]int, len(entries))}
	for i, e := range entries {
		made.place[e.id] = i
	}
	s.made[stream] = made
	return made, nil
}

// entry reads of a version what lists and filters need.
func (s *shelves) entry(stream string, r world.Record) (entry, error) {
	key := stream + "/" + r.ID
	known, ok := s.known[key]
	if !ok || !known.at.Equal(r.At) {
		var err error
		if known, err = readVersion(stream, r); err != nil {
			return entry{}, err
		}
		s.known[key] = known
	}
	return entry{id: r.ID, created: known.created, facts: known.facts, raw: r.Object}, nil
}

// readVersion reads what it can: an object may be broken on purpose.
func readVersion(stream string, r world.Record) (read, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(r.Object, &fields); err != nil {
		return read{}, fmt.Errorf("%s %s: %w", stream, r.ID, err)
	}
	created := r.At.Unix()
	if n, err := strconv.ParseInt(string(fields["created"]), 10, 64); err == nil {
		created = n
	}
	known := read{at: r.At, created: created, facts: map[string]string{}}
	for _, name := range factsOf[stream] {
		known.facts[name] = plain(fields[name])
	}
	if stream == "invoice_payments" {
		var p struct {
			Payment struct {
				Intent string `json:"payment_intent"`
			} `json:"payment"`
		}
		if json.Unmarshal(r.Object, &p) == nil {
			known.facts["payment_intent"] = p.Payment.Intent
		}
	}
	return known, nil
}

// plain is the text of a JSON string, or the JSON itself.
func plain(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) || raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// factsOf are the fields by which lists are filtered and events told apart.
var factsOf = map[string][]string{
	"charges":              {"customer", "payment_intent", "status", "amount_refunded"},
	"refunds":              {"charge", "payment_intent", "status"},
	"disputes":             {"charge", "payment_intent", "status"},
	"subscriptions":        {"customer", "status"},
	"invoices":             {"customer", "status"},
	"invoice_payments":     {"invoice", "status"},
	"balance_transactions": {"type", "source", "currency"},
	"customers":            {"email"},
}

func prices() []entry {
	var entries []entry
	for _, p := range plans {
		raw, err := json.Marshal(price(p, "usd"))
		if err != nil {
			panic(err) // texts and numbers
		}
		entries = append(entries, entry{id: "price_" + p, created: priceSince.Unix(), raw: raw})
	}
	return entries
}
