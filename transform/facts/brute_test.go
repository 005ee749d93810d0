package facts_test

import (
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// world is everything that facts are made from, as rows.
type world struct {
	zone        *time.Location
	first       table.Day // of events
	night       table.Day
	events      map[*table.Table]map[table.Day][]any // pointers to rows
	rates       []*table.RateRow
	timeline    []*table.DeviceTimelineRow
	experiments []trial
}

type trial struct {
	*experiment.Experiment
	metrics     []*metric.Metric
	units       []*table.UnitExposureRow
	identifiers []*table.UnitIdentifierRow
}

func (w *world) end() table.Micros { return table.MicrosOf(w.night.Window(w.zone).To) }

// value is a column of a row, nil where it has none.
func value(t *table.Table, row any, column string) any {
	c, found := t.Column(column)
	if !found {
		return nil
	}
	v := reflect.ValueOf(row).Elem().Field(c.Field)
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(), c.Optional && v.IsZero() && v.Kind() != reflect.Pointer:
		return nil
	case v.Kind() == reflect.Pointer:
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Int64, reflect.Int32:
		return v.Int()
	case reflect.String:
		return v.String()
	}
	return v.Interface()
}

// event is a row that may count.
type event struct {
	table *table.Table
	row   any
	at    table.Micros
}

// read are the rows of a table that stand.
func (w *world) read(t *table.Table) (list []event) {
	newest := map[any]any{}
	changed := func(row any) int64 { return value(t, row, t.EventTime).(int64) }
	for _, rows := range w.events[t] {
		for _, row := range rows {
			key := value(t, row, "source_id")
			if known, is := newest[key]; t.Kind == table.Change && is && changed(known) > changed(row) {
				continue
			}
			newest[key] = row
		}
	}
	for _, rows := range w.events[t] {
		for _, row := range rows {
			if t.Kind != table.Change || newest[value(t, row, "source_id")] == row {
				list = append(list, event{t, row, table.Micros(value(t, row, t.Occurred).(int64))})
			}
		}
	}
	return list
}

// rowsOf are an identifier's rows under a stitching.
func (e *trial) rowsOf(stitching, kind string, id any) (list []*table.UnitIdentifierRow) {
	for _, row := range e.identifiers {
		if row.Stitching == stitching && row.IdentifierType == kind && id == row.Identifier {
			list = append(list, row)
		}
	}
	return list
}

// at is the unit that rows of one identifier name at an instant.
func unitAt(rows []*table.UnitIdentifierRow, at table.Micros) (unit identifier.ID, ok bool) {
	var latest *table.Micros
	for _, row := range rows {
		if row.From != nil && *row.From > at || ok && (row.From == nil || latest != nil && *row.From < *latest) {
			continue
		}
		unit, latest, ok = row.Unit, row.From, true
	}
	return unit, ok
}

var byStitching = map[string][]string{
	table.AsOfExposure: {timeline.Session, timeline.Span}, table.Latest: {timeline.Session, timeline.Span},
	table.Strict: {timeline.Session}, table.Loose: {timeline.Session, timeline.Span, timeline.Backfill},
}

// owner says whose an event is.
func (w *world) owner(e *trial, stitching string, x event) (identifier.ID, bool) {
	account, device := value(x.table, x.row, "account"), value(x.table, x.row, "device")
	var user any
	for _, row := range w.timeline {
		if device == row.Device && row.From <= x.at && x.at < row.To && slices.Contains(byStitching[stitching], row.Method) {
			user = row.Account
		}
	}
	accounts, devices := e.rowsOf(stitching, "account", account), e.rowsOf(stitching, "device", device)
	users := e.rowsOf(stitching, "account", user)
	if e.AssignedBy == experiment.Device || stitching == table.ByDevice {
		switch {
		case device != nil && len(devices) > 0:
			return unitAt(devices, x.at)
		case account != nil:
			return unitAt(accounts, x.at)
		case user != nil:
			return unitAt(users, x.at)
		}
		return identifier.ID{}, false
	}
	switch {
	case account != nil:
		return unitAt(accounts, x.at)
	case user != nil:
		return unitAt(users, x.at)
	case device != nil:
		return unitAt(devices, x.at)
	}
	return identifier.ID{}, false
}

// amount is what an event counts for; rated is false where a currency has no rate.
func (w *world) amount(m *metric.Metric, s *metric.Source, x event) (_ *big.Rat, rated bool) {
	if !s.Value.Given {
		return big.NewRat(1, 1), true
	}
	if s.Value.Column == "" {
		return new(big.Rat).SetFloat64(s.Value.Constant), true
	}
	of, _ := x.table.Column(s.Value.Column)
	switch v := value(x.table, x.row, s.Value.Column).(type) {
	case float64:
		return new(big.Rat).SetFloat64(v), true
	case int64:
		currency, _ := value(x.table, x.row, "currency").(string)
		if of.Unit != "minor" || m.Currency == "" || currency == m.Currency {
			return new(big.Rat).SetInt64(v), true
		}
		var best *table.RateRow
		for _, r := range w.rates {
			if r.Currency == currency && r.Quote == m.Currency && r.ValidFrom <= x.at &&
				(best == nil || r.ValidFrom > best.ValidFrom || r.ValidFrom == best.ValidFrom && r.SourceID > best.SourceID) {
				best = r
			}
		}
		if best == nil {
			return nil, false
		}
		to, _ := money.Exponent(m.Currency)
		from, _ := money.Exponent(currency)
		return new(big.Rat).SetFloat64(float64(v) * best.Rate * math.Pow10(to-from)), true
	}
	return nil, true
}

// aggregate makes the value of events that count.
func (w *world) aggregate(m *metric.Metric, s *metric.Source, events []event) (_ float64, rated bool) {
	switch m.Type {
	case metric.Proportion, metric.Retention:
		return float64(min(len(events), 1)), true
	case metric.Count:
		return float64(len(events)), true
	case metric.CountDistinct:
		different := map[any]bool{}
		for _, x := range events {
			different[value(x.table, x.row, s.Value.Column)] = true
		}
		return float64(len(different)), true
	}
	sum := new(big.Rat)
	for _, x := range events {
		term, ok := w.amount(m, s, x)
		if !ok {
			return 0, false
		}
		sum.Add(sum, term)
	}
	f, _ := sum.Float64()
	return f, true
}

// horizon is what the windows of an experiment depend on.
func (w *world) horizon(e *trial) metric.Horizon {
	h := metric.Horizon{Night: int64(w.end()), End: math.MaxInt64, Zone: w.zone}
	if e.End != nil {
		h.End = e.End.Window(w.zone).To.UnixMicro()
	}
	return h
}
