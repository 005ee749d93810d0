package bank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"crosslift/connectors"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Extract writes the rows of a business day, after the files that hold them have been read through and found whole.
func (r *registry) Extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	err := r.extract(ctx, day, inputs, sink)
	if err != nil {
		return fmt.Errorf("%s %s: %w", r.Name(), day, err)
	}
	return nil
}

func (r *registry) extract(ctx context.Context, day table.Day, inputs []connectors.Input, sink connectors.Sink) error {
	found, err := r.deliveries(ctx, day)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(found, inputs, func(d delivery, in connectors.Input) bool { return d.Name == in.Name }) {
		return errors.New("files came or went since the plan was made: run again")
	}
	checked := make([]*checker, len(found))
	for i, f := range found { // all of them before the first row
		if checked[i], err = r.check(ctx, f, inputs[i].SHA256); err != nil {
			return r.of(f, err)
		}
	}
	for i, f := range found {
		rows := &filing{delivery: f, day: day.Window(r.zone), file: f.date.Window(r.cut), sink: sink, registry: r}
		rows.isHome = table.DayOf(rows.file.From, r.zone) == day
		if err := rows.write(ctx, inputs[i].SHA256); err != nil {
			return r.of(f, err)
		}
		if err := rows.totals(checked[i]); err != nil {
			return err
		}
	}
	return nil
}

// of names the file of an error. The sum of one that turned out to be another is forgotten.
func (r *registry) of(f delivery, err error) error {
	if errors.Is(err, errChanged) && r.config.Sums != nil {
		r.config.Sums.Forget(r.config.Store.String(), f.Object)
	}
	return fmt.Errorf("%s: %w", f.Name, err)
}

// filing writes the rows of one file that belong to one business day.
type filing struct {
	delivery
	day, file table.Window // of the business day, and of the date that the file is named for
	isHome    bool         // this day takes the rows whose own day cannot be told
	rejected  bool
	sink      connectors.Sink
	registry  *registry
}

var errOutside = errors.New("status_at: outside the business date of the file")

// write reads the file a second time. That it is still the same is seen at its end: then nothing of the day lands.
func (f *filing) write(ctx context.Context, want string) error {
	content, err := f.registry.config.Store.Open(ctx, f.Object)
	if err != nil {
		return err
	}
	defer content.Close()
	h := sha256.New()
	stored := io.TeeReader(sequential(ctx, content), h)
	lines, err := f.registry.openLines(stored, f.Name)
	if err != nil {
		return err
	}
	var row table.BankAccrualRow
	for {
		fields, raw, err := lines.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if string(fields[0]) != "D" || len(fields) != detailFields {
			continue
		}
		where := connectors.Origin{File: f.Name, Position: lines.number, Raw: raw}
		if err := f.give(&row, fields, where); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, stored); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return errChanged
	}
	return nil
}

// give hands a row to the sink, if it is this day's.
func (f *filing) give(row *table.BankAccrualRow, fields [][]byte, where connectors.Origin) error {
	at, err := instant(string(fields[15]))
	switch {
	case err != nil:
		err = fmt.Errorf("status_at: %w", err)
	case !f.file.Contains(at.Time()):
		err = errOutside
	case !f.day.Contains(at.Time()):
		return nil // another business day takes it
	default:
		if err = f.registry.fill(row, fields, at); err == nil {
			return f.sink.Row(row, where)
		}
		f.rejected = true
		return f.sink.Reject(where, err.Error())
	}
	if !f.isHome {
		return nil
	}
	f.rejected = true
	return f.sink.Reject(where, err.Error())
}

// totals passes on what the trailers say, where the file's date is the business day. The sums are those of all rows,
// so they are left out where one of them was rejected: the file has been held against them already.
func (f *filing) totals(c *checker) error {
	if !f.file.From.Equal(f.day.From) || !f.file.To.Equal(f.day.To) {
		return nil
	}
	if err := f.sink.Total(connectors.Total{Measure: connectors.Rows, Value: c.details}); err != nil || f.rejected {
		return err
	}
	for _, currency := range c.currencies() {
		t := c.trailers[currency]
		err := f.sink.Total(connectors.Total{Measure: "amount_minor", Currency: currency, Value: t.credit + t.debit})
		if err != nil {
			return err
		}
	}
	return nil
}

// fill reads D;<line>;<accrual id>;<revision>;<client>;<card mask>;<rrn>;<auth code>;<purchase at>;<purchase amount>;
// <currency>;<accrual amount>;<C|D>;<status>;<reason>;<status at>. Of the times that an accrual has, a registry tells
// only when its present status came about.
func (r *registry) fill(row *table.BankAccrualRow, fields [][]byte, at table.Micros) error {
	text := func(i int) string { return string(fields[i]) }
	currency := text(10)
	*row = table.BankAccrualRow{
		SourceID: r.hash.ownKey(text(2)), StatusAt: at, Campaign: r.config.Campaign, Currency: currency, PurchaseCurrency: currency,
		ClientRef: r.hash.id(identifier.BankClient, text(4)), Card: r.hash.card(text(5)),
		RRN: r.hash.id(identifier.Reference, text(6)), AuthCode: authCode(text(7)),
		Status: accrualStatus[text(13)], Reason: text(14), Direction: "credit",
	}
	if text(12) == "D" {
		row.Direction = "debit"
	}
	var err error
	if err := opaque(text(2), maxID); err != nil {
		return fmt.Errorf("accrual_id: %w", err)
	}
	if row.Revision, err = strconv.ParseInt(text(3), 10, 64); err != nil || row.Revision < 1 {
		return errors.New("revision: expected a number from 1")
	}
	if row.PurchasedAt, err = optionalInstant(text(8)); err != nil {
		return fmt.Errorf("purchase_at: %w", err)
	}
	if text(9) == "" {
		row.PurchaseCurrency = ""
	} else {
		minor, err := amount(text(9), currency)
		if err != nil {
			return fmt.Errorf("purchase_amount: %w", err)
		}
		row.PurchaseMinor = &minor
	}
	if row.AmountMinor, err = amount(text(11), currency); err != nil {
		return fmt.Errorf("accrual_amount: %w", err)
	}
	switch row.Status {
	case "":
		return fmt.Errorf("status: %w", errStatus)
	case "accrued":
		row.AccruedAt = &at
	case "posted":
		row.PostedAt = &at
	case "reversed":
		row.ReversedAt = &at
	}
	if !accrualReason[row.Reason] {
		return fmt.Errorf("reason: %w", errReason)
	}
	return nil
}

// maxID is the length of an accrual's id, in characters.
const maxID = 64
