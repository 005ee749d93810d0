package identifier

import (
	"errors"
	"strings"
	"testing"
)

func key(t *testing.T) Key {
	t.Helper()
	k, err := ParseKey("k1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestHash gives what Python's hmac gives: HMAC-SHA-256 over kind, a zero byte and the value, its first 16 bytes.
func TestHash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        Kind
		value, want string
	}{
		{Account, "42", "0f8fad238e2a0bf1d7bdfde7d33026a8"},
		{Account, "  42\t", "0f8fad238e2a0bf1d7bdfde7d33026a8"}, // surrounding space is no part of an id
		{Device, "42", "b45536c142b44bf5f0ce505d35aaadff"},      // the same value of another kind is somebody else
		{Account, "Ж", "c827cb60e476956365e6b4e22719af4d"},
		{Email, " Ann@Почта.РФ", "4d1ffc60b7a2f1e242a4d829eaa71229"},
		{EmailFolded, "A.n.n+tv@googlemail.com", "a29031a75fe62bdf5f928bd6add3be5d"},
		{Phone, "+7 (916) 123-45-67", "f72af9b0302e4bddc15a82d773c179c6"},
		{Card, "stripe/acct_1/fp1", "4f63c65af8b4b1f48ea76df48cab1ac6"},
	} {
		id, err := key(t).Hash(c.kind, c.value)
		if err != nil || strings.ReplaceAll(id.String(), "-", "") != c.want {
			t.Errorf("%s %q: %s, %v, expected %s", c.kind, c.value, id, err, c.want)
		}
	}
	anchor := ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	if id := Mint(Profile, anchor, 0); strings.ReplaceAll(id.String(), "-", "") != "e60bd0a1e2d24a53fe1ab4a6758d9ea6" {
		t.Errorf("minted %s", id)
	}
	if Mint(Profile, anchor, 0) == Mint(Profile, anchor, 1) {
		t.Error("the second id minted from an anchor is the first")
	}
}

// TestBlocked refuses what identifies nobody.
func TestBlocked(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "  ", "null", "NULL", "undefined", "-1", "00000000-0000-0000-0000-000000000000"} {
		if _, err := key(t).Hash(Account, value); !errors.Is(err, ErrBlocked) {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := key(t).Hash(Account, "a\xff"); err == nil || errors.Is(err, ErrBlocked) {
		t.Errorf("bytes that are no text: %v", err)
	}
}

// TestParseKey refuses weak and malformed keys, and never repeats a secret.
func TestParseKey(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "name", ":" + strings.Repeat("ab", 16), "k:zz", "k:abcd", "k:" + strings.Repeat("ab", 15)} {
		_, err := ParseKey(content)
		if err == nil {
			t.Errorf("%q was taken for a key", content)
		} else if _, secret, _ := strings.Cut(content, ":"); len(secret) > 3 && strings.Contains(err.Error(), secret) {
			t.Errorf("the secret was told: %v", err)
		}
	}
}
