package rest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors/rest"
	"crosslift/schemas/secret"
)

func TestConstantCredentials(t *testing.T) {
	for _, test := range []struct {
		auth         rest.Auth
		header, want string
	}{
		{rest.Bearer{Token: secret.New("pat-1")}, "Authorization", "Bearer pat-1"},
		{rest.Header{Name: "x-api-key", Key: secret.New("k")}, "X-Api-Key", "k"},
		{rest.Basic{User: "shop", Password: secret.New("pw")}, "Authorization", "Basic c2hvcDpwdw=="},
	} {
		var got string
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r.Header.Get(test.header); io.WriteString(w, "{}") },
			func(o *rest.Options) { o.Auth = test.auth })
		if err := c.Get(context.Background(), "x", nil, nil); err != nil || got != test.want {
			t.Errorf("%T: %q, %v", test.auth, got, err)
		}
	}
}

func TestCredentialsThatCannotWork(t *testing.T) {
	for says, auth := range map[string]rest.Auth{
		"credential is empty":              rest.Bearer{},
		"password is empty":                rest.Basic{User: "shop"},
		"header has no name":               rest.Header{Key: secret.New("k")},
		"client id is empty":               rest.ClientCredentials{},
		"client secret is empty":           rest.ClientCredentials{ID: "us"},
		"needs a client certificate":       rest.ClientCredentials{ID: "us", Style: rest.ByCertificate},
		"unknown style":                    rest.ClientCredentials{ID: "us", Style: "odd"},
		"plain http is for loopback only":  rest.ClientCredentials{ID: "us", Secret: secret.New("s"), TokenURL: "http://example.com/"},
		"expected a key file":              rest.ServiceAccount{Key: secret.New("{}")},
		"private_key: expected PEM":        rest.ServiceAccount{Key: secret.New(`{"client_email":"a","private_key":"x","token_uri":"https://e"}`)},
		"private_key: expected an RSA key": rest.ServiceAccount{Key: secret.New(keyFile(t, ecKey(t), "https://e"))},
	} {
		_, err := rest.New(rest.Options{Name: "shop", Base: "https://api.example.com", Auth: auth})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected %q", err, says)
		}
	}
}

func TestClientCredentials(t *testing.T) {
	for style, want := range map[rest.Style]struct{ form, basic string }{
		rest.InBody:   {"audience=ads&client_id=us%3A&client_secret=hu%26sh&grant_type=client_credentials&scope=a+b", ""},
		rest.InHeader: {"audience=ads&grant_type=client_credentials&scope=a+b", "us%3A:hu%26sh"},
	} {
		var form, basic, used string
		h := func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" {
				used = r.Header.Get("Authorization")
				io.WriteString(w, "{}")
				return
			}
			body, _ := io.ReadAll(r.Body)
			form = string(body)
			if user, password, ok := r.BasicAuth(); ok {
				basic = user + ":" + password
			}
			io.WriteString(w, `{"access_token":"t","token_type":"bearer","expires_in":"300"}`)
		}
		c := serve(t, h, func(o *rest.Options) {
			u, _ := url.Parse(o.Base)
			o.Auth = rest.ClientCredentials{
				TokenURL: "http://" + u.Host + "/token", ID: "us:", Secret: secret.New("hu&sh"), Scopes: []string{"a", "b"},
				Style: style, Extra: url.Values{"audience": {"ads"}},
			}
		})
		if err := c.Get(context.Background(), "x", nil, nil); err != nil || used != "Bearer t" {
			t.Fatal(err, used)
		}
		if form != want.form || basic != want.basic {
			t.Errorf("%s: %s, %s", style, form, basic)
		}
	}
}

// One token serves all who wait for it.
func TestTokenIsAskedForOnce(t *testing.T) {
	var asked atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			asked.Add(1)
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, `{"access_token":"t"}`)
			return
		}
		io.WriteString(w, "{}")
	}, func(o *rest.Options) {
		o.Auth = rest.ClientCredentials{
			TokenURL: strings.TrimSuffix(o.Base, "/v1") + "/token", ID: "us", Secret: secret.New("s"),
		}
	})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if err := c.Get(context.Background(), "x", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	if all.Wait(); asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestServiceAccount(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
	var problem error
	var address string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			problem = verify(r, &key.PublicKey, map[string]any{
				"iss": "etl@example.iam", "scope": "https://www.googleapis.com/auth/bigquery", "aud": address,
				"iat": float64(now.Unix()), "exp": float64(now.Unix() + 3600),
			})
			io.WriteString(w, `{"access_token":"t","expires_in":3599,"token_type":"Bearer"}`)
			return
		}
		io.WriteString(w, "{}")
	}, func(o *rest.Options) {
		address = strings.TrimSuffix(o.Base, "/v1") + "/token"
		o.Now = func() time.Time { return now }
		o.Auth = rest.ServiceAccount{
			Key: secret.New(keyFile(t, key, address)), Scopes: []string{"https://www.googleapis.com/auth/bigquery"},
		}
	})
	if err := c.Get(context.Background(), "x", nil, nil); err != nil || problem != nil {
		t.Error(err, problem)
	}
}

// verify checks a token request by RFC 7523 and RFC 7515.
func verify(r *http.Request, key *rsa.PublicKey, claims map[string]any) error {
	if r.FormValue("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return fmt.Errorf("grant_type is %s", r.FormValue("grant_type"))
	}
	parts := strings.Split(r.FormValue("assertion"), ".")
	if len(parts) != 3 {
		return fmt.Errorf("%d parts", len(parts))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	if fmt.Sprint(got) != fmt.Sprint(claims) {
		return fmt.Errorf("claims %v, expected %v", got, claims)
	}
	return nil
}

func keyFile(t *testing.T, key any, address string) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "etl@example.iam", "private_key_id": "1", "token_uri": address,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certified makes a certificate by an authority of its own, both as PEM.
func certified(t *testing.T, name string) (pair rest.TLS, pool *x509.CertPool) {
	t.Helper()
	key := ecKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return rest.TLS{
		Certificate: secret.New(string(certificate)),
		Key:         secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))),
	}, pool
}

// A bank knows its client by a certificate, at the token endpoint and behind it; we know the bank by its authority.
func TestMutualTLS(t *testing.T) {
	ours, trusted := certified(t, "us")
	var form string
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName != "us" {
			w.WriteHeader(401)
			return
		}
		if r.URL.Path == "/token" {
			body, _ := io.ReadAll(r.Body)
			form = string(body)
			io.WriteString(w, `{"access_token":"t","expires_in":300,"token_type":"Bearer"}`)
			return
		}
		io.WriteString(w, "{}")
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	s.Config.ErrorLog = nil
	s.StartTLS()
	defer s.Close()
	authority := secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))

	get := func(config rest.TLS) error {
		c, err := rest.New(rest.Options{
			Name: "bank", Base: s.URL, TLS: config, Retry: quick,
			Auth: rest.ClientCredentials{TokenURL: s.URL + "/token", ID: "us", Style: rest.ByCertificate},
		})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Get(context.Background(), "x", nil, nil)
	}
	good := ours
	good.CA = authority
	if err := get(good); err != nil || form != "client_id=us&grant_type=client_credentials" {
		t.Error(err, form)
	}
	start := time.Now()
	if err := get(ours); err == nil || !strings.Contains(err.Error(), "certificate could not be verified") || strings.Contains(err.Error(), "tries") {
		t.Error("an authority that is not known:", err, time.Since(start))
	}
	stranger, _ := certified(t, "somebody")
	stranger.CA = authority
	if err := get(stranger); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "tries") {
		t.Error("a certificate that the bank does not know:", err)
	}
	for says, config := range map[string]rest.TLS{
		"ca: expected certificates": {CA: secret.New("none")},
		"belong together":           {Certificate: ours.Certificate},
		"certificate and key":       {Certificate: ours.Certificate, Key: secret.New("none")},
	} {
		if err := get(config); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, expected %q", err, says)
		}
	}
}
