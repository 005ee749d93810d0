package graph

import (
	"reflect"
	"testing"
)

// FuzzSolve makes problems from bytes and compares with brute force: rules, then a type for each of at most 32 nodes,
// then three bytes a link.
func FuzzSolve(f *testing.F) {
	f.Add([]byte{5, 0, 3, 1, 0, 0x21, 0x43, 8, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 0, 1, 2, 9, 2, 3, 17})
	f.Add([]byte("\x03\x02\x11\x22\x33\x05abcdefgh0123456789"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1000 {
			t.Skip("too long for brute force")
		}
		p := decoded(data)
		got, err := Solve(t.Context(), p, 1+len(data)%3)
		if err != nil {
			t.Fatal(err)
		}
		if want := brute(p); !reflect.DeepEqual(got, want) {
			t.Errorf("problem: %+v\nsolved:  %+v\nbrute:   %+v", *p, *got, *want)
		}
	})
}

func decoded(data []byte) *Problem {
	next := func() int {
		if len(data) == 0 {
			return 0
		}
		x := data[0]
		data = data[1:]
		return int(x)
	}
	p := &Problem{Rules: Rules{Types: make([]Type, 1+next()%8), MaxSize: next() % 9}}
	for i := range p.Rules.Types {
		x := next()
		p.Rules.Types[i] = Type{Cap: x & 3, Limit: x >> 2 & 3, Device: x>>4&1 == 1, Outside: x>>5 == 7}
	}
	n := 1 + next()%32
	p.Shared = make([]bool, n)
	for v := range n {
		x := next()
		p.Keys, p.Types = append(p.Keys, key(uint64(v*7%32))), append(p.Types, uint8(x%len(p.Rules.Types)))
		p.Shared[v] = x > 240
	}
	for len(data) > 0 {
		a, b, x := uint32(next()%n), uint32(next()%n), next()
		switch {
		case x >= 250 && a != b:
			p.Cannot = append(p.Cannot, [2]uint32{a, b})
		case x >= 245:
			p.Must = append(p.Must, [2]uint32{a, b})
		default:
			l := &p.Links
			l.A, l.B = append(l.A, a), append(l.B, b)
			l.Class, l.First = append(l.Class, uint8(x%7)), append(l.First, int64(x/7%4))
		}
	}
	return p
}
