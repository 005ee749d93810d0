package bankapi

import (
	"fmt"
	"strings"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/money"
)

// amount is one in major units.
type amount struct {
	Amount   string
	Currency string
}

// transaction is an entry of an account. Its fields are those of the standard.
type transaction struct {
	AccountId              string
	TransactionId          string `json:",omitempty"`
	TransactionReference   string `json:",omitempty"`
	CreditDebitIndicator   string
	Status                 string
	BookingDateTime        string
	ValueDateTime          string `json:",omitempty"`
	TransactionInformation string `json:",omitempty"`
	Amount                 amount
	BankTransactionCode    *transactionCode `json:",omitempty"`
	MerchantDetails        *merchant        `json:",omitempty"`
	CardInstrument         *card            `json:",omitempty"`
	SupplementaryData      *supplement      `json:",omitempty"`
}

type transactionCode struct{ Code, SubCode string }

type merchant struct{ MerchantCategoryCode string }

type card struct {
	CardSchemeName string
	Identification string `json:",omitempty"`
}

// supplement is what the standard leaves to the bank and its partner. CardMask is for schemes that the standard does not
// know.
type supplement struct {
	Rrn               string `json:",omitempty"`
	AuthorisationCode string `json:",omitempty"`
	ClientReference   string `json:",omitempty"`
	CardMask          string `json:",omitempty"`
}

// accrual is one of the extension.
type accrual struct {
	AccrualId            string
	Revision             int64
	CampaignId           string
	ClientReference      string            `json:",omitempty"`
	CardInstrument       *card             `json:",omitempty"`
	PaymentReference     *paymentReference `json:",omitempty"`
	PurchaseDateTime     string            `json:",omitempty"`
	PurchaseAmount       *amount           `json:",omitempty"`
	Rate                 string            `json:",omitempty"`
	CapApplied           bool
	AccrualAmount        amount
	CreditDebitIndicator string
	ReversalOf           string `json:",omitempty"`
	Status               string
	StatusReason         string `json:",omitempty"`
	AccruedDateTime      string
	PostedDateTime       string `json:",omitempty"`
	ReversedDateTime     string `json:",omitempty"`
	StatusUpdateDateTime string
}

type paymentReference struct {
	Rrn               string `json:",omitempty"`
	AuthorisationCode string `json:",omitempty"`
	TransactionId     string `json:",omitempty"`
}

// account is one of the list. Its fields are those of the standard.
type account struct {
	AccountId      string
	Status         string
	Currency       string
	AccountType    string
	AccountSubType string
	Nickname       string
}

// links are the addresses around a page.
type links struct {
	Self  string
	First string `json:",omitempty"`
	Next  string `json:",omitempty"`
}

// written gives a time in the bank's zone, "" for none.
func written(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	return at.In(zone).Format("2006-01-02T15:04:05.999999Z07:00")
}

// decimal gives minor units, which have no sign, in major ones.
func decimal(minor int64, currency string) (string, error) {
	places, err := money.Exponent(currency)
	if err != nil {
		return "", fmt.Errorf("currency of the world: %w", err)
	}
	if minor < 0 {
		return "", fmt.Errorf("an amount of the bank is below zero: its direction says the sign")
	}
	text := fmt.Sprintf("%0*d", places+1, minor)
	if places == 0 {
		return text, nil
	}
	return text[:len(text)-places] + "." + text[len(text)-places:], nil
}

// indicator gives a direction in the standard's words.
func indicator(direction string) string {
	if direction == "credit" {
		return "Credit"
	}
	return "Debit"
}

// masked is what a bank shows of a card.
func masked(c world.Card) string {
	if c.First6 == "" || c.Last4 == "" {
		return ""
	}
	return c.First6 + "******" + c.Last4
}

// scheme tells a card's scheme from its first digits, by ISO/IEC 7812: in the standard's words, or MIR, which it does
// not know.
func scheme(first6 string) string {
	switch {
	case strings.HasPrefix(first6, "4"):
		return "VISA"
	case first6 >= "220000" && first6 < "220500":
		return "MIR"
	case strings.HasPrefix(first6, "34"), strings.HasPrefix(first6, "37"):
		return "AmericanExpress"
	}
	return "MasterCard"
}
