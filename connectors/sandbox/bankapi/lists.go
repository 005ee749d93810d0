package bankapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/table"
)

func (s *server) accounts(w http.ResponseWriter, r *http.Request) error {
	shown, err := s.at(s.options.Now())
	if err != nil {
		return err
	}
	list := []account{}
	for _, id := range shown.accounts() {
		list = append(list, account{
			AccountId: id, Status: "Enabled", Currency: strings.ToUpper(id[strings.LastIndexByte(id, '-')+1:]),
			AccountType: "Business", AccountSubType: "CurrentAccount", Nickname: "Cashback",
		})
	}
	answer(w, map[string]any{
		"Data": map[string]any{"Account": list}, "Links": links{Self: self(r, r.URL.Query())},
		"Meta": map[string]any{"TotalPages": 1},
	})
	return nil
}

func (s *server) transactions(w http.ResponseWriter, r *http.Request) error {
	m, isFirst, err := s.marked(r)
	if err != nil {
		return err
	}
	from, err := s.wallClock(r, "fromBookingDateTime")
	if err != nil {
		return err
	}
	to, err := s.wallClock(r, "toBookingDateTime")
	if err != nil {
		return err
	}
	shown, err := s.at(m.As)
	if err != nil {
		return err
	}
	id := r.PathValue("account")
	all := shown.transactions[id]
	if len(all) == 0 && !strings.HasPrefix(id, accountPrefix) {
		return errNoAccount // of ours that are still empty there is every one
	}
	list := between(all, from, to, true)
	meta := map[string]any{"TotalPages": max(1, (len(list)+s.options.Page-1)/s.options.Page)}
	if len(all) > 0 {
		meta["FirstAvailableDateTime"] = written(all[0].at, s.options.Zone)
		meta["LastAvailableDateTime"] = written(all[len(all)-1].at, s.options.Zone)
	}
	if !isFirst {
		list = m.behind(list)
	}
	objects, around := page(r, m, list, s.options.Page)
	answer(w, map[string]any{"Data": map[string]any{"Transaction": objects}, "Links": around, "Meta": meta})
	return nil
}

// wallClock reads a time of a query in the bank's zone, whatever offset it carries. It may carry none, and no time.
func (s *server) wallClock(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			hour, minute, second := at.Clock()
			return time.Date(at.Year(), at.Month(), at.Day(), hour, minute, second, at.Nanosecond(), s.options.Zone), nil
		}
	}
	return time.Time{}, invalid("InvalidDate", name, "expected a date, or a date and time, ISO 8601")
}

// campaign finds the one that a request is about.
func (s *server) campaign(r *http.Request, shown *snapshot) ([]entry, error) {
	id := r.PathValue("campaign")
	if s.options.Campaigns != nil && !slices.Contains(s.options.Campaigns, id) {
		return nil, errNotFound
	}
	return shown.accruals[id], nil
}

func (s *server) accruals(w http.ResponseWriter, r *http.Request) error {
	m, isFirst, err := s.marked(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	var span [2]time.Time
	for i, name := range []string{"fromUpdatedDateTime", "toUpdatedDateTime"} {
		if span[i], err = time.Parse(time.RFC3339, query.Get(name)); err != nil {
			return invalid("InvalidDate", name, "expected a date and time, ISO 8601")
		}
	}
	limit := 100
	if text := query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 1000 {
			return invalid("Invalid", "limit", "expected a number from 1 to 1000")
		}
	}
	shown, err := s.at(m.As)
	if err != nil {
		return err
	}
	list, err := s.campaign(r, shown)
	if err != nil {
		return err
	}
	list = between(list, span[0], span[1], false)
	if status := query.Get("status"); status != "" {
		if !slices.Contains([]string{"Accrued", "Posted", "Reversed", "Rejected"}, status) {
			return invalid("Invalid", "status", "expected Accrued, Posted, Reversed or Rejected")
		}
		list = slices.DeleteFunc(slices.Clone(list), func(e entry) bool { return e.status != status })
	}
	if !isFirst {
		list = m.behind(list)
	}
	objects, around := page(r, m, list, limit)
	answer(w, map[string]any{"Data": map[string]any{"Accrual": objects}, "Links": around, "Meta": map[string]any{}})
	return nil
}

// totals answers the bank's own count and sums of a day of its zone.
func (s *server) totals(w http.ResponseWriter, r *http.Request) error {
	day, err := table.ParseDay(r.URL.Query().Get("bookingDate"))
	if err != nil {
		return invalid("InvalidDate", "bookingDate", "expected a date, ISO 8601")
	}
	now := s.options.Now()
	shown, err := s.at(now)
	if err != nil {
		return err
	}
	list, err := s.campaign(r, shown)
	if err != nil {
		return err
	}
	window := day.Window(s.options.Zone)
	totals, err := summed(between(list, window.From, window.To, false))
	if err != nil {
		return err
	}
	answer(w, map[string]any{
		"Data": map[string]any{
			"CampaignId": r.PathValue("campaign"), "BookingDate": day.String(), "AsOfDateTime": written(now, s.options.Zone),
			"Total": totals,
		},
		"Links": links{Self: self(r, r.URL.Query())}, "Meta": map[string]any{},
	})
	return nil
}

// total is a count and a sum.
type total struct {
	Status               string
	CreditDebitIndicator string
	Count                int64
	Amount               amount
}

// summed adds entries up, in the order in which the kinds of them first come.
func summed(list []entry) ([]total, error) {
	type kind struct{ status, indicator, currency string }
	counts, sums := map[kind]int64{}, map[kind]int64{}
	var kinds []kind
	for _, e := range list {
		k := kind{e.status, e.indicator, e.currency}
		if counts[k] == 0 {
			kinds = append(kinds, k)
		}
		counts[k]++
		sums[k] += e.minor
	}
	totals := []total{}
	for _, k := range kinds {
		text, err := decimal(sums[k], k.currency)
		if err != nil {
			return nil, err
		}
		totals = append(totals, total{k.status, k.indicator, counts[k], amount{text, k.currency}})
	}
	return totals, nil
}
