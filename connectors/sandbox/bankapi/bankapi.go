// Package bankapi is a partner bank over a generated world: accounts and transactions in the shape of UK Open Banking
// v3.1.11, an extension for cashback accruals, and the same accruals as daily registry files.
//
// # On disk
//
// The source is bank. An object is what the API gives, to the byte:
//
//	bank/transactions  a Transaction of the account and transaction API; At is its booking time. The id of one that has
//	                   none, as now and then a pending one, is made from what it says; once it is withdrawn, it is gone.
//	bank/accruals      an Accrual of the extension; At is its StatusUpdateDateTime, and each revision is a version
//
// All card transactions in a currency are in one account, which is the partner's view of the campaign: cashback-rub.
//
// # Served
//
//	POST /token                                              client_credentials, tls_client_auth
//	GET  /open-banking/v3.1/aisp/accounts
//	GET  /open-banking/v3.1/aisp/accounts/{id}/transactions  fromBookingDateTime, toBookingDateTime
//	GET  /partner/v1/campaigns/{id}/accruals                 fromUpdatedDateTime, toUpdatedDateTime, status, limit
//	GET  /partner/v1/campaigns/{id}/totals                   bookingDate
//
// The handler needs TLS with client certificates (see Authority): a token is bound to the certificate that it was given
// to, and is refused with another (RFC 8705). A list is read as it stood when its first page was asked for. The offset
// of a booking time in a query is ignored, as banks do: the wall clock is read in the bank's zone.
package bankapi

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"time"

	"crosslift/connectors/sandbox/world"
)

// The names under which a world keeps the bank's records.
const (
	Source       = "bank"
	Transactions = "transactions"
	Accruals     = "accruals"
)

// Options say how the bank behaves. Now, Zone and Client are required.
type Options struct {
	Client    string           // client_id, and the common name of the certificate that goes with it
	Zone      *time.Location   // cuts the bank's days
	Now       func() time.Time // what is visible by then is shown; tokens expire by it
	Campaigns []string         // others are not found; nil: there is every campaign that is asked for
	Page      int              // transactions a page; 500 without it
	TokenLife time.Duration    // five minutes without it
	PerMinute int              // requests beside those for tokens, then 429; 0: no limit
}

// Handler serves what a world's bank shows.
func Handler(w world.Reader, o Options) http.Handler {
	if o.Page == 0 {
		o.Page = 500
	}
	if o.TokenLife == 0 {
		o.TokenLife = 5 * time.Minute
	}
	s := &server{options: o, world: w, secret: make([]byte, 32)}
	rand.Read(s.secret) // never fails
	mux := http.NewServeMux()
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/open-banking/v3.1/aisp/accounts", s.get(s.accounts))
	mux.HandleFunc("/open-banking/v3.1/aisp/accounts/{account}/transactions", s.get(s.transactions))
	mux.HandleFunc("/partner/v1/campaigns/{campaign}/accruals", s.get(s.accruals))
	mux.HandleFunc("/partner/v1/campaigns/{campaign}/totals", s.get(s.totals))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	return mux
}

// server is the bank.
type server struct {
	options Options
	world   world.Reader
	secret  []byte // signs tokens

	mutex     sync.Mutex
	snapshots []*snapshot // the ones that were asked for last
	minute    time.Time   // in which requests are counted
	requests  int
}

var uuid = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// get wraps what all reading has in common: the method, the interaction id, the limit, the token.
func (s *server) get(next func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("x-fapi-interaction-id")
		if !uuid.MatchString(id) {
			id = newUUID()
		}
		w.Header().Set("x-fapi-interaction-id", id)
		wait, over := s.overLimit()
		switch {
		case r.Method != http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case !s.authorized(r):
			w.WriteHeader(http.StatusUnauthorized)
		case over:
			w.Header().Set("Retry-After", fmt.Sprint(wait))
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			if err := next(w, r); err != nil {
				s.fail(w, err)
			}
		}
	}
}

// overLimit counts a request, and gives the seconds until the next minute where there were too many in this one.
func (s *server) overLimit() (seconds int, over bool) {
	if s.options.PerMinute == 0 {
		return 0, false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.options.Now()
	if minute := now.Truncate(time.Minute); !minute.Equal(s.minute) {
		s.minute, s.requests = minute, 0
	}
	s.requests++
	left := s.minute.Add(time.Minute).Sub(now)
	return int((left + time.Second - 1) / time.Second), s.requests > s.options.PerMinute
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
