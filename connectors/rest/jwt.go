package rest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"crosslift/schemas/secret"
)

// ServiceAccount gets tokens for a signed statement of who it is (RFC 7523, RS256), as Google's service accounts do. A
// token is replaced as one of ClientCredentials is.
type ServiceAccount struct {
	// Key is the account's key file: JSON with client_email, private_key_id, private_key and token_uri.
	Key    secret.Secret
	Scopes []string
}

// jwtLife is for how long a statement is good, in seconds; an hour is the most that Google takes.
const jwtLife = 3600

func (s ServiceAccount) open(c *Client) (credential, error) {
	var file struct {
		Email    string `json:"client_email"`
		KeyID    string `json:"private_key_id"`
		Key      string `json:"private_key"`
		TokenURI string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(s.Key.Reveal()), &file) != nil || file.Email == "" || file.Key == "" || file.TokenURI == "" {
		return nil, errors.New("expected a key file: JSON with client_email, private_key and token_uri")
	}
	key, err := privateKey(file.Key)
	if err != nil {
		return nil, err
	}
	return newTokens(c, file.TokenURI, func(http.Header) (url.Values, error) {
		now := c.options.Now().Unix()
		signed, err := sign(key, map[string]any{"alg": "RS256", "typ": "JWT", "kid": file.KeyID}, map[string]any{
			"iss": file.Email, "scope": strings.Join(s.Scopes, " "), "aud": file.TokenURI, "iat": now, "exp": now + jwtLife,
		})
		return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {signed}}, err
	})
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("private_key: expected PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("private_key: expected PKCS #8 or PKCS #1")
	}
	if key, ok := key.(*rsa.PrivateKey); ok {
		return key, nil
	}
	return nil, errors.New("private_key: expected an RSA key")
}

// sign makes a JSON Web Token (RFC 7519) signed by RS256 (RFC 7518, 3.3).
func sign(key *rsa.PrivateKey, header, claims map[string]any) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	encoding := base64.RawURLEncoding
	text := encoding.EncodeToString(h) + "." + encoding.EncodeToString(c)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return text + "." + encoding.EncodeToString(signature), nil
}
