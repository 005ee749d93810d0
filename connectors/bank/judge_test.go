package bank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// judge holds requests and answers against the two documents in openapi/.
type judge struct {
	t      testing.TB
	docs   map[string]*openapi3.T // by the start of their addresses
	judged atomic.Int64
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	j := &judge{t: t, docs: map[string]*openapi3.T{}}
	for prefix, file := range map[string]string{"/open-banking/v3.1/aisp": "aisp.yaml", "/partner/v1": "accruals.yaml"} {
		doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("openapi", file))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := doc.Validate(context.Background()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		j.docs[prefix] = doc
	}
	return j
}

func init() {
	openapi3.DefineStringFormatValidator("uri", openapi3.NewCallbackValidator(func(text string) error {
		if u, err := url.Parse(text); err != nil || !u.IsAbs() {
			return errors.New("expected an absolute address")
		}
		return nil
	}))
}

// around judges everything that passes by.
func (j *judge) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		for prefix, doc := range j.docs {
			if path, ok := strings.CutPrefix(r.URL.Path, prefix); ok {
				j.judge(doc, path, r, recorded)
			}
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		w.Write(recorded.Body.Bytes())
	})
}

// route finds the operation of a request, and the parts of its path.
func route(doc *openapi3.T, path, method string) (*routers.Route, map[string]string) {
	asked := strings.Split(path, "/")
	for template, item := range doc.Paths.Map() {
		parts := strings.Split(template, "/")
		parameters := map[string]string{}
		matches := len(parts) == len(asked)
		for i := 0; matches && i < len(parts); i++ {
			if strings.HasPrefix(parts[i], "{") {
				parameters[strings.Trim(parts[i], "{}")] = asked[i]
			} else {
				matches = parts[i] == asked[i]
			}
		}
		if operation := item.GetOperation(method); matches && operation != nil {
			return &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: operation}, parameters
		}
	}
	return nil, nil
}

func (j *judge) judge(doc *openapi3.T, path string, r *http.Request, a *httptest.ResponseRecorder) {
	route, parameters := route(doc, path, r.Method)
	if route == nil {
		j.t.Errorf("%s %s: not in the contract", r.Method, r.URL)
		return
	}
	asked := r.Clone(r.Context())
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true}
	input := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		j.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	var known []string // unknown names pass by the library
	for _, p := range append(route.Operation.Parameters, route.PathItem.Parameters...) {
		known = append(known, p.Value.Name)
	}
	for name := range r.URL.Query() {
		if !slices.Contains(known, name) {
			j.t.Errorf("%s %s: unknown parameter %s", r.Method, r.URL, name)
		}
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		j.t.Errorf("%s %s: no token", r.Method, r.URL)
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.Code, Header: a.Header(), Options: options,
		Body: io.NopCloser(bytes.NewReader(a.Body.Bytes())),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
		j.t.Errorf("%s %s: %d: %v", r.Method, r.URL, a.Code, err)
	}
	if declared := route.Operation.Responses.Status(a.Code); declared != nil && declared.Value.Content == nil && a.Body.Len() > 0 {
		j.t.Errorf("%s %s: %d with a body, which the standard rules out", r.Method, r.URL, a.Code)
	}
	j.judged.Add(1)
}

// TestOfficialPayloads: the example payloads of the standard pass our description of it, and are read.
func TestOfficialPayloads(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	schemas := j.docs["/open-banking/v3.1/aisp"].Components.Schemas
	for file, schema := range map[string]string{
		"Transactions.00.json": "Transactions", "Transactions.01.json": "Transactions",
		"Accounts.00.json": "Accounts", "Accounts.02.json": "Accounts",
	} {
		content, err := os.ReadFile(filepath.Join("testdata/openbanking", file))
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(content, &value); err != nil {
			t.Fatal(err)
		}
		if err := schemas[schema].Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		for from, to := range map[string]string{`"Booked"`: `"BOOK"`, `"10.00"`: `"-10.00"`, `"TransactionId"`: `"Id"`, `"Self"`: `"self"`} {
			changed := bytes.Replace(content, []byte(from), []byte(to), 1)
			if json.Unmarshal(changed, &value); !bytes.Equal(changed, content) && schemas[schema].Value.VisitJSON(value) == nil {
				t.Errorf("%s passes with %s", file, to)
			}
		}
	}
	content, err := os.ReadFile("testdata/openbanking/Transactions.00.json")
	if err != nil {
		t.Fatal(err)
	}
	rows, unknown := transactionsOf(t, "v3.1", content)
	if len(rows) != 1 || len(unknown) > 0 {
		t.Fatalf("%v, %v", rows, unknown)
	}
	r := rows[0]
	if r.SourceID != "123" || r.AmountMinor != 1000 || r.Currency != "GBP" || r.Direction != "credit" || r.Status != "booked" ||
		r.Code != "ReceivedCreditTransfer/DomesticCreditTransfer" || !r.BookedAt.Time().Equal(at(t, "2017-04-05T10:43:07Z")) {
		t.Errorf("%+v", r)
	}
}
