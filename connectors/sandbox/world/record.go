package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// errRecord is wrapped by what Append says of a record that cannot be one.
var errRecord = errors.New("expected a record with an id, an instant, one from when on it is visible that is not before it, and an object")

var errYear = errors.New("expected instants in the years 0 to 9999")

// appendLine adds a record's line to b, ending in a newline. Its object is passed through, made one line if it is several.
func appendLine(b []byte, r *Record) ([]byte, error) {
	last := r.Visible
	if r.Gone != nil {
		last = *r.Gone
	}
	if r.ID == "" || r.At.IsZero() || r.Visible.Before(r.At) || last.Before(r.Visible) || len(r.Object) == 0 {
		return b, errRecord
	}
	if r.At.UTC().Year() < 0 || last.UTC().Year() > 9999 {
		return b, errYear
	}
	b = append(b, `{"id":`...)
	b = appendText(b, r.ID)
	b = appendTime(append(b, `,"at":`...), r.At)
	b = appendTime(append(b, `,"visible":`...), r.Visible)
	if r.Gone != nil {
		b = appendTime(append(b, `,"gone":`...), *r.Gone)
	}
	b = append(b, `,"object":`...)
	if bytes.IndexByte(r.Object, '\n') < 0 {
		b = append(b, r.Object...)
	} else {
		line := bytes.NewBuffer(b)
		if err := json.Compact(line, r.Object); err != nil {
			return b, err
		}
		b = line.Bytes()
	}
	return append(b, "}\n"...), nil
}

// appendText writes a string; those without anything to escape as they are.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			text, _ := json.Marshal(s) // a string always has a JSON form
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// parseLine reads a line. Its object is a part of the line's bytes. Lines as appendLine writes them are read at the speed
// of checking their object; others, which somebody has written by hand, as any JSON.
func parseLine(line []byte) (r Record, err error) {
	if !canonical(line, &r) {
		r = Record{}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return r, err
		}
		if d.More() {
			return r, errors.New("expected one record a line")
		}
	} else if !json.Valid(r.Object) {
		return r, errors.New("the object is not JSON")
	}
	switch {
	case r.ID == "":
		return r, errors.New("id is missing")
	case r.At.IsZero() || r.Visible.IsZero():
		return r, errors.New("at or visible is missing")
	case len(r.Object) == 0:
		return r, errors.New("object is missing")
	}
	return r, nil
}

// canonical reads a line of our own; it gives up on anything else.
func canonical(line []byte, r *Record) bool {
	rest := line
	text := func(prefix string) (string, bool) {
		if !bytes.HasPrefix(rest, []byte(prefix)) {
			return "", false
		}
		rest = rest[len(prefix):]
		end := 0
		for end < len(rest) && rest[end] != '"' {
			if c := rest[end]; c < ' ' || c == '\\' || c >= 0x7f {
				return "", false
			}
			end++
		}
		if end == len(rest) {
			return "", false
		}
		s := string(rest[:end])
		rest = rest[end+1:]
		return s, true
	}
	instant := func(prefix string, to *time.Time) bool {
		s, ok := text(prefix)
		if !ok {
			return false
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		*to = t.UTC()
		return err == nil
	}
	var ok bool
	if r.ID, ok = text(`{"id":"`); !ok || !instant(`,"at":"`, &r.At) || !instant(`,"visible":"`, &r.Visible) {
		return false
	}
	if bytes.HasPrefix(rest, []byte(`,"gone":"`)) {
		r.Gone = new(time.Time)
		if !instant(`,"gone":"`, r.Gone) {
			return false
		}
	}
	const object = `,"object":`
	if !bytes.HasPrefix(rest, []byte(object)) || len(rest) < len(object)+2 || rest[len(rest)-1] != '}' {
		return false
	}
	r.Object = rest[len(object) : len(rest)-1 : len(rest)-1]
	return true
}

// lines calls a function for every line of a file's content that is not empty, with the offset of its first byte.
func lines(content []byte, each func(offset int, line []byte) error) error {
	for number, offset := 1, 0; offset < len(content); number++ {
		line := content[offset:]
		next := len(content)
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line, next = line[:end], offset+end+1
		}
		if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
			if err := each(offset, line); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		offset = next
	}
	return nil
}
