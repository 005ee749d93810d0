package identifier

import "testing"

// TestRedact takes people out of texts and leaves what helps to find a fault.
func TestRedact(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"no such customer: ann.smith+tv@gmail.com":   "no such customer: [redacted]",
		"/watch?email=ann%40mail.ru&x=1":             "/watch?email=[redacted]&x=1",
		"анна@почта.рф wrote":                        "[redacted] wrote",
		"call +7 (916) 123-45-67, please":            "call [redacted], please",
		"8-916-123-45-67":                            "[redacted]",
		"card 4242 4242 4242 4242 declined":          "card [redacted] declined",
		"page 14 of 2026-11-03: HTTP 429, wait 30 s": "page 14 of 2026-11-03: HTTP 429, wait 30 s",
		"at 2026-11-03 12:30:00":                     "at 2026-11-03 12:30:00",
		"field amount: expected a number, line 120":  "field amount: expected a number, line 120",
		"": "",
	} {
		if got := Redact(text); got != want {
			t.Errorf("%q became %q, expected %q", text, got, want)
		}
	}
}

// FuzzRedact: what was taken out stays out.
func FuzzRedact(f *testing.F) {
	f.Add("ann@mail.ru +79161234567")
	f.Fuzz(func(t *testing.T, text string) {
		if once := Redact(text); Redact(once) != once {
			t.Errorf("%q becomes %q, then %q", text, once, Redact(once))
		}
	})
}
