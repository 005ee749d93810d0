package table

// MarketingCostRow is money spent on advertising.
type MarketingCostRow struct {
	SourceID    string `lake:"source_id"`
	SpentAt     Micros `lake:"spent_at,time"`
	Channel     string `lake:"channel,dict"`
	Campaign    string `lake:"campaign,optional,dict"`
	AmountMinor int64  `lake:"amount_minor,minor"`
	Currency    string `lake:"currency,dict,currency"`
	Impressions *int64 `lake:"impressions"`
	Clicks      *int64 `lake:"clicks"`
}

// RateRow is what one unit of a currency is worth in another, from an instant on.
type RateRow struct {
	SourceID  string  `lake:"source_id"`
	ValidFrom Micros  `lake:"valid_from,time"`
	Currency  string  `lake:"currency,dict,currency"`
	Quote     string  `lake:"quote,dict,currency"` // the currency of the rate
	Rate      float64 `lake:"rate"`                // major units of quote for one major unit of currency
}
