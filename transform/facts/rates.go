package facts

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/money"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// rates are what currencies are worth in one other, by currency and ascending by time.
type rates map[string][]rate

type rate struct {
	from     int64
	key      string // source_id: of two rates from one instant on the greater one counts
	rate     float64
	decimals float64 // 10 to the power of the decimals of the one currency's minor unit less those of the other's
}

// readAllRates reads the rates of all sources with amounts.
func (b *builder) readAllRates(ctx context.Context) error {
	currencies := map[string]rates{}
	for _, s := range b.sources {
		if s.kind != amounts {
			continue
		}
		if currencies[s.currency] == nil {
			var err error
			if currencies[s.currency], err = b.readRates(ctx, s.currency); err != nil {
				return fmt.Errorf("%s: %w", table.Rate, err)
			}
		}
		s.rates = currencies[s.currency]
	}
	return nil
}

// readRates reads the rates to a currency.
func (b *builder) readRates(ctx context.Context, to string) (rates, error) {
	r := rates{}
	target, err := money.Exponent(to)
	if err != nil {
		return nil, err
	}
	for _, f := range b.Rates {
		err := columns.Scan(ctx, f, table.Rate, nil, func(row *table.RateRow) error {
			if row.Quote != to {
				return nil
			}
			decimals, err := money.Exponent(row.Currency)
			if err != nil {
				return nil // an amount in it has no minor unit that could be converted
			}
			r[row.Currency] = append(r[row.Currency], rate{int64(row.ValidFrom), row.SourceID, row.Rate, math.Pow10(target - decimals)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, list := range r {
		slices.SortFunc(list, func(x, y rate) int {
			return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.key, y.key), cmp.Compare(x.rate, y.rate))
		})
	}
	return r, nil
}

// convert gives what an amount of a currency was worth at an instant; ok is false where no rate says it.
func (r rates) convert(amount int64, currency string, at int64) (_ float64, ok bool) {
	list := r[currency]
	after, _ := slices.BinarySearchFunc(list, at, func(x rate, at int64) int {
		if x.from <= at {
			return -1
		}
		return 1
	})
	if after == 0 {
		return 0, false
	}
	x := &list[after-1]
	return float64(float64(float64(amount)*x.rate) * x.decimals), true // rounded before it is added, on every processor
}
