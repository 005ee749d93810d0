package observe

import (
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// device is what is known of a device: its type, and the rule that its links have.
type device struct {
	is   string
	rule int64
}

var (
	app     = device{table.TypeApp, table.RuleApp}
	cookie  = device{table.TypeCookie, table.RuleCookie}
	tv      = device{table.TypeTV, table.RuleShared}
	unknown = device{table.TypeDevice, table.RuleApp}
)

// typed reads the type in raw/product_device.
func typed(text string) device {
	switch text {
	case "phone", "tablet":
		return app
	case "web":
		return cookie
	case "tv":
		return tv
	}
	return unknown
}

// onPlatform reads the platform in raw/web_event.
func onPlatform(text string) device {
	switch text {
	case "ios", "android":
		return app
	case "web":
		return cookie
	case "tv":
		return tv
	}
	return unknown
}

// together: an account on a device, of which the row does not say what it is.
func together(r *rows) {
	accounts, devices := r.ids("account"), r.ids("device")
	t, seen := r.tally(table.TypeAccount, unknown.is, unknown.rule), r.seen()
	for row, at := range r.at {
		if account := accounts(row); !t.link(account, devices(row), at) && !account.IsZero() {
			seen.add(account, identifier.ID{}, at)
		}
	}
}

// productDevice: the account that registered a device. A device without one still says of what type it is.
func productDevice(r *rows) {
	accounts, devices := r.ids("account"), r.ids("device")
	kinds := each(r, "type", typed)
	registered := each(r, "type", func(text string) *tally {
		d := typed(text)
		return r.tally(table.TypeAccount, d.is, d.rule)
	})
	alone := each(r, "type", func(text string) *tally {
		d := typed(text)
		return r.tally(d.is, table.TypeDevice, d.rule)
	})
	for row, at := range r.at {
		account, id := accounts(row), devices(row)
		switch {
		case id.IsZero():
		case !account.IsZero():
			registered(row).add(account, id, at)
		case kinds(row) != unknown:
			alone(row).add(id, identifier.ID{}, at)
		}
	}
}

// webEvent: a browser or an app and the account that was logged in, or the address or phone that the site sent in its
// place. A row without consent shows nothing.
func webEvent(r *rows) {
	accounts, devices, emails, phones := r.ids("account"), r.ids("device"), r.ids("email_hash"), r.ids("phone_hash")
	refused, seen := r.is("analytics_consent", false), r.seen()
	type tallies struct{ account, email, phone *tally }
	by := each(r, "platform", func(text string) tallies {
		d := onPlatform(text)
		sent := max(table.RuleCookie, d.rule)
		return tallies{
			r.tally(table.TypeAccount, d.is, d.rule), r.tally(d.is, table.TypeEmail, sent), r.tally(d.is, table.TypePhone, sent),
		}
	})
	for row, at := range r.at {
		if refused(row) {
			continue
		}
		to := by(row)
		if account := accounts(row); !to.account.link(account, devices(row), at) && !account.IsZero() {
			seen.add(account, identifier.ID{}, at)
		}
		to.email.link(devices(row), emails(row), at)
		to.phone.link(devices(row), phones(row), at)
	}
}
