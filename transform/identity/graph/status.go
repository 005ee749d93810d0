package graph

import "strconv"

// Status is what became of a link.
type Status uint8

// What a link may become. Where several reasons hold against it, the status is the first in this order, but for Size:
// that is the last, so that the loose stitching can take what was refused for it. A limit has a status for each type,
// see [LimitOf].
const (
	Linked     Status = iota // accepted: it joined two profiles; such links form a spanning forest
	Implied                  // both ends are in one profile without it
	Outside                  // an end is of a type that takes no part in profiles
	SharedA                  // the first end is shared, so it merges nothing
	SharedB                  // the second is
	SharedBoth               // both are
	Cannot                   // a human decision keeps apart what it would join
	Bridge                   // a device that is attached already would bridge two profiles
	Size                     // the profile would have too many identifiers
	limit      Status = 128  // the profile would have too many identifiers of a unique namespace
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
	Linked: "linked", Implied: "implied", Outside: "outside",
	SharedA: "shared_left", SharedB: "shared_right", SharedBoth: "shared_both",
	Cannot: "cannot", Bridge: "bridge", Size: "size",
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
