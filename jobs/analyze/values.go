package analyze

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// What a cell was expected to be. The messages hold no values: they may be personal.
var (
	errBool   = errors.New("expected 0, 1, true or false")
	errNumber = errors.New("expected a number with a decimal point")
	errTime   = errors.New("expected a time like 2006-01-02T15:04:05Z, 2006-01-02 15:04:05, 2006-01-02, or Unix seconds")
)

// parseBool reads 0, 1, true or false in any case.
func parseBool(b []byte) (bool, error) {
	switch {
	case len(b) == 1 && (b[0] == '0' || b[0] == '1'):
		return b[0] == '1', nil
	case bytes.EqualFold(b, []byte("true")):
		return true, nil
	case bytes.EqualFold(b, []byte("false")):
		return false, nil
	}
	return false, errBool
}

// parseNumber reads a finite decimal number, with or without an exponent.
func parseNumber(b []byte) (float64, error) {
	for _, c := range b { // no hexadecimal digits, Inf or NaN
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, errNumber
		}
	}
	x, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, errNumber
	}
	return x, nil
}

// layouts of times; fractions of seconds are accepted in each with seconds. Without an offset a time is taken as UTC.
var layouts = []string{
	time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", time.DateOnly,
}

// ParseTime reads a time in any of the layouts, or seconds since 1970 with or without a fraction, as nanoseconds since
// 1970. The usual range of int64 nanoseconds, 1678 to 2261, is accepted.
func ParseTime(b []byte) (int64, error) {
	text := string(b)
	if len(b) > 0 && !bytes.ContainsAny(b[1:], "-:") {
		return parseUnix(text)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Year() < 1678 || t.Year() > 2261 {
				break
			}
			return t.UnixNano(), nil
		}
	}
	return 0, errTime
}

func parseUnix(text string) (int64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > 9_200_000_000 || seconds < -9_200_000_000 || len(fraction) > 9 {
		return 0, errTime
	}
	if fraction == "" {
		return seconds * 1e9, nil
	}
	rest, err := strconv.ParseUint(fraction+strings.Repeat("0", 9-len(fraction)), 10, 32)
	if err != nil {
		return 0, errTime
	}
	if strings.HasPrefix(whole, "-") {
		return seconds*1e9 - int64(rest), nil
	}
	return seconds*1e9 + int64(rest), nil
}
