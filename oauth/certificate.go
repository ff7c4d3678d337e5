package oauth

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// CertificateName is the one name by which a client's certificate is known (RFC
// 8705 2.1.2): a member of its metadata and the value, as in
// "tls_client_auth_san_dns client.example". "" for none.
type CertificateName string

// The members that name a certificate.
const (
	SubjectDN = "tls_client_auth_subject_dn" // as RFC 4514 writes it
	SANDNS    = "tls_client_auth_san_dns"
	SANURI    = "tls_client_auth_san_uri"
	SANIP     = "tls_client_auth_san_ip"
	SANEmail  = "tls_client_auth_san_email"
)

// CertificateNames are all members of which a client that authenticates with
// tls_client_auth has one.
var CertificateNames = []string{SubjectDN, SANDNS, SANURI, SANIP, SANEmail}

// NameCertificate makes a name of a member and its value.
func NameCertificate(member, value string) CertificateName {
	return CertificateName(member + " " + value)
}

// Parts returns the member and the value of a name.
func (n CertificateName) Parts() (member, value string) {
	member, value, _ = strings.Cut(string(n), " ")
	return member, value
}

func (n CertificateName) validate() error {
	member, value := n.Parts()
	if !slices.Contains(CertificateNames, member) || value == "" || member == SANIP && net.ParseIP(value) == nil {
		return fmt.Errorf("%q names no certificate", n)
	}
	return nil
}

// of reports whether the certificate has the name, to the letter; of IP addresses
// the spelling does not count.
func (n CertificateName) of(c *x509.Certificate) bool {
	switch member, value := n.Parts(); member {
	case SubjectDN:
		return c.Subject.ToRDNSequence().String() == value
	case SANDNS:
		return slices.Contains(c.DNSNames, value)
	case SANEmail:
		return slices.Contains(c.EmailAddresses, value)
	case SANURI:
		for _, u := range c.URIs {
			if u.String() == value {
				return true
			}
		}
	case SANIP:
		want := net.ParseIP(value)
		return want != nil && slices.ContainsFunc(c.IPAddresses, want.Equal)
	}
	return false
}

// CertificateOf is the confirmation of a client certificate (RFC 8705 3.1); "" for
// none. The certificates are those of a connection, whose sender has the first
// one's key; the others lead to an authority.
func CertificateOf(shown []*x509.Certificate) Confirmation {
	if len(shown) == 0 {
		return ""
	}
	sum := sha256.Sum256(shown[0].Raw)
	return CertificateConfirmation(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// VerifyCertificate proves that the certificate of a connection is the client's
// (RFC 8705 2): by its registered name, under one of the operator's authorities,
// or as one of those that it registered with its keys. The error is for the log.
func VerifyCertificate(c Client, shown []*x509.Certificate, authorities *x509.CertPool, now time.Time) error {
	if len(shown) == 0 {
		return errors.New("no certificate was shown")
	}
	leaf := shown[0]
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return errors.New("the certificate is not valid now")
	}
	switch c.AuthMethod {
	case AuthTLS:
		if authorities == nil {
			return errors.New("no authority of client certificates is configured")
		}
		between := x509.NewCertPool()
		for _, c := range shown[1:] {
			between.AddCert(c)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{
			Roots: authorities, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}); err != nil {
			return err
		}
		if !c.Certificate.of(leaf) {
			return errors.New("the certificate has another name")
		}
		return nil
	case AuthSelfSigned:
		registered, err := certificatesIn(c.JWKS)
		if err != nil {
			return err
		}
		for _, raw := range registered {
			if bytes.Equal(raw, leaf.Raw) {
				return nil
			}
		}
		return errors.New("the certificate is none of those that the client registered")
	}
	return errors.New("the client does not authenticate with a certificate")
}

// certificatesIn are the certificates of a client's JWK Set: the first of each x5c
// (RFC 8705 2.2.2, RFC 7517 4.7).
func certificatesIn(jwks []byte) ([][]byte, error) {
	if len(jwks) > maxJWKS {
		return nil, errors.New("the JWK Set is too large")
	}
	set, err := uma.ParseObject(bytes.NewReader(jwks))
	if err != nil {
		return nil, err
	}
	keys, _, err := set.Objects("keys")
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, key := range keys {
		chain, found, err := key.Strings("x5c")
		if err != nil || found && len(chain) == 0 {
			return nil, errors.New("an x5c is no list of certificates")
		}
		if !found {
			continue
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(chain[0])
		if err != nil {
			return nil, errors.New("an x5c is not base64")
		}
		if _, err := x509.ParseCertificate(raw); err != nil {
			return nil, errors.New("an x5c has no certificate")
		}
		out = append(out, raw)
	}
	return out, nil
}
