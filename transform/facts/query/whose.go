package query

import (
	"slices"
	"strings"

	"crosslift/schemas/experiment"
	"crosslift/schemas/table"
)

// device is a column, and a stitching.
const device = "device"

// believes are the methods of core/device_timeline that a stitching takes; device does not ask it.
var believes = []struct {
	stitching string
	methods   []string
}{
	{"as_of_exposure", []string{"session", "span"}},
	{"strict", []string{"session"}},
	{"latest", []string{"session", "span"}},
	{"loose", []string{"session", "span", "backfill"}},
}

// reading is how the events of a table find their unit: what its rows name.
type reading struct {
	account, device bool // the table has such a column
	anonymous       bool // a row may name a device and no account
}

func readingOf(t *table.Table) reading {
	account, hasAccount := t.Column("account")
	_, hasDevice := t.Column(device)
	return reading{account: hasAccount, device: hasDevice, anonymous: hasDevice && (!hasAccount || account.Optional)}
}

// whose writes the units of accounts and devices, and who used a device when, where a source of the metric asks for them.
func (w *writer) whose() {
	var all reading
	for _, s := range w.sources {
		r := readingOf(s.table)
		all = reading{all.account || r.account, all.device || r.device, all.anonymous || r.anonymous}
	}
	w.with("whose", "whose the events of an account or a device are, from one instant until another",
		"SELECT stitching, identifier_type, identifier, unit_id,",
		"  coalesce(from_ts, '-infinity') AS since,",
		"  lead(from_ts, 1, 'infinity') OVER (PARTITION BY stitching, identifier_type, identifier ORDER BY from_ts NULLS FIRST) AS until",
		"FROM "+w.fact(table.UnitIdentifier),
		"WHERE "+w.stitched())
	if all.account || all.anonymous {
		w.with("accounts", "of those, the accounts",
			"SELECT stitching, identifier AS account, unit_id, since, until FROM whose WHERE identifier_type = 'account'")
	}
	if all.device {
		w.with("devices", "and the devices",
			"SELECT stitching, identifier AS device, unit_id, since, until FROM whose WHERE identifier_type = 'device'")
	}
	if all.anonymous {
		w.used()
	}
}

// used writes who used a device when. Where nothing is asked of it, it is left out.
func (w *writer) used() {
	var believed []string
	for _, b := range believes {
		if slices.Contains(w.Stitchings, b.stitching) {
			for _, method := range b.methods {
				believed = append(believed, "  ("+quote(b.stitching)+", "+quote(method)+")")
			}
		}
	}
	switch {
	case len(believed) == 0:
	case !w.Exists(table.DeviceTimeline):
		w.with("used", "nobody is known to have used a device: there is no "+table.DeviceTimeline.Path(),
			"SELECT NULL::VARCHAR AS stitching, NULL::UUID AS device, NULL::UUID AS account, NULL::TIMESTAMPTZ AS from_ts, NULL::TIMESTAMPTZ AS to_ts",
			"WHERE false")
	default:
		w.with("used", "who used a device when, by the methods that a stitching believes",
			"SELECT believed.stitching, device, account, from_ts, to_ts",
			"FROM "+w.state(table.DeviceTimeline),
			"JOIN (VALUES",
			strings.Join(believed, ",\n"),
			") AS believed (stitching, method) USING (method)")
	}
}

// owned writes the units of events, each of at most one in a stitching: a query for each way to find it.
func (w *writer) owned(s source) {
	r, columns := readingOf(s.table), strings.Join(s.columns(), ", ")
	ways := []string{}
	way := func(says, from string, conditions ...string) {
		ways = append(ways, lines("-- "+says, "SELECT stitching, unit_id, "+columns, "FROM "+s.prefix+"events AS e "+from, where(conditions...)))
	}
	const (
		account = "JOIN accounts AS a ON a.account = e.account AND happened_at >= since AND happened_at < until"
		itself  = "JOIN devices AS d ON d.device = e.device AND happened_at >= since AND happened_at < until"
		user    = "JOIN used AS u ON u.device = e.device AND happened_at >= from_ts AND happened_at < to_ts\n" +
			"  JOIN accounts AS a USING (stitching)"
		users   = "u.account = a.account AND happened_at >= since AND happened_at < until"
		nobody  = "NOT EXISTS (SELECT 1 FROM used AS u WHERE u.stitching = d.stitching AND u.device = e.device AND happened_at >= from_ts AND happened_at < to_ts)"
		unknown = "NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.stitching = a.stitching AND d.device = e.device)"
	)
	unnamed := "" // the condition of an event without an account
	if r.account {
		unnamed = "e.account IS NULL"
	}
	byAccount := w.Experiment.AssignedBy == experiment.Account
	first := byAccount && !slices.Equal(w.Stitchings, []string{device}) // accounts go first, under some stitching
	last := !byAccount || slices.Contains(w.Stitchings, device)         // devices do
	but, only := "", ""
	if first && last {
		but, only = "stitching <> 'device'", "stitching = 'device'"
	}
	switch {
	case !r.device:
		way("the account's", account)
	default:
		if first && r.account {
			way("the account's", account, but)
		}
		if first && r.anonymous {
			way("without an account: of whoever used the device", user, users, unnamed)
			way("of a device that nobody known used: the device's own", itself, but, unnamed, nobody)
		}
		if last {
			way("the device's", itself, only)
		}
		if last && r.account {
			way("of a device that is nobody's: the account's", account, only, unknown)
		}
		if last && r.anonymous && w.written["used"] && !byAccount {
			way("without an account too: of whoever used the device", user, users, unnamed, unknown)
		}
	}
	w.with(s.prefix+"owned", "the units that the events are of", strings.Join(ways, "\nUNION ALL\n"))
}
