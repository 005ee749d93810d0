package rest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"crosslift/schemas/secret"
)

// TLS says whom to trust and who we are, each as PEM. The zero TLS trusts the system's authorities and shows nothing.
type TLS struct {
	CA          secret.Secret `yaml:"ca"`          // trusted instead of the system's authorities
	Certificate secret.Secret `yaml:"certificate"` // ours, with those that lead to its authority
	Key         secret.Secret `yaml:"key"`         // of the certificate
}

// transport makes the one that everything of a client goes through.
func (t TLS) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CA.Given() {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CA.Reveal())) {
			return nil, errors.New("ca: expected certificates in PEM")
		}
	}
	if t.Certificate.Given() != t.Key.Given() {
		return nil, errors.New("certificate and key belong together: give both or none")
	}
	if t.Certificate.Given() {
		pair, err := tls.X509KeyPair([]byte(t.Certificate.Reveal()), []byte(t.Key.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("certificate and key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     config,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true, // tries asks for gzip and reads it, faster
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 30 * time.Second,
		ReadBufferSize:      64 << 10,
	}, nil
}
