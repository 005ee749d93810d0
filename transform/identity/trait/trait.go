// Package trait says what the types of identifier mean for who is one person, wherever links are looked at: by a night and
// as of a moment.
package trait

import "crosslift/schemas/table"

// Openness orders the types of a device by how many people may use it: a device that was seen as several things is the
// most open of them. It is 0 for what is no device.
func Openness(typ string) int {
	switch typ {
	case table.TypeDevice:
		return 1
	case table.TypeApp:
		return 2
	case table.TypeCookie:
		return 3
	case table.TypeBrowser:
		return 4
	case table.TypeTV:
		return 5
	}
	return 0
}

// Class is the strongest class that a link to an identifier of a type may have, as one of table's rules: a device's links
// are trusted no more than the device.
func Class(typ string) uint8 {
	switch typ {
	case table.TypeApp, table.TypeDevice:
		return table.RuleApp
	case table.TypeCookie:
		return table.RuleCookie
	case table.TypeTV, table.TypeBrowser:
		return table.RuleShared
	}
	return 0
}

// Attribute reports whether an observation from left to right, by type, says what value left has, so that another value of
// the same source, or none, ends it (table.IdentityEdgeRow).
func Attribute(left, right string) bool {
	if left != table.TypeAccount && left != table.TypeCRM {
		return false
	}
	switch right {
	case table.TypeEmail, table.TypeEmailFolded, table.TypePhone, table.TypeConsent:
		return true
	}
	return left == table.TypeCRM && right == table.TypeAccount
}
