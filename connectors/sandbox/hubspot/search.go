package hubspot

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// searching is the body of a search.
type searching struct {
	FilterGroups []struct {
		Filters []filter `json:"filters"`
	} `json:"filterGroups"`
	Sorts []struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	} `json:"sorts"`
	Properties []string `json:"properties"`
	Limit      *int     `json:"limit"`
	After      any      `json:"after"` // text or a number
	Query      string   `json:"query"`
}

type filter struct {
	Property  string   `json:"propertyName"`
	Operator  string   `json:"operator"`
	Value     string   `json:"value"`
	HighValue string   `json:"highValue"`
	Values    []string `json:"values"`

	number   float64 // Value, where it is one
	isNumber bool
}

// The limits of a search.
const (
	maxFound   = 10_000
	maxSearch  = 200
	maxGroups  = 5
	maxFilters = 18
)

func (h *handler) search(w http.ResponseWriter, r *http.Request, stream string) {
	var s searching
	if !h.body(w, r, &s) {
		return
	}
	limit, after, problem := s.check()
	if problem != "" {
		h.fail(w, http.StatusBadRequest, "VALIDATION_ERROR", problem)
		return
	}
	shelf, ok := h.shelf(w, stream)
	if !ok {
		return
	}
	var found []*object
	order := shelf.live
	if len(s.Sorts) == 1 && s.Sorts[0].Property == modified[stream] {
		order = shelf.byChange
	}
	for _, o := range order {
		if s.matches(o, modified[stream]) {
			found = append(found, o)
		}
	}
	s.sort(found, modified[stream])
	total := len(found)
	answer := page{Total: &total, Results: []map[string]any{}}
	for _, o := range found[min(after, total):min(after+limit, total)] {
		answer.Results = append(answer.Results, shelf.shown(o, stream, s.Properties, false))
	}
	if next := after + limit; next < total {
		answer.Paging = &paging{next: strconv.Itoa(next)}
	}
	h.answer(w, http.StatusOK, answer)
}

// check gives the page that is asked for, or what is wrong with the request.
func (s *searching) check() (limit, after int, problem string) {
	limit = 10
	if s.Limit != nil {
		limit = *s.Limit
	}
	if s.After != nil {
		var err error
		if after, err = strconv.Atoi(fmt.Sprint(s.After)); err != nil || after < 0 {
			return 0, 0, "Invalid input: after is not a number"
		}
	}
	filters := 0
	for _, g := range s.FilterGroups {
		filters += len(g.Filters)
		for i := range g.Filters {
			if problem := g.Filters[i].check(); problem != "" {
				return 0, 0, problem
			}
		}
	}
	switch {
	case limit < 1 || limit > maxSearch:
		return 0, 0, fmt.Sprintf("Invalid input: limit must be between 1 and %d", maxSearch)
	case after+limit > maxFound:
		return 0, 0, fmt.Sprintf("Invalid input: only the first %d results of a search can be read", maxFound)
	case len(s.FilterGroups) > maxGroups || filters > maxFilters:
		return 0, 0, "Invalid input: too many filters"
	case len(s.Sorts) > 1:
		return 0, 0, "Invalid input: only one sort is allowed"
	case s.Query != "":
		return 0, 0, "Invalid input: the stand-in does not search in text"
	}
	return limit, after, ""
}

func (f *filter) check() string {
	f.number, f.isNumber = numeric(f.Value)
	switch f.Operator {
	case "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "BETWEEN":
		if f.Value == "" || f.Operator == "BETWEEN" && f.HighValue == "" {
			return "Invalid input: a filter lacks its value"
		}
	case "IN", "NOT_IN":
		if len(f.Values) == 0 {
			return "Invalid input: a filter lacks its values"
		}
	case "HAS_PROPERTY", "NOT_HAS_PROPERTY":
	default:
		return "Invalid input: unknown operator"
	}
	if f.Property == "" {
		return "Invalid input: a filter lacks its propertyName"
	}
	return ""
}

// matches: one of the groups with all of its filters; without groups, always.
func (s *searching) matches(o *object, modified string) bool {
	for _, g := range s.FilterGroups {
		all := true
		for i := range g.Filters {
			if !g.Filters[i].matches(o, modified) {
				all = false
				break
			}
		}
		if all {
			return true
		}
	}
	return len(s.FilterGroups) == 0
}

func (f *filter) matches(o *object, modified string) bool {
	if f.Property == modified && f.isNumber { // of every object at every search
		switch against := cmp.Compare(float64(o.changed), f.number); f.Operator {
		case "EQ":
			return against == 0
		case "GTE":
			return against >= 0
		case "LT":
			return against < 0
		}
	}
	text := o.text(f.Property)
	if f.Property == modified {
		changed := strconv.FormatInt(o.changed, 10)
		text = &changed
	}
	switch {
	case f.Operator == "HAS_PROPERTY":
		return text != nil
	case f.Operator == "NOT_HAS_PROPERTY":
		return text == nil
	case text == nil:
		return f.Operator == "NEQ" || f.Operator == "NOT_IN"
	}
	is := func(value string) bool { return compareValues(*text, value) == 0 }
	against := compareValues(*text, f.Value)
	switch f.Operator {
	case "EQ":
		return against == 0
	case "NEQ":
		return against != 0
	case "GT":
		return against > 0
	case "GTE":
		return against >= 0
	case "LT":
		return against < 0
	case "LTE":
		return against <= 0
	case "BETWEEN":
		return against >= 0 && compareValues(*text, f.HighValue) <= 0
	case "IN":
		return slices.ContainsFunc(f.Values, is)
	}
	return !slices.ContainsFunc(f.Values, is) // NOT_IN
}

// compareValues compares numbers and times as such, and other text without regard to case. A time may be written as
// text or in milliseconds since 1970.
func compareValues(a, b string) int {
	x, isX := numeric(a)
	y, isY := numeric(b)
	if isX && isY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

func numeric(text string) (float64, bool) {
	if x, err := strconv.ParseFloat(text, 64); err == nil { // ids and milliseconds are exact up to 2⁵³
		return x, true
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return float64(at.UnixMilli()), true
	}
	return 0, false
}

// sort orders what was found, which comes in the order of ids or changes.
func (s *searching) sort(found []*object, modified string) {
	if len(s.Sorts) == 0 {
		return
	}
	by := s.Sorts[0]
	if by.Property != modified && by.Property != "hs_object_id" {
		slices.SortStableFunc(found, func(a, b *object) int {
			x, y := a.text(by.Property), b.text(by.Property)
			switch {
			case x == nil || y == nil:
				return cmp.Compare(present(x), present(y))
			}
			return compareValues(*x, *y)
		})
	}
	if by.Direction == "DESCENDING" {
		slices.Reverse(found)
	}
}

func present(text *string) int {
	if text == nil {
		return 0
	}
	return 1
}
