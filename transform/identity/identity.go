// Package identity says who is one person: which identifiers belong together, as the nights have found it (package night),
// and who used a device when (package timeline). This package reads what they have made.
package identity
