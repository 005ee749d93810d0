package faults

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
)

// shuffle gives a JSON body with the elements of some arrays in another order, their bytes as they were. A body that is no
// JSON, or that has no such array, is given back.
func shuffle(body []byte, arrays []string, seed uint64) []byte {
	for _, path := range arrays {
		start, end, ok := find(body, strings.Split(path, "."))
		if !ok {
			continue
		}
		var elements []json.RawMessage
		if json.Unmarshal(body[start:end], &elements) != nil {
			continue
		}
		rand.New(rand.NewPCG(seed, uint64(len(elements)))).Shuffle(len(elements), func(i, j int) {
			elements[i], elements[j] = elements[j], elements[i]
		})
		all := make([][]byte, len(elements))
		for i, e := range elements {
			all[i] = e
		}
		inner := bytes.Join(all, []byte(","))
		body = bytes.Join([][]byte{body[:start], []byte("["), inner, []byte("]"), body[end:]}, nil)
	}
	return body
}

// find says where the value of a member stands.
func find(body []byte, path []string) (start, end int, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, 0, false
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return 0, 0, false
		}
		if name != path[0] {
			continue
		}
		end = int(d.InputOffset())
		start = end - len(value)
		if len(path) == 1 {
			return start, end, true
		}
		from, to, ok := find(value, path[1:])
		return start + from, start + to, ok
	}
	return 0, 0, false
}
