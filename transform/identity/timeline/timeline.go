// Package timeline says who used a device when: it makes core/device_timeline, and answers from it for a device and an
// instant.
//
// What a device's timeline says at an instant is decided by the authenticated events of that device around the instant
// and by nothing else: product logins, logouts and refreshes, viewings of an account, and web events with an account.
// They have a total order: by time; at one instant logouts first, then by account. A viewing shows its account from its
// start for its seconds, or until its account logs out or another account is seen.
// Being within a reach of an event means: from the reach before its start, inclusive, to the reach after its end,
// exclusive. All spans are half-open likewise.
//
// A device is public at an instant when more than a cap of accounts have an event within Rules.Window of it: nothing is
// attributed there. It is shared when two or more have, else personal. Of a device that is not public, the first of
// these decides:
//
//   - session: the instant lies between two neighbouring events of one web session (same device, same session id) that
//     are at most Rules.Session apart and of which one is anonymous, or at an anonymous event. It is then of the
//     account of the session's latest authenticated event by then, or of the first one after it where none is within
//     Rules.Session. Where sessions overlap, the latest authenticated event of any of them counts, else the first
//     after. Between two authenticated events a session says nothing that a span does not.
//   - span: the last authenticated event by then is no logout, and the instant is less than the device's time to live
//     after that account was last shown.
//   - backfill: the device is personal, and an authenticated event is within Rules.Backfill.
//   - bracket: the device is shared, and the authenticated events before and after it are of one account, each within
//     Rules.Bracket.
//   - backfill: the device is shared, and the next authenticated event is within Rules.SharedBackfill. One before it says
//     nothing: whoever logs out leaves a shared device to others.
//
// Accounts that refused to be analysed have events like any other; only what they would get is nobody's, until they consent
// again. The session
// ids of product logins decide nothing: all events with them are authenticated, so that spans hold them.
//
// # Nights
//
// A timeline is a function of the events, in any order, and of no clock: a span ends its time to live after its last
// event even where that lies ahead of the night, and is longer once a later night has seen a later event.
//
// An event changes its device's timeline from Rules.Window before it at the earliest. So when nothing changed that is
// older than an instant c, what was said before Rules.Horizon(c) still holds, and the rest follows from the events since
// Rules.ReadFrom of that horizon: the longest time to live and the longest viewing before it. Build takes the first part
// from the night before and makes the second; joined, they are row by row what a run over all events gives. That
// is so for events that came late, were restated or vanished, as long as c is not after them.
//
// Profiles and confidence are always the night's own, and what an account had that has now refused is dropped before the
// horizon too. A device whose type is now another, and other rules, need a run over all events.
package timeline

import (
	"errors"
	"fmt"
	"time"

	"crosslift/schemas/table"
)

// Logic is raised when the same events give other rows.
const Logic = 1

// The methods, strongest first. Experiments use the first two: the others read later logins, which depend on the arm.
const (
	Session  = "session"
	Span     = "span"
	Backfill = "backfill"
	Bracket  = "bracket"
)

// Rules are the limits of attribution; the package comment says what each decides.
type Rules struct {
	AppTTL    time.Duration // how long a span lasts after its last event on an app installation
	TTL       time.Duration // the same on a device of any other type
	Window    time.Duration // of the accounts that make a device shared or public; no reach below is longer
	Cap       int           // more accounts in the window make a device public
	SharedCap int           // the same of a television, or a browser that several use
	Session   time.Duration // how far the events of one session reach
	Backfill  time.Duration
	Bracket   time.Duration
	// SharedBackfill is what Backfill is on a shared device: much less, and before a login only.
	SharedBackfill time.Duration
	Viewing        time.Duration // a viewing counts for so long at most, whatever its seconds
}

// Default gives the limits that identity is measured with.
func Default() Rules {
	const day = 24 * time.Hour
	return Rules{
		AppTTL: 90 * day, TTL: 30 * day, Window: 30 * day, Cap: 3, SharedCap: 6,
		Session: day, Backfill: 30 * day, Bracket: 72 * time.Hour, SharedBackfill: 12 * time.Hour, Viewing: day,
	}
}

// Horizon is the instant before which a timeline is as the night before had it, when no event older than changed has
// come, gone or become another.
func (r Rules) Horizon(changed table.Micros) table.Micros { return changed - micros(r.Window) }

// ReadFrom is the time of the oldest event that what is said from the horizon on can depend on.
func (r Rules) ReadFrom(horizon table.Micros) table.Micros {
	return horizon - micros(max(r.AppTTL, r.TTL, r.Window)+r.Viewing)
}

// check refuses limits that the rules make no sense with.
func (r Rules) check() error {
	if min(r.AppTTL, r.TTL, r.Window, r.Session, r.Backfill, r.Bracket, r.SharedBackfill, r.Viewing) < 0 {
		return errors.New("timeline rules: a duration below 0")
	}
	if reach := max(r.Session, r.Backfill, r.Bracket, r.SharedBackfill); reach > r.Window {
		return fmt.Errorf("timeline rules: a reach of %s is longer than the window of %s", reach, r.Window)
	}
	if min(r.Cap, r.SharedCap) < 1 {
		return errors.New("timeline rules: a cap of no account attributes nothing: expected 1 or more")
	}
	return nil
}

// limits are the two that depend on a device's type.
func (r Rules) limits(deviceType string) (ttl int64, accounts int) {
	ttl, accounts = int64(micros(r.TTL)), r.Cap
	switch deviceType {
	case table.TypeApp:
		ttl = int64(micros(r.AppTTL))
	case table.TypeTV, table.TypeBrowser:
		accounts = r.SharedCap
	}
	return ttl, accounts
}

func micros(d time.Duration) table.Micros { return table.Micros(d.Microseconds()) }

// confidence is the share of a method's anonymous events that get the right account, as measured on the sandbox's world of
// 20,000 people and 45 nights, whose truth is known: of 196,000 events on personal devices and 34,000 on shared ones.
func confidence(method string, shared bool) float64 {
	switch {
	case method == Session:
		return 1
	case method == Span && !shared:
		return 0.998
	case method == Span:
		return 0.90
	case method == Bracket:
		return 0.97
	case !shared:
		return 0.99
	}
	return 0.74 // backfill of a shared device
}
