// Package measure counts, for identifiers as they lie in the lake, what transform/identity counts for dense numbers.
package measure

import (
	"context"

	"crosslift/schemas/identifier"
	"crosslift/transform/identity/evaluate"
	"crosslift/transform/identity/graph"
)

// numbers are dense, from 0, by when something was asked for first.
type numbers[T comparable] map[T]uint32

func (n numbers[T]) of(x T) uint32 {
	i, known := n[x]
	if !known {
		i = uint32(len(n))
		n[x] = i
	}
	return i
}

// list gives what each number is of.
func (n numbers[T]) list() []T {
	all := make([]T, len(n))
	for x, i := range n {
		all[i] = x
	}
	return all
}

// Clusters holds the clusters of some identifiers, some of which are accounts, against their owners.
func Clusters[T comparable](of []identifier.ID, owner func(identifier.ID) T, cluster func(identifier.ID) identifier.ID, account func(identifier.ID) bool) evaluate.Scores {
	owners, clusters := numbers[T]{}, numbers[identifier.ID]{}
	nodes := make([]evaluate.Node, len(of))
	for i, id := range of {
		nodes[i] = evaluate.Node{Owner: owners.of(owner(id)), Cluster: clusters.of(cluster(id)), Account: account(id)}
	}
	return evaluate.Score(nodes)
}

// Links are pairs of identifiers.
type Links struct {
	number numbers[identifier.ID]
	a, b   []uint32
}

// Add adds a pair.
func (l *Links) Add(a, b identifier.ID) {
	if l.number == nil {
		l.number = numbers[identifier.ID]{}
	}
	l.a, l.b = append(l.a, l.number.of(a)), append(l.b, l.number.of(b))
}

// Has reports whether an identifier is in any pair.
func (l *Links) Has(id identifier.ID) bool {
	_, has := l.number[id]
	return has
}

// Components gives of an identifier one that stands for everything connected with it.
func (l *Links) Components(ctx context.Context) (func(identifier.ID) identifier.ID, error) {
	root, err := graph.Components(ctx, len(l.number), l.a, l.b, 1)
	if err != nil {
		return nil, err
	}
	ids := l.number.list()
	return func(id identifier.ID) identifier.ID {
		if i, known := l.number[id]; known {
			return ids[root[i]]
		}
		return id
	}, nil
}

// Logins are accounts as they were seen on devices.
type Logins struct {
	devices, accounts numbers[identifier.ID]
	rows              []evaluate.Login
}

// Add adds that an account was seen on a device, at an instant in any unit.
func (l *Logins) Add(device, account identifier.ID, at int64) {
	if l.devices == nil {
		l.devices, l.accounts = numbers[identifier.ID]{}, numbers[identifier.ID]{}
	}
	l.rows = append(l.rows, evaluate.Login{Device: l.devices.of(device), Account: l.accounts.of(account), At: at})
}

// LastWins gives the account that a device would be of if the last one wins for all time; none where there was none.
func (l *Logins) LastWins() func(device identifier.ID) identifier.ID {
	last, ids := evaluate.LastLogin(len(l.devices), l.rows), l.accounts.list()
	return func(device identifier.ID) identifier.ID {
		if i, known := l.devices[device]; known {
			return ids[last[i]]
		}
		return identifier.ID{}
	}
}
