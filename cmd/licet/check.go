package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/internal/mail"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/login"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// settings are a configuration that was found good, with the contents of the
// files that it names.
type settings struct {
	listen      string
	place       node.Place
	behindProxy bool
	proxies     []netip.Prefix
	surface     node.Surface
	mtls        *mtlsDoor
	tls         *tls.Config // nil for plain http
	as          as.Config
	clients     []oauth.Client
	people      []person
}

// person is somebody to make an account for.
type person struct {
	account  as.Account
	password string // when the account has no hash yet
	space    string
}

// checker collects what is wrong.
type checker struct{ faults []error }

func (c *checker) wrong(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

// read reads a file that a key names. ok is false also when the key names none.
func (c *checker) read(key, path string) (text []byte, ok bool) {
	if path == "" {
		return nil, false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		c.wrong("%s: %w", key, err)
	}
	return text, err == nil
}

// secret reads a secret from its file, without the line break that editors leave
// at the end.
func (c *checker) secret(key, path string) (string, bool) {
	text, ok := c.read(key, path)
	return strings.TrimRight(string(text), "\r\n"), ok
}

// check finds everything that can be known to be wrong before the server is
// built.
func (c config) check() (settings, []error) {
	k := &checker{}
	s := settings{listen: c.Listen, behindProxy: c.BehindProxy}
	s.place = c.checkPlace(k)
	c.checkIssuer(k)
	s.tls = c.checkTLS(k)
	s.proxies = c.checkProxies(k)
	s.as = c.checkRules(k)
	s.surface.Mutual = c.MTLS.Origin
	s.surface.Mail = c.checkMail(k)
	s.surface.Limits, s.as.Attempts = c.limits()
	s.mtls = c.checkMTLS(k, s.tls)
	if s.mtls != nil {
		s.as.ClientAuthorities = s.mtls.authorities
	}
	s.as.ClaimIssuers = c.checkIssuers(k, "claim_issuers", c.ClaimIssuers)
	s.as.Registration = c.checkRegistration(k)
	s.clients = c.checkClients(k)
	s.people = c.checkPeople(k)
	s.surface.SignIn = c.checkLogin(k)
	s.surface.Words, s.surface.Kinds, s.surface.Sensitive = c.checkWords(k), c.checkTypes(k), c.SensitiveTypes
	return s, k.faults
}

// checkPlace checks the database's URL without connecting. What is wrong in it is
// told without its text, which may hold a password.
func (c config) checkPlace(k *checker) node.Place {
	if c.Store != "" && !strings.HasPrefix(c.Store, "postgres://") && !strings.HasPrefix(c.Store, "postgresql://") {
		k.wrong("store: it is a URL that begins with postgres://, or is not set: then everything is in one file in the data directory")
	}
	return node.Place{Data: c.Data, Database: c.Store}
}

// checkMail checks how mail is sent without connecting.
func (c config) checkMail(k *checker) mail.Config {
	out := mail.Config{From: c.Mail.From, Server: c.Mail.Server, User: c.Mail.User, Directory: c.Mail.Directory}
	out.Password, _ = k.secret("mail.password_file", c.Mail.PasswordFile)
	if c.Mail.Console {
		out.Console = os.Stderr
	}
	if out.Off() {
		return out
	}
	if _, err := mail.New(out, c.Issuer, nil); err != nil {
		k.wrong("%w", err)
	}
	return out
}

func (c config) checkIssuer(k *checker) {
	if c.Issuer == "" {
		k.wrong("issuer: it has to be set, to the https URL under which people and programs reach this server")
		return
	}
	u, err := endpoint.ParseIssuer(c.Issuer)
	switch {
	case err != nil:
		k.wrong("issuer: %w", err)
	case u.Scheme == "https" && c.TLS == (tlsConfig{}) && !c.BehindProxy:
		k.wrong("tls.cert: an https issuer needs a certificate here, or behind_proxy = true if TLS ends before this server")
	case u.Scheme == "http" && c.BehindProxy:
		// Otherwise one key would take plain http from loopback to every network.
		k.wrong("behind_proxy: it says that TLS ends before this server; then the issuer is an https URL")
	}
}

// checkTLS checks how the server is reached. Plain http without a proxy in front
// is for loopback addresses only (FedAuthz 1.3).
func (c config) checkTLS(k *checker) *tls.Config {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		k.wrong("listen: %w", err)
	} else if c.TLS == (tlsConfig{}) && !c.BehindProxy && !endpoint.Loopback(host) {
		k.wrong("listen: %w", errPlain)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		k.wrong("tls: cert and key go together")
	}
	cert, haveCert := k.read("tls.cert", c.TLS.Cert)
	key, haveKey := k.read("tls.key", c.TLS.Key)
	if !haveCert || !haveKey {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		k.wrong("tls: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if c.FAPI2 {
		config.CipherSuites = fapi2Ciphers
	}
	return config
}

// fapi2Ciphers are what FAPI 2.0 (Security Profile 5.2.2) leaves of TLS 1.2.
var fapi2Ciphers = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// mtlsDoor is where connections are asked for a client certificate.
type mtlsDoor struct {
	listen      string
	tls         *tls.Config
	authorities *x509.CertPool // nil: only certificates that clients registered
}

// checkMTLS checks the second listener. TLS has to end at it, because nobody else
// can tell which certificate a connection showed.
func (c config) checkMTLS(k *checker, server *tls.Config) *mtlsDoor {
	if c.MTLS == (mtlsConfig{}) {
		return nil
	}
	if c.MTLS.Listen == "" || c.MTLS.Origin == "" {
		k.wrong("mtls: listen and origin go together")
		return nil
	}
	if _, _, err := net.SplitHostPort(c.MTLS.Listen); err != nil {
		k.wrong("mtls.listen: %w", err)
	}
	if err := endpoint.CheckMutual(c.MTLS.Origin); err != nil {
		k.wrong("mtls.origin: %w", err)
	}
	if server == nil {
		k.wrong("mtls: it needs tls.cert and tls.key")
		return nil
	}
	door := &mtlsDoor{listen: c.MTLS.Listen, tls: server.Clone()}
	door.tls.ClientAuth = tls.RequestClientCert
	if c.MTLS.CA != "" {
		pem, ok := k.read("mtls.ca", c.MTLS.CA)
		door.authorities = x509.NewCertPool()
		if ok && !door.authorities.AppendCertsFromPEM(pem) {
			k.wrong("mtls.ca: there is no certificate in the file")
		}
	}
	return door
}

// checkProxies reads the addresses of the proxies, single ones and networks. To
// trust everybody is to let everybody choose their address.
func (c config) checkProxies(k *checker) []netip.Prefix {
	var out []netip.Prefix
	for i, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if a, one := netip.ParseAddr(text); one == nil {
			prefix, err = a.Prefix(a.BitLen())
		}
		if err != nil || prefix.Bits() == 0 || prefix.Addr().Is4In6() {
			k.wrong("trusted_proxies[%d]: has to be an address or a network such as 10.0.0.0/8, and not everybody", i)
		}
		out = append(out, prefix.Masked())
	}
	return out
}

// limits are the limits, and off where they are for addresses that say nothing:
// those of a proxy that is not known.
func (c config) limits() (endpoint.Limits, as.Attempts) {
	l := endpoint.Limits{Client: limit.Rate(c.Limits.Client), Address: limit.Rate(c.Limits.Address), Public: limit.Rate(c.Limits.Public), Registration: limit.Rate(c.Limits.Registration)}
	a := as.Attempts{Account: limit.Rate(c.Limits.SignInAccount), Address: limit.Rate(c.Limits.SignInAddress), Mail: limit.Rate(c.Limits.SignInMail)}
	if c.BehindProxy && len(c.TrustedProxies) == 0 {
		l.Address, l.Public, a.Address = l.Address.Or(limit.Off), l.Public.Or(limit.Off), a.Address.Or(limit.Off)
		l.Registration = l.Registration.Or(limit.Off)
	}
	return l, a
}

var errPlain = errors.New("plain http is for loopback addresses only: set tls.cert and tls.key, or behind_proxy")

func (c config) checkRules(k *checker) as.Config {
	switch as.Partial(c.Partial) {
	case as.PartialLast, as.PartialFirst, as.PartialNever:
	default:
		k.wrong("partial: has to be empty, %q or %q", as.PartialFirst, as.PartialNever)
	}
	if l := c.Lifetimes; l.Poll != 0 && l.Interval != 0 && l.Poll <= l.Interval {
		k.wrong("lifetimes.poll: has to be longer than lifetimes.interval")
	}
	if c.FAPI2 && time.Duration(c.Lifetimes.Code) > time.Minute {
		k.wrong("lifetimes.code: with fapi2 it is a minute at most")
	}
	forbids, ok := k.read("forbids_file", c.ForbidsFile)
	if ok {
		if _, err := policy.New(string(forbids)); err != nil {
			k.wrong("forbids_file: %w", err)
		}
	}
	return as.Config{
		Issuer: c.Issuer, Lifetimes: c.Lifetimes.lifetimes(), Forbids: string(forbids),
		Partial: as.Partial(c.Partial), FAPI2: c.FAPI2, StrictScopes: c.StrictScopes, RevokeOnReplay: c.RevokeOnReplay,
		CompromisedKeys: c.Compromised,
	}
}

// checkRegistration checks who may register clients. What is not known as a mode is
// none: an open door is opened by its own word.
func (c config) checkRegistration(k *checker) as.Registration {
	r := as.Registration{Mode: as.RegistrationMode(c.Registration.Mode)}
	switch r.Mode {
	case as.RegistrationOff, as.RegistrationToken, as.RegistrationOpen:
	default:
		k.wrong("registration.mode: has to be empty, %q or %q", as.RegistrationToken, as.RegistrationOpen)
	}
	for i, s := range c.Registration.Scopes {
		if !uma.Scope(s).Valid() {
			k.wrong("registration.scopes[%d]: %q is no scope", i, s)
		}
		r.Scopes = append(r.Scopes, uma.Scope(s))
	}
	r.StatementIssuers = c.checkIssuers(k, "registration.statement_issuers", c.Registration.StatementIssuers)
	return r
}

// checkIssuers checks whose tokens are believed.
func (c config) checkIssuers(k *checker, keys string, list []claimIssuer) []as.ClaimIssuer {
	var out []as.ClaimIssuer
	seen := map[string]bool{}
	for i, issuer := range list {
		key := fmt.Sprintf("%s[%d]", keys, i)
		if issuer.Issuer == "" || (issuer.JWKSURI == "") == (issuer.JWKSFile == "") {
			k.wrong("%s: needs an issuer, and either jwks_uri or jwks_file", key)
		}
		if seen[issuer.Issuer] && issuer.Issuer != "" {
			k.wrong("%s.issuer: %q is here twice", key, issuer.Issuer)
		}
		seen[issuer.Issuer] = true
		if issuer.JWKSURI != "" && !c.mayFetch(issuer.JWKSURI) {
			k.wrong("%s.jwks_uri: has to be an https URL", key)
		}
		jwks, ok := k.read(key+".jwks_file", issuer.JWKSFile)
		if ok {
			if _, err := oauth.ParseJWKS(jwks); err != nil {
				k.wrong("%s.jwks_file: %w", key, err)
			}
		}
		out = append(out, as.ClaimIssuer{Issuer: issuer.Issuer, JWKSURI: issuer.JWKSURI, JWKS: json.RawMessage(jwks)})
	}
	return out
}

// mayFetch says whether keys can be had from an address: over https, and while
// the server itself is only for this machine also from this machine.
func (c config) mayFetch(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && endpoint.Loopback(u.Hostname()) && strings.HasPrefix(c.Issuer, "http:")
}

// minSecret is how long the secret of a client has to be, in bytes: nobody can
// try them all.
const minSecret = 32

func (c config) checkClients(k *checker) []oauth.Client {
	var out []oauth.Client
	seen := map[string]bool{}
	for i, client := range c.Clients {
		key := fmt.Sprintf("clients[%d]", i)
		if client.ID == "" {
			k.wrong("%s.id: it has to be set", key)
		} else if seen[client.ID] {
			k.wrong("%s.id: %q is here twice", key, client.ID)
		}
		seen[client.ID] = true
		if said := count(client.Public, client.SecretFile != "", client.JWKSFile != "", client.JWKSURI != "", client.Certificate != ""); said != 1 {
			k.wrong("%s: either public = true, or one of secret_file, jwks_file, jwks_uri and certificate", key)
		}
		if client.JWKSURI != "" && !c.mayFetch(client.JWKSURI) {
			k.wrong("%s.jwks_uri: has to be an https URL", key)
		}
		jwks, _ := k.read(key+".jwks_file", client.JWKSFile)
		secret, ok := k.secret(key+".secret_file", client.SecretFile)
		if ok && len(secret) < minSecret {
			k.wrong("%s.secret_file: a secret has to have %d bytes or more", key, minSecret)
		}
		hash := sha256.Sum256([]byte(secret))
		registration := client.client(hash[:], jwks)
		if err := registration.Validate(); err != nil && client.ID != "" {
			k.wrong("%s: %w", key, err)
		}
		if c.FAPI2 && !registration.Keyed() {
			k.wrong("%s: with fapi2 a client authenticates with a key or a certificate", key)
		}
		out = append(out, registration)
	}
	return out
}

func count(said ...bool) (n int) {
	for _, yes := range said {
		if yes {
			n++
		}
	}
	return n
}

func (c config) checkPeople(k *checker) []person {
	var out []person
	seen := map[string]bool{}
	for i, p := range c.People {
		key := fmt.Sprintf("people[%d]", i)
		email, err := policy.CanonicalEmail(p.Email)
		if err != nil {
			k.wrong("%s.email: %w", key, err)
		} else if seen[email] {
			k.wrong("%s.email: %q is here twice", key, email)
		}
		seen[email] = true
		switch count(p.PasswordFile != "", p.PasswordHash != "") {
		case 2:
			k.wrong("%s: has both a password_file and a password_hash", key)
		case 1:
			if !c.Login.Passwords {
				k.wrong("%s: has a password, and nobody signs in with one while login.passwords is false", key)
			}
		}
		password, read := k.secret(key+".password_file", p.PasswordFile)
		if read && password == "" {
			k.wrong("%s.password_file: the file is empty", key)
		}
		out = append(out, person{
			account:  as.Account{Email: p.Email, EmailVerified: true, Name: p.Name, PasswordHash: p.PasswordHash},
			password: password, space: p.Space,
		})
	}
	return out
}

// inWords are names in words, by the name and the language.
type inWords = map[string]map[string]string

// checkWords checks what scopes are in words.
func (c config) checkWords(k *checker) inWords {
	out := inWords{}
	for i, w := range c.Words {
		said(k, out, fmt.Sprintf("words[%d]", i), "scope", w.Scope, w.saidConfig, `what the scope lets somebody do, such as "see"`)
	}
	return out
}

// checkTypes checks what things of a type are in words.
func (c config) checkTypes(k *checker) inWords {
	out := inWords{}
	for i, t := range c.Types {
		said(k, out, fmt.Sprintf("types[%d]", i), "type", t.Type, t.saidConfig, `what things of the type are, such as "Photo"`)
	}
	return out
}

// said takes one name in words. English is for whoever has no words in their own
// language, so it has to be there.
func said(k *checker, out inWords, key, field, name string, s saidConfig, such string) {
	switch _, twice := out[name]; {
	case name == "":
		k.wrong("%s.%s: it has to be set", key, field)
	case twice:
		k.wrong("%s.%s: there are words for %q already", key, field, name)
	case s.English == "":
		k.wrong("%s.en: it has to be set, to %s", key, such)
	}
	out[name] = map[string]string{}
	for language, text := range map[string]string{"en": s.English, "de": s.German, "fr": s.French, "es": s.Spanish, "ar": s.Arabic} {
		if text != "" {
			out[name][language] = text
		}
	}
}

func (c config) checkLogin(k *checker) login.Methods {
	m := login.Methods{Passwords: c.Login.Passwords, Guests: c.Login.Guests}
	for i, p := range c.Login.Providers {
		key := fmt.Sprintf("login.providers[%d]", i)
		secret, _ := k.secret(key+".client_secret_file", p.ClientSecretFile)
		m.Providers = append(m.Providers, login.Provider{
			ID: p.ID, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, ClientSecret: secret, Scopes: p.Scopes, TrustEmail: p.TrustEmail,
		})
	}
	if err := login.CheckProviders(m.Providers); err != nil {
		k.wrong("login.providers: %w", err)
	}
	return m
}
