package bank

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// transactions is the stream bank/transactions.
type transactions struct{ *client }

// transactionsLogic is raised when other rows come from the same answers.
const transactionsLogic = "1"

func (t *transactions) Name() string        { return Name + "/transactions" }
func (t *transactions) Table() *table.Table { return table.BankTransaction }
func (t *transactions) Versioned() bool     { return false }
func (t *transactions) Quarantine() float64 { return connectors.Quarantine(t.config.Quarantine) }
func (t *transactions) Restatement() int    { return t.restatement() }

// Definition leaves out where the bank is: the same account is the same wherever it is asked for.
func (t *transactions) Definition() string {
	return definition("transactions", transactionsLogic, t.config.Version, t.config.Account, t.zone.String(), t.env.Zone.String())
}

func (t *transactions) Inputs(context.Context, table.Day) ([]connectors.Input, error) {
	return nil, nil
}

// Extract reads the accounts one after the other. The cursor's phase is the account.
func (t *transactions) Extract(ctx context.Context, day table.Day, _ []connectors.Input, sink connectors.Sink) error {
	if err := t.extract(ctx, day, sink); err != nil {
		return fmt.Errorf("%s %s: %w", t.Name(), day, err)
	}
	return nil
}

func (t *transactions) extract(ctx context.Context, day table.Day, sink connectors.Sink) error {
	from, err := rest.ParseCursor(sink.Resume())
	if err != nil {
		return err
	}
	accounts, err := t.accounts(ctx)
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	first := 0
	if from.Phase != "" {
		if first = slices.Index(accounts, from.Phase); first < 0 {
			return errors.New("the account at which the broken extract stopped is gone: start it anew")
		}
	}
	window := day.Window(t.env.Zone)
	query := url.Values{
		"fromBookingDateTime": {window.From.In(t.zone).Format(time.RFC3339)},
		"toBookingDateTime":   {window.To.In(t.zone).Format(time.RFC3339)},
	}
	fields, broken := newDrift(sink), newRejects(sink)
	for i, account := range accounts[first:] {
		if i > 0 {
			from = rest.Cursor{Phase: account}
			if err := sink.Page(from.String()); err != nil {
				return err
			}
		}
		from.Phase = account
		list := t.list(ctx, t.aisp("accounts", url.PathEscape(account), "transactions"))
		where := connectors.Origin{File: rest.Shown(list.path)}
		each := func(position int64, element rest.Value) error {
			where.Position, where.Raw = position, element
			row, err := t.row(account, element, fields)
			switch {
			case err != nil:
				return broken.reject(where, err)
			case !window.Contains(row.BookedAt.Time()):
				return nil // the edge of the query, or of an offset that the bank ignores: another day's
			}
			return sink.Row(row, where)
		}
		if err := list.pages(query, "Data.Transaction", from, each, pageOf(sink)); err != nil {
			return err
		}
	}
	return nil
}

// pageOf tells a sink of finished pages.
func pageOf(sink connectors.Sink) func(rest.Cursor) error {
	return func(c rest.Cursor) error { return sink.Page(c.String()) }
}

// accounts lists those that are read, in ascending order.
func (t *transactions) accounts(ctx context.Context) ([]string, error) {
	if t.config.Account != "" {
		return []string{t.config.Account}, nil
	}
	var found []string
	each := func(_ int64, element rest.Value) error {
		id := element.Get("AccountId").Text()
		if !identifierName.MatchString(id) {
			return fmt.Errorf("%w: an account has no AccountId of letters, digits, points and hyphens", connectors.ErrContract)
		}
		found = append(found, id)
		return nil
	}
	err := t.list(ctx, t.aisp("accounts")).pages(nil, "Data.Account", rest.Cursor{}, each, nil)
	slices.Sort(found)
	return slices.Compact(found), err
}

// statuses are what an entry may say of itself, by the version of the standard.
var statuses = map[string]map[string]string{
	"v3.1": {"Booked": "booked", "Pending": "pending", "Rejected": "rejected"},
	"v4.0": {"BOOK": "booked", "PDNG": "pending", "RJCT": "rejected", "FUTR": "future", "INFO": "information"},
}

// entry is what is read of a transaction.
type entry struct {
	object
	id, reference, account, indicator, status, booked, value, information string
	code, subCode, merchant, card, rrn, auth, client                      string
	amount                                                                moneyText
}

// row makes a row of a transaction, whose day it leaves to the caller.
func (t *transactions) row(account string, v rest.Value, fields *drift) (*table.BankTransactionRow, error) {
	e := entry{object: object{drift: fields}}
	e.read(v)
	e.need("AccountId", e.account != "")
	e.need("CreditDebitIndicator", e.indicator != "")
	e.need("Status", e.status != "")
	e.need("BookingDateTime", e.booked != "")
	e.need("Amount", e.amount != moneyText{})
	if e.problem != nil {
		return nil, e.problem
	}
	row := &table.BankTransactionRow{
		SourceID: t.hash.ownKey(e.id), Currency: e.amount.currency, AmountMinor: e.minor("Amount", e.amount),
		Direction: e.direction(e.indicator), Status: statuses[t.config.Version][e.status],
		ClientRef: t.hash.id(identifier.BankClient, e.client), Card: t.hash.card(e.card),
		RRN: t.hash.id(identifier.Reference, e.rrn), AuthCode: authCode(e.auth), Code: code(e.code, e.subCode),
	}
	if digits(e.merchant, 4, 4) {
		row.MerchantCode = e.merchant
	}
	var err error
	if row.BookedAt, err = instant(e.booked); err != nil {
		e.fail("BookingDateTime", err)
	}
	if row.ValueAt, err = optionalInstant(e.value); err != nil {
		e.fail("ValueDateTime", err)
	}
	switch {
	case e.account != account:
		e.fail("AccountId", errors.New("expected the account that was asked for"))
	case row.Status == "":
		e.fail("Status", errors.New("expected one of version "+t.config.Version))
	case e.id == "":
		row.SourceID = "unnamed-" + t.env.Key.Row(e.said()).String()
	default:
		if err := opaque(e.id, 210); err != nil {
			e.fail("TransactionId", err)
		}
	}
	return row, e.problem
}

// said is everything by which an entry without an id differs from others.
func (e *entry) said() []byte {
	var b strings.Builder
	for _, text := range []string{
		e.reference, e.account, e.indicator, e.status, e.booked, e.value, e.information, e.code, e.subCode, e.merchant,
		e.card, e.rrn, e.auth, e.client, e.amount.amount, e.amount.currency,
	} {
		b.WriteString(strconv.Itoa(len(text)) + ":" + text)
	}
	return []byte(b.String())
}

// isCode reports whether a text is a code rather than free text.
func isCode(text string) bool {
	return len(text) > 0 && len(text) <= 64 && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '.' && c != '-'
	})
}

// code joins the two parts of a transaction code; anything but a code is left out.
func code(main, sub string) string {
	switch {
	case !isCode(main):
		return ""
	case !isCode(sub):
		return main
	}
	return main + "/" + sub
}
