package timeline

import (
	"math"
	"slices"

	"crosslift/schemas/identifier"
)

// piece is a half-open span of time of which one rule says something: an account's number, or a class.
type piece struct {
	from, to int64
	value    uint32
}

// The classes of a device that is not personal.
const (
	shared uint32 = 1 + iota
	public
)

// stretch is a row in the making.
type stretch struct {
	from, to int64
	account  uint32
	method   string
	shared   bool
}

// sweeper makes the timelines of devices, one after the other, in memory that it uses again.
type sweeper struct {
	rules    Rules
	accounts []identifier.ID // by number
	from     int64           // nothing is said of the time before
	events   []int32         // of each account in the window; all 0 between devices

	logins                                            []login
	classes, sessions, spans, backfill, bracket, near []piece
	web                                               webSessions
	out                                               []stretch
}

// device gives a device's timeline, valid until the next call. It sorts the events.
func (s *sweeper) device(events []event, deviceType string) []stretch {
	slices.SortFunc(events, func(a, b event) int { return order(s.accounts, a, b) })
	ttl, most := s.rules.limits(deviceType)
	s.out = s.out[:0]
	if s.logins = logins(s.logins[:0], events, int64(micros(s.rules.Viewing))); len(s.logins) == 0 {
		return s.out
	}
	s.classify(most)
	s.sessions = s.web.pieces(s.sessions[:0], events, s.accounts, int64(micros(s.rules.Session)))
	s.span(ttl)
	s.backfills()
	s.brackets()
	s.nears()
	s.overlay()
	return s.out
}

// classify finds when the device is shared or public: an account is in the window from it before its logins to it after
// them.
func (s *sweeper) classify(most int) {
	s.classes = s.classes[:0]
	window, distinct := int64(micros(s.rules.Window)), 0
	for come, gone := 0, 0; gone < len(s.logins); {
		t := s.logins[gone].until + window
		if come < len(s.logins) {
			t = min(t, s.logins[come].at-window)
		}
		for ; come < len(s.logins) && s.logins[come].at-window == t; come++ {
			if s.events[s.logins[come].account]++; s.events[s.logins[come].account] == 1 {
				distinct++
			}
		}
		for ; gone < come && s.logins[gone].until+window == t; gone++ {
			if s.events[s.logins[gone].account]--; s.events[s.logins[gone].account] == 0 {
				distinct--
			}
		}
		class := uint32(0)
		switch {
		case distinct > most:
			class = public
		case distinct > 1:
			class = shared
		}
		last := len(s.classes) - 1
		if last >= 0 && s.classes[last].to == math.MaxInt64 {
			if s.classes[last].value == class {
				continue
			}
			s.classes[last].to = t
		}
		if class != 0 {
			s.classes = append(s.classes, piece{t, math.MaxInt64, class})
		}
	}
}

// span holds from each login that is no logout to the next one of any account, or until its time to live is over.
func (s *sweeper) span(ttl int64) {
	s.spans = s.spans[:0]
	for i, l := range s.logins {
		if !l.logout {
			s.spans = add(s.spans, piece{l.at, min(l.until+ttl, s.next(i)), l.account})
		}
	}
}

// next is when the login after the i-th one is.
func (s *sweeper) next(i int) int64 {
	if i+1 < len(s.logins) {
		return s.logins[i+1].at
	}
	return math.MaxInt64
}

// backfills hold around each login. Where those of two accounts meet the device is not personal, since the window is no
// shorter: what they say there is not asked.
func (s *sweeper) backfills() {
	s.backfill = s.backfill[:0]
	reach := int64(micros(s.rules.Backfill))
	for _, l := range s.logins {
		from := l.at - reach
		if n := len(s.backfill); n > 0 {
			from = max(from, s.backfill[n-1].to)
		}
		s.backfill = add(s.backfill, piece{from, l.until + reach, l.account})
	}
}

// brackets hold between two logins of one account.
func (s *sweeper) brackets() {
	s.bracket = s.bracket[:0]
	reach := int64(micros(s.rules.Bracket))
	for i := range len(s.logins) - 1 {
		if a, b := s.logins[i], s.logins[i+1]; a.account == b.account {
			s.bracket = add(s.bracket, piece{max(a.at, b.at-reach), min(b.at, a.until+reach), a.account})
		}
	}
}

// nears hold before each login, since the one before. After one they say nothing: whoever logs out leaves the device to
// others.
func (s *sweeper) nears() {
	s.near = s.near[:0]
	reach, before := int64(micros(s.rules.SharedBackfill)), int64(math.MinInt64)
	for _, l := range s.logins {
		s.near = add(s.near, piece{max(l.at-reach, before), l.at, l.account})
		before = l.at
	}
}

// add appends a piece, unless it is empty, to pieces in order, joining it with what it continues.
func add(pieces []piece, p piece) []piece {
	if p.from >= p.to {
		return pieces
	}
	if n := len(pieces); n > 0 && pieces[n-1].to == p.from && pieces[n-1].value == p.value {
		pieces[n-1].to = p.to
		return pieces
	}
	return append(pieces, p)
}

// overlay decides at every instant by the first rule that says something there.
func (s *sweeper) overlay() {
	classes, sessions, spans := cursor(s.classes), cursor(s.sessions), cursor(s.spans)
	backfill, bracket, near := cursor(s.backfill), cursor(s.bracket), cursor(s.near)
	for t := s.from; t < math.MaxInt64; {
		class, until := classes.at(t, math.MaxInt64)
		bySession, until := sessions.at(t, until)
		bySpan, until := spans.at(t, until)
		byBackfill, until := backfill.at(t, until)
		byBracket, until := bracket.at(t, until)
		byNear, until := near.at(t, until)
		account, method := uint32(0), ""
		switch {
		case class == public:
		case bySession != 0:
			account, method = bySession, Session
		case bySpan != 0:
			account, method = bySpan, Span
		case class == 0 && byBackfill != 0:
			account, method = byBackfill, Backfill
		case class == shared && byBracket != 0:
			account, method = byBracket, Bracket
		case class == shared && byNear != 0:
			account, method = byNear, Backfill
		}
		if account != 0 {
			s.put(stretch{t, until, account, method, class == shared})
		}
		t = until
	}
}

// put appends a stretch, joining it with what it continues.
func (s *sweeper) put(next stretch) {
	if n := len(s.out); n > 0 {
		last := &s.out[n-1]
		if last.to == next.from && last.account == next.account && last.method == next.method && last.shared == next.shared {
			last.to = next.to
			return
		}
	}
	s.out = append(s.out, next)
}

// cursor walks over pieces in order.
type cursor []piece

// at gives what holds at t, 0 for nothing, and until when, at most a limit. t never goes back.
func (c *cursor) at(t, limit int64) (value uint32, until int64) {
	for len(*c) > 0 && (*c)[0].to <= t {
		*c = (*c)[1:]
	}
	switch {
	case len(*c) == 0:
		return 0, limit
	case t < (*c)[0].from:
		return 0, min(limit, (*c)[0].from)
	}
	return (*c)[0].value, min(limit, (*c)[0].to)
}
