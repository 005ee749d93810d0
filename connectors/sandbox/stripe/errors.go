package stripe

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// problem is an error in Stripe's form.
type problem struct {
	status               int
	kind                 string // invalid_request_error unless it says otherwise
	code, param, message string
}

func (p *problem) Error() string { return p.message }

func unknownParameter(name string) *problem {
	return &problem{http.StatusBadRequest, "", "parameter_unknown", name, "Received unknown parameter: " + name}
}

func badParameter(name, code, message string) *problem {
	return &problem{http.StatusBadRequest, "", code, name, message}
}

func missing(status int, kind, id, param string) *problem {
	return &problem{status, "", "resource_missing", param, fmt.Sprintf("No such %s: '%s'", kind, id)}
}

// ErrorBody is what Stripe says with a status, 429 and 5xx too: for those who make an account busy or ill.
func ErrorBody(status int) (contentType, body string) {
	p := &problem{status: status, kind: "api_error", message: "Sorry! There was an error while talking to one of our backends."}
	switch {
	case status == http.StatusTooManyRequests:
		p.kind, p.code = "invalid_request_error", "rate_limit"
		p.message = "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
	case status < 500:
		p.kind, p.message = "invalid_request_error", http.StatusText(status)
	}
	raw, err := json.Marshal(p.object())
	if err != nil {
		panic(err) // texts
	}
	return "application/json", string(raw)
}

func (p *problem) object() object {
	said := object{"type": p.kind, "message": p.message}
	if p.kind == "" {
		said["type"] = "invalid_request_error"
	}
	if p.code != "" {
		said["code"], said["doc_url"] = p.code, "https://stripe.com/docs/error-codes/"+p.code
	}
	if p.param != "" {
		said["param"] = p.param
	}
	return object{"error": said}
}

func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Stripe-Should-Retry", "false") // it would be refused again
	answer(w, p.status, p.object())
}

func answer(w http.ResponseWriter, status int, o any) {
	body, err := json.Marshal(o)
	if err != nil {
		broken(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

// broken answers where the world itself cannot be read.
func broken(w http.ResponseWriter) {
	contentType, body := ErrorBody(http.StatusInternalServerError)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Stripe-Should-Retry", "true")
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprint(w, body)
}
