package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
		t.Errorf("%s: %v instead of %v", what, got, want)
	}
}

// nodes lays out clusters, each with the owners of its nodes.
func nodes(clusters ...[]uint32) (all []Node) {
	for c, owners := range clusters {
		for _, o := range owners {
			all = append(all, Node{Owner: o, Cluster: uint32(c)})
		}
	}
	return all
}

// The example of Bagga and Baldwin (1998): owners of 5, 2 and 5 mentions, of which a system merges the small with a large
// one, or the two large ones. B-cubed tells how much worse the second is; precision is 76 % and 58 %, recall 100 %.
func TestBaggaAndBaldwin(t *testing.T) {
	t.Parallel()
	one, two, three := []uint32{0, 0, 0, 0, 0}, []uint32{1, 1}, []uint32{2, 2, 2, 2, 2}
	for _, c := range []struct {
		name      string
		nodes     []Node
		precision float64
	}{
		{"small with large", nodes(one, slices.Concat(two, three)), (5 + 2*2./7 + 5*5./7) / 12},
		{"large with large", nodes(slices.Concat(one, three), two), (10*5./10 + 2) / 12},
	} {
		s := Score(c.nodes)
		near(t, c.name+": precision", s.BCubed.Precision.Share, c.precision)
		near(t, c.name+": recall", s.BCubed.Recall.Share, 1)
		near(t, c.name+": F1", s.BCubed.F1, 2*c.precision/(1+c.precision))
		near(t, c.name+": pairwise recall", s.Pairs.Recall.Share, 1)
	}
}

// What is known without counting: n owners of k nodes each, as they are, all in one, each node alone.
func TestClosedForms(t *testing.T) {
	t.Parallel()
	const n, k = 7, 5
	var exact, merged, alone []Node
	for i := range uint32(n * k) {
		exact = append(exact, Node{i % n, i % n, true})
		merged = append(merged, Node{i % n, 0, true})
		alone = append(alone, Node{i % n, i, true})
	}
	for _, c := range []struct {
		name                      string
		nodes                     []Node
		pairP, pairR, cubeP, mixd float64
	}{
		{"exact", exact, 1, 1, 1, 0},
		{"merged", merged, (k - 1.) / (n*k - 1), 1, 1. / n, 1},
		{"alone", alone, 0, 0, 1, 0},
	} {
		s := Score(c.nodes)
		near(t, c.name+": pairwise precision", s.Pairs.Precision.Share, c.pairP)
		near(t, c.name+": pairwise recall", s.Pairs.Recall.Share, c.pairR)
		near(t, c.name+": B-cubed precision", s.BCubed.Precision.Share, c.cubeP)
		near(t, c.name+": over-merged", s.Overmerged.Share, c.mixd)
		if s.AccountPairs != s.Pairs {
			t.Errorf("%s: all are accounts, but their pairs differ: %+v, %+v", c.name, s.AccountPairs, s.Pairs)
		}
		if s.Pairs.Recall.N != n*k*(k-1)/2 || s.BCubed.Recall.N != n*k || s.Overmerged.N != n*k {
			t.Errorf("%s: of how many: %+v", c.name, s)
		}
	}
	near(t, "alone: B-cubed recall", Score(alone).BCubed.Recall.Share, 1./k)
}

// Counting cells gives what looking at every pair does.
func TestAgainstBruteForce(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 500 {
		all := make([]Node, r.IntN(60))
		owners, clusters := 1+r.Uint32N(12), 1+r.Uint32N(12)
		for i := range all {
			all[i] = Node{r.Uint32N(owners), r.Uint32N(clusters), r.IntN(3) == 0}
			if r.IntN(8) == 0 {
				all[i].Owner = None
			}
		}
		s := Score(all)
		bruteForce(t, "all", all, func(Node) bool { return true }, s.Pairs)
		bruteForce(t, "accounts", all, func(n Node) bool { return n.Account }, s.AccountPairs)
		bruteForceItems(t, all, s)
	}
}

func bruteForce(t *testing.T, name string, all []Node, of func(Node) bool, got Agreement) {
	t.Helper()
	var both, right, found float64
	for i, a := range all {
		for _, b := range all[:i] {
			if a.Owner == None || b.Owner == None || !of(a) || !of(b) {
				continue
			}
			if a.Owner == b.Owner {
				right++
			}
			if a.Cluster == b.Cluster {
				found++
				if a.Owner == b.Owner {
					both++
				}
			}
		}
	}
	if got.Precision.Part != both || float64(got.Precision.N) != found || got.Recall.Part != both || float64(got.Recall.N) != right {
		t.Fatalf("%s: %+v instead of %v of %v found and %v right", name, got, both, found, right)
	}
	if found > 0 {
		near(t, name+": precision", got.Precision.Share, both/found)
	}
	if both > 0 {
		near(t, name+": F1", got.F1, 2*both/(found+right))
	}
}

func bruteForceItems(t *testing.T, all []Node, s Scores) {
	t.Helper()
	var precision, recall, n, mixed, accounts float64
	for _, a := range all {
		if a.Owner == None {
			continue
		}
		n++
		var owner, cluster, both float64
		strange := false
		for _, b := range all {
			switch {
			case b.Owner == None:
				continue
			case a.Owner == b.Owner && a.Cluster == b.Cluster:
				owner, cluster, both = owner+1, cluster+1, both+1
			case a.Owner == b.Owner:
				owner++
			case a.Cluster == b.Cluster:
				cluster++
				strange = strange || b.Account
			}
		}
		precision, recall = precision+both/cluster, recall+both/owner
		if a.Account {
			accounts++
			if strange {
				mixed++
			}
		}
	}
	near(t, "B-cubed precision", s.BCubed.Precision.Part, precision)
	near(t, "B-cubed recall", s.BCubed.Recall.Part, recall)
	if s.Overmerged.Part != mixed || float64(s.Overmerged.N) != accounts || float64(s.NodesOfOwner) != n || s.NodesOfOwner+s.NodesWithout != int64(len(all)) {
		t.Fatalf("%+v instead of %v of %v accounts over-merged, %v nodes", s, mixed, accounts, n)
	}
}

// Any order of the nodes and any numbering gives the same but for rounding.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	all := make([]Node, 1000)
	for i := range all {
		all[i] = Node{r.Uint32N(100), r.Uint32N(100), i%2 == 0}
	}
	want := Score(all)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	owners, clusters := r.Perm(100), r.Perm(100)
	for i := range all {
		all[i].Owner, all[i].Cluster = uint32(owners[all[i].Owner]), uint32(clusters[all[i].Cluster])
	}
	got := Score(all)
	near(t, "B-cubed", got.BCubed.F1, want.BCubed.F1)
	if got.Pairs != want.Pairs || got.AccountPairs != want.AccountPairs || got.Overmerged != want.Overmerged {
		t.Errorf("%+v instead of %+v", got, want)
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	if s := Score(nil); s != (Scores{}) {
		t.Errorf("%+v", s)
	}
	if s := Score([]Node{{Owner: None}}); s != (Scores{NodesWithout: 1}) {
		t.Errorf("%+v", s)
	}
}
