package bigquery

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

// assertion signs what a service account says of itself; change may alter it.
func assertion(t *testing.T, file []byte, audience string, change ...func(claims map[string]any)) string {
	t.Helper()
	var k keyFile
	if err := json.Unmarshal(file, &k); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{
		"iss": k.ClientEmail, "scope": readOnly, "aud": audience, "iat": time.Now().Unix(), "exp": time.Now().Unix() + 3600,
	}
	for _, f := range change {
		f(claims)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(marshal(claims))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// TestAssertions: only a short statement for this endpoint and scope, signed by the account's key, gets a token.
func TestAssertions(t *testing.T) {
	t.Parallel()
	file, err := NewServiceAccount(project, "http://127.0.0.1/token")
	if err != nil {
		t.Fatal(err)
	}
	account, err := ReadAccount(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{options: Options{Account: account}, wall: time.Now, secret: []byte("s")}
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	const here = "http://127.0.0.1/token"
	good := assertion(t, file, here)
	for name, c := range map[string]struct{ text, want string }{
		"good":              {good, ""},
		"another endpoint":  {assertion(t, file, "https://oauth2.googleapis.com/token"), "audience"},
		"another account":   {assertion(t, file, here, set("iss", "bob@cinema.iam.gserviceaccount.com")), "account"},
		"too long":          {assertion(t, file, here, set("exp", time.Now().Unix()+7200)), "short-lived"},
		"over":              {assertion(t, file, here, set("iat", time.Now().Unix()-7200), set("exp", time.Now().Unix()-3600)), "short-lived"},
		"another scope":     {assertion(t, file, here, set("scope", "https://www.googleapis.com/auth/drive")), "scope"},
		"another signature": {good[:len(good)-8] + "AAAAAAAA", "signature"},
		"no JWT":            {"abc", "three parts"},
		"no JSON":           {"YQ.YQ.YQ", "JSON"},
	} {
		err := s.verify(c.text, "://127.0.0.1/token")
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	for _, broken := range []string{"", "{}", `{"client_email":"a@b","private_key":"x"}`} {
		if _, err := ReadAccount([]byte(broken)); err == nil {
			t.Errorf("%q was taken for a key file", broken)
		}
	}
}
