package identifier

import (
	"regexp"
	"strings"
)

// Redacted stands for what Redact has taken out of a text.
const Redacted = "[redacted]"

// address matches what looks like an e-mail address, also where a URL has encoded its @ sign.
var address = regexp.MustCompile(`(?i)[\pL\pN._%+\-]+(?:@|%40)[\pL\pN\-]+(?:\.[\pL\pN\-]+)+`)

// digits matches seven digits or more with the separators of phone and card numbers between them.
var digits = regexp.MustCompile(`\+?\(?\d(?:[ .()\-\x{00a0}]{0,2}\d){6,}`)

// date matches a day, perhaps with the hour behind it, as logs and errors have them.
var date = regexp.MustCompile(`^20\d\d-[01]\d-[0-3]\d(?: \d\d)?$`)

// Redact takes what looks like an e-mail address, a phone number or a card number out of a text of which nobody knows
// what it holds, such as a server's error message. It errs on the side of taking too much: of a number that is not
// personal, seven digits in a row are lost too.
func Redact(text string) string {
	if strings.ContainsAny(text, "@%") {
		text = address.ReplaceAllString(text, Redacted)
	}
	return digits.ReplaceAllStringFunc(text, func(found string) string {
		if date.MatchString(found) {
			return found
		}
		return Redacted
	})
}
