package graph

import (
	"testing"

	"crosslift/schemas/table"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	rules := DefaultRules()
	crm, ok := rules.Type(table.TypeCRM)
	if !ok {
		t.Fatal("no type crm")
	}
	if _, ok := rules.Type("nothing"); ok {
		t.Error("a type of no name is found")
	}
	for want, s := range map[string]Status{
		"linked": Linked, "implied": Implied, "shared_left": SharedA, "shared_right": SharedB, "shared_both": SharedBoth,
		"outside": Outside, "cannot": Cannot, "bridge": Bridge, "size": Size, "limit_account": LimitOf(0),
		"limit_crm": LimitOf(crm), "status(99)": 99, "limit": LimitOf(127),
	} {
		if got := rules.Reason(s); got != want {
			t.Errorf("reason of status %d: %q, want %q", s, got, want)
		}
	}
	if typ, is := LimitOf(crm).Limited(); !is || typ != crm {
		t.Errorf("limit of type %d names %d, %v", crm, typ, is)
	}
	if _, is := Size.Limited(); is {
		t.Error("size is a limit of a type")
	}
}

// TestTallies adds every pair of counts that clusters may have, for limits next to each other in the word.
func TestTallies(t *testing.T) {
	t.Parallel()
	types := []Type{{Limit: 1}, {}, {Limit: 7}, {Limit: 300}, {Limit: 8}, {Limit: 1}}
	traits := newTraits(types)
	for i, typ := range types {
		if typ.Limit == 0 {
			if traits.one[i] != 0 {
				t.Errorf("type %d has no limit but is counted", i)
			}
			continue
		}
		rest := tally(0) // all others at their limits
		for j, other := range types {
			if j != i {
				rest += traits.one[j] * tally(other.Limit)
			}
		}
		for x := range typ.Limit + 1 {
			for y := range typ.Limit + 1 {
				got, is := traits.exceeded(rest + traits.one[i]*tally(x+y))
				if want := x+y > typ.Limit; is != want || is && int(got) != i {
					t.Errorf("%d + %d of type %d, limit %d: exceeded %v, type %d", x, y, i, typ.Limit, is, got)
				}
			}
		}
	}
}
