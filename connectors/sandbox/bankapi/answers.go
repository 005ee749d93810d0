package bankapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// problem is an error that the caller has made.
type problem struct {
	status     int
	code, path string // of the standard, and the parameter
	message    string
}

func (p problem) Error() string { return p.message }

func invalid(code, path, message string) error {
	return problem{http.StatusBadRequest, "UK.OBIE.Field." + code, path, message}
}

// The standard knows 404 for addresses that are not served, and 400 for ids that are not known. A campaign is not of the
// standard.
var (
	errNotFound  = errors.New("not found")
	errNoAccount = problem{http.StatusBadRequest, "UK.OBIE.Resource.NotFound", "AccountId", "there is no such account"}
)

// fail answers as the standard says: 404 without a body, the others with one.
func (s *server) fail(w http.ResponseWriter, err error) {
	var p problem
	switch {
	case errors.Is(err, errNotFound):
		w.WriteHeader(http.StatusNotFound)
		return
	case !errors.As(err, &p):
		p = problem{http.StatusInternalServerError, "UK.OBIE.UnexpectedError", "", "the world cannot be read: " + err.Error()}
	}
	detail := map[string]string{"ErrorCode": p.code, "Message": cut(p.message, 500)}
	if p.path != "" {
		detail["Path"] = p.path
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(p.status)
	json.NewEncoder(w).Encode(map[string]any{ // who hangs up misses it
		"Code": http.StatusText(p.status), "Id": newUUID(), "Message": "The request failed", "Errors": []any{detail},
	})
}

// answer sends an object.
func answer(w http.ResponseWriter, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(object) // who hangs up misses it
}

// mark is where a page begins: behind an entry of the list as it stood at an instant.
type mark struct {
	As    time.Time // the instant
	After time.Time // time of the entry before
	ID    string    // its id
}

// marked reads the mark of a request; without one the list begins, as it stands now.
func (s *server) marked(r *http.Request) (m mark, isFirst bool, err error) {
	text := r.URL.Query().Get("page")
	if text == "" {
		return mark{As: s.options.Now()}, true, nil
	}
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(content, &m) != nil || m.As.After(s.options.Now()) {
		return m, false, invalid("Invalid", "page", "expected the mark of a page of this list")
	}
	return m, false, nil
}

// behind gives the entries after a mark.
func (m mark) behind(list []entry) []entry {
	first, _ := slices.BinarySearchFunc(list, m, func(e entry, m mark) int {
		if e.at.Equal(m.After) && e.id <= m.ID {
			return -1
		}
		return cmp.Or(e.at.Compare(m.After), 1)
	})
	return list[first:]
}

// page cuts a page off a list, and gives the links around it. The query is the request's.
func page(r *http.Request, m mark, list []entry, size int) ([]json.RawMessage, links) {
	around := links{Self: self(r, r.URL.Query())}
	query := r.URL.Query()
	query.Del("page")
	around.First = self(r, query)
	objects := []json.RawMessage{}
	for _, e := range list[:min(size, len(list))] {
		objects = append(objects, e.object)
		m.After, m.ID = e.at, e.id
	}
	if len(list) > size {
		content, err := json.Marshal(m)
		if err != nil {
			panic(err) // times of the world are in range
		}
		query.Set("page", base64.RawURLEncoding.EncodeToString(content))
		around.Next = self(r, query)
	}
	return objects, around
}

// self is the address of a request with a query.
func self(r *http.Request, query url.Values) string {
	u := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
	return u.String()
}
