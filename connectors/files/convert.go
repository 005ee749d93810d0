package files

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// convertFunc reads a text into the field it was made for.
type convertFunc func(text []byte, currency string) error

// convert makes the function that reads a column's text into its field, of which to is the address.
func (c Column) convert(column table.Column, to any, key identifier.Key) (convertFunc, error) {
	var convert convertFunc
	switch column.Type {
	case table.String:
		convert = c.texts(column, to.(*string), key)
	case table.ID:
		convert = identifiers(column.Kind, c.Region, to.(*identifier.ID), key)
	case table.Timestamp:
		clock, err := newClock(c.Time, c.Zone)
		if err != nil {
			return nil, err
		}
		expected := errors.New(clock.expected)
		convert = into(to, func(text []byte, _ string) (table.Micros, error) {
			at, ok := clock.parse(bytes.TrimSpace(text))
			if !ok {
				return 0, expected
			}
			return at, nil
		})
	case table.Int:
		convert = into(to, c.integer)
	case table.Float:
		convert = into(to, number)
	case table.Bool:
		convert = into(to, func(text []byte, _ string) (bool, error) { return truth(text) })
	case table.Date:
		convert = into(to, func(text []byte, _ string) (table.Day, error) {
			day, err := table.ParseDay(string(text))
			if err != nil {
				return 0, errors.New("expected a day as YYYY-MM-DD")
			}
			return day, nil
		})
	}
	if c.Map == nil {
		return convert, nil
	}
	meanings := map[string][]byte{}
	for text, meaning := range c.Map {
		meanings[text] = []byte(meaning)
	}
	unknown := fmt.Errorf("expected one of the %d texts of the mapping", len(meanings))
	return func(text []byte, currency string) error {
		meaning, ok := meanings[string(text)]
		if !ok {
			return unknown
		}
		return convert(meaning, currency)
	}, nil
}

// into gives a function that stores what read gives in a field: a T, or, for an optional one, a pointer to a T.
func into[T any](to any, read func(text []byte, currency string) (T, error)) convertFunc {
	if optional, ok := to.(**T); ok {
		return func(text []byte, currency string) error {
			x, err := read(text, currency)
			*optional = &x // always a new one: whoever copies the row copies the pointer
			return err
		}
	}
	field := to.(*T)
	return func(text []byte, currency string) (err error) {
		*field, err = read(text, currency)
		return err
	}
}

// cacheSize bounds the caches of texts and identifiers; a full one is emptied.
const cacheSize = 1 << 16

// texts stores a text as it stands, or its keyed hash.
func (c Column) texts(column table.Column, to *string, key identifier.Key) convertFunc {
	known := map[string]string{}
	return func(text []byte, _ string) error {
		switch {
		case c.Hash:
			id, err := key.Hash(identifier.Kind(column.Name), string(text))
			if err == nil {
				*to = id.String()
			} else {
				*to = ""
			}
			return nil
		case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
			return errors.New("expected UTF-8 text without NUL bytes")
		case !column.Dict:
			*to = string(text)
			return nil
		}
		s, ok := known[string(text)]
		if !ok {
			if len(known) == cacheSize {
				clear(known)
			}
			s = string(text)
			known[s] = s
		}
		*to = s
		return nil
	}
}

// identifiers stores a text's keyed hash. What identifies nobody, a placeholder or a phone number that cannot exist,
// leaves the field empty: the contract says whether the row still has someone.
func identifiers(kind identifier.Kind, region string, to *identifier.ID, key identifier.Key) convertFunc {
	hash := func(text string) (identifier.ID, error) {
		if kind == identifier.Phone {
			return key.Phone(text, region)
		}
		return key.Hash(kind, text)
	}
	known := map[string]identifier.ID{}
	return func(text []byte, _ string) error {
		id, ok := known[string(text)]
		if !ok {
			var err error
			id, err = hash(string(text))
			if err != nil && !errors.Is(err, identifier.ErrBlocked) && !errors.Is(err, identifier.ErrInvalid) {
				return err
			}
			if len(known) == cacheSize {
				clear(known)
			}
			known[string(text)] = id
		}
		*to = id
		return nil
	}
}

func whole(text []byte) (int64, error) { return money.Decimal(text, 0) }

func (c Column) integer(text []byte, currency string) (int64, error) {
	text = bytes.TrimSpace(text)
	if c.Money == "major" {
		return money.Parse(text, currency)
	}
	return whole(text)
}

var errNumber = errors.New("expected a number, true or false")

// number reads a number, or a bool as 1 or 0.
func number(text []byte, _ string) (float64, error) {
	text = bytes.TrimSpace(text)
	x, err := strconv.ParseFloat(string(text), 64)
	if err == nil {
		if x-x != 0 || strings.ContainsAny(string(text), "xXpP_") { // infinite, not a number, or hexadecimal
			return 0, errNumber
		}
		return x, nil
	}
	yes, err := truth(text)
	if err != nil {
		return 0, errNumber
	}
	if yes {
		return 1, nil
	}
	return 0, nil
}

var errBool = errors.New("expected true, false, 1 or 0")

func truth(text []byte) (bool, error) {
	switch {
	case string(text) == "1" || len(text) == 4 && strings.EqualFold(string(text), "true"):
		return true, nil
	case string(text) == "0" || len(text) == 5 && strings.EqualFold(string(text), "false"):
		return false, nil
	}
	return false, errBool
}
