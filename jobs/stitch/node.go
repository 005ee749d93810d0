package stitch

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"crosslift/jobs/sheet"
	"crosslift/schemas/identifier"
	"crosslift/transform/identity/number"
)

// form is how a file writes its nodes. All but text are 128 bits or less, and are numbered as such, which is far faster;
// each has one way to be written, so that nodes are equal exactly if their texts are, and it keeps their order.
type form uint8

const (
	guess form = iota // by the first rows
	text
	raw      // 16 bytes
	uuid     // 36 lower-case characters
	hex32    // 32 lower-case hexadecimal digits
	integer  // with a sign
	unsigned // 64 bits
)

// formOf is the form that a column of a kind has, with its first values.
func formOf(c sheet.Column, values []string) form {
	switch c.Kind {
	case sheet.ID:
		return raw
	case sheet.Int:
		return integer
	case sheet.Unsigned:
		return unsigned
	}
	candidates := []form{uuid, hex32}
	if c.Kind == sheet.Bytes {
		candidates = []form{raw}
	}
	for _, f := range candidates {
		fits := len(values) > 0
		for _, v := range values {
			if _, ok := f.parse(v); !ok {
				fits = false
				break
			}
		}
		if fits {
			return f
		}
	}
	return text
}

// parse reads a node of the form; ok is false where it has another.
func (f form) parse(s string) (id identifier.ID, ok bool) {
	switch {
	case f == raw && len(s) == 16:
		copy(id[:], s)
		return id, true
	case f == hex32 && len(s) == 32:
		return id, digits(id[:], s)
	case f == uuid && len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-':
		return id, digits(id[:4], s[:8]) && digits(id[4:6], s[9:13]) && digits(id[6:8], s[14:18]) &&
			digits(id[8:10], s[19:23]) && digits(id[10:], s[24:])
	}
	return id, false
}

// nibbles are the values of lower-case hexadecimal digits, 0x80 for other bytes.
var nibbles = func() (n [256]uint8) {
	for i := range n {
		n[i] = 0x80
	}
	for i, c := range "0123456789abcdef" {
		n[c] = uint8(i)
	}
	return n
}()

func digits(to []byte, s string) bool {
	bad := uint8(0)
	for i := range to {
		high, low := nibbles[s[2*i]], nibbles[s[2*i+1]]
		bad |= high | low
		to[i] = high<<4 | low&0xf
	}
	return bad < 0x80
}

// ofInt is an integer's bits as an identifier of the same order.
func (f form) ofInt(x int64) (id identifier.ID) {
	if f == integer {
		x ^= -1 << 63
	}
	binary.BigEndian.PutUint64(id[:8], uint64(x))
	return id
}

func (f form) int(id identifier.ID) int64 {
	x := int64(binary.BigEndian.Uint64(id[:8]))
	if f == integer {
		x ^= -1 << 63
	}
	return x
}

// appendID writes a node as text. Raw ones are written as UUIDs.
func (f form) appendID(to []byte, id identifier.ID) []byte {
	switch f {
	case hex32:
		return hex.AppendEncode(to, id[:])
	case integer:
		return strconv.AppendInt(to, f.int(id), 10)
	case unsigned:
		return strconv.AppendUint(to, uint64(f.int(id)), 10)
	}
	text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	for i, at := range places {
		pair := &pairs[id[i]]
		text[at], text[at+1] = pair[0], pair[1]
	}
	return append(to, text[:]...)
}

// places are where the bytes of a UUID stand in its text, and pairs the digits of a byte.
var (
	places = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}
	pairs  = func() (p [256][2]byte) {
		for i := range p {
			hex.Encode(p[i][:], []byte{byte(i)})
		}
		return p
	}()
)

// nodes are a file's nodes by number, in ascending order.
type nodes struct {
	form   form
	column sheet.Column // of the left ones
	ids    []identifier.ID
	texts  []string // of the form text
}

func (n *nodes) len() int { return max(len(n.ids), len(n.texts)) }

// append writes a node as text.
func (n *nodes) append(to []byte, at uint32) []byte {
	if n.form == text {
		return append(to, n.texts[at]...)
	}
	return n.form.appendID(to, n.ids[at])
}

// keys gives identifiers in the nodes' order: for texts, which have none, their numbers.
func (n *nodes) keys() []identifier.ID {
	if n.form != text {
		return n.ids
	}
	keys := make([]identifier.ID, len(n.texts))
	for i := range keys {
		binary.BigEndian.PutUint32(keys[i][:4], uint32(i))
	}
	return keys
}

// keyList takes the nodes of one side of the edges.
type keyList struct {
	ids   number.List
	texts number.TextList
}

// number makes numbers of the nodes that were read, which are forgotten.
func (e *edges) number(ctx context.Context, workers int) (*nodes, error) {
	n := &nodes{form: e.form, column: e.column}
	var err error
	if e.form == text {
		var lists []*number.TextList
		for _, r := range e.readers {
			lists = append(lists, &r.left.texts, &r.right.texts)
		}
		n.texts, err = number.RankTexts(ctx, workers, lists...)
	} else {
		var lists []*number.List
		for _, r := range e.readers {
			lists = append(lists, &r.left.ids, &r.right.ids)
		}
		n.ids, err = number.Rank(ctx, workers, lists...)
	}
	if err != nil {
		return nil, err
	}
	e.gather(workers)
	return n, nil
}
