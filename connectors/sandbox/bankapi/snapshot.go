package bankapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// snapshot is what the bank shows from an instant on, until something else comes to light.
type snapshot struct {
	at, until    time.Time          // until is zero: for ever
	transactions map[string][]entry // by account, ascending by booking time, then id
	accruals     map[string][]entry // by campaign, ascending by time of the last change, then id
}

// entry is an object with what it is found by.
type entry struct {
	at     time.Time
	id     string
	object json.RawMessage

	status, indicator, currency string // of an accrual
	minor                       int64
}

// maxSnapshots is how many are kept: lists that are being read, while the clock goes on.
const maxSnapshots = 4

// at gives what is shown at an instant.
func (s *server) at(instant time.Time) (*snapshot, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, kept := range s.snapshots {
		if !instant.Before(kept.at) && (kept.until.IsZero() || instant.Before(kept.until)) {
			return kept, nil
		}
	}
	made, err := s.snapshot(instant)
	if err != nil {
		return nil, err
	}
	s.snapshots = append(s.snapshots, made)
	if len(s.snapshots) > maxSnapshots {
		s.snapshots = slices.Delete(s.snapshots, 0, 1)
	}
	return made, nil
}

func (s *server) snapshot(instant time.Time) (*snapshot, error) {
	made := &snapshot{at: instant, transactions: map[string][]entry{}, accruals: map[string][]entry{}}
	for _, stream := range []string{Transactions, Accruals} {
		next, err := s.nextVisible(stream, instant)
		if err != nil {
			return nil, err
		}
		made.ends(next)
	}
	records, err := s.world.Current(Source, Transactions, instant)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.Gone != nil {
			made.ends(*r.Gone)
		}
		var head struct{ AccountId string }
		if err := json.Unmarshal(r.Object, &head); err != nil {
			return nil, fmt.Errorf("%s of the world: %w", Transactions, err)
		}
		made.transactions[head.AccountId] = append(made.transactions[head.AccountId], entry{at: r.At, id: r.ID, object: r.Object})
	}
	if records, err = s.world.Current(Source, Accruals, instant); err != nil {
		return nil, err
	}
	for _, r := range records {
		campaign, e, err := accrualEntry(r)
		if err != nil {
			return nil, err
		}
		made.accruals[campaign] = append(made.accruals[campaign], e)
	}
	for _, lists := range []map[string][]entry{made.transactions, made.accruals} {
		for _, list := range lists {
			slices.SortFunc(list, func(a, b entry) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.id, b.id)) })
		}
	}
	return made, nil
}

// ends says that something changes at an instant; the zero one says nothing.
func (s *snapshot) ends(at time.Time) {
	if !at.IsZero() && (s.until.IsZero() || at.Before(s.until)) {
		s.until = at
	}
}

// nextVisible gives the first instant after another at which a stream shows something new; zero for none. It is in the
// first file that has one, since files are in the order of time.
func (s *server) nextVisible(stream string, after time.Time) (next time.Time, err error) {
	nights, err := s.world.Nights(Source, stream)
	if err != nil {
		return next, err
	}
	from := (table.DayOf(after, s.options.Zone) - 1).String() // whatever the world's zone is
	for _, night := range nights {
		if night < from || !next.IsZero() {
			continue
		}
		records, err := s.world.Night(Source, stream, night)
		if err != nil {
			return next, err
		}
		for _, r := range records {
			if r.Visible.After(after) && (next.IsZero() || r.Visible.Before(next)) {
				next = r.Visible
			}
		}
	}
	return next, nil
}

func accrualEntry(r world.Record) (campaign string, e entry, err error) {
	var a accrual
	if err := json.Unmarshal(r.Object, &a); err != nil {
		return "", e, fmt.Errorf("%s of the world: %w", Accruals, err)
	}
	minor, err := money.Parse(a.AccrualAmount.Amount, a.AccrualAmount.Currency)
	if err != nil {
		return "", e, fmt.Errorf("%s of the world: %w", Accruals, err)
	}
	return a.CampaignId, entry{
		at: r.At, id: r.ID, object: r.Object,
		status: a.Status, indicator: a.CreditDebitIndicator, currency: a.AccrualAmount.Currency, minor: minor,
	}, nil
}

// accounts lists those that have entries.
func (s *snapshot) accounts() []string { return slices.Sorted(maps.Keys(s.transactions)) }

// between gives the entries of [from, to), or of [from, to]. A zero time is no bound.
func between(list []entry, from, to time.Time, inclusive bool) []entry {
	first, last := 0, len(list)
	byTime := func(e entry, t time.Time) int { return e.at.Compare(t) }
	if !from.IsZero() {
		first, _ = slices.BinarySearchFunc(list, from, byTime)
	}
	if !to.IsZero() {
		if inclusive {
			to = to.Add(1)
		}
		last, _ = slices.BinarySearchFunc(list, to, byTime)
	}
	return list[first:max(first, last)]
}
