package query

import (
	"fmt"

	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// rates writes what amounts of other currencies are worth, from an instant on. Rates are of major units, amounts in minor ones.
func (w *writer) rates() {
	to := w.Metric.Currency
	decimals, _ := money.Exponent(to) // there is such a currency: prepare has asked
	shift := func(of int) string { return fmt.Sprintf("1e%d", decimals-of) }
	from, until := w.raw(table.Rate)
	if !w.Exists(table.Rate) {
		from, until = w.nothing(table.Rate), ""
	}
	w.with("rates", "what a minor unit is worth in minor units of "+to+", from an instant on",
		"SELECT currency, valid_from, arg_max(rate, source_id) * CASE",
		"    WHEN currency IN "+list(money.Currencies(0))+" THEN "+shift(0),
		"    WHEN currency IN "+list(money.Currencies(3))+" THEN "+shift(3),
		"    WHEN currency IN "+list(money.Currencies(4))+" THEN "+shift(4),
		"    ELSE "+shift(2),
		"  END AS factor",
		"FROM "+from, where(until, "quote = "+quote(to)),
		"GROUP BY currency, valid_from")
}

// converted writes amounts in the metric's currency, at the rate of their time.
func (w *writer) converted(s source) {
	to, before := w.Metric.Currency, ""
	if w.Metric.Covariate > 0 {
		before = ", before"
	}
	w.with(s.prefix+"converted", "the same in "+to,
		"SELECT stitching, unit_id, happened_at"+before+", CASE",
		"    WHEN c.currency = "+quote(to)+" THEN value",
		"    WHEN factor IS NULL THEN error('raw/rate has no rate from ' || c.currency || ' to "+to+" at the time of an event')",
		"    ELSE value * factor",
		"  END AS value",
		"FROM "+s.prefix+"counted AS c ASOF LEFT JOIN rates AS r ON r.currency = c.currency AND r.valid_from <= c.happened_at")
}
