package metric

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"crosslift/schemas/money"
)

// Value is a column or a constant.
type Value struct {
	Column   string  `yaml:"-"`
	Constant float64 `yaml:"-"` // where Column is empty and Given
	Given    bool    `yaml:"-"`
}

// UnmarshalText reads a finite number, or else the name of a column.
func (v *Value) UnmarshalText(text []byte) error {
	if x, ok := finite(string(text)); ok {
		*v = Value{Constant: x, Given: true}
	} else {
		*v = Value{Column: string(text), Given: true}
	}
	return nil
}

// String is the value as it is written; "" for one that is not given.
func (v Value) String() string {
	if v.Column != "" || !v.Given {
		return v.Column
	}
	return strconv.FormatFloat(v.Constant, 'g', -1, 64)
}

// Bound is a value or, written as 99.9%, a percentile.
type Bound struct {
	Value   float64 `yaml:"-"`
	Percent float64 `yaml:"-"` // in (0, 100); 0: Value is meant
}

// percentDecimals are how many decimals a percentile may have: it is taken by whole numbers.
const percentDecimals = 6

// UnmarshalText reads a number or a percentile.
func (b *Bound) UnmarshalText(text []byte) error {
	if number, percent := strings.CutSuffix(string(text), "%"); percent {
		millionths, err := money.Decimal(number, percentDecimals)
		if err != nil || millionths <= 0 || millionths >= 100e6 {
			return fmt.Errorf("expected a percentile between 0%% and 100%%, with at most %d decimals, found %q", percentDecimals, text)
		}
		*b = Bound{Percent: float64(millionths) / 1e6}
		return nil
	}
	x, ok := finite(string(text))
	if !ok {
		return fmt.Errorf("expected a number, or a percentile as 99.9%%, found %q", text)
	}
	*b = Bound{Value: x}
	return nil
}

// String is the bound as it is written.
func (b Bound) String() string {
	if b.Percent != 0 {
		return strconv.FormatFloat(b.Percent, 'f', -1, 64) + "%"
	}
	return strconv.FormatFloat(b.Value, 'g', -1, 64)
}

// finite reads a number; minus zero is zero.
func finite(text string) (x float64, ok bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x + 0, err == nil && !math.IsInf(x, 0) && !math.IsNaN(x)
}
