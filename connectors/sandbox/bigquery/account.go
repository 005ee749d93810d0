package bigquery

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Account is a service account as the service knows it.
type Account struct {
	Email string
	Key   *rsa.PublicKey
}

// keyFile is the JSON of a service account's key, as Google's console gives it out.
type keyFile struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	ClientEmail  string `json:"client_email"`
	TokenURI     string `json:"token_uri"`
}

// NewServiceAccount makes a key file for a new service account of a project, which gets its tokens at tokenURI: the
// path /token of a server with this Handler.
func NewServiceAccount(project, tokenURI string) ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(der)
	return json.MarshalIndent(keyFile{
		Type: "service_account", ProjectID: project, PrivateKeyID: hex.EncodeToString(id[:20]), TokenURI: tokenURI,
		PrivateKey:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		ClientEmail: "crosslift@" + project + ".iam.gserviceaccount.com",
	}, "", "  ")
}

// ReadAccount gives the account of a key file.
func ReadAccount(file []byte) (Account, error) {
	var k keyFile
	if err := json.Unmarshal(file, &k); err != nil {
		return Account{}, errors.New("service account: the key file is no JSON")
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	if block == nil || k.ClientEmail == "" {
		return Account{}, errors.New("service account: the key file has no client_email or private_key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Account{}, errors.New("service account: the private_key is not in PKCS #8 form")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return Account{}, errors.New("service account: the private_key is not an RSA key")
	}
	return Account{Email: k.ClientEmail, Key: &key.PublicKey}, nil
}

const (
	scope    = "https://www.googleapis.com/auth/bigquery"
	readOnly = scope + ".readonly"
	lifetime = time.Hour
)

// token answers a JWT bearer grant, RFC 7523.
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code, description string) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		w.Write(marshal(map[string]string{"error": code, "error_description": description}))
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil {
		refuse("invalid_request", "The form cannot be read.")
		return
	}
	if r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuse("unsupported_grant_type", "Invalid grant_type: "+r.PostForm.Get("grant_type"))
		return
	}
	path, _, _ := strings.Cut(r.RequestURI, "?") // as it was asked for, wherever the handler is mounted
	if err := s.verify(r.PostForm.Get("assertion"), "://"+r.Host+path); err != nil {
		refuse("invalid_grant", "Invalid JWT: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write(marshal(map[string]any{
		"access_token": s.mint(s.wall().Add(lifetime)), "expires_in": int(lifetime.Seconds()), "token_type": "Bearer",
	}))
}

// verify checks an assertion: signed with RS256 by the account for this endpoint, at most an hour long, and not over.
func (s *server) verify(assertion, endpoint string) error {
	signed, signature, ok := cutLast(assertion)
	header, claims, split := strings.Cut(signed, ".")
	if !ok || !split {
		return errors.New("expected three parts")
	}
	sig, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return errors.New("the signature is no base64url")
	}
	var h struct{ Alg string }
	var c struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	if err := errors.Join(decode(header, &h), decode(claims, &c)); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(signed))
	now := s.wall()
	switch issued, expires := time.Unix(c.Iat, 0), time.Unix(c.Exp, 0); {
	case h.Alg != "RS256":
		return errors.New("expected alg RS256")
	case c.Iss != s.options.Account.Email:
		return errors.New("account not found")
	case rsa.VerifyPKCS1v15(s.options.Account.Key, crypto.SHA256, sum[:], sig) != nil:
		return errors.New("invalid JWT signature")
	case !strings.HasSuffix(c.Aud, endpoint):
		return errors.New("the audience is another endpoint")
	case !strings.Contains(" "+c.Scope+" ", " "+scope+" ") && !strings.Contains(" "+c.Scope+" ", " "+readOnly+" "):
		return errors.New("the scope does not cover BigQuery")
	case expires.Sub(issued) > lifetime || now.After(expires) || issued.After(now.Add(5*time.Minute)):
		return errors.New("token must be a short-lived token (60 minutes) and in a reasonable timeframe: check iat and exp")
	}
	return nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func decode(text string, into any) error {
	content, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(content, into) != nil {
		return errors.New("expected base64url of JSON")
	}
	return nil
}

// mint makes a token that says itself when it ends.
func (s *server) mint(ends time.Time) string {
	claim := strconv.FormatInt(ends.Unix(), 36)
	return "ya29." + claim + "." + s.seal(claim)
}

func (s *server) seal(claim string) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(claim))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// said is an error in Google's words.
type said string

func (s said) Error() string { return string(s) }

// authorised reports why a request may not be answered, nil when it may.
func (s *server) authorised(r *http.Request) error {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ya29.")
	claim, seal, split := strings.Cut(token, ".")
	if !found || !split || !hmac.Equal([]byte(seal), []byte(s.seal(claim))) {
		return said("Request had invalid authentication credentials. Expected OAuth 2 access token.")
	}
	if ends, err := strconv.ParseInt(claim, 36, 64); err != nil || s.wall().Unix() > ends {
		return said("Request had invalid authentication credentials. The access token has expired.")
	}
	return nil
}
