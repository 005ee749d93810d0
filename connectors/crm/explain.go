package crm

import (
	"net/http"

	"crosslift/connectors/rest"
)

// explain reads HubSpot's error body. Of the kinds of limits only the daily one cannot be waited for.
func explain(status int, _ http.Header, body []byte) (message string, final bool) {
	v := rest.Value(body)
	if len(body) == 0 || v.Kind() != '{' {
		return "", false
	}
	if status == http.StatusTooManyRequests && v.Get("policyName").Text() == "DAILY" {
		return "the account's calls of the day are used up: HubSpot grants new ones at midnight in the account's time zone", true
	}
	message = v.Get("message").Text()
	if category := v.Get("category").Text(); category != "" {
		message = category + ": " + message
	}
	return message, false
}
