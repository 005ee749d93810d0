package stripe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Options say who may read and what time it is.
type Options struct {
	Key string           // of the bearer, such as rk_test_…
	Now func() time.Time // nil: time.Now
}

// Handler serves an account as api.stripe.com does.
func Handler(w world.Reader, o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &server{options: o, shelves: &shelves{reader: w, made: map[string]*shelf{}, known: map[string]read{}}}
}

type server struct {
	options  Options
	shelves  *shelves
	requests atomic.Int64
}

// kinds is what Stripe calls one object of a list.
var kinds = map[string]string{
	"charges": "charge", "refunds": "refund", "disputes": "dispute", "subscriptions": "subscription", "invoices": "invoice",
	"balance_transactions": "balance_transaction", "events": "event", "customers": "customer",
	"invoice_payments": "invoice_payment", "prices": "price",
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Request-Id", fmt.Sprintf("req_%06d", s.requests.Add(1)))
	w.Header().Set("Stripe-Version", version)
	o, err := s.serve(r)
	switch p, ok := err.(*problem); {
	case ok:
		p.write(w)
	case err != nil:
		broken(w)
	default:
		answer(w, http.StatusOK, o)
	}
}

func (s *server) serve(r *http.Request) (any, error) {
	if err := s.authorised(r); err != nil {
		return nil, err
	}
	unrecognised := &problem{http.StatusNotFound, "", "", "",
		fmt.Sprintf("Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)}
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	stream, id, single := strings.Cut(path, "/")
	switch {
	case !ok || kinds[stream] == "" || strings.Contains(id, "/") || single && id == "":
		return nil, unrecognised
	case r.Method != http.MethodGet:
		return nil, &problem{http.StatusForbidden, "", "more_permissions_required", "",
			"The provided key does not have the required permissions for this endpoint: it may only read."}
	case single:
		return s.single(stream, id, r)
	}
	return s.list(stream, r)
}

func (s *server) authorised(r *http.Request) error {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if basic, _, ok := r.BasicAuth(); ok {
		key, bearer = basic, true
	}
	switch {
	case !bearer || key == "":
		return &problem{http.StatusUnauthorized, "", "", "", "You did not provide an API key."}
	case key != s.options.Key:
		return &problem{http.StatusUnauthorized, "", "", "", "Invalid API Key provided: " + key[:min(8, len(key))] + "****"}
	}
	return nil
}

func (s *server) shelf(stream string, now time.Time) (*shelf, error) {
	if stream == "events" {
		return s.shelves.events(now)
	}
	return s.shelves.of(stream, now)
}

// single answers with one object.
func (s *server) single(stream, id string, r *http.Request) (any, error) {
	var expand []string
	q := r.URL.Query()
	for _, key := range sortedKeys(q) {
		if m := indexed.FindStringSubmatch(key); m == nil || m[1] != "expand" {
			return nil, unknownParameter(key)
		}
		expand = append(expand, q[key]...)
	}
	now := s.options.Now()
	shelf, err := s.shelf(stream, now)
	if err != nil {
		return nil, err
	}
	e, ok := shelf.find(id)
	if !ok {
		return nil, missing(http.StatusNotFound, kinds[stream], id, "id")
	}
	return s.show(stream, e, expand, "", now)
}

// list answers with a page.
func (s *server) list(stream string, r *http.Request) (any, error) {
	p, problem := parse(stream, r.URL.Query())
	if problem != nil {
		return nil, problem
	}
	now := s.options.Now()
	shelf, err := s.shelf(stream, now)
	if err != nil {
		return nil, err
	}
	page, more, err := shelf.page(stream, p)
	if err != nil {
		return nil, err
	}
	data := make([]any, len(page))
	for i, e := range page {
		if data[i], err = s.show(stream, e, p.expand, "data.", now); err != nil {
			return nil, err
		}
	}
	return object{"object": "list", "url": "/v1/" + stream, "has_more": more, "data": data}, nil
}

// page cuts a page out of a list, and says whether there is more in the direction that it reads.
func (s *shelf) page(stream string, p *parameters) (page []entry, more bool, err error) {
	// Lists are in order of time: what is newer than the range is passed over at once.
	start, _ := slices.BinarySearchFunc(s.entries, p.created.to, func(e entry, to int64) int {
		if e.created > to {
			return -1
		}
		return 1
	})
	find := func(id, param string) (int, error) {
		i, ok := s.place[id]
		if !ok {
			return 0, missing(http.StatusBadRequest, kinds[stream], id, param)
		}
		return i, nil
	}
	if p.before != "" {
		at, err := find(p.before, "ending_before")
		if err != nil {
			return nil, false, err
		}
		for i := at - 1; i >= 0; i-- {
			if !p.matches(stream, s.entries[i]) {
				continue
			}
			if len(page) == p.limit {
				more = true
				break
			}
			page = append(page, s.entries[i])
		}
		slices.Reverse(page)
		return page, more, nil
	}
	if p.after != "" {
		at, err := find(p.after, "starting_after")
		if err != nil {
			return nil, false, err
		}
		start = max(start, at+1)
	}
	for _, e := range s.entries[start:] {
		if e.created < p.created.from {
			break
		}
		if !p.matches(stream, e) {
			continue
		}
		if len(page) == p.limit {
			return page, true, nil
		}
		page = append(page, e)
	}
	return page, false, nil
}

// show gives an object as it is answered.
func (s *server) show(stream string, e entry, expand []string, under string, now time.Time) (any, error) {
	if stream == "events" {
		if len(expand) > 0 {
			return nil, cannotExpand(expand[0], under)
		}
		return eventObject(e), nil
	}
	if len(expand) == 0 {
		return json.RawMessage(e.raw), nil
	}
	return s.expanded(stream, e, expand, under, now)
}
