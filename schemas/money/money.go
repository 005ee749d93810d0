// Package money reads amounts exactly: decimal text in major units becomes an integer of minor units, with no floating
// point on the way.
package money

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// decimals holds how many decimals of a currency's major unit its minor unit is: ISO 4217:2015, list one, with the
// codes withdrawn since 2020 that older files still hold. (CLDR, and so x/text, follows usage and differs.)
var decimals = index(map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF " +
		"CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK " +
		"HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR " +
		"MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP " +
		"SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG " +
		"YER ZAR ZMW ZWG ZWL",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
})

func index(codes map[int]string) map[string]int {
	byCode := map[string]int{}
	for n, list := range codes {
		for code := range strings.FieldsSeq(list) {
			byCode[code] = n
		}
	}
	return byCode
}

// Exponent is how many decimals a currency's minor unit is of its major unit: 2 for EUR, 0 for JPY, 3 for KWD.
func Exponent(currency string) (int, error) {
	n, ok := decimals[currency]
	if !ok {
		return 0, errors.New("expected an ISO 4217 currency code, such as EUR")
	}
	return n, nil
}

// Currencies lists those whose minor unit is so many decimals of their major unit.
func Currencies(exponent int) []string {
	var codes []string
	for code, n := range decimals {
		if n == exponent {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// Parse reads an amount in major units, such as "-12.50", as minor units of the currency. An amount that is no whole
// number of minor units is an error; errors never hold the text.
func Parse[T string | []byte](text T, currency string) (int64, error) {
	n, err := Exponent(currency)
	if err != nil {
		return 0, err
	}
	return Decimal(text, n)
}

var (
	errSyntax = errors.New("expected a number such as 12.50, with a point and no grouping")
	errRange  = errors.New("the number is too large")
)

// Decimal reads [+-]digits[.digits] as a whole number of 10^-n. Zeros beyond the n-th decimal are no matter; other
// digits there are an error, and so is what does not fit 64 bits.
func Decimal[T string | []byte](text T, n int) (int64, error) {
	i, negative := 0, false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		i++
	}
	const most = uint64(math.MaxInt64) + 1 // the magnitude of the smallest int64
	var value uint64
	var err error
	digit := func(d uint64) {
		if value > (most-d)/10 {
			err = errRange
			return
		}
		value = value*10 + d
	}
	whole, point, places := 0, false, 0
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '.' && !point:
			point = true
			continue
		case c < '0' || c > '9':
			return 0, errSyntax
		case !point:
			whole++
		default:
			places++
		}
		if places <= n {
			digit(uint64(c - '0'))
		} else if c != '0' && err == nil {
			err = tooFine(n)
		}
	}
	if whole+places == 0 || point && places == 0 {
		return 0, errSyntax
	}
	for ; places < n; places++ {
		digit(0)
	}
	switch {
	case err != nil:
		return 0, err
	case negative:
		return -int64(value), nil // −2⁶³ survives the conversion and the sign
	case value == most:
		return 0, errRange
	}
	return int64(value), nil
}

func tooFine(n int) error {
	if n == 0 {
		return errors.New("expected a whole number")
	}
	return fmt.Errorf("expected at most %d decimals", n)
}
