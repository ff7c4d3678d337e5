package endpoint

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// authority issues client certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{t: t}
	made := a.issue(func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = name, true, true, x509.KeyUsageCertSign
	})
	a.cert, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// issue makes a certificate that is good in the world's time; one of nobody's is
// signed by itself.
func (a authority) issue(change func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "client", Organization: []string{"Gallery"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	change(template)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

// mutual is the second listener of a world, where connections are asked for a
// client certificate.
type mutual struct {
	w   *world
	srv *httptest.Server
}

func (w *world) mutual() mutual {
	w.t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	server, err := New(Config{AS: w.AS, SignIn: w.Server.SignIn, Pages: w.Server.Pages, Mutual: "https://" + srv.Listener.Addr().String()})
	w.must(err)
	srv.Config.Handler = server.Mutual()
	srv.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	srv.StartTLS()
	w.t.Cleanup(srv.Close)
	w.Server = server // the main one announces it
	return mutual{w, srv}
}

// do sends a request over a connection that shows a certificate; nil for none.
func (m mutual) do(shown *tls.Certificate, method, path string, header http.Header, form url.Values) answer {
	m.w.t.Helper()
	transport := m.srv.Client().Transport.(*http.Transport).Clone()
	if shown != nil {
		transport.TLSClientConfig.Certificates = []tls.Certificate{*shown}
	}
	defer transport.CloseIdleConnections()
	if form != nil {
		header = header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return m.w.send(&http.Client{Transport: transport}, method, m.srv.URL+path, header, form.Encode())
}

// certified registers a client of RPTs that authenticates with a certificate.
func (w *world) certified(c oauth.Client) oauth.Client {
	w.t.Helper()
	c.GrantTypes, c.Scopes = []string{uma.GrantType, oauth.GrantRefreshToken}, []uma.Scope{"view"}
	c, _, err := w.AS.RegisterClient(context.Background(), c)
	w.must(err)
	return c
}

func thumbprintOf(c tls.Certificate) string {
	sum := sha256.Sum256(c.Leaf.Raw)
	return b64(sum[:])
}

// A client whose certificate an authority of the operator's issued is known by the
// one name it registered, and by nothing else that is true of the certificate.
func TestAClientAuthenticatesWithItsCertificate(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	w := newWorld(t, func(c *as.Config) {
		c.ClientAuthorities = x509.NewCertPool()
		c.ClientAuthorities.AddCert(ours.cert)
	})
	m := w.mutual()
	pat, id := w.gallery()
	photos := func(c *x509.Certificate) {
		u, err := url.Parse("urn:app:photos")
		w.must(err)
		c.DNSNames, c.EmailAddresses, c.URIs, c.IPAddresses = []string{"photos.example", "also.example"}, []string{"photos@example"}, []*url.URL{u}, []net.IP{net.ParseIP("192.0.2.7")}
	}
	good := ours.issue(photos)
	redeem := func(c oauth.ClientID, shown *tls.Certificate, more ...string) answer {
		form := ticketForm(w.ticketFor(pat, id, "view"))
		form.Set("client_id", string(c))
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return m.do(shown, http.MethodPost, pathToken, nil, form)
	}
	for member, value := range map[string]string{
		oauth.SubjectDN: "CN=client,O=Gallery", oauth.SANDNS: "photos.example", oauth.SANURI: "urn:app:photos",
		oauth.SANIP: "192.0.2.7", oauth.SANEmail: "photos@example",
	} {
		c := w.certified(oauth.Client{ID: oauth.ClientID(member), AuthMethod: oauth.AuthTLS, Certificate: oauth.NameCertificate(member, value)})
		wantStatus(t, redeem(c.ID, &good), http.StatusOK)
		other := w.certified(oauth.Client{ID: oauth.ClientID(member + "-other"), AuthMethod: oauth.AuthTLS, Certificate: oauth.NameCertificate(member, strings.Replace(value, "7", "8", 1)+map[bool]string{true: "", false: "x"}[member == oauth.SANIP])})
		wantError(t, redeem(other.ID, &good), http.StatusUnauthorized, uma.InvalidClient)
	}
	named := oauth.ClientID(oauth.SANDNS)
	foreign := theirs.issue(photos)
	self := authority{t: t}.issue(photos)
	expired := ours.issue(func(c *x509.Certificate) { photos(c); c.NotAfter = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) })
	server := ours.issue(func(c *x509.Certificate) { photos(c); c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	for name, shown := range map[string]*tls.Certificate{
		"no certificate": nil, "another authority's": &foreign, "one it signed itself": &self, "an expired one": &expired, "a server's": &server,
	} {
		if a := redeem(named, shown); a.StatusCode != http.StatusUnauthorized || a.json(t)["error"] != string(uma.InvalidClient) {
			t.Errorf("%s: %s %s", name, a.Status, a.Body)
		}
	}
	wantError(t, redeem(named, &good, "client_secret", "x"), http.StatusUnauthorized, uma.InvalidClient)
	form := ticketForm(w.ticketFor(pat, id, "view"))
	form.Set("client_id", string(named))
	wantError(t, w.ask(pathToken, "", form), http.StatusUnauthorized, uma.InvalidClient) // where nobody asks for certificates

	// At introspection, and where a certificate means nothing.
	wantStatus(t, m.do(&good, http.MethodPost, pathIntrospect, nil, url.Values{"token": {"t"}, "client_id": {string(named)}}), http.StatusOK)
	wantError(t, redeem(w.C1.ID, &good), http.StatusUnauthorized, uma.InvalidClient)
	wantStatus(t, redeem(w.Public.ID, &good), http.StatusOK)
}

// A certificate that the client registered is good without any authority; another
// of the same name and key is not.
func TestAClientAuthenticatesWithACertificateItRegistered(t *testing.T) {
	w := newWorld(t)
	m := w.mutual()
	pat, id := w.gallery()
	nobody := authority{t: t}
	mine, other := nobody.issue(func(*x509.Certificate) {}), nobody.issue(func(*x509.Certificate) {})
	c := w.certified(oauth.Client{
		ID: "self", AuthMethod: oauth.AuthSelfSigned,
		JWKS: []byte(`{"keys":[{"kty":"EC","x5c":["` + base64.StdEncoding.EncodeToString(mine.Leaf.Raw) + `"]}]}`),
	})
	redeem := func(shown *tls.Certificate) answer {
		form := ticketForm(w.ticketFor(pat, id, "view"))
		form.Set("client_id", string(c.ID))
		return m.do(shown, http.MethodPost, pathToken, nil, form)
	}
	wantStatus(t, redeem(&mine), http.StatusOK)
	wantError(t, redeem(&other), http.StatusUnauthorized, uma.InvalidClient)
	wantError(t, redeem(nil), http.StatusUnauthorized, uma.InvalidClient)
	for name, wrong := range map[string]oauth.Client{
		"without a certificate":   {JWKS: []byte(`{"keys":[]}`)},
		"with one that is none":   {JWKS: []byte(`{"keys":[{"kty":"EC","x5c":["AAAA"]}]}`)},
		"with a name":             {JWKS: c.JWKS, Certificate: oauth.NameCertificate(oauth.SANDNS, "a.example")},
		"with a secret, as well":  {JWKS: c.JWKS, SecretHash: make([]byte, 32)},
		"by a name without value": {AuthMethod: oauth.AuthTLS, Certificate: oauth.NameCertificate(oauth.SANDNS, "")},
		"by an unknown name":      {AuthMethod: oauth.AuthTLS, Certificate: "tls_client_auth_san_x a"},
		"by no name":              {AuthMethod: oauth.AuthTLS},
	} {
		wrong.ID = "wrong"
		if wrong.AuthMethod == "" {
			wrong.AuthMethod = oauth.AuthSelfSigned
		}
		if err := wrong.Validate(); err == nil {
			t.Errorf("a client %s is registered", name)
		}
	}
}

// Tokens that are bound to a certificate are good over connections with that
// certificate, and resource servers are told which it is.
func TestTokensAreBoundToTheCertificate(t *testing.T) {
	w := newWorld(t)
	m := w.mutual()
	pat, id := w.gallery()
	nobody := authority{t: t}
	mine, other := nobody.issue(func(*x509.Certificate) {}), nobody.issue(func(*x509.Certificate) {})
	jwks := []byte(`{"keys":[{"kty":"EC","x5c":["` + base64.StdEncoding.EncodeToString(mine.Leaf.Raw) + `"]}]}`)
	c := w.certified(oauth.Client{ID: "self", AuthMethod: oauth.AuthSelfSigned, CertificateBound: true, JWKS: jwks})
	form := ticketForm(w.ticketFor(pat, id, "view"))
	form.Set("client_id", string(c.ID))
	a := m.do(&mine, http.MethodPost, pathToken, nil, form)
	wantStatus(t, a, http.StatusOK)
	told := w.ask(pathIntrospect, pat, url.Values{"token": {a.json(t)["access_token"].(string)}}).json(t)
	if cnf, _ := told["cnf"].(map[string]any); told["token_type"] != "Bearer" || cnf["x5t#S256"] != thumbprintOf(mine) {
		t.Errorf("introspection says %v", told)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.json(t)["refresh_token"].(string)}, "client_id": {string(c.ID)}}
	for range 2 {
		if a := m.do(&mine, http.MethodPost, pathToken, nil, refresh); a.StatusCode != http.StatusOK || a.json(t)["refresh_token"] != nil {
			t.Errorf("refreshing: %s %s", a.Status, a.Body)
		}
	}

	gallery, _, err := w.AS.RegisterClient(context.Background(), oauth.Client{
		ID: "gallery", AuthMethod: oauth.AuthSelfSigned, JWKS: jwks, CertificateBound: true, Space: string(w.Alice.Space),
		Scopes: []uma.Scope{uma.ScopeProtection}, GrantTypes: []string{oauth.GrantClientCredentials},
	})
	w.must(err)
	a = m.do(&mine, http.MethodPost, pathToken, nil, url.Values{"grant_type": {oauth.GrantClientCredentials}, "client_id": {string(gallery.ID)}})
	wantStatus(t, a, http.StatusOK)
	bound := http.Header{"Authorization": {"Bearer " + a.json(t)["access_token"].(string)}}
	wantStatus(t, m.do(&mine, http.MethodGet, pathResources, bound, nil), http.StatusOK)
	wantError(t, m.do(&other, http.MethodGet, pathResources, bound, nil), http.StatusUnauthorized, uma.InvalidToken)
	wantError(t, m.do(nil, http.MethodGet, pathResources, bound, nil), http.StatusUnauthorized, uma.InvalidToken)
	wantError(t, w.do(http.MethodGet, pathResources, bound, ""), http.StatusUnauthorized, uma.InvalidToken)
	// And a token that is bound to nothing is good with any.
	wantStatus(t, m.do(&other, http.MethodGet, pathResources, http.Header{"Authorization": {"Bearer " + pat}}, nil), http.StatusOK)

	public := w.Public.Client
	public.CertificateBound = true
	_, _, err = w.AS.RegisterClient(context.Background(), public)
	w.must(err)
	wantError(t, w.postTicket(w.Public, w.ticketFor(pat, id, "view")), http.StatusBadRequest, uma.InvalidRequest)
}

// Where certificates are asked for there are no pages, and proofs are made for the
// address that was called.
func TestTheSecondListenerIsForPrograms(t *testing.T) {
	w := newWorld(t)
	m := w.mutual()
	metadata := w.do(http.MethodGet, pathUMAConfiguration, nil, "").json(t)
	aliases := metadata["mtls_endpoint_aliases"].(map[string]any)
	if aliases["token_endpoint"] != m.srv.URL+pathToken || metadata["tls_client_certificate_bound_access_tokens"] != true {
		t.Errorf("the metadata says %v", metadata)
	}
	if methods := metadata["token_endpoint_auth_methods_supported"].([]any); len(methods) != 5 {
		t.Errorf("the methods are %v", methods) // tls_client_auth is not one: no authority is configured
	}
	for member, alias := range aliases {
		main, ok := metadata[member].(string)
		if !ok || strings.TrimPrefix(main, w.Issuer) != strings.TrimPrefix(alias.(string), m.srv.URL) {
			t.Errorf("%s is %v and %v", member, main, alias)
		}
		path := strings.TrimPrefix(alias.(string), m.srv.URL)
		if a := m.do(nil, http.MethodGet, path, nil, nil); a.StatusCode == http.StatusNotFound {
			t.Errorf("%s is not there", alias)
		}
	}
	for _, path := range []string{pathSignIn, pathAuthorize, pathClaims, pathUMAConfiguration} {
		wantStatus(t, m.do(nil, http.MethodGet, path, nil, nil), http.StatusNotFound)
	}
	pat, id := w.gallery()
	h := w.holder()
	proved := func(at string) answer {
		c := h.claims(http.MethodPost, pathToken, "")
		c["htu"] = at + pathToken
		form := ticketForm(w.ticketFor(pat, id, "view"))
		form.Set("client_id", string(w.Public.ID))
		return m.do(nil, http.MethodPost, pathToken, http.Header{"Dpop": {h.sign(h.header(), c)}}, form)
	}
	wantStatus(t, proved(m.srv.URL), http.StatusOK)
	wantError(t, proved(w.Issuer), http.StatusBadRequest, oauth.InvalidDPoPProof)
	for _, wrong := range []string{"http://mtls.example", "https://mtls.example/x", "https://u@mtls.example", "mtls.example", "https://mtls.example?x"} {
		if CheckMutual(wrong) == nil {
			t.Errorf("%s is taken for an origin", wrong)
		}
	}
}
