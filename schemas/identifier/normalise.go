package identifier

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// ErrBlocked is returned for values that identify nobody: empty ones and the placeholders that broken integrations
// send. Linking by them would glue strangers together.
var ErrBlocked = errors.New("a placeholder, not an identifier")

// ErrInvalid is wrapped by the error of a value that is not what its kind says, such as a phone number that cannot
// exist. It stays an attribute of its source and identifies nobody.
var ErrInvalid = errors.New("not a valid identifier")

// ErrCardNumber is returned for a full card number: it is refused, not hashed, since the few numbers that a bank
// issues can be tried one by one.
var ErrCardNumber = errors.New("a full card number where the card's token was expected: keep it out of the source's answer")

var errNotText = errors.New("not UTF-8")

type invalid string

func (e invalid) Error() string { return string(e) }
func (e invalid) Unwrap() error { return ErrInvalid }

const (
	errEmail = invalid("not an e-mail address")
	errPhone = invalid("not a phone number that can exist; one without its country's code needs the region")
)

// Normalise gives the form of a value that is hashed. Account and device ids and card tokens are case-sensitive and
// kept verbatim, without the white space around them; e-mail addresses and phone numbers have one form each.
func Normalise(kind Kind, value string) (string, error) {
	if !utf8.ValidString(value) {
		return "", errNotText
	}
	value = strings.TrimSpace(value)
	if placeholder(value) {
		return "", ErrBlocked
	}
	switch kind {
	case Device:
		if monotonous(value) {
			return "", ErrBlocked
		}
	case Email:
		return email(value)
	case EmailFolded:
		return folded(value)
	case Phone:
		return E164(value, "")
	case Card:
		if cardNumber(value) {
			return "", ErrCardNumber
		}
	}
	return value, nil
}

// placeholders are what broken integrations send for "nobody", in lower case.
var placeholders = set("null undefined none nil nan anonymous unknown invalid guest n/a -1 (not-set) (none)",
	"(not set)", "not set", "[object object]")

// placeholder reports whether a value, of whatever kind, stands for nobody. Zeros and dashes alone are a nil UUID or a
// cleared counter.
func placeholder(value string) bool {
	if len(value) > longestPlaceholder && value[0] != '0' && value[0] != '-' { // nearly all
		return false
	}
	return strings.Trim(value, "0-") == "" || len(value) <= longestPlaceholder && placeholders[strings.ToLower(value)]
}

// longestPlaceholder is the length of the longest of placeholders.
const longestPlaceholder = len("[object object]")

// monotonous reports whether a device id of some length has fewer than three distinct characters, as the ids of
// emulators and of tracking that was switched off do.
func monotonous(value string) bool {
	if len(value) < 6 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(value)
	second := first
	for _, c := range value {
		switch {
		case c == first || c == second:
		case second == first:
			second = c
		default:
			return false
		}
	}
	return true
}

// email gives the local part and the domain in lower case, the domain in its ASCII form. The text is compared after
// Unicode's NFKC, so that full-width letters and ligatures are what they look like.
func email(value string) (string, error) {
	if ascii(value) {
		value = strings.TrimSpace(strings.ToLower(value))
	} else {
		value = strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(value))))
	}
	at := strings.LastIndexByte(value, '@')
	if at <= 0 {
		return "", errEmail
	}
	local, domain := value[:at], strings.TrimSuffix(value[at+1:], ".")
	if !plainDomain(domain) {
		var err error
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", errEmail
		}
	}
	dot := strings.LastIndexByte(domain, '.')
	if dot <= 0 || dot == len(domain)-1 || domain[0] == '.' || strings.Contains(domain, "..") || strings.ContainsFunc(local, notInAddress) {
		return "", errEmail
	}
	if automatic[local] || reserved(domain[:dot], domain[dot+1:]) {
		return "", ErrBlocked
	}
	if strings.HasPrefix(value[at+1:], domain) {
		return value[:at+1+len(domain)], nil
	}
	return local + "@" + domain, nil
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// plainDomain reports whether a domain is made of labels that IDNA leaves as they are: small letters and digits, and
// hyphens inside of a label but not at its third and fourth place.
func plainDomain(domain string) bool {
	start := 0
	for i := range len(domain) {
		switch c := domain[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		case c == '.':
			start = i + 1
		case c == '-' && i > start && i+1 < len(domain) && domain[i+1] != '.' && domain[i+1] != '-':
		default:
			return false
		}
	}
	return true
}

// notInAddress holds for what an unquoted local part cannot have: spaces, control characters and separators of lists.
func notInAddress(c rune) bool {
	if c < utf8.RuneSelf {
		return separators[c]
	}
	return unicode.IsSpace(c) || unicode.IsControl(c)
}

// separators are those of ASCII.
var separators = func() (is [utf8.RuneSelf]bool) {
	for c := range rune(utf8.RuneSelf) {
		is[c] = c <= ' ' || c == 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, c)
	}
	return is
}()

// automatic are local parts behind which nobody reads.
var automatic = set("noreply no-reply no_reply donotreply do-not-reply")

// reserved reports whether a domain, cut at its last dot, can belong to nobody: RFC 2606 and RFC 6761.
func reserved(before, last string) bool {
	switch last {
	case "test", "example", "invalid", "localhost":
		return true
	case "com", "net", "org":
		return before == "example" || strings.HasSuffix(before, ".example")
	}
	return false
}

// tagged are the providers that deliver ann+anything to ann.
var tagged = set("gmail.com outlook.com hotmail.com live.com icloud.com me.com fastmail.com proton.me protonmail.com pm.me " +
	"yandex.ru yandex.com yandex.by yandex.kz ya.ru")

// folded gives the address to which a provider delivers several spellings: without the tag behind a plus sign where it
// is known to be cut, and at Gmail without dots, whatever of its two domains is written. Two addresses with one folded
// form are very likely one mailbox, and may be two people's only where a provider changes its rules.
func folded(value string) (string, error) {
	address, err := email(value)
	if err != nil {
		return "", err
	}
	local, domain, _ := strings.Cut(address, "@")
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if tag := strings.IndexByte(local, '+'); tag > 0 && tagged[domain] {
		local = local[:tag]
	}
	if bare := strings.ReplaceAll(local, ".", ""); domain == "gmail.com" && bare != "" {
		local = bare
	}
	if automatic[local] {
		return "", ErrBlocked
	}
	return local + "@" + domain, nil
}

// E164 gives a phone number in international form, such as +79161234567. Region is the ISO 3166-1 code of the country
// in which a number without a country code was written; "" takes international numbers only. An extension is cut:
// behind it sits whoever answers.
func E164(value, region string) (string, error) {
	if placeholder(strings.TrimSpace(value)) {
		return "", ErrBlocked
	}
	if number := russianMobile(value, region); number != "" {
		return number, nil
	}
	number, err := phonenumbers.Parse(norm.NFKC.String(value), region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", errPhone
	}
	number.Extension = nil
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// russianMobile reads the numbers that most of ours are, +7 9… or in Russia 8 9… or 9…, without the library, which takes
// 7 to 14 µs a number. To it all of ten digits from 9 on are valid, so that the answer is the same. Others give "".
func russianMobile(value, region string) string {
	digits := [12]byte{'+'}
	n := 1
	for i := range len(value) {
		switch c := value[i]; {
		case '0' <= c && c <= '9':
			if n == len(digits) {
				return ""
			}
			digits[n] = c
			n++
		case c == '+' && i == 0:
		case (c == ' ' || c == '-' || c == '(' || c == ')') && i > 0:
		default:
			return ""
		}
	}
	switch {
	case n == 12 && digits[2] == '9' && (value[0] == '+' && digits[1] == '7' || value[0] == '8' && region == "RU"):
		digits[1] = '7'
	case n == 11 && value[0] == '9' && region == "RU":
		copy(digits[2:], digits[1:])
		digits[1] = '7'
	default:
		return ""
	}
	if string(digits[:]) == value {
		return value
	}
	return string(digits[:])
}

// KnownRegion reports whether E164 knows a country's code.
func KnownRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }

// CardToken gives the value of a Card: a payment system's token or fingerprint of a card means something inside one
// account of that system only, so both belong to the identifier.
func CardToken(system, account, token string) (string, error) {
	token, err := Normalise(Card, token)
	if err != nil {
		return "", err
	}
	return system + "/" + account + "/" + token, nil
}

// cardNumber reports whether a value is a full card number: 13 to 19 digits, grouped or not, with the check digit of
// ISO/IEC 7812-1.
func cardNumber(value string) bool {
	sum, digits := 0, 0
	for i := len(value) - 1; i >= 0; i-- {
		switch c := value[i]; {
		case c == ' ' || c == '-':
		case c < '0' || c > '9':
			return false
		default:
			d := int(c - '0')
			if digits%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
			digits++
		}
	}
	return digits >= 13 && digits <= 19 && sum%10 == 0
}

func set(words string, more ...string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	for _, word := range more {
		m[word] = true
	}
	return m
}
