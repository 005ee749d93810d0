package money_test

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/currency"

	"crosslift/schemas/money"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, currency string
		want           int64
		fault          string
	}{
		{"12.50", "RUB", 1250, ""},
		{"-12.5", "RUB", -1250, ""},
		{"+12", "EUR", 1200, ""},
		{"0012.05", "EUR", 1205, ""},
		{".5", "EUR", 50, ""},
		{"12.5000", "EUR", 1250, ""},
		{"199", "JPY", 199, ""},
		{"199.00", "JPY", 199, ""},
		{"1.234", "KWD", 1234, ""},
		{"1.2345", "CLF", 12345, ""},
		{"0.1", "USD", 10, ""},
		{"92233720368547758.07", "USD", 9223372036854775807, ""},
		{"-92233720368547758.08", "USD", -9223372036854775808, ""},
		{"92233720368547758.08", "USD", 0, "too large"},
		{"-92233720368547758.09", "USD", 0, "too large"},
		{"99999999999999999999999", "JPY", 0, "too large"},
		{"12.505", "RUB", 0, "at most 2 decimals"},
		{"0.5", "JPY", 0, "whole number"},
		{"", "RUB", 0, "expected a number"},
		{"-", "RUB", 0, "expected a number"},
		{".", "RUB", 0, "expected a number"},
		{"5.", "RUB", 0, "expected a number"},
		{"1,50", "RUB", 0, "expected a number"},
		{"1 000", "RUB", 0, "expected a number"},
		{"1.000.00", "RUB", 0, "expected a number"},
		{"1e3", "RUB", 0, "expected a number"},
		{"١٢", "RUB", 0, "expected a number"},
		{"12", "rub", 0, "ISO 4217"},
		{"12", "", 0, "ISO 4217"},
	} {
		got, err := money.Parse(c.text, c.currency)
		if c.fault == "" && (err != nil || got != c.want) {
			t.Errorf("%q %s: got %d, %v; want %d", c.text, c.currency, got, err, c.want)
		}
		if c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%q %s: got %d, %v; want an error with %q", c.text, c.currency, got, err, c.fault)
		}
		if bytes, again := money.Parse([]byte(c.text), c.currency); bytes != got || (again == nil) != (err == nil) {
			t.Errorf("%q %s: bytes give %d, %v", c.text, c.currency, bytes, again)
		}
	}
}

// CLDR follows usage, which may have fewer decimals than ISO 4217, never more; what it calls legal tender is in the table.
func TestCodesAreKnownElsewhere(t *testing.T) {
	t.Parallel()
	newer := "SLE VED XAD XCG ZWG" // younger than x/text's tables
	for code, want := range map[string]int{"RUB": 2, "JPY": 0, "KWD": 3, "EUR": 2, "KRW": 0, "TND": 3, "CHF": 2, "VND": 0, "UYW": 4} {
		n, err := money.Exponent(code)
		if err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", code, n, err, want)
		}
	}
	for it := currency.Query(); it.Next(); {
		code := it.Unit().String()
		n, err := money.Exponent(code)
		if err != nil {
			continue // funds, metals and tests, which nobody pays in, are not in the table
		}
		if _, err := currency.ParseISO(code); err != nil && !strings.Contains(newer, code) {
			t.Errorf("%s: unknown to CLDR", code)
		}
		if scale, _ := currency.Standard.Rounding(it.Unit()); scale > n {
			t.Errorf("%s: %d decimals, CLDR writes %d", code, n, scale)
		}
	}
	withdrawn := "MRO VEF" // in 2018, which x/text does not know yet
	for it := currency.Query(); it.Next(); {
		if code := it.Unit().String(); code[0] != 'X' && !strings.Contains(withdrawn, code) {
			if _, err := money.Exponent(code); err != nil {
				t.Errorf("%s is legal tender, but not in the table", code)
			}
		}
	}
}

// Decimal agrees with rational arithmetic on every text.
func FuzzDecimal(f *testing.F) {
	for _, text := range []string{"12.50", "-0.00", "9223372036854775808", ".5", "5.", "1e5", "0x10", "1_000", "+7"} {
		f.Add(text, uint8(2))
	}
	grammar := regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)$`)
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		n := int(decimals % 7)
		got, err := money.Decimal(text, n)
		var want *big.Rat
		if grammar.MatchString(text) && len(text) < 1000 {
			want, _ = new(big.Rat).SetString(text)
			want.Mul(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)))
		}
		exact := want != nil && want.IsInt() && want.Num().IsInt64()
		if len(text) < 1000 && exact != (err == nil) {
			t.Fatalf("%q with %d decimals: got %d, %v; exact is %v", text, n, got, err, want)
		}
		if exact && want.Num().Int64() != got {
			t.Fatalf("%q with %d decimals: got %d, want %v", text, n, got, want)
		}
		if err != nil && text != "" && len(text) > 12 && strings.Contains(err.Error(), text) {
			t.Fatalf("the error repeats the text: %v", err)
		}
	})
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for exponent := range 5 {
		codes := money.Currencies(exponent)
		if !slices.IsSorted(codes) || (len(codes) == 0) != (exponent == 1) {
			t.Errorf("%d decimals: %v", exponent, codes)
		}
		for _, code := range codes {
			if n, err := money.Exponent(code); n != exponent || err != nil {
				t.Errorf("%s has %d decimals, not %d: %v", code, n, exponent, err)
			}
		}
	}
}
