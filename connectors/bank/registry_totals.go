package bank

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/money"
)

// control is what a file's trailers say, and what its rows add up to: of one currency.
type control struct {
	rows          int64
	credit, debit int64 // minor units
	references    uint64
}

// referenceModulus cuts the sum of the retrieval reference numbers to ten digits.
const referenceModulus = 10_000_000_000

// trailer reads TD;<rows>;<sum C>;<sum D>;<currency>;<sum of RRNs modulo 10^10>.
func (c *checker) trailer(fields [][]byte) error {
	if len(fields) != trailerFields {
		return fmt.Errorf("expected TD with %d fields", trailerFields)
	}
	currency := string(fields[4])
	if _, err := money.Exponent(currency); err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	if _, twice := c.trailers[currency]; twice {
		return fmt.Errorf("expected one TD of %s", currency)
	}
	rows, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil || rows < 0 {
		return errors.New("expected a number of rows in field 2")
	}
	t := control{rows: rows}
	if t.credit, err = sumOfMoney(string(fields[2]), currency); err != nil {
		return fmt.Errorf("sum of credits: %w", err)
	}
	if t.debit, err = sumOfMoney(string(fields[3]), currency); err != nil {
		return fmt.Errorf("sum of debits: %w", err)
	}
	if t.references, err = strconv.ParseUint(string(fields[5]), 10, 64); err != nil || t.references >= referenceModulus {
		return errors.New("expected up to ten digits in field 6")
	}
	c.trailers[currency] = t
	return nil
}

// sumOfMoney reads a sum, which may be longer than an amount.
func sumOfMoney(text, currency string) (int64, error) {
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		return 0, errors.New("expected no sign")
	}
	return money.Parse(text, currency)
}

// compare holds the rows against the trailers. It names counts and sums of money, but not the references, which join to
// persons where a file has one row.
func (c *checker) compare() error {
	n := c.lines.number
	for _, currency := range c.currencies() {
		told, ok := c.trailers[currency]
		sum := c.sums[currency]
		switch {
		case !ok:
			return refuse(n, "expected a TD of %s, in which it has rows", currency)
		case sum.rows != told.rows:
			return refuse(n, "expected %d rows in %s, as TD says, found %d", told.rows, currency, sum.rows)
		case sum.credit != told.credit:
			return refuse(n, "expected credits of %d minor units of %s, as TD says, found %d", told.credit, currency, sum.credit)
		case sum.debit != told.debit:
			return refuse(n, "expected debits of %d minor units of %s, as TD says, found %d", told.debit, currency, sum.debit)
		case sum.references != told.references:
			return refuse(n, "expected the sum of RRNs in %s that TD says", currency)
		}
	}
	return nil
}

// currencies lists those of rows and trailers, in alphabetical order.
func (c *checker) currencies() []string {
	var all []string
	for currency := range c.sums {
		all = append(all, currency)
	}
	for currency := range c.trailers {
		if _, known := c.sums[currency]; !known {
			all = append(all, currency)
		}
	}
	slices.Sort(all)
	return all
}
