package bank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// The fields of the three kinds of record, each after the one that names its kind.
const (
	headerFields  = 8
	detailFields  = 16
	trailerFields = 6
)

// checker reads a file through and holds it against its own control totals.
type checker struct {
	lines    *lines
	previous int64 // sequence number that the header names; 0 for none
	sums     map[string]control
	trailers map[string]control
	details  int64
}

// check makes sure that a file is what the plan saw, what the bank has announced and what its trailers say. Nothing of
// it is used before.
func (r *registry) check(ctx context.Context, f delivery, want string) (*checker, error) {
	content, err := r.config.Store.Open(ctx, f.Object)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	c := &checker{sums: map[string]control{}, trailers: map[string]control{}}
	h := sha256.New()
	stored := io.TeeReader(sequential(ctx, content), h)
	wrong := c.read(r, f, stored)
	if _, err := io.Copy(io.Discard, stored); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return nil, errChanged // rather than what it led to
	}
	announced, err := r.announced(ctx, f)
	switch {
	case err != nil:
		return nil, err
	case announced != want:
		return nil, refuse(0, "expected content with the SHA-256 that its .sha256 announces")
	case wrong != nil:
		return nil, wrong
	}
	return c, r.checkSequence(ctx, f, want, c.previous)
}

// read goes through a file's records: a header, the details, a trailer a currency.
func (c *checker) read(r *registry, f delivery, stored io.Reader) error {
	var err error
	if c.lines, err = r.openLines(stored, f.Name); err != nil {
		return err
	}
	for {
		fields, _, err := c.lines.next()
		n := c.lines.number
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		kind := string(fields[0])
		switch {
		case n == 1:
			err = c.header(r, f, fields)
		case kind == "D" && len(c.trailers) == 0:
			err = c.detail(fields)
		case kind == "TD":
			err = c.trailer(fields)
		case len(c.trailers) > 0:
			err = errors.New("expected TD, or the end of the file")
		default:
			err = errors.New("expected D or TD")
		}
		if err != nil {
			return refuse(n, "%s", err)
		}
	}
	switch {
	case c.lines.number == 0:
		return refuse(0, "expected HD in its first line, found no line")
	case len(c.trailers) == 0:
		return refuse(c.lines.number, "expected TD after it: the file is cut off")
	}
	return c.compare()
}

// header reads HD;1;<bank>;<campaign>;<business date>;<seq>;<created at>;<previous seq>.
func (c *checker) header(r *registry, f delivery, fields [][]byte) error {
	if string(fields[0]) != "HD" || len(fields) != headerFields {
		return fmt.Errorf("expected HD with %d fields", headerFields)
	}
	seq, err := strconv.ParseInt(string(fields[5]), 10, 64)
	date, dateErr := table.ParseDay(string(fields[4]))
	_, createdErr := time.Parse(time.RFC3339, string(fields[6]))
	switch {
	case string(fields[1]) != "1":
		return errors.New("expected version 1 of the format")
	case r.config.BankID != "" && string(fields[2]) != r.config.BankID:
		return fmt.Errorf("expected the bank %s", r.config.BankID)
	case string(fields[3]) != r.config.Campaign:
		return fmt.Errorf("expected the campaign %s", r.config.Campaign)
	case dateErr != nil || date != f.date:
		return fmt.Errorf("expected the business date %s, as in the file's name", f.date)
	case err != nil || seq != f.seq:
		return fmt.Errorf("expected the sequence number %d, as in the file's name", f.seq)
	case createdErr != nil:
		return errors.New("expected a time with its zone in field 7, such as 2006-01-02T15:04:05+03:00")
	}
	if len(fields[7]) == 0 {
		return nil // the first file of all
	}
	c.previous, err = strconv.ParseInt(string(fields[7]), 10, 64)
	if err != nil || c.previous < 0 || c.previous >= seq {
		return fmt.Errorf("expected a previous sequence number below %d", seq)
	}
	return nil
}

// detail adds a row to the sums. What is summed must be readable, else the file cannot be judged; the rest of a row is
// its own matter.
func (c *checker) detail(fields [][]byte) error {
	if len(fields) != detailFields {
		return fmt.Errorf("expected %d fields", detailFields)
	}
	if c.details++; string(fields[1]) != strconv.FormatInt(c.details, 10) {
		return fmt.Errorf("expected the line number %d in field 2: lines are missing, or in disorder", c.details)
	}
	currency := string(fields[10])
	if _, err := money.Exponent(currency); err != nil {
		return fmt.Errorf("currency: %w", err)
	}
	minor, err := amount(string(fields[11]), currency)
	if err != nil {
		return fmt.Errorf("accrual amount: %w", err)
	}
	sum := c.sums[currency]
	sum.rows++
	into := &sum.credit
	switch string(fields[12]) {
	case "C":
	case "D":
		into = &sum.debit
	default:
		return errors.New("expected C or D in field 13")
	}
	if *into > math.MaxInt64-minor {
		return errors.New("expected a sum that fits 64 bits")
	}
	*into += minor
	if reference := string(fields[6]); reference != "" {
		if !digits(reference, 1, 12) {
			return errors.New("rrn: expected up to 12 digits, or nothing")
		}
		number, err := strconv.ParseUint(reference, 10, 64)
		if err != nil {
			return errors.New("rrn: expected up to 12 digits, or nothing")
		}
		sum.references = (sum.references + number) % referenceModulus
	}
	c.sums[currency] = sum
	return nil
}
