package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

// maxSearch is how many objects an answer to a search holds at most, and maxBatch how many ids a batch.
const (
	maxSearch = 200
	maxBatch  = 100
)

// query is the body of a search.
type query struct {
	Groups     [1]filters `json:"filterGroups"`
	Sorts      [1]sorting `json:"sorts"`
	Properties []string   `json:"properties"`
	Limit      int        `json:"limit"`
}

type filters struct {
	Filters []filter `json:"filters"`
}

type filter struct {
	Property string `json:"propertyName"`
	Operator string `json:"operator"`
	Value    string `json:"value"`
}

type sorting struct {
	Property  string `json:"propertyName"`
	Direction string `json:"direction"`
}

// found is an answer to a search, which is held as a whole: no more than 200 objects.
type found struct {
	objects []object
	total   int64 // of the query
	more    bool
	text    []byte // behind the objects
}

// search asks for the first objects that pass all filters in the order of a property.
func (x *extract) search(ctx context.Context, limit int, by string, all ...filter) error {
	q := query{Sorts: [1]sorting{{by, "ASCENDING"}}, Properties: x.stream.properties(), Limit: limit}
	q.Groups[0].Filters = all
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	x.page.objects, x.page.text = x.page.objects[:0], x.page.text[:0]
	page, err := x.client().Read(ctx, rest.Request{
		Method: "POST", Path: x.path + "/search", Body: body, Idempotent: true, Array: "results",
	}, func(v rest.Value) error {
		if len(x.page.objects) >= limit {
			return fmt.Errorf("%w: more than %d results for a search", connectors.ErrContract, limit)
		}
		start := len(x.page.text)
		x.page.text = append(x.page.text, v...)
		x.page.objects = append(x.page.objects, x.reader.read(x.page.text[start:len(x.page.text):len(x.page.text)], len(x.stream.slots)))
		return nil
	})
	if err != nil {
		return err
	}
	total, ok := page.Members.Get("total").Int()
	if !ok {
		return fmt.Errorf("%w: the search does not say its total", connectors.ErrContract)
	}
	x.page.total, x.page.more = total, !page.Members.Get("paging.next").Absent()
	return nil
}

// modifiedSince gives the filters of the extract's query from a millisecond on.
func (x *extract) modifiedSince(from int64) []filter {
	return []filter{{x.stream.modified, "GTE", text(from)}, {x.stream.modified, "LT", text(x.at.Until)}}
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

// properties lists what is asked for, each once.
func (s *stream) properties() []string {
	all := []string{s.modified}
	for _, name := range s.slots {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// relate asks for the contacts of the page's objects.
func (x *extract) relate(ctx context.Context) error {
	if x.stream.object == "contacts" {
		return nil
	}
	contacts := map[string]string{}
	for batch := range slices.Chunk(x.page.objects, maxBatch) {
		type input struct {
			ID string `json:"id"`
		}
		var ids struct {
			Inputs []input `json:"inputs"`
		}
		for _, o := range batch {
			ids.Inputs = append(ids.Inputs, input{o.id})
		}
		body, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		_, err = x.client().Read(ctx, rest.Request{
			Method: "POST", Path: x.stream.source.config.associations(x.stream.object), Body: body, Idempotent: true, Array: "results",
		}, func(v rest.Value) error {
			from := v.Get("from.id").Text()
			for to := range v.Get("to").Elements() {
				contacts[from] = lower(contacts[from], to.Get("toObjectId").Text())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i := range x.page.objects {
		x.page.objects[i].contact = contacts[x.page.objects[i].id]
	}
	return nil
}
