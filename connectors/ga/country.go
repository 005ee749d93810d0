package ga

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// otherNames are English names of countries that the export or its older tables use beside CLDR's.
var otherNames = map[string]string{
	"hong kong": "HK", "macao": "MO", "macau": "MO", "türkiye": "TR", "turkey": "TR", "north macedonia": "MK",
	"macedonia (fyrom)": "MK", "eswatini": "SZ", "swaziland": "SZ", "cabo verde": "CV", "czech republic": "CZ",
	"myanmar": "MM", "palestine": "PS", "cote d'ivoire": "CI", "ivory coast": "CI", "democratic republic of the congo": "CD",
	"republic of the congo": "CG", "the bahamas": "BS", "the gambia": "GM", "macedonia": "MK", "são tomé and príncipe": "ST",
	"u.s. virgin islands": "VI", "åland islands": "AX", "curacao": "CW", "reunion": "RE", "falkland islands (islas malvinas)": "FK",
}

// countries gives the ISO 3166-1 alpha-2 codes of countries by their English names in CLDR, and by themselves.
func countries() map[string]string {
	codes := map[string]string{}
	names := display.English.Regions()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string(a) + string(b)
			region, err := language.ParseRegion(code)
			if err != nil || !region.IsCountry() || region.Canonicalize().String() != code {
				continue
			}
			if name := names.Name(region); name != "" {
				codes[fold(name)], codes[fold(code)] = code, code
			}
		}
	}
	for name, code := range otherNames {
		codes[fold(name)] = code
	}
	return codes
}

// fold takes away how names differ in spelling only.
func fold(name string) string {
	return strings.NewReplacer("’", "'", " and ", " & ", "saint ", "st. ").Replace(strings.ToLower(strings.TrimSpace(name)))
}
