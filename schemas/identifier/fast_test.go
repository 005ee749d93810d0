package identifier

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// slowEmail is email without its short cuts: whatever the text, Unicode's rules are applied to all of it.
func slowEmail(value string) (string, error) {
	value = strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(value))))
	at := strings.LastIndexByte(value, '@')
	if at <= 0 {
		return "", errEmail
	}
	local, domain := value[:at], strings.TrimSuffix(value[at+1:], ".")
	domain, err := idna.Lookup.ToASCII(domain)
	labels := strings.Split(domain, ".")
	if err != nil || len(labels) < 2 || slices.Contains(labels, "") || strings.ContainsFunc(local, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c) || strings.ContainsRune(`"(),:;<>@[\]`, c)
	}) {
		return "", errEmail
	}
	last, second := labels[len(labels)-1], labels[len(labels)-2]
	if automatic[local] || slices.Contains([]string{"test", "example", "invalid", "localhost"}, last) ||
		second == "example" && slices.Contains([]string{"com", "net", "org"}, last) {
		return "", ErrBlocked
	}
	return local + "@" + domain, nil
}

// slowE164 is E164 by the library alone.
func slowE164(value, region string) (string, error) {
	if placeholder(strings.TrimSpace(value)) {
		return "", ErrBlocked
	}
	number, err := phonenumbers.Parse(norm.NFKC.String(value), region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", errPhone
	}
	number.Extension = nil
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

func same(t *testing.T, value string) {
	t.Helper()
	got, err := email(value)
	if want, wanted := slowEmail(value); got != want || err != wanted {
		t.Errorf("e-mail %q: %q, %v, expected %q, %v", value, got, err, want, wanted)
	}
	for _, region := range []string{"", "RU", "KZ", "DE", "US"} {
		got, err := E164(value, region)
		if want, wanted := slowE164(value, region); got != want || err != wanted {
			t.Errorf("phone %q in %q: %q, %v, expected %q, %v", value, region, got, err, want, wanted)
		}
	}
}

// TestShortCutsChangeNothing compares with the slow way over what people, sites and integrations may write.
func TestShortCutsChangeNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for range 800 {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(pick("a", "Z9", "-", "--", ".", "_", "xn--", "é", "ß", "ﬁ", "\u00ad", "noreply", "é", " ", "+tv"))
		}
		b.WriteString(pick("@", "@", "@", "＠", "@@"))
		for range 1 + r.IntN(5) {
			b.WriteString(pick("mail", "Q", "7", "-", "--", ".", ".", "xn--", "p1ai", "xn--p1ai", "_", "рф", "ß", "。", "example", "com", "test", "\u200d", "א"))
		}
		same(t, b.String())

		b.Reset()
		b.WriteString(pick("+7", "+", "8", "", "7", "+8", "(8", " +7", "+77", "+1", "810", "007", "＋7"))
		for range 9 + r.IntN(3) {
			b.WriteString(pick("", "", "", "", " ", "-", "(", ")", ".", "  ", "x"))
			b.WriteString(pick("9", "9", "0", "1", "6", "7", "8", "３"))
		}
		b.WriteString(pick("", "", "", " ", "-", " ext 5", "#"))
		same(t, b.String())
	}
	for n := 0; n < 3000; n += 23 { // operators of all kinds
		same(t, fmt.Sprintf("+7 (9%02d) %d-45-67", n%100, 100+n/4))
		same(t, fmt.Sprintf("8 9%02d %d 4567", n%100, 100+n/4))
		same(t, fmt.Sprintf("9%02d%d4567", n%100, 100+n/4))
	}
}

// FuzzShortCuts looks for a text whose form a short cut changes.
func FuzzShortCuts(f *testing.F) {
	for _, value := range []string{"Ann.Smith+tv@GMail.com", "ann@a--b.xn--p1ai", "+7 (916) 123-45-67", "8-916-123-45-67", "(9161234567"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) { same(t, value) })
}

// TestHashIsPlainHMAC compares with HMAC as the standard library computes it anew, from several goroutines and by
// copies of a key.
func TestHashIsPlainHMAC(t *testing.T) {
	t.Parallel()
	secret := []byte(strings.Repeat("secret", 20)) // longer than a block: it is hashed itself
	k, err := NewKey("k", secret)
	if err != nil {
		t.Fatal(err)
	}
	given := slices.Clone(secret)
	clear(secret) // a key does not depend on what it was made from
	var g sync.WaitGroup
	for n := range 8 {
		g.Go(func() {
			mine := k
			for i := range 500 {
				value := strings.Repeat("v", i%200+1) + fmt.Sprint(n, i)
				mac := hmac.New(sha256.New, given)
				mac.Write([]byte("account\x00" + value))
				if id, err := mine.Hash(Account, value); err != nil || id != ID(mac.Sum(nil)[:16]) {
					t.Errorf("%q: %s, %v", value, id, err)
				}
			}
		})
	}
	g.Wait()
}

// TestPhone gives what reading and hashing one after the other give.
func TestPhone(t *testing.T) {
	t.Parallel()
	k := key(t)
	for _, c := range []struct{ value, region string }{
		{"+7 (916) 123-45-67", ""}, {"8 916 123-45-67", "RU"}, {"030 901820", "DE"}, {"call me", "RU"}, {"", "RU"}, {"0000", ""}, {"+7\xff9161234567", "RU"},
	} {
		var want ID
		number, err := E164(c.value, c.region)
		if err == nil {
			want, err = k.Hash(Phone, number)
		}
		if got, failed := k.Phone(c.value, c.region); got != want || (failed != nil) != (err != nil) {
			t.Errorf("%q in %s: %s, %v, expected %s, %v", c.value, c.region, got, failed, want, err)
		}
	}
}
