package ga

import (
	"net/url"
	"regexp"
	"strings"

	"crosslift/schemas/identifier"
)

// printableName is what the name of a column or a parameter may be to be shown.
var printableName = regexp.MustCompile(`^[A-Za-z0-9_.]{1,64}$`)

func printable(name string) bool { return printableName.MatchString(name) }

// shown is a name of the source's as it may be announced: a site can put anything into a parameter's key.
func shown(path, name string) string {
	if !printable(name) || identifier.Redact(name) != name {
		return path + "(unprintable)"
	}
	return path + name
}

// clean gives what may be kept of a text of the site's: of a URL scheme, host and path; and nothing that looks like an
// e-mail address, a phone or a card number, even where it is percent-encoded.
func clean(text string) string {
	text = strings.ToValidUTF8(cutURL(text), "\uFFFD")
	redacted := redact(text)
	for plain, n := text, 0; n < 3 && strings.Contains(plain, "%"); n++ { // encoded thrice at most
		decoded, err := url.PathUnescape(plain)
		if err != nil {
			decoded = unescapeLoosely(plain)
		}
		if decoded == plain {
			break
		}
		plain = strings.ToValidUTF8(decoded, "\uFFFD")
		if r := redact(plain); r != plain {
			redacted = r
		}
	}
	return redacted
}

// unescapeLoosely decodes what is percent-encoded and leaves other percent signs as they are.
func unescapeLoosely(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if decoded, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// redact is identifier.Redact, which is asked only where it can find something: regular expressions are slow.
func redact(text string) string {
	digits := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits >= 7 {
				return identifier.Redact(text)
			}
		case c == '@' || c == '%':
			return identifier.Redact(text)
		}
	}
	return text
}

// cutURL cuts what is a URL to scheme, host and path, and what is a path to itself. Other texts stay as they are.
func cutURL(text string) string {
	trimmed := strings.TrimSpace(text)
	scheme, rest, isURL := strings.Cut(trimmed, "://")
	if !isURL || !isScheme(scheme) || strings.ContainsAny(rest, " \t\n") {
		if strings.HasPrefix(trimmed, "/") || opaque(trimmed) {
			return trimmed[:pathEnd(trimmed)]
		}
		if isURL {
			return behindURL.ReplaceAllString(text, "")
		}
		return text
	}
	rest = rest[:pathEnd(rest)]
	host, path, hasPath := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if hasPath {
		path = "/" + path
	}
	return scheme + "://" + host + path
}

// pathEnd is where the query or the fragment of a URL begins; some sites put parameters behind a semicolon.
func pathEnd(address string) int {
	if i := strings.IndexAny(address, "?#;"); i >= 0 {
		return i
	}
	return len(address)
}

// opaque reports whether a text is a URL without a host, such as mailto:, or one that lacks its scheme.
func opaque(text string) bool {
	before, _, found := strings.Cut(text, "?")
	return found && !strings.ContainsAny(before, " \t\n") && strings.ContainsAny(before, "./:")
}

// behindURL matches what may be the query or the fragment of a URL within a text.
var behindURL = regexp.MustCompile(`[?#;]\S+`)

func isScheme(text string) bool {
	for i := range len(text) {
		c := text[i] | 0x20
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || text[i] == '+' || text[i] == '-' || text[i] == '.')) {
			return false
		}
	}
	return text != ""
}
