package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"crosslift/connectors/sandbox"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world"
)

// businessZone is not the property's: the day lies in two tables.
const businessZone = "Europe/Moscow"

// writeGA writes a world of nothing but web events of one business day. Its arguments are the folder and how many.
func writeGA(_ context.Context, args []string) error {
	dir := args[0]
	events, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(businessZone)
	if err != nil {
		return err
	}
	property, err := time.LoadLocation(sandbox.Property)
	if err != nil {
		return err
	}
	about, err := json.Marshal(world.About{
		Format: world.Format, People: 1, Nights: 40, First: firstDay, Zone: businessZone, AssignedBy: "account", Scale: 1,
	})
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, bigquery.Source, bigquery.Stream)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(folder, firstDay.String()+".ndjson"))
	if err != nil {
		return err
	}
	out := lines{bufio.NewWriterSize(file, 1<<20)}
	rows, window := bigquery.Builder(property), firstDay.Window(zone)
	step := window.To.Sub(window.From) / time.Duration(events)
	chunk := &world.Chunk{Events: make([]world.WebEvent, 1)}
	for n := range events {
		chunk.Events[0] = event(n, events, window.From.Add(time.Duration(n)*step))
		if err := rows.Build(chunk, out); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(out.Flush(), file.Close(), os.WriteFile(filepath.Join(dir, "world.json"), about, 0o600))
}

// event is one of a site that has five events of a visitor on such a day; a visitor in three is logged in.
func event(n, events int, at time.Time) world.WebEvent {
	visitor := n * 7919 % (events/5 + 1)
	e := world.WebEvent{
		At: at, Visible: at, Name: [...]string{"page_view", "video_start", "scroll", "video_stop", "user_engagement"}[n%5],
		PseudoID: fmt.Sprintf("%d.%d", 1_000_000_000+visitor, 1_709_000_000+visitor), SessionID: at.Unix() - int64(visitor%1800),
		Sequence: int64(n), Platform: [...]string{"WEB", "ANDROID", "IOS"}[visitor%3], Country: "RU", Source: "google", Medium: "organic",
		Page: fmt.Sprintf("https://cinema.tv/films/%d?from=main", n%5000), Consent: true,
	}
	if visitor%3 == 0 {
		e.Account = fmt.Sprintf("u%08x", visitor)
	}
	return e
}

// lines is a world.Writer into one file, of records without anything to escape.
type lines struct{ *bufio.Writer }

// Write adds a record's line.
func (l lines) Write(_, _ string, r world.Record) error {
	line := l.AvailableBuffer()
	line = append(append(line, `{"id":"`...), r.ID...)
	line = r.At.UTC().AppendFormat(append(line, `","at":"`...), time.RFC3339Nano)
	line = r.Visible.UTC().AppendFormat(append(line, `","visible":"`...), time.RFC3339Nano)
	line = append(append(line, `","object":`...), r.Object...)
	_, err := l.Writer.Write(append(line, "}\n"...))
	return err
}
