package graph

import "strconv"

// Status is what became of a link.
type Status uint8

// What a link may become. The last is the first of many: one a type, see [LimitOf].
const (
	Linked     Status = iota // accepted: it joined two clusters; such links form a spanning forest of the profiles
	Implied                  // both ends were in one cluster already
	SharedA                  // the first end is shared, so it merges nothing
	SharedB                  // the second is
	SharedBoth               // both are
	Outside                  // an end is of a type that takes no part in profiles
	Cannot                   // a human decision keeps apart what it would join
	Bridge                   // a device that is attached already would bridge two clusters
	Size                     // the profile would have too many identifiers
	limit      Status = 128  // a profile would have too many identifiers of a unique namespace
)

// maxTypes is bounded by what a status can name.
const maxTypes = 256 - int(limit)

// LimitOf is the status of a link that would give a profile too many identifiers of a type.
func LimitOf(t uint8) Status { return limit + Status(t) }

// Limited names the type whose limit refused the link, if one did.
func (s Status) Limited() (t uint8, is bool) {
	if s < limit {
		return 0, false
	}
	return uint8(s - limit), true
}

// Together reports whether both ends are in one profile.
func (s Status) Together() bool { return s == Linked || s == Implied }

var statusNames = [...]string{
	Linked: "linked", Implied: "implied", SharedA: "shared_left", SharedB: "shared_right", SharedBoth: "shared_both",
	Outside: "outside", Cannot: "cannot", Bridge: "bridge", Size: "size",
}

// String gives the status in a word. It knows no types; [Rules.Reason] names that of a limit.
func (s Status) String() string {
	switch {
	case int(s) < len(statusNames):
		return statusNames[s]
	case s >= limit:
		return "limit"
	default:
		return "status(" + strconv.Itoa(int(s)) + ")"
	}
}
