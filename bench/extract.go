package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/jobs"
	"crosslift/jobs/catalog"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// extractREST extracts the resources of a server, one a day, into a lake in a folder, all at once. Its arguments are the
// server's address, the folder and how many resources there are. All is as in a night but the ledger in Postgres: pages
// are journaled, rows checked, hashed, sorted and committed as Parquet.
func extractREST(ctx context.Context, args []string) error {
	base, dir := args[0], args[1]
	resources, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	key, err := identifier.NewKey("bench", make([]byte, 32))
	if err != nil {
		return err
	}
	client, err := rest.New(rest.Options{Name: "shop", Base: base})
	if err != nil {
		return err
	}
	all, err := catalog.Jobs(catalog.Project{
		Zone: time.UTC, Key: key, Sources: []connectors.Source{&shop{client, key}}, Journals: filepath.Join(dir, "journals"), Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	l := lake.New(object.NewFolder(filepath.Join(dir, "lake")), dir)
	rows := make([]int64, resources)
	var g errgroup.Group
	for n := range resources {
		g.Go(func() (err error) {
			for _, j := range all {
				if j.Name == "extract/crm_contact" {
					rows[n], err = extractDay(ctx, l, j, firstDay+table.Day(n), (256<<20)/int64(resources))
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	sum := int64(0)
	for _, n := range rows {
		sum += n
	}
	fmt.Println(sum)
	return client.Close()
}

// extractDay makes a day of a job as a run does.
func extractDay(ctx context.Context, l *lake.Lake, j *jobs.Job, day table.Day, memory int64) (rows int64, err error) {
	w := jobs.NewWork(l, j, day, nil, memory)
	defer func() { err = errors.Join(err, w.Close()) }()
	w.Window = day.Window(time.UTC)
	if err := j.Make(ctx, w); err != nil {
		return 0, err
	}
	recipe := lake.Recipe{Job: j.Name, Logic: j.Logic, Tables: map[string]int{}, Window: w.Window.String(), Zone: "UTC", Key: j.Key}
	for i := len(j.Writes) - 1; i >= 0; i-- {
		h, _, err := w.Draft(j.Writes[i]).Commit(ctx, recipe, w.Counts, nil)
		if err != nil {
			return 0, err
		}
		rows = h.Rows
	}
	return rows, w.Committed()
}

// shop is a source whose only stream reads, for a day, the resource of that day.
type shop struct {
	client *rest.Client
	key    identifier.Key
}

func (s *shop) Name() string                                                             { return "shop" }
func (s *shop) Streams() []connectors.Stream                                             { return []connectors.Stream{(*contacts)(s)} }
func (s *shop) Check(context.Context) []connectors.Finding                               { return nil }
func (s *shop) Close() error                                                             { return s.client.Close() }
func (c *contacts) Name() string                                                         { return "shop/contacts" }
func (c *contacts) Table() *table.Table                                                  { return table.CRMContact }
func (c *contacts) Definition() string                                                   { return "" }
func (c *contacts) Versioned() bool                                                      { return false }
func (c *contacts) Inputs(context.Context, table.Day) (none []connectors.Input, _ error) { return }
func (c *contacts) Quarantine() float64                                                  { return 0 }
func (c *contacts) Restatement() int                                                     { return 0 }

type contacts shop

// Extract reads a resource to its end.
func (c *contacts) Extract(ctx context.Context, day table.Day, _ []connectors.Input, sink connectors.Sink) error {
	from, err := rest.ParseCursor(sink.Resume())
	if err != nil {
		return err
	}
	path := fmt.Sprintf("contacts_%d", day-firstDay)
	request := rest.Request{Path: path, Array: "results"}
	end, err := c.client.Pages(ctx, request, rest.BodyCursor("paging.next.after", "after"), from, func(position int64, v rest.Value) error {
		where := connectors.Origin{File: path, Position: position, Raw: v}
		row, reason := c.row(v)
		if reason != "" {
			return sink.Reject(where, reason)
		}
		return sink.Row(row, where)
	}, nil, func(at rest.Cursor) error { return sink.Page(at.String()) })
	if err != nil {
		return err
	}
	return sink.Total(connectors.Total{Measure: connectors.Rows, Value: end.Read})
}

// row makes a contact's row. Identifiers that are none leave their column empty.
func (c *contacts) row(v rest.Value) (*table.CRMContactRow, string) {
	row := &table.CRMContactRow{System: "shop"}
	id := func(kind identifier.Kind, v rest.Value) identifier.ID {
		id, err := c.key.Hash(kind, v.Text())
		if err != nil {
			return identifier.ID{}
		}
		return id
	}
	reason := ""
	for name, v := range v.Members() {
		switch string(name) {
		case "id":
			row.SourceID = v.Text()
			row.Contact = id(identifier.CRMContact, v)
		case "updatedAt":
			at, err := time.Parse(time.RFC3339, v.Text())
			if err != nil {
				reason = "updatedAt: expected a time"
			}
			row.ChangedAt = table.Micros(at.UnixMicro())
		case "archived":
			row.Archived, _ = v.Bool()
		case "properties":
			for name, v := range v.Members() {
				switch string(name) {
				case "email":
					row.Email, row.EmailFolded = id(identifier.Email, v), id(identifier.EmailFolded, v)
				case "phone":
					row.Phone = id(identifier.Phone, v)
				case "user_id":
					row.Account = id(identifier.Account, v)
				case "marketing_consent":
					if yes, ok := v.Bool(); ok {
						row.MarketingConsent = &yes
					}
				}
			}
		}
	}
	return row, reason
}
