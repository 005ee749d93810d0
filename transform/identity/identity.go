// Package identity says who is one person: which identifiers belong together, as the nights have found it (package night),
// and who used a device when (package timeline). This package reads what they have made.
package identity

// The stitchings: what counts as belonging together.
const (
	AsOfExposure = "as_of_exposure" // decides: what was linked before a unit's first exposure
	Device       = "device"         // nothing: every device for itself
	Strict       = "strict"         // links of classes 0 and 1
	Latest       = "latest"         // all links, as known by the end of the night
	Loose        = "loose"          // those that were refused for size too
)
