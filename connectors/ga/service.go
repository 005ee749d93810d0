package ga

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// service is BigQuery as Google's client speaks to it. The client makes the requests and follows the pages; below it,
// the rows transport takes the rows out of the answers, and package rest gives credentials, retries, deadlines and logs.
type service struct {
	bigquery *bigquery.Client
	rest     *rest.Client
	dataset  *bigquery.Dataset
	deadline time.Duration
	pageSize int
}

const scope = "https://www.googleapis.com/auth/bigquery.readonly"

func connect(c Config, env connectors.Env, retry rest.Retry, deadline time.Duration) (*service, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("%s: endpoint: not an address", Name)
	}
	if deadline == 0 {
		deadline = 10 * time.Minute
	}
	retry.Also = append(retry.Also, http.StatusForbidden) // rateLimitExceeded; explain says which are final
	client, err := rest.New(rest.Options{
		Name: Name, Base: u.Scheme + "://" + u.Host, Auth: rest.ServiceAccount{Key: c.Credentials, Scopes: []string{scope}},
		Retry: retry, Deadline: deadline, Whole: maxBody, Explain: explain, Log: env.Log, Now: env.Now,
	})
	if err != nil {
		return nil, err
	}
	s := &service{rest: client, deadline: deadline, pageSize: c.PageSize}
	s.bigquery, err = bigquery.NewClient(context.Background(), c.Project, option.WithEndpoint(c.Endpoint),
		option.WithHTTPClient(&http.Client{Transport: &rowsTransport{client.HTTP().Transport}}))
	if err != nil {
		return nil, fmt.Errorf("%s: Google's client cannot be made: %s", Name, rest.Shown(err.Error()))
	}
	s.dataset = s.bigquery.Dataset(c.Dataset)
	return s, nil
}

func (s *service) close() error { return errors.Join(s.bigquery.Close(), s.rest.Close()) }

// path is where a table's rows are asked for.
func (s *service) path(id string) string {
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s/data", s.bigquery.Project(), s.dataset.DatasetID, id)
}

// errMissing is a table or a dataset that is not there.
var errMissing = errors.New("not found")

// metadata asks what a table is now. It is errMissing when there is none.
func (s *service) metadata(ctx context.Context, id string) (*bigquery.TableMetadata, error) {
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	meta, err := s.dataset.Table(id).Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", id, s.problem(ctx, err))
	}
	return meta, nil
}

// tables lists the ids of the dataset's tables that have a prefix.
func (s *service) tables(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	var ids []string
	for it := s.dataset.Tables(ctx); ; {
		t, err := it.Next()
		if errors.Is(err, iterator.Done) {
			return ids, nil
		}
		if err != nil {
			return nil, fmt.Errorf("dataset %s: %w", s.dataset.DatasetID, s.problem(ctx, err))
		}
		if strings.HasPrefix(t.TableID, prefix) {
			ids = append(ids, t.TableID)
		}
	}
}

// read asks for one page of a table from a row on, or from where an earlier page said that it goes on. It gives where
// the next one begins, "" behind the last, and how many rows the table has.
func (s *service) read(ctx context.Context, id string, row uint64, token string, into *page) (next string, total uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	it := s.dataset.Table(id).Read(context.WithValue(ctx, pageKey{}, into))
	it.StartIndex = row
	it.PageInfo().Token, it.PageInfo().MaxSize = token, s.pageSize
	it.Schema = standIn
	var count []bigquery.Value
	if err := it.Next(&count); err != nil {
		return "", 0, s.problem(ctx, err)
	}
	return it.PageInfo().Token, it.TotalRows, nil
}

// problem is what an error of Google's client means, without anything that must not be shown.
func (s *service) problem(ctx context.Context, err error) error {
	var ours *final
	switch {
	case errors.As(err, &ours):
		return ours.err
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case ctx.Err() != nil:
		return fmt.Errorf("no answer within %s: %w", s.deadline, connectors.ErrDown)
	}
	return fmt.Errorf("the answer is not the JSON that is documented: %w", connectors.ErrContract)
}

// refusal is an error in Google's form.
type refusal struct {
	Error struct {
		Message string
		Errors  []struct{ Reason string }
	}
}

func readRefusal(body []byte) (message, reason string) {
	var r refusal
	if json.Unmarshal(body, &r) != nil {
		return "", ""
	}
	if len(r.Error.Errors) > 0 {
		reason = r.Error.Errors[0].Reason
	}
	return r.Error.Message, reason
}

// explain reads an answer that is no success. Of those with 403 only too many requests are worth another try.
func explain(status int, _ http.Header, body []byte) (message string, isFinal bool) {
	message, reason := readRefusal(body)
	return message, status == http.StatusForbidden && !strings.HasSuffix(reason, "ateLimitExceeded")
}
