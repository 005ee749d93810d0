package timeline

import (
	"bytes"
	"cmp"

	"crosslift/schemas/identifier"
)

// event is a row of a source in 32 bytes. An authenticated one has an account; a session has web events of both kinds.
type event struct {
	at      int64  // microseconds
	session uint64 // hash of the web session's id; 0: none
	device  uint32
	account uint32 // 0: anonymous
	seconds uint32 // of a viewing
	logout  bool
}

// order is the total order of the events of one device; those that it takes for equal say the same in any order.
func order(accounts []identifier.ID, a, b event) int {
	if c := cmp.Compare(a.at, b.at); c != 0 {
		return c
	}
	if a.logout != b.logout {
		if a.logout {
			return -1
		}
		return 1
	}
	if a.account != b.account {
		return bytes.Compare(accounts[a.account][:], accounts[b.account][:])
	}
	return 0
}

// login is an authenticated event, and how long it shows its account.
type login struct {
	at, until int64 // until is at, or the end of a viewing that goes on; never after the next login's at
	account   uint32
	logout    bool
}

// logins are the authenticated ones among a device's events, which are in order.
func logins(into []login, events []event, viewing int64) []login {
	for _, e := range events {
		if e.account == 0 {
			continue
		}
		l := login{at: e.at, until: e.at + min(int64(e.seconds)*1e6, viewing), account: e.account, logout: e.logout}
		if n := len(into); n > 0 {
			last := &into[n-1]
			if last.account == l.account && !l.logout {
				l.until = max(l.until, last.until)
			}
			last.until = min(last.until, l.at)
		}
		into = append(into, l)
	}
	return into
}
