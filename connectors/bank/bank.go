// Package bank reads a partner bank: the card transactions of its accounts and the cashback accruals of a campaign. It
// speaks two ways, since banks deliver both: an API in the shape of UK Open Banking v3.1.11 or v4.0 with an extension of
// ours for accruals, and a daily registry file of accruals.
//
// # The API
//
// bank/transactions asks GET …/aisp/accounts/{id}/transactions of one account, or of all that are listed, for a business
// day's booking times. The API has no filter by change: what was booked late or withdrawn shows when the day is read
// again, so days are, for a week. A row's day is that of its booking; one outside of the day that was asked for is left
// to the other days. An entry without an id, as pending ones may be, is known by a keyed hash of what it says: two that
// say the same are one.
//
// bank/accruals asks GET /partner/v1/campaigns/{id}/accruals for what changed in a business day (half-open, ascending),
// and …/totals for the bank's own count and sums of the day. openapi/accruals.yaml is the contract for partners,
// openapi/aisp.yaml the part of Open Banking that is used.
//
// Both need a client certificate (mTLS) and a token by client credentials that is bound to it. Every request carries a
// new x-fapi-interaction-id, which is logged: the bank finds the request by it.
//
// What the bank has to grant: the client id registered with the certificate, the scope accounts, reading the campaign's
// account (ReadTransactionsDetail, …Credits, …Debits) and the campaign. What it limits: five requests a second are sent
// unless the configuration says otherwise, and 429 is obeyed.
//
// # The registry file
//
// bank/accrual_registry reads cashback_<campaign>_<YYYYMMDD>_<seq>.csv, or .csv.gz, from a folder or bucket. Beside it
// lies <name>.sha256, written last: without it the file is not complete, which is as if it were not there. Fields are
// separated by semicolons and quoted as in RFC 4180, but never hold a line end:
//
//	HD;1;<bank>;<campaign>;<YYYY-MM-DD>;<seq>;<created at>;<previous seq>
//	D;<line>;<accrual>;<revision>;<client>;<card mask>;<rrn>;<auth code>;<purchase at>;<purchase amount>;<currency>;<amount>;<C|D>;<status>;<reason>;<status at>
//	TD;<rows>;<sum C>;<sum D>;<currency>;<sum of RRNs modulo 10^10>
//
// The sequence number counts the files of a campaign. Of the files for one date the highest counts: it replaces the
// others. A bank has a file for every date, also for one on which nothing happened, with a TD of no rows.
//
// A file of date D holds the changes of the bank's business date D. A row belongs to the business day of its status
// time: where the bank cuts days in another zone than the business, a day is read from the files of both neighbouring
// dates and needs every one of them. A row whose status time lies outside its file's date, or cannot be read, is
// rejected on the business day in which the file's date begins.
//
// A file is refused whole, and nothing of its day lands, when its header or trailers are missing, misplaced or say
// something else than its name, its rows or its sum do; when lines are missing; when a file before it is missing, or
// another has its number.
//
// # Persons
//
// Clients' pseudonyms, card masks and reference numbers are hashed. Names, account numbers and free text are not kept.
package bank

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"crosslift/connectors"
	"crosslift/schemas/strictyaml"
)

// Name is the source's name.
const Name = "bank"

// Config says how a bank delivers: by its API, by registry files, or transactions by the one and accruals by the other.
type Config struct {
	API      *API      `yaml:"api"`
	Registry *Registry `yaml:"registry"`
}

// Validate fills in defaults. Its errors are marked with their field.
func (c *Config) Validate() error {
	var errs []error
	if c.API == nil && c.Registry == nil {
		errs = append(errs, errors.New("expected api, registry or both"))
	}
	if c.API != nil {
		errs = append(errs, strictyaml.At("api", c.API.Validate()))
	}
	if c.Registry != nil {
		errs = append(errs, strictyaml.At("registry", c.Registry.Validate()))
		if c.API != nil && c.API.Campaign != "" {
			errs = append(errs, strictyaml.At("api.campaign",
				errors.New("the registry gives the accruals already: leave one of them out, or they land twice")))
		}
	}
	return errors.Join(errs...)
}

// source is a bank.
type source struct {
	api     *client // nil without one
	streams []connectors.Stream
	env     connectors.Env
}

// New makes the source. The registry's store is opened by the caller, who also closes it.
func New(c Config, env connectors.Env) (connectors.Source, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", Name, err)
	}
	s := &source{env: env}
	if c.API != nil {
		var err error
		if s.api, err = newClient(*c.API, env); err != nil {
			return nil, err
		}
		if !c.API.NoTransactions {
			s.streams = append(s.streams, &transactions{s.api})
		}
		if c.API.Campaign != "" {
			s.streams = append(s.streams, &accruals{s.api})
		}
	}
	if c.Registry != nil {
		r, err := newRegistry(*c.Registry, env)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", Name, err)
		}
		s.streams = append(s.streams, r)
	}
	return s, nil
}

func (s *source) Name() string                 { return Name }
func (s *source) Streams() []connectors.Stream { return slices.Clone(s.streams) }

func (s *source) Close() error {
	if s.api == nil {
		return nil
	}
	return s.api.rest.Close()
}

// definition hashes what decides about a stream's rows.
func definition(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
