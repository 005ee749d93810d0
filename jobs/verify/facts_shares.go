package verify

import (
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// judged are the kinds of deeds of which the units of those who did them must have a share. All that is done in an account's name
// is its unit's where accounts are assigned. Where devices are, it may be that of a unit which the account was linked to before,
// such as one of the same person's other account. Of what is done without an account much is lost either way: on a device that
// somebody else uses too or, of visits, that its user has not been logged in on yet.
var judged = []struct {
	kind                string
	says                string
	window              time.Duration
	weight              func(deed) float64
	byAccount, byDevice float64 // the limits
	anonymous           string  // what is told of those without an account; "": nothing
}{
	{paying, "what exposed accounts paid", 32 * day, roubles, 1, 0.92, ""},
	{declined, "payments of exposed accounts that were declined", 32 * day, one, 1, 0.85, ""},
	{watching, "what exposed accounts watched", 14 * day, seconds, 0.985, 0.88, "watched"},
	{promotion, "times that exposed accounts were seen with the offer's page", day, one, 0.97, 0.9, ""},
	{visiting, "visits of exposed accounts", 14 * day, one, 0.55, 0.55, "visited"},
}

// holdShares looks how much of what exposed accounts truly did their units have.
func (f *found) holdShares(r *report, w *lived, homes map[identifier.ID]*home) {
	for _, j := range judged {
		all, anonymous, rightly := f.shares(table.AsOfExposure, homes, w.deeds[j.kind], j.window, j.weight)
		limit := j.byDevice
		if f.assignedBy == world.ByAccount {
			limit = j.byAccount
		}
		switch {
		case limit < 1:
			r.share(j.says+", of their units", all.share(), ">=", limit, all.n)
		case all.n > 0:
			r.exact(j.says+", of their units", all.share(), 1, all.n)
		}
		if j.anonymous != "" {
			r.shown("what they "+j.anonymous+" without an account, of their units", anonymous.share(), anonymous.n)
			r.shown("what units have that was "+j.anonymous+" without an account, theirs", rightly.share(), rightly.n)
		}
	}
}

// part is how much of something there is, and how much of that is as it should be.
type part struct {
	right, all float64
	n          int64
}

func (p *part) add(right bool, weight float64) {
	p.n++
	if p.all += weight; right {
		p.right += weight
	}
}

func (p *part) share() float64 {
	if p.all == 0 {
		return 0
	}
	return p.right / p.all
}

// shares looks at what exposed accounts truly did in a window: how much of it their units have, of that without an account by
// itself, and how much of what units have without an account was truly in the name of one of theirs.
func (f *found) shares(stitching string, homes map[identifier.ID]*home, deeds []deed, window time.Duration, weight func(deed) float64) (all, anonymous, rightly part) {
	length := table.Micros(window.Microseconds())
	for _, d := range deeds {
		if d.damaged {
			continue
		}
		unit, is := f.credited(stitching, d.account, d.device, d.at)
		if u := f.units[stitching][unit]; !is || u == nil || d.at < u.FirstExposedAt || d.at >= u.FirstExposedAt+length {
			is = false
		}
		h := homes[d.by]
		right := is && h != nil && h.unit[stitching] == unit
		if d.account.IsZero() && is {
			whose, _ := f.unitOf(stitching, d.by, d.at)
			rightly.add(whose == unit, weight(d))
		}
		if h == nil || d.at < h.at || d.at >= h.at+length {
			continue
		}
		if all.add(right, weight(d)); d.account.IsZero() {
			anonymous.add(right, weight(d))
		}
	}
	return all, anonymous, rightly
}
