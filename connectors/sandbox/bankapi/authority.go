package bankapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs the bank's certificate and its clients'. It lives as long as the process; what clients need of it is
// PEM.
type Authority struct {
	PEM []byte // its own certificate, for clients to trust

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// certificateLife is long enough for a world that somebody keeps.
const certificateLife = 10 * 365 * 24 * time.Hour

// NewAuthority makes one.
func NewAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("bank's authority: %w", err)
	}
	template := certificate("Crosslift sandbox bank authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("bank's authority: %w", err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("bank's authority: %w", err)
	}
	return &Authority{PEM: block("CERTIFICATE", der), certificate: signed, key: key}, nil
}

func certificate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		panic("the system gives no randomness: " + err.Error())
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// issue signs a certificate, and gives it with its key as PEM.
func (a *Authority) issue(template *x509.Certificate) (certificatePEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", private), nil
}

// Client makes a certificate for a client id, and its key.
func (a *Authority) Client(id string) (certificatePEM, keyPEM []byte, err error) {
	template := certificate(id)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	certificatePEM, keyPEM, err = a.issue(template)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate of client %s: %w", id, err)
	}
	return certificatePEM, keyPEM, nil
}

// Server makes the configuration of a server on this machine, which demands a certificate of this authority.
func (a *Authority) Server() (*tls.Config, error) {
	template := certificate("localhost")
	template.DNSNames = []string{"localhost"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	certificatePEM, keyPEM, err := a.issue(template)
	if err != nil {
		return nil, fmt.Errorf("the bank's certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("the bank's certificate: %w", err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.certificate)
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
		MinVersion: tls.VersionTLS12,
	}, nil
}

// The names of the files that Write makes.
const (
	CAFile          = "bank_ca.pem"
	CertificateFile = "bank_client.pem"
	KeyFile         = "bank_client.key"
)

// Write puts what a client needs into a folder.
func (a *Authority) Write(dir, client string) error {
	certificatePEM, keyPEM, err := a.Client(client)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{CAFile: a.PEM, CertificateFile: certificatePEM, KeyFile: keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return fmt.Errorf("certificates of the bank: %w", err)
		}
	}
	return nil
}
