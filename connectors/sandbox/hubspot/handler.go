package hubspot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
)

// Options say how the stand-in behaves.
type Options struct {
	Token string           // the only one that is taken
	Now   func() time.Time // what is shown is what is visible then
	Wall  func() time.Time // the clock of those who read, which answers are dated by; nil: Now
	Quota Quota
}

// Handler serves a world's contacts and deals:
//
//	GET  /crm/v3/objects/{contacts|deals}                     /crm/objects/2026-03/{contacts|deals}
//	POST /crm/v3/objects/{contacts|deals}/search              …
//	POST /crm/v3/objects/{contacts|deals}/batch/read          …
//	POST /crm/v4/associations/deals/contacts/batch/read       /crm/associations/2026-03/deals/contacts/batch/read
func Handler(w world.Reader, o Options) http.Handler {
	if o.Wall == nil {
		o.Wall = o.Now
	}
	return &handler{
		options: o, shelves: shelves{reader: w, kept: map[string]*shelf{}}, counter: counter{quota: o.Quota},
	}
}

type handler struct {
	options Options
	shelves shelves
	counter counter
}

var (
	objects      = regexp.MustCompile(`^/crm/(?:v3/objects|objects/\d{4}-\d{2})/(contacts|deals)(|/search|/batch/read)$`)
	associations = regexp.MustCompile(`^/crm/(?:v4/associations|associations/\d{4}-\d{2})/deals/contacts/batch/read$`)
)

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer || token != h.options.Token {
		h.fail(w, http.StatusUnauthorized, "INVALID_AUTHENTICATION", "the credentials are missing, expired or not valid")
		return
	}
	parts := objects.FindStringSubmatch(r.URL.Path)
	isSearch := parts != nil && parts[2] == "/search"
	if policy := h.counter.count(w.Header(), h.options.Now(), isSearch); policy != "" {
		h.answer(w, http.StatusTooManyRequests, map[string]any{
			"status": "error", "message": "the limit of requests is reached", "errorType": "RATE_LIMIT",
			"category": "RATE_LIMITS", "policyName": policy, "correlationId": h.counter.correlation(),
		})
		return
	}
	method := http.MethodPost
	if parts != nil && parts[2] == "" {
		method = http.MethodGet
	}
	switch {
	case parts == nil && !associations.MatchString(r.URL.Path):
		h.fail(w, http.StatusNotFound, "OBJECT_NOT_FOUND", "there is nothing at this address")
	case r.Method != method:
		h.fail(w, http.StatusMethodNotAllowed, "VALIDATION_ERROR", "the method is not allowed here")
	case parts == nil:
		h.associated(w, r)
	case isSearch:
		h.search(w, r, parts[1])
	case parts[2] == "/batch/read":
		h.batch(w, r, parts[1])
	default:
		h.list(w, r, parts[1])
	}
}

// page is an answer to a list or a search.
type page struct {
	Total   *int             `json:"total,omitempty"`
	Results []map[string]any `json:"results"`
	Paging  *paging          `json:"paging,omitempty"`
}

type paging struct{ next string }

func (p *paging) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"next":{"after":%q}}`, p.next), nil
}

// list pages through all objects by id; after is the id that the page begins behind.
func (h *handler) list(w http.ResponseWriter, r *http.Request, stream string) {
	q := r.URL.Query()
	limit := 10
	if text := q.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			h.fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "limit must be between 1 and 100")
			return
		}
	}
	shelf, ok := h.shelf(w, stream)
	if !ok {
		return
	}
	all := shelf.live
	if q.Get("archived") == "true" {
		all = shelf.archived
	}
	from := 0
	if after := q.Get("after"); after != "" {
		place, found := slices.BinarySearchFunc(all, after, func(o *object, id string) int { return compareIDs(o.id, id) })
		if from = place; found {
			from++
		}
	}
	to := min(from+limit, len(all))
	answer := page{Results: []map[string]any{}}
	properties := names(q["properties"])
	related := slices.Contains(names(q["associations"]), Contacts)
	for _, o := range all[from:to] {
		answer.Results = append(answer.Results, shelf.shown(o, stream, properties, related))
	}
	if to < len(all) {
		answer.Paging = &paging{next: all[to-1].id}
	}
	h.answer(w, http.StatusOK, answer)
}

// names splits lists that are written with commas or repeated.
func names(values []string) (all []string) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			if name = strings.TrimSpace(name); name != "" {
				all = append(all, name)
			}
		}
	}
	return all
}

func (h *handler) shelf(w http.ResponseWriter, stream string) (*shelf, bool) {
	s, err := h.shelves.at(stream, h.options.Now())
	if err != nil {
		h.fail(w, http.StatusInternalServerError, "INTERNAL_ERROR", "the world cannot be read: "+err.Error())
		return nil, false
	}
	return s, true
}

func (h *handler) body(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 3<<20))
	if err := d.Decode(into); err != nil {
		h.fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "Invalid input JSON")
		return false
	}
	return true
}

func (h *handler) fail(w http.ResponseWriter, status int, category, message string) {
	h.answer(w, status, map[string]any{
		"status": "error", "message": message, "correlationId": h.counter.correlation(), "category": category,
	})
}

func (h *handler) answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Date", h.options.Wall().UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	w.Write(text)
}
