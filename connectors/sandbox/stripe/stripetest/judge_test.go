package stripetest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestJudge is strict: what Stripe does not know or would not say is an error.
func TestJudge(t *testing.T) {
	t.Parallel()
	j := NewJudge(t)
	for path, ok := range map[string]bool{
		"/v1/charges?limit=100&expand[0]=data.customer&created[gte]=1": true,
		"/v1/charges/ch_1?expand[]=customer":                           true,
		"/v1/charges?colour=red":                                       false,
		"/v1/charges?limit=many":                                       false,
		"/v1/unicorns":                                                 false,
	} {
		if err := j.Request(httptest.NewRequest(http.MethodGet, path, nil)); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
	header := http.Header{"Content-Type": {"application/json"}}
	for body, ok := range map[string]bool{
		`{"id":"cus_1","object":"customer","created":1,"livemode":false}`:   true,
		`{"id":"cus_1","object":"customer","livemode":false}`:               false,
		`{"id":"cus_1","object":"customer","created":"1","livemode":false}`: false,
	} {
		err := j.Answer(httptest.NewRequest(http.MethodGet, "/v1/customers/cus_1", nil), 200, header, []byte(body))
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}
