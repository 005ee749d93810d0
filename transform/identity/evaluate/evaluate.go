// Package evaluate measures a clustering of identifiers against the truth, and has a baseline to measure beside it.
package evaluate

// None is the owner of what several share, or the number of what is not there.
const None = ^uint32(0)

// Node is an identifier that both the truth and the clustering know. Owners and clusters are numbered densely from 0.
type Node struct {
	Owner   uint32 // the person it is of; None for what several share, which is left out of all that follows
	Cluster uint32
	Account bool
}

// Scores are the figures of a clustering; a share of nothing is 0 of N 0.
type Scores struct {
	Pairs           Agreement  `json:"pairs"`
	AccountPairs    Agreement  `json:"account_pairs"`   // of accounts only
	BCubed          Agreement  `json:"b_cubed"`         // by item: N is that of nodes in both
	Overmerged      Proportion `json:"over_merged"`     // accounts in a cluster with another owner's account
	NodesOfOwner    int64      `json:"nodes_evaluated"` // with an owner
	NodesWithout    int64      `json:"nodes_shared"`    // without one
	AccountsOfOwner int64      `json:"accounts_evaluated"`
}

// Agreement says how far two partitions agree.
type Agreement struct {
	Precision Proportion `json:"precision"`
	Recall    Proportion `json:"recall"`
	F1        float64    `json:"f1"` // the harmonic mean of the two
}

// Proportion is a share with what it is of. Of B-cubed, which averages shares over items, Part is the sum of shares.
type Proportion struct {
	Share float64 `json:"share"`
	Part  float64 `json:"part"`
	N     int64   `json:"n"`
}

// Score measures a clustering.
//
// Pairwise, a pair of nodes is right that is of one owner, and found that is in one cluster: precision is the share of
// right ones among the found, recall that of found ones among the right. B-cubed (Bagga and Baldwin, 1998; in the form of
// Amigó, Gonzalo, Artiles and Verdejo, 2009) averages over nodes the share of its cluster that is of its owner, and the
// share of its owner's nodes that are in its cluster. Both follow from how many nodes each pair of owner and cluster
// has in common, which takes time in proportion to the nodes.
func Score(nodes []Node) Scores {
	all, accounts := make([]cell, 0, len(nodes)), []cell(nil)
	var s Scores
	for _, n := range nodes {
		if n.Owner == None {
			s.NodesWithout++
			continue
		}
		s.NodesOfOwner++
		c := cell{n.Owner, n.Cluster}
		all = append(all, c)
		if n.Account {
			s.AccountsOfOwner++
			accounts = append(accounts, c)
		}
	}
	t := count(all)
	s.Pairs, s.BCubed = t.pairs(), t.bCubed()
	t = count(accounts)
	s.AccountPairs, s.Overmerged = t.pairs(), t.mixed()
	return s
}

// cell is where a node stands in the table of owners against clusters.
type cell struct{ owner, cluster uint32 }

// table is the contingency table: its cells that hold anything, and its margins.
type table struct {
	cells    []cell
	counts   []int64 // of each cell
	owners   []int64 // by owner
	clusters []int64 // by cluster
	n        int64
}

// count makes the table, by counting sort on the clusters and a tally of the owners within each.
func count(nodes []cell) *table {
	t := &table{n: int64(len(nodes))}
	for _, c := range nodes {
		t.owners, t.clusters = tally(t.owners, c.owner), tally(t.clusters, c.cluster)
	}
	start := make([]int64, len(t.clusters)+1)
	for i, n := range t.clusters {
		start[i+1] = start[i] + n
	}
	byCluster, at := make([]uint32, len(nodes)), append([]int64(nil), start...)
	for _, c := range nodes {
		byCluster[at[c.cluster]] = c.owner
		at[c.cluster]++
	}
	last := make([]int, len(t.owners)) // the last cell of each owner, plus one
	for cluster := range t.clusters {
		first := len(t.cells)
		for _, owner := range byCluster[start[cluster]:start[cluster+1]] {
			if last[owner] <= first {
				t.cells, t.counts = append(t.cells, cell{owner, uint32(cluster)}), append(t.counts, 0)
				last[owner] = len(t.cells)
			}
			t.counts[last[owner]-1]++
		}
	}
	return t
}

func tally(counts []int64, at uint32) []int64 {
	for uint32(len(counts)) <= at {
		counts = append(counts, 0)
	}
	counts[at]++
	return counts
}

func (t *table) pairs() Agreement {
	var both, right, found int64
	for _, n := range t.counts {
		both += choose2(n)
	}
	for _, n := range t.owners {
		right += choose2(n)
	}
	for _, n := range t.clusters {
		found += choose2(n)
	}
	return agreement(share(float64(both), found), share(float64(both), right))
}

func (t *table) bCubed() Agreement {
	var precision, recall float64
	for i, n := range t.counts {
		c := t.cells[i]
		precision += float64(n) * float64(n) / float64(t.clusters[c.cluster])
		recall += float64(n) * float64(n) / float64(t.owners[c.owner])
	}
	return agreement(share(precision, t.n), share(recall, t.n))
}

// mixed counts the nodes in clusters of several owners.
func (t *table) mixed() Proportion {
	owners := make([]int, len(t.clusters))
	for _, c := range t.cells {
		owners[c.cluster]++
	}
	var mixed int64
	for cluster, n := range t.clusters {
		if owners[cluster] > 1 {
			mixed += n
		}
	}
	return share(float64(mixed), t.n)
}

func choose2(n int64) int64 { return n * (n - 1) / 2 }

func share(part float64, n int64) Proportion {
	p := Proportion{Part: part, N: n}
	if n > 0 {
		p.Share = part / float64(n)
	}
	return p
}

func agreement(precision, recall Proportion) Agreement {
	a := Agreement{Precision: precision, Recall: recall}
	if sum := precision.Share + recall.Share; sum > 0 {
		a.F1 = 2 * precision.Share * recall.Share / sum
	}
	return a
}
