package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Faults are what Create does to some of the records, so that it can be seen what becomes of them. Whether a record is
// hit is decided by its stream, id and instant, and by the world's seed.
type Faults struct {
	Malformed float64         `json:"malformed"` // share of the records whose object loses a member, or has text for a number
	Drift     float64         `json:"drift"`     // share of the records whose object has new fields, with personal data in them
	Streams   map[string]Weak `json:"streams,omitempty"`
}

// Weak says where the objects of a stream, by source/stream, can be hit; one that is not named stays whole. What a server
// itself needs of an object to find, filter or add it up is no place for it: it must still be served.
type Weak struct {
	Members []string `json:"members,omitempty"` // paths of members, such as amount or data.id, that a row cannot be read without
	Open    string   `json:"open,omitempty"`    // path of the object that takes new fields; "" is the whole one
	Closed  bool     `json:"closed,omitempty"`  // no new fields
}

// The fields that drift brings, never heard of before.
const (
	driftText   = "loyalty_note"
	driftNested = "loyalty_profile"
)

// faulty hits records.
type faulty struct {
	s       *setting
	damaged []Damaged
	planted []Planted
}

func newFaulty(s *setting) *faulty { return &faulty{s: s} }

// damage gives the object of a record, hit or as it was.
func (f *faulty) damage(to file, r *Record) (json.RawMessage, error) {
	weak, named := f.s.Faults.Streams[to.source+"/"+to.stream]
	if !named {
		return r.Object, nil
	}
	seed := f.s.seed
	for _, text := range []string{to.source, to.stream, r.ID} {
		for i := range len(text) {
			seed = mix(seed ^ uint64(text[i]))
		}
	}
	d := roll(seed, r.At.UnixMicro(), ofFaults)
	if len(weak.Members) > 0 && d.chance(f.s.Faults.Malformed) {
		member := among(d, weak.Members)
		object, err := without(r.Object, member, d.chance(0.5))
		if errors.Is(err, errMember) { // not every object has it
			return r.Object, nil
		} else if err != nil {
			return nil, err
		}
		f.damaged = append(f.damaged, Damaged{to.source, to.stream, r.ID, r.At, to.night, member})
		return object, nil
	}
	if weak.Closed || !d.chance(f.s.Faults.Drift) {
		return r.Object, nil
	}
	if weak.Open != "" {
		if _, err := find(r.Object, weak.Open); errors.Is(err, errMember) {
			return r.Object, nil
		}
	}
	mail := "drift." + strconv.FormatUint(uint64(d.Uint32()), 36) + "@kinopochta.ru"
	phone := "+7" + mobile(d.Int64N(80_000_000))
	f.planted = append(f.planted, Planted{to.source, to.stream + "." + driftText, "email", mail},
		Planted{to.source, to.stream + "." + driftNested, "phone", phone})
	return with(r.Object, weak.Open, `"`+driftText+`":"call `+mail+`","`+driftNested+`":{"level":3,"contact":"`+phone+`"}`)
}

// place is where a member's key and value stand in an object.
type place struct{ key, value, end int }

var errMember = errors.New("the object has no such member")

// find looks a member up by its path.
func find(object []byte, path string) (place, error) {
	first, rest, nested := bytes.Cut([]byte(path), []byte("."))
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return place{}, fmt.Errorf("%s: %w", path, errMember)
	}
	for d.More() {
		key := int(d.InputOffset())
		name, err := d.Token()
		if err != nil {
			return place{}, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return place{}, err
		}
		if name != string(first) {
			continue
		}
		end := int(d.InputOffset())
		at := place{key, end - len(value), end}
		if !nested {
			return at, nil
		}
		inner, err := find(value, string(rest))
		return place{at.value + inner.key, at.value + inner.value, at.value + inner.end}, err
	}
	return place{}, fmt.Errorf("%s: %w", path, errMember)
}

// without is an object that lost a member, or that has text where the member is a number.
func without(object json.RawMessage, member string, text bool) (json.RawMessage, error) {
	at, err := find(object, member)
	if err != nil {
		return nil, err
	}
	if c := object[at.value]; text && (c == '-' || c >= '0' && c <= '9') {
		return bytes.Join([][]byte{object[:at.value], []byte(`"unknown"`), object[at.end:]}, nil), nil
	}
	// key is behind the comma before the member, or behind the brace; InputOffset stops before commas and white space.
	head, tail := bytes.TrimRight(object[:at.key], ", \t\r\n"), bytes.TrimLeft(object[at.end:], " \t\r\n")
	if head[len(head)-1] == '{' {
		tail = bytes.TrimLeft(tail, ",")
	}
	return bytes.Join([][]byte{head, tail}, nil), nil
}

// with is an object with further members at the end of one of its objects.
func with(object json.RawMessage, path, members string) (json.RawMessage, error) {
	end := len(object)
	if path != "" {
		at, err := find(object, path)
		if err != nil {
			return nil, err
		}
		end = at.end
	}
	head := bytes.TrimRight(object[:end], " \t\r\n")
	if len(head) == 0 || head[len(head)-1] != '}' {
		return nil, fmt.Errorf("%s is not an object", or(path, "it"))
	}
	head = bytes.TrimRight(head[:len(head)-1], " \t\r\n")
	if head[len(head)-1] != '{' {
		members = "," + members
	}
	return bytes.Join([][]byte{head, []byte(members + "}"), object[end:]}, nil), nil
}
