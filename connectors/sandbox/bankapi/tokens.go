package bankapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// A token is, in base64url: eight bytes of the second at which it expires, the SHA-256 of the certificate that it is
// bound to, and the HMAC-SHA-256 of both.
const tokenBytes = 8 + sha256.Size + sha256.Size

// token answers the client credentials grant (RFC 6749, 4.4) to who shows the client's certificate (RFC 8705, 2.1).
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	certificate, known := s.certificate(r)
	switch {
	case r.PostFormValue("grant_type") != "client_credentials":
		refuse(w, http.StatusBadRequest, "unsupported_grant_type")
	case !known || r.PostFormValue("client_id") != s.options.Client:
		refuse(w, http.StatusUnauthorized, "invalid_client")
	case r.PostFormValue("scope") != "accounts":
		refuse(w, http.StatusBadRequest, "invalid_scope")
	default:
		answer(w, map[string]any{
			"access_token": s.sign(certificate, s.options.Now().Add(s.options.TokenLife)), "token_type": "Bearer",
			"expires_in": int(s.options.TokenLife / time.Second), "scope": "accounts",
		})
	}
}

// refuse answers as RFC 6749, 5.2 says.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": code}) // who hangs up misses it
}

// certificate gives the sum of the client's certificate, and whether it is the one that is registered for the client.
func (s *server) certificate(r *http.Request) (sum [sha256.Size]byte, known bool) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return sum, false
	}
	shown := r.TLS.PeerCertificates[0]
	return sha256.Sum256(shown.Raw), shown.Subject.CommonName == s.options.Client
}

func (s *server) sign(certificate [sha256.Size]byte, expires time.Time) string {
	content := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	content = append(content, certificate[:]...)
	return base64.RawURLEncoding.EncodeToString(append(content, s.mac(content)...))
}

func (s *server) mac(content []byte) []byte {
	h := hmac.New(sha256.New, s.secret)
	h.Write(content)
	return h.Sum(nil)
}

// authorized reports whether a request has a token of ours that has not expired, over the certificate it is bound to.
func (s *server) authorized(r *http.Request) bool {
	certificate, _ := s.certificate(r)
	text, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	token, err := base64.RawURLEncoding.DecodeString(text)
	if !isBearer || err != nil || len(token) != tokenBytes {
		return false
	}
	content, mac := token[:8+sha256.Size], token[8+sha256.Size:]
	expires := time.Unix(int64(binary.BigEndian.Uint64(content)), 0)
	return hmac.Equal(mac, s.mac(content)) && hmac.Equal(content[8:], certificate[:]) && s.options.Now().Before(expires)
}
