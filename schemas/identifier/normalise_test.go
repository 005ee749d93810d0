package identifier

import (
	"errors"
	"strings"
	"testing"
)

// TestNormalise gives every spelling of one identifier one form, and refuses what identifies nobody.
func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        Kind
		value, want string
		err         error
	}{
		{Account, " Ann-42\n", "Ann-42", nil}, // case-sensitive
		{Account, "111111", "111111", nil},    // a number like any other
		{Account, "0", "", ErrBlocked},
		{Account, "", "", ErrBlocked},
		{Account, "(not set)", "", ErrBlocked},
		{Account, "[object Object]", "", ErrBlocked},
		{Device, "00000000-0000-0000-0000-000000000000", "", ErrBlocked},
		{Device, "ffffffff-ffff-ffff-ffff-ffffffffffff", "", ErrBlocked},
		{Device, "GA1.2.1137.1730", "GA1.2.1137.1730", nil},

		{Email, "  Ann.Smith+tv@GMail.com ", "ann.smith+tv@gmail.com", nil},
		{Email, "ann@почта.рф", "ann@xn--80a1acny.xn--p1ai", nil},
		{Email, "ann@Почта.РФ.", "ann@xn--80a1acny.xn--p1ai", nil},
		{Email, "ａｎｎ＠mail.ru", "ann@mail.ru", nil}, // full-width letters
		{Email, "Анна@почта.рф", "анна@xn--80a1acny.xn--p1ai", nil},
		{Email, "ann@mail_server.ru", "", ErrInvalid},
		{Email, "ann", "", ErrInvalid},
		{Email, "@mail.ru", "", ErrInvalid},
		{Email, "ann@localhost", "", ErrInvalid},
		{Email, "ann@mail.ru, bob@mail.ru", "", ErrInvalid},
		{Email, "Ann <ann@mail.ru>", "", ErrInvalid},
		{Email, "ann@example.com", "", ErrBlocked},
		{Email, "ann@shop.test", "", ErrBlocked},
		{Email, "No-Reply@shop.ru", "", ErrBlocked},

		{EmailFolded, "Ann.Smith+tv@googlemail.com", "annsmith@gmail.com", nil},
		{EmailFolded, "annsmith@gmail.com", "annsmith@gmail.com", nil},
		{EmailFolded, "ann.smith+tv@yandex.ru", "ann.smith@yandex.ru", nil}, // dots count there
		{EmailFolded, "ann+tv@company.ru", "ann+tv@company.ru", nil},        // who knows what a plus means there
		{EmailFolded, "no.reply+1@gmail.com", "", ErrBlocked},
		{EmailFolded, ".@gmail.com", ".@gmail.com", nil},
		{EmailFolded, "+tv@gmail.com", "+tv@gmail.com", nil},

		{Phone, "+7 (916) 123-45-67", "+79161234567", nil},
		{Phone, "+7 916 123 45 67 доб. 12", "+79161234567", nil},
		{Phone, "8 (916) 123-45-67", "", ErrInvalid}, // of which country?
		{Phone, "+7 000 000-00-00", "", ErrInvalid},
		{Phone, "0000000000", "", ErrBlocked},

		{Card, "xPz1Fingerprint", "xPz1Fingerprint", nil},
		{Card, "4242424242424242", "", ErrCardNumber},
		{Card, "2200 1234 5678 9019", "", ErrCardNumber},
		{Card, "4242424242424241", "4242424242424241", nil}, // its check digit says that it is something else
	} {
		got, err := Normalise(c.kind, c.value)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %q: %q, %v, expected %q, %v", c.kind, c.value, got, err, c.want, c.err)
		}
		if err != nil && c.value != "" && strings.Contains(err.Error(), strings.TrimSpace(c.value)) {
			t.Errorf("%s: the value was told: %v", c.kind, err)
		}
	}
}

// TestE164 reads numbers as they are written in a region.
func TestE164(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, region, want string }{
		{"8 (916) 123-45-67", "RU", "+79161234567"},
		{"9161234567", "RU", "+79161234567"},
		{"8 916 123-45-67 доб. 12", "RU", "+79161234567"},
		{"+79161234567", "DE", "+79161234567"},
		{"030 901820", "DE", "+4930901820"},
		{"112", "RU", ""},
		{"007 916 123 45 67", "RU", ""},
		{"call me", "RU", ""},
	} {
		got, err := E164(c.value, c.region)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q in %s: %q, %v, expected %q", c.value, c.region, got, err, c.want)
		}
	}
}

// TestCardToken keeps tokens of different systems and accounts apart.
func TestCardToken(t *testing.T) {
	t.Parallel()
	if got, err := CardToken("stripe", "acct_1", " fp1 "); got != "stripe/acct_1/fp1" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := CardToken("stripe", "acct_1", "4242 4242 4242 4242"); !errors.Is(err, ErrCardNumber) {
		t.Errorf("a card number: %v", err)
	}
	if _, err := CardToken("stripe", "acct_1", ""); !errors.Is(err, ErrBlocked) {
		t.Errorf("no token: %v", err)
	}
}

// FuzzNormalise: a normal form is its own normal form, for every kind, and no error tells the value.
func FuzzNormalise(f *testing.F) {
	for _, value := range []string{"Ann.Smith+tv@GMail.com", "+7 (916) 123-45-67", "ａｎｎ＠почта.рф.", "-1", "4242424242424242", "a@b@c.de", "ﬁ@ﬁ.de"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, kind := range []Kind{Account, Device, Email, EmailFolded, Phone, Card} {
			normal, err := Normalise(kind, value)
			if err != nil {
				continue
			}
			if again, err := Normalise(kind, normal); again != normal || err != nil {
				t.Errorf("%s %q: %q, then %q, %v", kind, value, normal, again, err)
			}
		}
	})
}
