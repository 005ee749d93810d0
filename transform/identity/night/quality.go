package night

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// quality counts over everything that is emitted, redone or not, so that it is the same either way.
type quality struct {
	profiles, accounts, identifiers, largest, several, alone int64
	humans                                                   map[identifier.ID]int64 // persons of several profiles
	refusals                                                 map[string]int64
	status                                                   map[string]int64
	shared                                                   map[uint8]identifier.Set
	changes                                                  map[string]int64
	renamed                                                  int64

	proven, again map[uint8]int64 // pairs of an account and an identifier, by source; and those that others prove too
	pairs         map[[2]identifier.ID]uint64
}

func (q *quality) begin() {
	*q = quality{
		humans: map[identifier.ID]int64{}, refusals: map[string]int64{}, status: map[string]int64{}, shared: map[uint8]identifier.Set{},
		changes: map[string]int64{}, proven: map[uint8]int64{}, again: map[uint8]int64{}, pairs: map[[2]identifier.ID]uint64{},
	}
}

func (q *quality) link(b *builder, l *link) {
	q.status[l.status]++
	for _, end := range []struct {
		id     identifier.ID
		typ    uint8
		shared bool
	}{{l.left, l.leftType, l.status == statusLeft || l.status == statusBoth}, {l.right, l.rightType, l.status == statusRight || l.status == statusBoth}} {
		if end.shared {
			if q.shared[end.typ] == nil {
				q.shared[end.typ] = identifier.Set{}
			}
			q.shared[end.typ][end.id] = struct{}{}
		}
	}
	if l.leftType == b.account && l.status != statusAttribute {
		q.pairs[[2]identifier.ID{l.left, l.right}] |= 1 << (l.source & 63)
	}
}

// prove counts the pairs whose links have all been met.
func (q *quality) prove() {
	for _, sources := range q.pairs {
		for source := range uint8(64) {
			if sources&(1<<source) != 0 {
				q.proven[source]++
				q.again[source] += int64(btoi(sources&(sources-1) != 0))
			}
		}
	}
	clear(q.pairs)
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (q *quality) profile(r *table.ProfileRow) {
	if r.Status != current {
		return
	}
	q.profiles++
	q.identifiers += r.Identifiers
	q.largest = max(q.largest, r.Identifiers)
	if !r.Account.IsZero() {
		q.accounts++
		if r.Devices > 1 {
			q.several++
		}
		if r.Identifiers == 1 {
			q.alone++
		}
	}
}

func (q *quality) person(r *table.PersonRow) {
	if r.Profiles > 1 {
		q.humans[r.Person]++
	}
}

func (q *quality) refused(reason string) { q.refusals[reason]++ }

// Number is a number that tells how good a night is: of what, and of how many things.
type Number struct {
	Name, Of string
	Value    float64
	N        int64
}

// Quality emits the rows of core/identity_quality: a night's numbers beside those of the night before, with an alarm where
// one is not as it should be.
func Quality(ctx context.Context, in Input, numbers []Number, emit Emit) error {
	before := map[string]float64{}
	if in.Previous != nil {
		err := columns.Scan(ctx, in.Previous.Quality, table.IdentityQuality, nil, func(r *table.IdentityQualityRow) error {
			if r.Value != nil {
				before[r.Name+" "+r.Of] = *r.Value
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, q := range numbers {
		row := &table.IdentityQualityRow{Name: q.Name, Of: q.Of, N: q.N}
		if q.N > 0 {
			row.Value = &q.Value
		}
		last, known := before[q.Name+" "+q.Of]
		if known {
			row.Last = &last
		}
		row.Alarm = alarm(q, last, known, in.Rules.MaxSize)
		if err := emit(table.IdentityQuality, row); err != nil {
			return err
		}
	}
	return nil
}

// numbers are the night's, in no order.
func (b *builder) numbers() []Number {
	q := &b.quality
	links := q.status[statusLinked] + q.status[statusImplied]
	var refusals int64
	for _, n := range q.refusals {
		refusals += n
	}
	share := func(of, n int64) float64 {
		if n == 0 {
			return 0
		}
		return float64(of) / float64(n)
	}
	all := []Number{
		{"profiles", "", float64(q.profiles), q.profiles},
		{"profiles", table.TypeAccount, float64(q.accounts), q.profiles},
		{"identifiers_per_profile", "", share(q.identifiers, q.profiles), q.profiles},
		{"largest_profile", "", float64(q.largest), q.profiles},
		{"accounts_with_several_devices", "", share(q.several, q.accounts), q.accounts},
		{"accounts_alone", "", share(q.alone, q.accounts), q.accounts},
		{"accounts_of_several_account_persons", "", share(sum(q.humans), q.accounts), q.accounts},
		{"refused_links", "", share(refusals, links+refusals), links + refusals},
	}
	if b.Previous != nil {
		all = append(all, Number{"accounts_renamed", "", float64(q.renamed), q.accounts})
	}
	for _, reason := range slices.Sorted(maps.Keys(q.refusals)) {
		all = append(all, Number{"refused_links", reason, share(q.refusals[reason], links+refusals), links + refusals})
	}
	for _, t := range slices.Sorted(maps.Keys(q.shared)) {
		n := int64(len(q.shared[t]))
		all = append(all, Number{"shared_identifiers", b.types.name(t), float64(n), n})
	}
	for _, source := range slices.Sorted(maps.Keys(q.proven)) {
		all = append(all, Number{"link_recall", b.sources.name(source), share(q.again[source], q.proven[source]), q.proven[source]})
	}
	for _, kind := range slices.Sorted(maps.Keys(q.changes)) {
		all = append(all, Number{"changes", kind, float64(q.changes[kind]), q.profiles})
	}
	return all
}

func sum[K comparable](of map[K]int64) (total int64) {
	for _, n := range of {
		total += n
	}
	return total
}

// jump is how much a share or a mean may change from one night to the next before it is an alarm: three times.
const jump = 3

// alarm says what is wrong with a number, "" for nothing.
func alarm(q Number, last float64, known bool, maxSize int) string {
	switch {
	case q.Name == "accounts_renamed" && q.Value > 0:
		return "no account is ever renamed: the night before is not what this one was made from"
	case q.Name == "largest_profile" && maxSize > 0 && q.Value >= float64(maxSize):
		return "it has as many identifiers as a profile may have: links are refused for size"
	}
	switch q.Name {
	case "profiles", "identifiers_per_profile", "accounts_with_several_devices", "refused_links", "link_recall", "attribution_coverage":
		const few = 100
		if known && q.N >= few && (q.Value > jump*last || last > jump*q.Value) {
			return fmt.Sprintf("last night it was %.4g", last)
		}
	}
	return ""
}
