package table

// MarketingCostRow is money spent on advertising.
type MarketingCostRow struct {
	SourceID    string `lake:"source_id,key"`
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
	SourceID  string  `lake:"source_id,key"`
	ValidFrom Micros  `lake:"valid_from,time"`
	Currency  string  `lake:"currency,dict,currency"`
	Quote     string  `lake:"quote,dict,currency"` // the currency of the rate
	Rate      float64 `lake:"rate"`                // major units of quote for one major unit of currency
}

// SourceTotalRow is what a source says that it has of a stream's day, beside what has landed.
type SourceTotalRow struct {
	SourceID string `lake:"source_id,key"`           // the stream
	At       Micros `lake:"at,time"`                 // the start of the business day
	Table    string `lake:"table_name,dict"`         // the table that the stream fills
	Measure  string `lake:"measure,key,dict"`        // rows, or the column that is summed
	Currency string `lake:"currency,key,blank,dict"` // of a sum of money; else empty
	Said     *int64 `lake:"said"`                    // by the source; absent where it does not tell
	Landed   int64  `lake:"landed"`                  // in the table
	Rejected int64  `lake:"rejected"`                // rows in quarantine
}
