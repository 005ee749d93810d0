package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// object is an object of HubSpot as an answer holds it.
type object struct {
	raw      rest.Value
	id       string
	changed  int64 // when it was modified or archived, milliseconds since 1970
	dated    bool  // changed could be read
	created  rest.Value
	archived bool
	slots    []rest.Value // the properties that the stream reads, in its order; null where they are not set
	contact  string       // the id of the contact that it belongs to
}

func (o *object) at() table.Micros { return table.Micros(o.changed * 1000) }

// name tells an object from others of an extract, also one that has lost its id.
func (o *object) name() string {
	if o.id != "" {
		return o.id
	}
	sum := sha256.Sum256(o.raw)
	return "#" + hex.EncodeToString(sum[:8])
}

// reader takes objects apart and announces what it does not know, once an extract.
type reader struct {
	modified string
	index    map[string][]int // of a property, its slots
	sink     connectors.Sink
	unknown  map[string]bool
}

func newReader(s *stream, sink connectors.Sink) *reader {
	r := &reader{modified: s.modified, index: map[string][]int{}, sink: sink, unknown: map[string]bool{}}
	for i, name := range s.slots {
		if name != "" {
			r.index[name] = append(r.index[name], i)
		}
	}
	return r
}

// read takes an object apart; raw must outlive it.
func (r *reader) read(raw rest.Value, slots int) object {
	o := object{raw: raw, slots: make([]rest.Value, slots)}
	var updated, archivedAt, modified rest.Value
	for name, v := range raw.Members() {
		switch string(name) {
		case "id":
			if o.id = v.Text(); !number.MatchString(o.id) {
				o.id = ""
			}
		case "createdAt":
			o.created = v
		case "updatedAt":
			updated = v
		case "archived":
			o.archived, _ = v.Bool()
		case "archivedAt":
			archivedAt = v
		case "properties":
			modified = r.properties(v, &o)
		case "associations":
			for a := range v.Get("contacts.results").Elements() {
				o.contact = lower(o.contact, a.Get("id").Text())
			}
		case "url", "objectWriteTraceId", "propertiesWithHistory": // of no use here
		default:
			r.announce(string(name))
		}
	}
	for _, v := range []rest.Value{archivedAt, modified, updated} {
		if at, ok := moment(v.Text()); ok && !o.dated {
			o.changed, o.dated = at, true
		}
	}
	return o
}

func (r *reader) properties(all rest.Value, o *object) (modified rest.Value) {
	for name, v := range all.Members() {
		places, wanted := r.index[string(name)]
		for _, i := range places {
			o.slots[i] = v
		}
		switch {
		case string(name) == r.modified:
			modified = v
		case wanted:
		default:
			switch string(name) {
			case "createdate", "hs_object_id", "lastmodifieddate", "hs_lastmodifieddate", "hs_createdate": // sent unasked
			default:
				r.announce("properties." + string(name))
			}
		}
	}
	return modified
}

// number is what ids are. Other text could be anything.
var number = regexp.MustCompile(`^[0-9]{1,19}$`)

// printable are the names that may be shown: others could hold anything.
var printable = regexp.MustCompile(`^[A-Za-z0-9_.]{1,64}$`)

func (r *reader) announce(field string) {
	if !printable.MatchString(field) {
		field = "(unprintable)"
	}
	if !r.unknown[field] {
		r.unknown[field] = true
		r.sink.Unclassified(field)
	}
}

// lower gives the smaller of two ids, of which the first may be none yet: of several contacts, the one that has been
// there longest.
func lower(a, b string) string {
	if a == "" || b != "" && less(b, a) {
		return b
	}
	return a
}

// less orders ids as numbers.
func less(a, b string) bool {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return x < y
	}
	return a < b
}

// moment reads a time as HubSpot writes it: RFC 3339, a day, or milliseconds since 1970.
func moment(text string) (milliseconds int64, ok bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UnixMilli(), true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, n > 0 && n < 1<<47
	}
	at, err := time.Parse(time.DateOnly, text)
	return at.UnixMilli(), err == nil
}
