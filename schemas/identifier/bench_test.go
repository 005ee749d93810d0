package identifier

import "testing"

// BenchmarkHash is what identifiers cost, by kind, as sources write them.
func BenchmarkHash(b *testing.B) {
	k, err := NewKey("k1", make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		kind  Kind
		value string
	}{
		{"account", Account, "u00c0ffee"},
		{"device", Device, "b3f1c2d4-55aa-4c1e-9e0f-1a2b3c4d5e6f"},
		{"email", Email, "Ann.Smith+tv@GMail.com"},
		{"email_folded", EmailFolded, "Ann.Smith+tv@GMail.com"},
		{"email_not_ascii", Email, "Анна@почта.рф"},
		{"card", Card, "stripe/acct_1/xPz1Fingerprint"},
		{"phone", Phone, "+7 (916) 123-45-67"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.Hash(c.kind, c.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
