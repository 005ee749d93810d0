package files

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"crosslift/connectors"
)

// Mapping says how the rows of some files become rows of a lake table.
type Mapping struct {
	Table       string              `yaml:"table"`       // a raw table, such as raw/payment
	Path        string              `yaml:"path"`        // below the store's root; {day} or {yyyymmdd}, * and ?
	Format      string              `yaml:"format"`      // csv, tsv, jsonl or parquet; by the name's extension without it
	Delimiter   string              `yaml:"delimiter"`   // of csv; a comma without it
	Encoding    string              `yaml:"encoding"`    // of text, such as windows-1251; UTF-8 without it
	Null        []string            `yaml:"null"`        // texts that stand for an absent value; the empty one without it
	Cut         string              `yaml:"cut"`         // the zone in which the source cuts its files into days
	Columns     map[string]Column   `yaml:"columns"`     // by the lake's name
	Assert      []Assertion         `yaml:"assert"`      // what every row must keep
	Quarantine  *connectors.Percent `yaml:"quarantine"`  // the share of a day's rows that may be rejected; 1 % without it
	Restatement *int                `yaml:"restatement"` // days for which the source may change; for ever without it
	Free        []string            `yaml:"free"`        // the source's columns that hold no personal data
}

// Column says where the value of a lake column comes from: a column of the source, or a constant.
type Column struct {
	From         string            `yaml:"from"`
	Value        *string           `yaml:"value"`
	Time         string            `yaml:"time"`          // a layout of package time, unix, unix_ms or rfc3339
	Zone         string            `yaml:"zone"`          // of times without an offset
	Money        string            `yaml:"money"`         // major or minor: the unit of amounts
	Currency     string            `yaml:"currency"`      // of amounts in major units: ISO 4217
	CurrencyFrom string            `yaml:"currency_from"` // the source's column that names it
	Map          map[string]string `yaml:"map"`           // the source's texts and what they mean; others are rejected
	Region       string            `yaml:"region"`        // of phone numbers without a country's code: ISO 3166-1
	Hash         bool              `yaml:"hash"`          // keep only a keyed hash of the text
}

// Assertion is a rule over columns of the source: their texts are one of some tuples, or all equal. An absent value is
// the empty text.
type Assertion struct {
	Columns []string   `yaml:"columns"`
	OneOf   [][]string `yaml:"one_of"`
	Equal   bool       `yaml:"equal"`
	Reason  string     `yaml:"reason"` // why a row that breaks it is rejected
}

// definition is a hash of what decides the rows that a mapping gives, in a business zone. The quarantine threshold and
// the restatement window are left out: they decide whether and when rows are taken, not what they are.
func (m Mapping) definition(zone string) (string, error) {
	const logic = 1 // raised when the same mapping gives other rows from the same files
	m.Quarantine, m.Restatement = nil, nil
	if m.Null == nil {
		m.Null = []string{""}
	}
	canonical, err := json.Marshal(struct {
		Logic   int
		Zone    string
		Mapping Mapping
	}{logic, zone, m})
	if err != nil {
		return "", fmt.Errorf("definition: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}

// format is how the mapping's files are read.
func (m Mapping) format() Format {
	f := Format{Type: m.Format, Encoding: m.Encoding, Null: m.Null}
	if m.Delimiter != "" {
		f.Delimiter = m.Delimiter[0]
	}
	return f
}
