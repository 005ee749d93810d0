package ga

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// rows makes rows of the lake from events. It belongs to one goroutine.
type rows struct {
	key       identifier.Key
	region    string // of phone numbers without a country's code; ""
	countries map[string]string
	params    *params

	texts    memory[string] // names, platforms and currencies
	channels memory[string]
	sessions memory[string]
	devices  memory[identifier.ID]
	users    memory[user]

	encoded  []byte // what makes an event itself
	parts    []span // of the parameters in it
	scratch  []byte
	channel  []byte
	row      table.WebEventRow
	consents [2]bool
}

// user is who a user id says it is.
type user struct{ account, email, phone identifier.ID }

func (s *source) rows(announce func(string)) *rows {
	return &rows{
		key: s.env.Key, region: s.config.PhoneRegion, countries: s.countries, params: newParams(s.config, announce),
		texts: newMemory[string](fewKept), channels: newMemory[string](fewKept),
		sessions: newMemory[string](manyKept), devices: newMemory[identifier.ID](manyKept), users: newMemory[user](manyKept), consents: [2]bool{false, true},
	}
}

// at is when an event happened; ok is false where that cannot be read.
func (e *event) at() (at table.Micros, ok bool) {
	n, err := strconv.ParseInt(string(e.texts[eventTimestamp]), 10, 64)
	return table.Micros(n), err == nil && n > 0
}

// fill makes the row of an event that happened at an instant. What it gives is valid until the next call.
func (r *rows) fill(e *event, at table.Micros) (*table.WebEventRow, error) {
	row := &r.row
	*row = table.WebEventRow{EventAt: at}
	if len(e.texts[eventName]) == 0 {
		return nil, reject("event_name: required, but empty")
	}
	row.EventName = r.texts.get(e.texts[eventName], clean)
	row.SourceID = r.identity(e)
	if id := e.texts[pseudoID]; id != nil {
		row.Device = r.devices.get(id, r.device)
	}
	if id := e.texts[userID]; id != nil {
		u := r.users.get(id, r.user)
		row.Account, row.Email, row.Phone = u.account, u.email, u.phone
	}
	row.Platform = r.texts.get(e.texts[platformName], lowered)
	row.Country = r.countries[string(e.texts[countryName])]
	if row.Country == "" {
		row.Country = r.texts.get(e.texts[countryName], r.country)
	}
	row.Channel = r.source(e)
	switch string(e.texts[analyticsStorage]) {
	case "Yes":
		row.Consent = &r.consents[1]
	case "No":
		row.Consent = &r.consents[0]
	}
	if err := r.params.read(e); err != nil {
		return nil, err
	}
	if session := r.params.session; session != nil && !row.Device.IsZero() {
		r.scratch = appendText(appendText(append(r.scratch[:0], "session"...), e.texts[pseudoID]), session)
		row.SessionID = r.sessions.get(r.scratch, r.session)
	}
	if v := r.params.value; v != nil {
		number, err := strconv.ParseFloat(strings.TrimSpace(string(v)), 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, reject("event_params.value: expected a finite number")
		}
		row.Value = &number
	}
	if c := r.params.currency; c != nil {
		if row.Currency = r.texts.get(c, currency); row.Currency == "" && len(bytes.TrimSpace(c)) > 0 {
			return nil, reject("event_params.currency: expected an ISO 4217 currency code, such as EUR")
		}
	}
	row.Params = r.params.json()
	return row, nil
}

func lowered(text string) string { return clean(strings.ToLower(text)) }

func (r *rows) country(name string) string { return r.countries[fold(name)] }

// currency gives a currency's code, "" for what is none.
func currency(text string) string {
	code := strings.ToUpper(strings.TrimSpace(text))
	if _, err := money.Exponent(code); err != nil {
		return ""
	}
	return code
}

// device gives the identifier of a user_pseudo_id; what identifies nobody has none.
func (r *rows) device(id string) identifier.ID {
	hashed, err := r.key.Hash(identifier.Device, id)
	if err != nil {
		return identifier.ID{}
	}
	return hashed
}

func (r *rows) session(encoded string) string { return r.key.Row([]byte(encoded)).String() }

// user says who a user_id is. Sites send what they should not: an e-mail address or a phone number is hashed as such,
// so that it joins with those of other sources. Digits alone are an account's id, unless phone_region is set and they
// are a number there.
func (r *rows) user(id string) (u user) {
	if strings.Contains(id, "@") || strings.Contains(strings.ToLower(id), "%40") {
		address := id
		if !strings.Contains(id, "@") {
			address = unescapeLoosely(id)
		}
		email, err := r.key.Hash(identifier.Email, address)
		switch {
		case err == nil:
			u.email = email
			return u
		case errors.Is(err, identifier.ErrBlocked):
			return u
		}
	}
	if trimmed := strings.TrimSpace(id); phoneLike(trimmed, r.region != "") {
		var err error
		if u.phone, err = r.key.Phone(trimmed, r.region); err == nil {
			return u
		}
	}
	account, err := r.key.Hash(identifier.Account, id)
	if err == nil {
		u.account = account
	}
	return u
}

// phoneLike reports whether a text is written as phone numbers are: digits and their separators only, behind a plus
// sign where the region is not known.
func phoneLike(text string, anyDigits bool) bool {
	digits := 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune("+-() .\u00a0", c):
			return false
		}
	}
	return digits >= 7 && digits <= 15 && (anyDigits || strings.HasPrefix(text, "+"))
}

// source gives the channel: source / medium of the session, else of the event, else of the user's first visit.
func (r *rows) source(e *event) string {
	for _, pair := range [...][2]int{
		{sessionSource, sessionMedium}, {sessionManualSource, sessionManualMedium}, {eventSource, eventMedium}, {firstSource, firstMedium},
	} {
		source, medium := e.texts[pair[0]], e.texts[pair[1]]
		if len(source) == 0 && len(medium) == 0 {
			continue
		}
		r.channel = append(r.channel[:0], orNone(source)...)
		r.channel = append(r.channel, " / "...)
		r.channel = append(r.channel, orNone(medium)...)
		return r.channels.get(r.channel, clean)
	}
	return ""
}

func orNone(text []byte) []byte {
	if len(text) == 0 {
		return []byte("(none)")
	}
	return text
}

// identity hashes what makes an event itself. In the encoding every text stands behind its length plus one, a NULL is a
// zero, and the parameters, as whole, are in ascending order of their bytes behind their number.
func (r *rows) identity(e *event) string {
	b := r.encoded[:0]
	for _, use := range [...]int{pseudoID, eventTimestamp, eventName, bundleSequence, batchEvent, batchPage, batchOrdering} {
		b = appendText(b, e.texts[use])
	}
	b = binary.AppendUvarint(b, uint64(len(e.params)))
	r.parts = r.parts[:0]
	r.scratch = r.scratch[:0]
	for i := range e.params {
		from := len(r.scratch)
		for _, text := range e.params[i] {
			r.scratch = appendText(r.scratch, text)
		}
		r.parts = append(r.parts, span{from, len(r.scratch)})
	}
	slices.SortFunc(r.parts, func(x, y span) int {
		return bytes.Compare(r.scratch[x.from:x.to], r.scratch[y.from:y.to])
	})
	for _, part := range r.parts {
		b = append(b, r.scratch[part.from:part.to]...)
	}
	r.encoded = b
	return r.key.Row(b).String()
}

func appendText(b, text []byte) []byte {
	if text == nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(text))+1), text...)
}
