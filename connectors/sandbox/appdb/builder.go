// Package appdb stands in for the product's own Postgres: the tables users, devices, logins, viewing_actions and
// ab_assignments of schema.sql.
//
// Its records are rows of those tables, objects whose keys are the columns (without tx), times as RFC 3339:
//
//	product/users      id registered_at email email_verified phone name country marketing_consent analytics_consent
//	                   deleted updated_at
//	product/devices    id type platform model first_seen_at registered_by updated_at
//	product/logins     id at user_id device_id session kind
//	product/viewing    id started_at user_id device_id title seconds
//	assignment/rows    id experiment unit_type unit_id variant kind assigned_at platform country
//	                   device_id
//
// In assignment/rows the world's assignment n has the id 2n and its exposure n has 2n+1.
//
// Faults may take from an object what the database lets be NULL and a row cannot be read without: of users registered_at
// and deleted, of devices type, of logins user_id, device_id and kind, of assignments experiment, variant, unit_type,
// unit_id and kind. (Of views that is seconds, a number: text in its place is refused by the database, so faults leave them
// alone.) A member that no table has becomes a text column of the table when the world is loaded.
//
// A record is visible from when the transaction that wrote it is committed, which may be after midnight of the day of
// its stamp. Rows are never deleted: a user who left is marked.
package appdb

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"crosslift/connectors/sandbox/world"
)

// The sources and streams of a world that this package writes and loads.
const (
	Product    = "product"
	Assignment = "assignment"
)

type user struct {
	ID               string  `json:"id"`
	RegisteredAt     string  `json:"registered_at"`
	Email            *string `json:"email"`
	EmailVerified    bool    `json:"email_verified"`
	Phone            *string `json:"phone"`
	Name             *string `json:"name"`
	Country          *string `json:"country"`
	MarketingConsent *bool   `json:"marketing_consent"`
	AnalyticsConsent *bool   `json:"analytics_consent"`
	Deleted          bool    `json:"deleted"`
	UpdatedAt        string  `json:"updated_at"`
}

type device struct {
	ID           string  `json:"id"`
	Type         string  `json:"type"`
	Platform     *string `json:"platform"`
	Model        *string `json:"model"`
	FirstSeenAt  string  `json:"first_seen_at"`
	RegisteredBy *string `json:"registered_by"`
	UpdatedAt    string  `json:"updated_at"`
}

type login struct {
	ID      int64   `json:"id"`
	At      string  `json:"at"`
	User    *string `json:"user_id"`
	Device  *string `json:"device_id"`
	Session *string `json:"session"`
	Kind    string  `json:"kind"`
}

type view struct {
	ID        int64   `json:"id"`
	StartedAt string  `json:"started_at"`
	User      *string `json:"user_id"`
	Device    *string `json:"device_id"`
	Title     *string `json:"title"`
	Seconds   int64   `json:"seconds"`
}

type assignment struct {
	ID         int64   `json:"id"`
	Experiment string  `json:"experiment"`
	UnitType   string  `json:"unit_type"`
	UnitID     string  `json:"unit_id"`
	Variant    string  `json:"variant"`
	Kind       string  `json:"kind"`
	AssignedAt string  `json:"assigned_at"`
	Platform   *string `json:"platform"`
	Country    *string `json:"country"`
	Device     *string `json:"device_id"`
}

// Builder writes a world's accounts, devices, logins, views, assignments and exposures as rows.
func Builder() world.Builder { return builder{} }

type builder struct{}

func (builder) Build(c *world.Chunk, to world.Writer) error {
	w := rows{to: to}
	for _, a := range c.Accounts {
		w.write(Product, "users", a.ID, a.Changed, a.Visible, user{
			a.ID, stamp(a.Registered), given(a.Email), a.EmailVerified, given(a.Phone), given(a.Name), given(a.Country),
			a.MarketingConsent, a.AnalyticsConsent, a.Deleted, stamp(a.Changed),
		})
	}
	for _, d := range c.Devices {
		w.write(Product, "devices", d.ID, d.Changed, d.Visible, device{
			d.ID, d.Type, given(d.Platform), given(d.Model), stamp(d.FirstSeen), given(d.Account), stamp(d.Changed),
		})
	}
	for _, l := range c.Logins {
		w.write(Product, "logins", number(l.ID), l.At, l.Visible, login{
			l.ID, stamp(l.At), given(l.Account), given(l.Device), given(l.Session), l.Kind,
		})
	}
	for _, v := range c.Views {
		w.write(Product, "viewing", number(v.ID), v.At, v.Visible, view{
			v.ID, stamp(v.At), given(v.Account), given(v.Device), given(v.Title), v.Seconds,
		})
	}
	for _, a := range c.Assignments {
		w.write(Assignment, "rows", number(2*a.ID), a.At, a.Visible, assignment{
			2 * a.ID, a.Experiment, a.UnitType, a.Unit, a.Variant, "assigned", stamp(a.At), nil, nil, nil,
		})
	}
	for _, e := range c.Exposures {
		w.write(Assignment, "rows", number(2*e.ID+1), e.At, e.Visible, assignment{
			2*e.ID + 1, e.Experiment, e.UnitType, e.Unit, e.Variant, "exposed", stamp(e.At), given(e.Platform), given(e.Country), given(e.Device),
		})
	}
	return w.err
}

// rows writes records until one fails.
type rows struct {
	to     world.Writer
	buffer bytes.Buffer
	err    error
}

func (w *rows) write(source, stream, id string, at, visible time.Time, row any) {
	if w.err != nil {
		return
	}
	w.buffer.Reset()
	to := json.NewEncoder(&w.buffer)
	to.SetEscapeHTML(false)
	if w.err = to.Encode(row); w.err != nil {
		return
	}
	w.err = w.to.Write(source, stream, world.Record{
		ID: id, At: at.UTC(), Visible: visible.UTC(), Object: bytes.Clone(bytes.TrimSpace(w.buffer.Bytes())),
	})
}

func number(id int64) string { return strconv.FormatInt(id, 10) }

// stamp is a time as the tables keep it, to the microsecond.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) }

// given is NULL for what is not.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
