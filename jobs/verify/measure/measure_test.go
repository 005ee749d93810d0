package measure_test

import (
	"testing"

	"crosslift/jobs/verify/measure"
	"crosslift/schemas/identifier"
)

func id(n byte) identifier.ID { return identifier.ID{15: n} }

// TestClusters: of owners {1 2 3} {4 5} and clusters {1 2} {3 4} {5} one pair of two is right, and one of four found.
func TestClusters(t *testing.T) {
	t.Parallel()
	owner := func(x identifier.ID) string { return map[bool]string{true: "ann", false: "bob"}[x[15] < 4] }
	cluster := func(x identifier.ID) identifier.ID { return id((x[15] + 1) / 2) }
	account := func(x identifier.ID) bool { return x == id(3) || x == id(4) }
	s := measure.Clusters([]identifier.ID{id(1), id(2), id(3), id(4), id(5)}, owner, cluster, account)
	if p := s.Pairs.Precision; p.Part != 1 || p.N != 2 {
		t.Errorf("precision %+v", p)
	}
	if r := s.Pairs.Recall; r.Part != 1 || r.N != 4 {
		t.Errorf("recall %+v", r)
	}
	if o := s.Overmerged; o.Part != 2 || o.N != 2 {
		t.Errorf("over-merged %+v", o)
	}
}

// TestLinks: what is connected has one that stands for it, and what is in no pair stands for itself.
func TestLinks(t *testing.T) {
	t.Parallel()
	var l measure.Links
	l.Add(id(1), id(2))
	l.Add(id(3), id(2))
	l.Add(id(4), id(5))
	of, err := l.Components(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if of(id(1)) != of(id(3)) || of(id(1)) == of(id(4)) || of(id(4)) != of(id(5)) || of(id(9)) != id(9) {
		t.Errorf("%v %v %v %v %v", of(id(1)), of(id(3)), of(id(4)), of(id(5)), of(id(9)))
	}
	if !l.Has(id(5)) || l.Has(id(9)) {
		t.Error("5 is in a pair, 9 is in none")
	}
	var none measure.Links
	if of, err := none.Components(t.Context()); err != nil || of(id(1)) != id(1) || none.Has(id(1)) {
		t.Errorf("no pairs: %v", err)
	}
}

// TestLastWins: the latest counts, in whatever order they come, and a device without one is nobody's.
func TestLastWins(t *testing.T) {
	t.Parallel()
	var l measure.Logins
	l.Add(id(1), id(11), 5)
	l.Add(id(1), id(12), 9)
	l.Add(id(1), id(11), 7)
	l.Add(id(2), id(11), 1)
	last := l.LastWins()
	if last(id(1)) != id(12) || last(id(2)) != id(11) || !last(id(3)).IsZero() {
		t.Errorf("%v %v %v", last(id(1)), last(id(2)), last(id(3)))
	}
	var none measure.Logins
	if last := none.LastWins(); !last(id(1)).IsZero() {
		t.Error("nobody has logged in")
	}
}
