package bank

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// errAmount is the reason for a text that is no amount.
var errAmount = errors.New("expected an amount such as 12.50: up to 13 digits, up to 5 decimals, no sign")

// amount reads an amount in major units as Open Banking writes it, ^\d{1,13}(\.\d{1,5})?$, in minor units. Decimals
// finer than the currency's unit must be zeros.
func amount(text, currency string) (int64, error) {
	whole, decimals, point := strings.Cut(text, ".")
	if !digits(whole, 1, 13) || point && !digits(decimals, 1, 5) {
		return 0, errAmount
	}
	return money.Parse(text, currency)
}

// digits reports whether a text is so many digits and nothing else.
func digits(text string, least, most int) bool {
	if len(text) < least || len(text) > most {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// instant reads a date and time with an offset, RFC 3339.
func instant(text string) (table.Micros, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, errors.New("expected a time such as 2006-01-02T15:04:05+03:00")
	}
	return table.MicrosOf(at), nil
}

// optionalInstant reads a time that may be absent.
func optionalInstant(text string) (*table.Micros, error) {
	if text == "" {
		return nil, nil
	}
	at, err := instant(text)
	if err != nil {
		return nil, err
	}
	return &at, nil
}

// rate reads a share such as 0.9900.
func rate(text string) (*float64, error) {
	whole, decimals, point := strings.Cut(text, ".")
	if !digits(whole, 1, 3) || point && !digits(decimals, 1, 6) {
		return nil, errors.New("expected a share such as 0.9900")
	}
	share, err := strconv.ParseFloat(text, 64)
	return &share, err
}

// accrualStatus and accrualReason are what an accrual may say of itself.
var (
	accrualStatus = map[string]string{
		"Accrued": "accrued", "Posted": "posted", "Reversed": "reversed", "Rejected": "rejected",
	}
	accrualReason = map[string]bool{
		"": true, "CAP_REACHED": true, "NOT_ELIGIBLE": true, "DUPLICATE": true, "REFUNDED": true, "CHARGEBACK": true,
		"EXPIRED": true, "MANUAL": true,
	}
	errStatus = errors.New("expected Accrued, Posted, Reversed or Rejected")
	errReason = errors.New(
		"expected CAP_REACHED, NOT_ELIGIBLE, DUPLICATE, REFUNDED, CHARGEBACK, EXPIRED, MANUAL or nothing")
)

// opaque checks an id of the bank's: text of one line that means nothing to us.
func opaque(text string, most int) error {
	if text == "" || len(text) > 4*most || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("expected an id of up to %d characters", most)
	}
	return nil
}

// masked reads a card number of which the middle is hidden by *, x, X or •: its first six or eight digits and its last
// four. It gives six of the first.
func masked(written string) (first6, last4 string, ok bool) {
	text := strings.ReplaceAll(written, " ", "")
	head := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' })
	if head < 6 || head > 8 {
		return "", "", false
	}
	tail := strings.TrimLeft(text[head:], "*xX•")
	hidden := utf8.RuneCountInString(text[head : len(text)-len(tail)])
	if hidden < 2 || hidden > 9 || !digits(tail, 4, 4) {
		return "", "", false
	}
	return text[:6], tail, true
}

// hasher makes identifiers. What identifies nobody, or is not what its kind says, becomes none.
type hasher struct{ key identifier.Key }

func (h hasher) id(kind identifier.Kind, value string) identifier.ID {
	id, err := h.key.Hash(kind, value)
	if err != nil {
		return identifier.ID{}
	}
	return id
}

// ownKey gives an id of the bank's as it lands: as it is, or, where it is a person's card number, address or phone number
// against all that is agreed, as a hash that is the same wherever the id is.
func (h hasher) ownKey(id string) string {
	_, err := identifier.Normalise(identifier.Card, id)
	if id != "" && (errors.Is(err, identifier.ErrCardNumber) || strings.ContainsAny(id, "@+")) {
		return "hashed-" + h.key.Row([]byte(id)).String()
	}
	return id
}

// card hashes what a bank shows of a card: the mask, as six digits, six stars, four digits, whatever way it is written.
// Many cards share one, so it is a weak sign; it is named for the system "mask", under which every source hashes it.
func (h hasher) card(written string) identifier.ID {
	first6, last4, ok := masked(written)
	if !ok {
		return identifier.ID{}
	}
	token, err := identifier.CardToken("mask", "", first6+"******"+last4)
	if err != nil {
		return identifier.ID{}
	}
	return h.id(identifier.Card, token)
}

// authCode is the issuer's answer to an authorisation, six letters and digits; anything else is left out.
func authCode(text string) string {
	if len(text) == 0 || len(text) > 6 {
		return ""
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return text
}
