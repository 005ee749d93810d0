package bank

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// judge holds what the sandbox's bank is asked, and what it answers, against the contracts. It stands before the bank in
// every test; see open.
type judge struct {
	t         testing.TB
	contracts []contract
	judged    atomic.Int64
}

func newJudge(t testing.TB) *judge {
	t.Helper()
	all, err := contracts()
	if err != nil {
		t.Fatal(err)
	}
	return &judge{t: t, contracts: all}
}

// around judges requests to a bank with its answers.
func (j *judge) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		j.each(r, func(c contract, input *openapi3filter.RequestValidationInput) {
			j.request(c, input)
			j.answer(c, input, recorded)
			j.judged.Add(1)
		})
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		w.Write(recorded.Body.Bytes())
	})
}

// asked judges requests only, where a test makes the answers.
func (j *judge) asked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j.each(r, j.request)
		next.ServeHTTP(w, r)
	})
}

// each gives a request as every contract sees it whose address it has.
func (j *judge) each(r *http.Request, judge func(contract, *openapi3filter.RequestValidationInput)) {
	for _, c := range j.contracts {
		path, ok := strings.CutPrefix(r.URL.Path, c.prefix)
		if !ok {
			continue
		}
		route, parameters := route(c.doc, path, r.Method)
		if route == nil {
			j.t.Errorf("%s: %s %s: not in the contract", c.name, r.Method, r.URL)
			continue
		}
		judge(c, &openapi3filter.RequestValidationInput{
			Request: r.Clone(r.Context()), PathParams: parameters, Route: route,
			Options: &openapi3filter.Options{
				AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true,
			},
		})
	}
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

func (j *judge) request(c contract, input *openapi3filter.RequestValidationInput) {
	r := input.Request
	failed := func(format string, args ...any) {
		j.t.Errorf("%s: %s %s: %s", c.name, r.Method, r.URL, fmt.Sprintf(format, args...))
	}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
		failed("%v", err)
	}
	known := slices.Clone(c.links) // unknown names pass by the library
	for _, p := range append(slices.Clone(input.Route.Operation.Parameters), input.Route.PathItem.Parameters...) {
		known = append(known, p.Value.Name)
	}
	for name := range r.URL.Query() {
		if !slices.Contains(known, name) {
			failed("unknown parameter %s", name)
		}
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		failed("no token")
	}
}

func (j *judge) answer(c contract, input *openapi3filter.RequestValidationInput, a *httptest.ResponseRecorder) {
	r := input.Request
	failed := func(format string, args ...any) {
		j.t.Errorf("%s: %s %s: %d: %s", c.name, r.Method, r.URL, a.Code, fmt.Sprintf(format, args...))
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.Code, Header: a.Header(), Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(a.Body.Bytes())),
	}
	if err := openapi3filter.ValidateResponse(context.Background(), answer); err != nil {
		failed("%v", err)
	}
	declared := input.Route.Operation.Responses.Status(a.Code)
	if declared != nil && declared.Value.Content == nil && a.Body.Len() > 0 {
		failed("it has a body, which the standard rules out")
	}
	if got := a.Header().Get(interaction); got != r.Header.Get(interaction) {
		failed("the interaction id is %q, and not what was sent", got)
	}
}
