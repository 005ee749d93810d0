package payments

import (
	"errors"
	"strings"

	"crosslift/schemas/money"
)

// Stripe's amounts are integers of what it takes for a currency's smallest unit: hundredths, but for these. Its
// documentation, "Supported currencies", gives both lists. ISK and UGX have no decimals in ISO 4217 but are charged in
// hundredths; MGA has two in ISO 4217 but is charged in whole units.
var (
	wholes      = set("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")
	thousandths = set("BHD JOD KWD OMR TND")
	hundredths  = set("ISK UGX") // of the currencies that do not have two decimals
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}

// unit reads Stripe's currency and gives its ISO 4217 code and how amounts become minor units: times and by.
func unit(currency string) (code string, times, by int64, err error) {
	code = strings.ToUpper(currency)
	iso, err := money.Exponent(code)
	if err != nil {
		return "", 0, 0, err
	}
	switch {
	case thousandths[code] || wholes[code] && iso == 0:
		return code, 1, 1, nil
	case wholes[code]:
		return code, 100, 1, nil
	case hundredths[code]:
		return code, 1, 100, nil
	case iso == 2:
		return code, 1, 1, nil
	}
	return "", 0, 0, errors.New("a currency whose amounts Stripe does not describe")
}

// minor turns amounts of Stripe into minor units of ISO 4217, in place, and gives the currency's code.
func minor(currency string, amounts ...*int64) (code string, err error) {
	code, times, by, err := unit(currency)
	if err != nil {
		return "", fieldError("currency", err.Error())
	}
	for _, a := range amounts {
		n := *a * times
		if n/times != *a {
			return "", fieldError("amount", "the number is too large")
		}
		if n%by != 0 {
			return "", fieldError("amount", "expected a whole number of the currency's minor unit")
		}
		*a = n / by
	}
	return code, nil
}
