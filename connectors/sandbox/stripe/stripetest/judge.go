package stripetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// mockVersion is that of stripe-mock, whose module has Stripe's specification.
const mockVersion = "v0.203.0"

// Judge holds requests and answers against Stripe's OpenAPI document.
type Judge struct{ spec *openapi3.T }

// NewJudge loads the document from stripe-mock's module, which takes a second or two, once in a process.
func NewJudge(t testing.TB) *Judge {
	t.Helper()
	spec, err := load()
	if err != nil {
		t.Fatalf("stripetest: Stripe's specification: %v", err)
	}
	return &Judge{spec}
}

var load = sync.OnceValues(func() (*openapi3.T, error) {
	dir, err := moduleDir()
	if err != nil {
		return nil, err
	}
	spec, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "embedded", "openapi", "spec3.json"))
	if err != nil {
		return nil, err
	}
	// Lists are declared as deepObject, which OpenAPI does not define for them.
	for _, item := range spec.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				if v := p.Value; v.Style == openapi3.SerializationDeepObject && v.Schema.Value.Type.Is("array") {
					v.Style = openapi3.SerializationForm
				}
			}
		}
	}
	return spec, nil
})

// moduleDir is where stripe-mock's module lies, downloaded when it is not there yet.
func moduleDir() (string, error) {
	temp, err := os.MkdirTemp("", "stripetest-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	c := exec.Command("go", "mod", "download", "-json", "github.com/stripe/stripe-mock@"+mockVersion)
	c.Dir, c.Env = temp, append(os.Environ(), "GOFLAGS=")
	output, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w: %s", err, output)
	}
	var m struct{ Dir string }
	if err := json.Unmarshal(output, &m); err != nil {
		return "", err
	}
	return m.Dir, nil
}

// Watch serves what next serves, and makes every request that Stripe does not know, and every answer that it would not
// give, an error of the test.
func (j *Judge) Watch(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		if recorded.Code < 400 {
			if err := j.Request(r); err != nil {
				t.Errorf("request %s %s: %v", r.Method, r.URL, err)
			}
		}
		if err := j.Answer(r, recorded.Code, recorded.Header(), recorded.Body.Bytes()); err != nil {
			t.Errorf("answer to %s %s: %v", r.Method, r.URL, err)
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		w.Write(recorded.Body.Bytes())
	})
}

// Request says what is wrong with a request.
func (j *Judge) Request(r *http.Request) error {
	in, err := j.input(r)
	if err != nil {
		return err
	}
	var errs []error
	for key := range r.URL.Query() {
		name, _, _ := strings.Cut(key, "[")
		if in.Route.Operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			errs = append(errs, fmt.Errorf("parameter %s: Stripe does not know it", name))
		}
	}
	return errors.Join(append(errs, openapi3filter.ValidateRequest(r.Context(), in))...)
}

// Answer says what is wrong with an answer. Requests that are answered by an error may be wrong themselves.
func (j *Judge) Answer(r *http.Request, status int, header http.Header, body []byte) error {
	in, err := j.input(r)
	if err != nil {
		if status == http.StatusNotFound {
			return nil
		}
		return err
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: in.Options,
	})
}

// input finds the operation of a request: that of a list, or of an object below it.
func (j *Judge) input(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	path, parameters := r.URL.Path, map[string]string{}
	item := j.spec.Paths.Value(path)
	if item == nil {
		parent, id := path[:strings.LastIndex(path, "/")+1], path[strings.LastIndex(path, "/")+1:]
		for template, candidate := range j.spec.Paths.Map() {
			name, ok := strings.CutPrefix(template, parent+"{")
			if name, ends := strings.CutSuffix(name, "}"); ok && ends && !strings.Contains(name, "/") {
				item, parameters[name] = candidate, id
			}
		}
	}
	if item == nil || item.GetOperation(r.Method) == nil {
		return nil, fmt.Errorf("%s %s: Stripe has no such operation", r.Method, path)
	}
	op := item.GetOperation(r.Method)
	return &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, QueryParams: r.URL.Query(),
		Route:   &routers.Route{Spec: j.spec, Path: path, PathItem: item, Method: r.Method, Operation: op},
		Options: &openapi3filter.Options{MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}, nil
}
