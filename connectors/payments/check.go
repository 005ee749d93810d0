package payments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"crosslift/connectors"
	"crosslift/schemas/table"
)

// maxSkew is by how much the clocks may differ: days are cut, and the feed is read, up to our own now.
const maxSkew = time.Minute

// Check tries the key, each list that a night reads with what comes with it, and the clock.
func (s *source) Check(ctx context.Context) []connectors.Finding {
	key := connectors.Finding{What: "key", Remedy: "make a restricted key with read access in Stripe's dashboard, and set it as `key`"}
	_, err := s.api.list(ctx, "/v1/balance_transactions", query{Limit: 1}, "")
	var said *refusal
	switch {
	case errors.As(err, &said) && said.status != http.StatusUnauthorized: // permissions are found below
	case err != nil:
		key.Problem = err
		if said == nil {
			key.What, key.Remedy = "address", "check `url` and the network between here and Stripe"
		}
		return []connectors.Finding{key}
	case strings.HasPrefix(s.api.key.Reveal(), "sk_live_"):
		key.Problem = errors.New("a secret key may change and pay out: more than reading needs")
	}
	findings := []connectors.Finding{key, s.clock()}
	for _, k := range s.streams {
		stream := k.(*stream)
		findings = append(findings, connectors.Finding{
			What: "stream " + stream.kind.name, Problem: stream.check(ctx),
			Remedy: "give the key read access to " + strings.ReplaceAll(stream.kind.name, "_", " ") + ", customers and balance transactions",
		})
	}
	for _, path := range []string{"/v1/events", "/v1/invoice_payments", "/v1/prices"} {
		_, err := s.api.list(ctx, path, query{Limit: 1}, "")
		what := strings.ReplaceAll(strings.TrimPrefix(path, "/v1/"), "_", " ")
		findings = append(findings, connectors.Finding{What: what, Problem: err, Remedy: "give the key read access to " + what})
	}
	return findings
}

// clock compares ours with Stripe's.
func (s *source) clock() connectors.Finding {
	f := connectors.Finding{What: "clock", Remedy: "set the clock of this machine by a time server"}
	if ahead, known := s.rest.Skew(); known && ahead.Abs() > maxSkew {
		f.Problem = fmt.Errorf("it is %s behind Stripe's", ahead.Round(time.Second))
	}
	return f
}

// check reads the newest objects of a stream as an extract would, and says what is wrong with them.
func (s *stream) check(ctx context.Context) error {
	p, err := s.source.api.list(ctx, s.kind.path, s.query(10), "")
	if err != nil {
		return err
	}
	found := &problems{}
	x := s.extract(table.Window{From: time.Unix(0, 0), To: s.source.env.Now().Add(maxSkew)}, found)
	walk := walk{}
	objects, err := walk.next(p)
	if err != nil {
		return answer(ctx, s.kind.path, err)
	}
	if err := x.take(ctx, objects); err != nil {
		return err
	}
	if len(found.reasons) > 0 {
		return fmt.Errorf("%d of the newest %d objects break the contract of %s: %s: %w",
			len(found.reasons), len(objects), s.kind.table, found.reasons[0], connectors.ErrContract)
	}
	return nil
}

// query is what a stream's list is asked for.
func (s *stream) query(limit int64) query {
	q := query{Limit: limit}
	for _, field := range s.kind.expand {
		q.Expand = append(q.Expand, stripe.String("data."+field))
	}
	if s.kind.status != "" {
		q.Status = &s.kind.status
	}
	return q
}

// problems is a sink that keeps the reasons of rows that are rejected, and nothing else.
type problems struct{ reasons []string }

func (p *problems) Row(any, connectors.Origin) error { return nil }
func (p *problems) Resume() string                   { return "" }
func (p *problems) Page(string) error                { return nil }
func (p *problems) Total(connectors.Total) error     { return nil }
func (p *problems) Unclassified(string)              {}

func (p *problems) Reject(_ connectors.Origin, reason string) error {
	p.reasons = append(p.reasons, reason)
	return nil
}
