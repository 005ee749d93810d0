package stitch

import (
	"math/rand/v2"
	"testing"

	"crosslift/schemas/identifier"
)

// A UUID's text reads as the UUID, and in no other case.
func TestUUIDText(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(8, 1))
	for range 1000 {
		var id identifier.ID
		for i := range id {
			id[i] = byte(r.Uint32())
		}
		s := string(uuid.appendID(nil, id))
		if back, ok := uuid.parse(s); s != id.String() || !ok || back != id {
			t.Fatalf("%s: written as %s, read as %s", id, s, back)
		}
		at := r.IntN(len(s))
		for _, c := range []byte{'g', 'A', '/', ':', '`', ' ', 0, '-', 0xff} {
			if other := s[:at] + string(c) + s[at+1:]; other != s {
				if _, ok := uuid.parse(other); ok {
					t.Fatalf("%q was read", other)
				}
			}
		}
	}
}

func BenchmarkUUIDText(b *testing.B) {
	id, text := identifier.ID{1, 200, 7: 255}, make([]byte, 0, 36)
	for b.Loop() {
		text = uuid.appendID(text[:0], id)
	}
}
