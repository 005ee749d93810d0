package pgread

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// cursor is where a broken extract goes on. It is kept where raw ids must not be, so the key's id is sealed.
type cursor struct {
	At       table.Micros `json:"at"` // the key of the last row of a finished page
	ID       string       `json:"id"`
	Rows     int64        `json:"rows"` // so far
	Sum      int64        `json:"sum,omitempty"`
	Rejected bool         `json:"rejected,omitempty"` // some of them
	Page     int          `json:"page"`
}

var errCursor = errors.New("the cursor to go on from is not one of this stream: discard what was read of the day")

// write gives the cursor's text.
func (c cursor) write(key identifier.Key) (string, error) {
	id, err := seal(key, c.ID)
	if err != nil {
		return "", err
	}
	c.ID = id
	text, err := json.Marshal(c)
	return string(text), err
}

// readCursor is the inverse of write; the zero cursor for "".
func readCursor(key identifier.Key, text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	if json.Unmarshal([]byte(text), &c) != nil || c.Rows < 1 || c.Page < 1 {
		return cursor{}, errCursor
	}
	if c.ID, err = open(key, c.ID); err != nil {
		return cursor{}, errCursor
	}
	return c, nil
}

// sealer encrypts under a key of its own, drawn from the installation's: AES-128-GCM, of which the nonce is a keyed hash
// of the text, so that the same text under the same nonce is the only thing that repeats.
func sealer(key identifier.Key) (cipher.AEAD, error) {
	secret := key.Row([]byte("connectors/pgread cursor"))
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func seal(key identifier.Key, text string) (string, error) {
	gcm, err := sealer(key)
	if err != nil {
		return "", err
	}
	hash := key.Row([]byte("connectors/pgread nonce " + text))
	nonce := hash[:gcm.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(gcm.Seal(nonce, nonce, []byte(text), nil)), nil
}

func open(key identifier.Key, sealed string) (string, error) {
	gcm, err := sealer(key)
	if err != nil {
		return "", err
	}
	data, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(data) < gcm.NonceSize() {
		return "", errCursor
	}
	text, err := gcm.Open(nil, data[:gcm.NonceSize()], data[gcm.NonceSize():], nil)
	return string(text), err
}
