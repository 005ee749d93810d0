package bank

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// Check reads a page, or a file, of each stream for yesterday, which takes credentials, permissions and the contract
// alike, and compares the clocks.
func (s *source) Check(ctx context.Context) []connectors.Finding {
	var found []connectors.Finding
	for _, stream := range s.streams {
		found = append(found, probe(ctx, stream, table.DayOf(s.env.Now(), s.env.Zone)-1))
	}
	if s.api == nil {
		return found
	}
	clock := connectors.Finding{What: "clock", Remedy: "Let this machine's clock be set by NTP: tokens and days depend on it."}
	if ahead, known := s.api.rest.Skew(); known && ahead.Abs() > time.Minute {
		clock.Problem = fmt.Errorf("the bank's is ahead of ours by %s", ahead)
	}
	return append(found, clock)
}

// probe reads a page of a stream.
func probe(ctx context.Context, stream connectors.Stream, day table.Day) connectors.Finding {
	f := connectors.Finding{What: "stream " + stream.Name()}
	sink := &tasting{table: stream.Table()}
	inputs, err := stream.Inputs(ctx, day)
	if err == nil {
		err = stream.Extract(ctx, day, inputs, sink)
	}
	if err != nil && !errors.Is(err, errEnough) {
		f.Problem, f.Remedy = err, remedy(err)
		return f
	}
	if sink.rejected > 0 {
		f.Problem = fmt.Errorf("%d of %d rows break the contract: %s", sink.rejected, sink.rows, sink.reason)
		f.Remedy = "Show the bank openapi/aisp.yaml and openapi/accruals.yaml: its answers differ from them."
	}
	return f
}

// remedy says who mends an error.
func remedy(err error) string {
	var refused *rest.Error
	switch {
	case errors.As(err, &refused) && (refused.Status == 404 || strings.Contains(refused.Message, "Resource.NotFound")):
		return "Compare base, version, account and campaign with what the bank has told you."
	case errors.As(err, &refused) && (refused.Status == 401 || refused.Status == 403 || refused.Status == 400):
		return "Have the bank register client_id with this certificate, and grant it the account and the campaign."
	case errors.As(err, new(errUndelivered)):
		return "Ask the bank for the file, or see that the root and prefix are where it delivers."
	case errors.Is(err, connectors.ErrContract):
		return "Ask the bank what changed: its answer is not what the contract says."
	}
	return "See that the bank's address can be reached from here and trusts the certificate."
}

// errEnough ends an extract that has shown a page.
var errEnough = errors.New("a page is enough")

// tasting is a Sink that judges rows and keeps none.
type tasting struct {
	table          *table.Table
	rows, rejected int
	reason         string // of the first
}

func (t *tasting) Row(row any, where connectors.Origin) error {
	if err := t.table.Check(row); err != nil {
		return t.Reject(where, err.Error())
	}
	t.rows++
	return nil
}

func (t *tasting) Reject(_ connectors.Origin, reason string) error {
	if t.rows++; t.rejected == 0 {
		t.reason = reason
	}
	t.rejected++
	return nil
}

func (t *tasting) Resume() string               { return "" }
func (t *tasting) Page(string) error            { return errEnough }
func (t *tasting) Total(connectors.Total) error { return nil }
func (t *tasting) Unclassified(string)          {}
