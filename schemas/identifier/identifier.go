// Package identifier turns what sources call a person, an account or a device into the pseudonymous identifiers of
// the lake. It is the one place that hashes: a value enters here, 128 bits leave, and the same value under the same
// key gives the same bits whichever source it came from. That is what joins sources without personal data.
package identifier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// NormaliserVersion is recorded in the recipe of every extracted partition: a change of the rules of Normalise makes
// extracts stale, since values hashed under two versions would no longer join.
const NormaliserVersion = 2

// Kind is the namespace of an identifier. It is hashed together with the value, so that account 42 and device 42 are
// different identifiers.
type Kind string

// The kinds of identifier. Their names are hashed: they never change.
const (
	Account     Kind = "account"      // the product's own user id
	Device      Kind = "device"       // an app installation's or a browser's id
	Email       Kind = "email"        // an e-mail address as its owner writes it
	EmailFolded Kind = "email_folded" // the same without what its provider ignores: a weaker sign of a person
	Phone       Kind = "phone"        // a phone number with its country's code
	Card        Kind = "card"         // a payment system's token of a card, see CardToken; never its number
	CRMContact  Kind = "crm"          // a CRM's id of a contact
	BankClient  Kind = "bank_client"  // the bank's pseudonym of a client
	Reference   Kind = "reference"    // a payment's reference in the card network: it joins the bank's side to ours
	Profile     Kind = "profile"      // this and the two below are minted by identity, never read from a source
	Person      Kind = "person"
	Household   Kind = "household"
)

// Known reports whether a kind is one of the above.
func Known(kind Kind) bool {
	return slices.Contains([]Kind{Account, Device, Email, EmailFolded, Phone, Card, CRMContact, BankClient, Reference, Profile, Person, Household}, kind)
}

// ID is a keyed hash of a value: 128 bits of HMAC-SHA-256. The zero ID means "none".
type ID [16]byte

// IsZero reports whether there is no identifier.
func (id ID) IsZero() bool { return id == ID{} }

// String gives the form that DuckDB and Postgres print for a UUID.
func (id ID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Set is a set of identifiers, such as those of erased persons. A nil one is empty.
type Set map[ID]struct{}

// Has reports whether an identifier is in the set; "none" never is.
func (s Set) Has(id ID) bool {
	_, found := s[id]
	return found && !id.IsZero()
}

// Key is the secret of one installation. Whoever holds it can compute the identifier of a known value, so it is kept
// as a password is; losing it means that a full re-extract is needed. A Key may be copied, and used by several
// goroutines.
type Key struct {
	ID  string // names the key in recipes; public
	own *sync.Pool
}

// hasher is an HMAC that the secret has been fed to, which is half the work of hashing something short.
type hasher struct {
	mac  hash.Hash
	text []byte
}

func newHasher(secret []byte) *hasher { return &hasher{mac: hmac.New(sha256.New, secret)} }

// minSecret is the length below which a secret could be guessed.
const minSecret = 16

// NewKey makes a key. The secret must have at least 16 bytes.
func NewKey(id string, secret []byte) (Key, error) {
	if id == "" {
		return Key{}, errors.New("identifier key: it has no name")
	}
	if len(secret) < minSecret {
		return Key{}, fmt.Errorf("identifier key %q: the secret has %d bytes, at least %d are needed", id, len(secret), minSecret)
	}
	secret = slices.Clone(secret)
	return Key{ID: id, own: &sync.Pool{New: func() any { return newHasher(secret) }}}, nil
}

// ParseKey reads the content of a key file: the key's name, a colon and at least 32 hexadecimal digits, on one line.
func ParseKey(content string) (Key, error) {
	name, digits, found := strings.Cut(strings.TrimSpace(content), ":")
	if !found {
		return Key{}, errors.New("identifier key: expected `name:hexadecimal digits`")
	}
	secret, err := hex.DecodeString(strings.TrimSpace(digits))
	if err != nil {
		return Key{}, errors.New("identifier key: the part after the colon is not hexadecimal")
	}
	return NewKey(strings.TrimSpace(name), secret)
}

// Hash gives the identifier of a value as a source wrote it: HMAC-SHA-256(secret, kind ‖ 0x00 ‖ normalised value),
// its first 16 bytes.
func (k Key) Hash(kind Kind, value string) (ID, error) {
	value, err := Normalise(kind, value)
	if err != nil {
		return ID{}, err
	}
	return hashed(k, kind, value), nil
}

// Phone gives the identifier of a phone number as E164 reads it: what Hash gives for E164's answer, read only once.
func (k Key) Phone(value, region string) (ID, error) {
	if !utf8.ValidString(value) {
		return ID{}, errNotText
	}
	number, err := E164(value, region)
	if err != nil {
		return ID{}, err
	}
	return hashed(k, Phone, number), nil
}

// Row gives a keyed hash of a row's bytes, by which quarantine tells the same row seen twice.
func (k Key) Row(row []byte) ID { return hashed(k, "row", row) }

// Mint derives a new identifier from the one it is anchored on: HMAC-SHA-256(anchor, kind ‖ 0x00 ‖ n), its first 16
// bytes, where n says how often this anchor was minted before.
func Mint(kind Kind, anchor ID, n byte) ID {
	return sum(newHasher(anchor[:]), kind, []byte{n})
}

// hashed is sum by a key's secret; the zero Key has an empty one.
func hashed[T string | []byte](k Key, kind Kind, value T) ID {
	if k.own == nil {
		return sum(newHasher(nil), kind, value)
	}
	h := k.own.Get().(*hasher)
	defer k.own.Put(h)
	return sum(h, kind, value)
}

func sum[T string | []byte](h *hasher, kind Kind, value T) ID {
	h.text = append(append(append(h.text[:0], kind...), 0), value...)
	h.mac.Reset()
	h.mac.Write(h.text)
	h.text = h.mac.Sum(h.text[:0])
	return ID(h.text[:len(ID{})])
}

// Fingerprint names the key and the rules for a recipe.
func (k Key) Fingerprint() string { return fmt.Sprintf("%s/v%d", k.ID, NormaliserVersion) }

// Parse reads an identifier as String writes it.
func Parse(text string) (id ID, err error) {
	digits := strings.ReplaceAll(text, "-", "")
	if len(text) != 36 || len(digits) != 32 {
		return id, fmt.Errorf("%q: expected an identifier as 8f14e45f-ceea-467f-9d3b-6f1e4f5a0001", text)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return id, fmt.Errorf("%q: an identifier has hexadecimal digits only", text)
	}
	return ID(b), nil
}

// Named gives the identifier that a person names: as the lake shows it, or as kind:value, such as account:u00c0ffee.
func (k Key) Named(text string) (ID, error) {
	kind, value, named := strings.Cut(text, ":")
	if !named {
		id, err := Parse(text)
		if err != nil {
			return id, fmt.Errorf("%w, or kind:value as account:u00c0ffee", err)
		}
		return id, nil
	}
	if !slices.Contains([]Kind{Account, Device, Email, EmailFolded, Phone, Card, CRMContact, BankClient, Reference}, Kind(kind)) {
		return ID{}, fmt.Errorf("%q: no kind of identifier: expected account, device, email, email_folded, phone, card, crm, bank_client or reference", kind)
	}
	return k.Hash(Kind(kind), value)
}
