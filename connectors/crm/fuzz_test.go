package crm

import (
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/rest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
)

// FuzzObjects: whatever an answer holds, each object becomes a row that its table's contract can judge, or is rejected
// for a reason of ours; what is announced is a name that may be shown.
func FuzzObjects(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","properties":{"email":"ann@cinema.tv","phone":"+79161234567","lastmodifieddate":"2026-11-03T10:00:00.000Z","marketing_consent":"true"},"createdAt":"2026-11-03T10:00:00Z"}`,
		`{"id":7,"properties":{"amount":"1e9","deal_currency_code":"RUB","dealstage":"won","closedate":"1762128000000","hs_lastmodifieddate":"1762128000000"},"associations":{"contacts":{"results":[{"id":"2"},{}]}}}`,
		`{"id":null,"properties":[],"archived":"maybe","archivedAt":5}`, `{"id":{},"properties":{"email":[1],"plan":"x\u0000"}}`, `[{}]`, `{"id"`,
	} {
		f.Add(seed)
	}
	key, err := identifier.NewKey("test", []byte("0123456789abcdef"))
	if err != nil {
		f.Fatal(err)
	}
	made, err := New(Config{
		Token: secret.New("pat-1"), Contacts: Contacts{MarketingConsent: "marketing_consent", ConsentVersion: "consent_version"},
		Subscriptions: Subscriptions{Plan: "plan"},
	}, connectors.Env{Key: key, Zone: time.UTC, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range made.Streams() {
			s := s.(*stream)
			names := &announced{}
			r, decode := newReader(s, names), s.decode(s)
			_, _ = rest.Elements(strings.NewReader("["+text+"]"), "", func(v rest.Value) error {
				o := r.read(v, len(s.slots))
				row, reason := decode.row(&o)
				if (row == nil) == (reason == "") {
					t.Errorf("%v for %q", row, reason)
				}
				if row != nil {
					_ = s.table.Check(row)
				}
				return nil
			})
			for _, name := range names.fields {
				if name != "(unprintable)" && !printable.MatchString(name) {
					t.Errorf("announced %q", name)
				}
			}
		}
	})
}

type announced struct {
	connectors.Sink
	fields []string
}

func (a *announced) Unclassified(field string) { a.fields = append(a.fields, field) }
