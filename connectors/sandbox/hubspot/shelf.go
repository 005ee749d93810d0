package hubspot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
)

// modified names the property by which changes of an object are found.
var modified = map[string]string{Contacts: "lastmodifieddate", Deals: "hs_lastmodifieddate"}

// object is an object as it is shown, whatever an edited world makes of it.
type object struct {
	id         string // the record's, by which it is found
	raw        json.RawMessage
	members    map[string]json.RawMessage // all but the properties
	properties map[string]json.RawMessage
	changed    int64 // milliseconds since 1970
	archived   bool
}

// text is a property's, nil where it is not set.
func (o *object) text(property string) *string {
	var text *string
	if value, has := o.properties[property]; has && json.Unmarshal(value, &text) != nil {
		other := string(value)
		return &other
	}
	return text
}

// shelf holds the objects of a stream as they are shown at an instant.
type shelf struct {
	live      []*object // ascending by id
	byChange  []*object // the same, ascending by changed, then id
	archived  []*object // ascending by id
	byID      map[string]*object
	takenAt   time.Time
	described map[string]bool // the properties that objects have
}

// shelves keeps one shelf a stream, for as long as the clock stands still or moves by less than a second: search is
// eventually consistent at HubSpot too.
type shelves struct {
	reader world.Reader
	mu     sync.Mutex
	kept   map[string]*shelf
}

func (s *shelves) at(stream string, at time.Time) (*shelf, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.kept[stream]
	if old != nil && !at.Before(old.takenAt) && at.Sub(old.takenAt) < time.Second {
		return old, nil
	}
	records, err := s.reader.Current(Source, stream, at)
	if err != nil {
		return nil, err
	}
	now := &shelf{byID: make(map[string]*object, len(records)), described: map[string]bool{}, takenAt: at}
	for _, r := range records {
		var o *object
		if old != nil {
			o = old.byID[r.ID]
		}
		if o == nil || !bytes.Equal(o.raw, r.Object) {
			if o, err = parse(r, modified[stream]); err != nil {
				return nil, fmt.Errorf("%s/%s: %w", Source, stream, err)
			}
		}
		now.add(o)
	}
	slices.SortFunc(now.live, byID)
	slices.SortFunc(now.archived, byID)
	now.byChange = slices.Clone(now.live)
	slices.SortStableFunc(now.byChange, func(a, b *object) int { return cmp.Compare(a.changed, b.changed) })
	s.kept[stream] = now
	return now, nil
}

func (s *shelf) add(o *object) {
	s.byID[o.id] = o
	if o.archived {
		s.archived = append(s.archived, o)
	} else {
		s.live = append(s.live, o)
	}
	for name := range o.properties {
		s.described[name] = true
	}
}

func parse(r world.Record, modified string) (*object, error) {
	o := &object{id: r.ID, raw: r.Object, changed: r.At.UnixMilli()}
	if err := json.Unmarshal(r.Object, &o.members); err != nil {
		return nil, fmt.Errorf("object %s: %w", r.ID, err)
	}
	if json.Unmarshal(o.members["properties"], &o.properties) != nil {
		o.properties = nil // it is shown without any
	}
	delete(o.members, "properties")
	o.archived = string(o.members["archived"]) == "true"
	if text := o.text(modified); text != nil {
		if at, err := time.Parse(time.RFC3339, *text); err == nil {
			o.changed = at.UnixMilli()
		}
	}
	return o, nil
}

// byID orders ids as numbers, and what is none behind them.
func byID(a, b *object) int { return compareIDs(a.id, b.id) }

func compareIDs(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// shown is an object with some of its properties, and with those that are always there. A property that no object has is
// left out, as one that is unknown is.
func (s *shelf) shown(o *object, stream string, properties []string, associations bool) map[string]any {
	shown := make(map[string]any, len(o.members)+1)
	for name, value := range o.members {
		if name != "associations" || associations {
			shown[name] = value
		}
	}
	some := map[string]json.RawMessage{}
	for _, name := range append([]string{"createdate", "hs_object_id", modified[stream]}, properties...) {
		if value, has := o.properties[name]; has {
			some[name] = value
		} else if s.described[name] {
			some[name] = json.RawMessage("null")
		}
	}
	shown["properties"] = some
	return shown
}
