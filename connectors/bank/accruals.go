package bank

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/table"
)

// accruals is the stream bank/accruals.
type accruals struct{ *client }

// accrualsLogic is raised when other rows come from the same answers.
const accrualsLogic = "1"

// accrualList is where an answer has its accruals.
const accrualList = "Data.Accrual"

// maxPage is how many accruals the bank gives at once, at most.
const maxPage = "1000"

func (a *accruals) Name() string        { return Name + "/accruals" }
func (a *accruals) Table() *table.Table { return table.BankAccrual }
func (a *accruals) Versioned() bool     { return false }
func (a *accruals) Quarantine() float64 { return connectors.Quarantine(a.config.Quarantine) }
func (a *accruals) Restatement() int    { return a.restatement() }

func (a *accruals) Definition() string {
	return definition("accruals", accrualsLogic, a.config.Campaign, a.env.Zone.String())
}

func (a *accruals) Inputs(context.Context, table.Day) ([]connectors.Input, error) { return nil, nil }

// Extract reads what changed in a day, and then what the bank itself says of it.
func (a *accruals) Extract(ctx context.Context, day table.Day, _ []connectors.Input, sink connectors.Sink) error {
	if err := a.extract(ctx, day, sink); err != nil {
		return fmt.Errorf("%s %s: %w", a.Name(), day, err)
	}
	return nil
}

// incomplete is the phase of a cursor before which rows were rejected.
const incomplete = "incomplete"

func (a *accruals) extract(ctx context.Context, day table.Day, sink connectors.Sink) error {
	from, err := rest.ParseCursor(sink.Resume())
	if err != nil {
		return err
	}
	window := day.Window(a.env.Zone)
	query := url.Values{
		"fromUpdatedDateTime": {window.From.In(a.zone).Format(time.RFC3339)},
		"toUpdatedDateTime":   {window.To.In(a.zone).Format(time.RFC3339)},
		"limit":               {maxPage},
	}
	fields, broken := newDrift(sink), newRejects(sink)
	list := a.list(ctx, a.partner("accruals"))
	where := connectors.Origin{File: rest.Shown(list.path)}
	phase := from.Phase
	each := func(position int64, element rest.Value) error {
		where.Position, where.Raw = position, element
		row, err := a.row(element, fields)
		if err == nil && !window.Contains(row.StatusAt.Time()) {
			err = errors.New("StatusUpdateDateTime: outside the time that was asked for")
		}
		if err != nil {
			phase = incomplete
			return broken.reject(where, err)
		}
		return sink.Row(row, where)
	}
	finished := func(c rest.Cursor) error {
		c.Phase = phase
		return sink.Page(c.String())
	}
	if err := list.pages(query, accrualList, from, each, finished); err != nil {
		return err
	}
	if a.zone.String() != a.env.Zone.String() {
		return nil // the bank's days are not the business's
	}
	if err := a.totals(ctx, day, phase != incomplete, sink); err != nil {
		return fmt.Errorf("totals: %w", err)
	}
	return nil
}

// totals passes on the bank's own count of a day, and, where all rows could be read, its sums.
func (a *accruals) totals(ctx context.Context, day table.Day, sums bool, sink connectors.Sink) error {
	var answer struct {
		Data struct {
			Total []struct {
				Count  *int64
				Amount struct{ Amount, Currency string }
			}
		}
	}
	err := a.get(ctx, a.partner("totals"), url.Values{"bookingDate": {day.String()}}, &answer)
	if err != nil {
		return err
	}
	rows, minor := int64(0), map[string]int64{}
	for _, t := range answer.Data.Total {
		n, err := sumOfMoney(t.Amount.Amount, t.Amount.Currency)
		if err != nil || t.Count == nil || *t.Count < 0 {
			return fmt.Errorf("%w: expected a Count and an Amount in each Total", connectors.ErrContract)
		}
		rows += *t.Count
		minor[t.Amount.Currency] += n
	}
	if err := sink.Total(connectors.Total{Measure: connectors.Rows, Value: rows}); err != nil || !sums {
		return err
	}
	for _, currency := range slices.Sorted(maps.Keys(minor)) {
		err := sink.Total(connectors.Total{Measure: "amount_minor", Currency: currency, Value: minor[currency]})
		if err != nil {
			return err
		}
	}
	return nil
}
