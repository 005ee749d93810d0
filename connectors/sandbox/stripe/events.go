package stripe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// eventsKept is for how long the feed shows an event.
const eventsKept = 30 * 24 * time.Hour

// eventStreams are the streams whose versions are events.
var eventStreams = []string{"charges", "refunds", "disputes", "subscriptions", "invoices"}

// events makes the feed: an event a version, as old as the change and shown once the version is.
func (s *shelves) events(now time.Time) (*shelf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if made := s.made["events"]; made != nil && made.at == now.Unix() {
		return made, nil
	}
	oldest := now.Add(-eventsKept)
	var entries []entry
	for _, stream := range eventStreams {
		versions, err := s.reader.Versions(Source, stream, now)
		if err != nil {
			return nil, err
		}
		before := map[string]map[string]string{}
		for _, r := range versions {
			e, err := s.event(stream, r, before[r.ID])
			if err != nil {
				return nil, err
			}
			before[r.ID] = e.facts
			if !r.At.Before(oldest) {
				entries = append(entries, e)
			}
		}
	}
	return s.put("events", now, entries)
}

// event makes the event of a version. Its raw is the object; the event around it is written when it is asked for. Its
// facts are the version's, and its type.
func (s *shelves) event(stream string, r world.Record, before map[string]string) (entry, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", stream, r.ID, r.At.UnixNano()))
	id := "evt_" + hex.EncodeToString(sum[:12])
	known, ok := s.known[id]
	if !ok {
		var err error
		if known, err = readVersion(stream, r); err != nil {
			return entry{}, err
		}
		known.facts["type"] = eventType(stream, before, known.facts)
		s.known[id] = known
	}
	return entry{id: id, created: r.At.Unix(), facts: known.facts, raw: r.Object}, nil
}

// eventType says what a version is in Stripe's words; before is nil for the first one.
func eventType(stream string, before, after map[string]string) string {
	status := after["status"]
	changed := before != nil && before["status"] != status
	switch stream {
	case "charges":
		known := status == "succeeded" || status == "failed" || status == "pending" // it may be broken on purpose
		switch {
		case known && (before == nil || changed):
			return "charge." + status
		case before != nil && before["amount_refunded"] != after["amount_refunded"]:
			return "charge.refunded"
		}
		return "charge.updated"
	case "refunds":
		switch {
		case before == nil:
			return "refund.created"
		case changed && status == "failed":
			return "refund.failed"
		}
		return "refund.updated"
	case "disputes":
		switch {
		case before == nil:
			return "charge.dispute.created"
		case changed && (status == "won" || status == "lost" || status == "warning_closed"):
			return "charge.dispute.closed"
		}
		return "charge.dispute.updated"
	case "subscriptions":
		switch {
		case before == nil:
			return "customer.subscription.created"
		case changed && status == "canceled":
			return "customer.subscription.deleted"
		}
		return "customer.subscription.updated"
	}
	names := map[string]string{"open": "finalized", "paid": "paid", "void": "voided", "uncollectible": "marked_uncollectible"}
	switch name := names[status]; {
	case before == nil:
		return "invoice.created"
	case changed && name != "":
		return "invoice." + name
	}
	return "invoice.updated"
}

// eventObject writes an event around its object.
func eventObject(e entry) object {
	return object{
		"id": e.id, "object": "event", "created": e.created, "livemode": false, "api_version": version,
		"data": object{"object": json.RawMessage(e.raw)}, "pending_webhooks": 0,
		"request": object{"id": nil, "idempotency_key": nil}, "type": e.facts["type"],
	}
}

// wanted reports whether an event's type is one of some, each of which may end in .*
func wanted(name string, types []string) bool {
	for _, t := range types {
		if t == "*" || t == name || strings.HasSuffix(t, ".*") && strings.HasPrefix(name, t[:len(t)-1]) {
			return true
		}
	}
	return len(types) == 0
}
