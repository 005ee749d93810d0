package connectors

import (
	"errors"
	"strconv"
	"strings"
)

// Percent is a share from 0 to 1, written as 2% or 0.5%.
type Percent float64

// UnmarshalText reads a share with its percent sign.
func (p *Percent) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(string(text), "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !found || !(x >= 0 && x <= 100) {
		return errors.New("expected a share from 0% to 100%, with the percent sign")
	}
	*p = Percent(x / 100)
	return nil
}

// MarshalText writes a share as UnmarshalText reads it.
func (p Percent) MarshalText() ([]byte, error) {
	return append(strconv.AppendFloat(nil, float64(p)*100, 'g', 12, 64), '%'), nil
}

// Quarantine is the share of a day's rows that may be rejected before the day fails: what the settings say, or 1 %.
func Quarantine(configured *Percent) float64 {
	if configured == nil {
		return 0.01
	}
	return float64(*configured)
}
