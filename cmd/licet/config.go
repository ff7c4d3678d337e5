package main

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// config is the configuration of a server, from a TOML file and from the
// environment. docs/reference/configuration.md describes every key.
type config struct {
	Issuer         string             `toml:"issuer"`
	Listen         string             `toml:"listen"`
	Data           string             `toml:"data"`
	Store          string             `toml:"store"`
	BehindProxy    bool               `toml:"behind_proxy"`
	TrustedProxies []string           `toml:"trusted_proxies"`
	TLS            tlsConfig          `toml:"tls"`
	MTLS           mtlsConfig         `toml:"mtls"`
	Mail           mailConfig         `toml:"mail"`
	Partial        string             `toml:"partial"`
	FAPI2          bool               `toml:"fapi2"`
	StrictScopes   bool               `toml:"strict_scopes"`
	RevokeOnReplay bool               `toml:"revoke_on_replay"`
	ForbidsFile    string             `toml:"forbids_file"`
	Compromised    []string           `toml:"compromised_keys"`
	Lifetimes      lifetimesConfig    `toml:"lifetimes"`
	Limits         limitsConfig       `toml:"limits"`
	Login          loginConfig        `toml:"login"`
	ClaimIssuers   []claimIssuer      `toml:"claim_issuers"`
	Registration   registrationConfig `toml:"registration"`
	Clients        []clientConfig     `toml:"clients"`
	People         []personConfig     `toml:"people"`
	Words          []wordsConfig      `toml:"words"`
	Types          []typeConfig       `toml:"types"`
	SensitiveTypes []string           `toml:"sensitive_types"`
}

type tlsConfig struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
}

type mtlsConfig struct {
	Listen string `toml:"listen"`
	Origin string `toml:"origin"`
	CA     string `toml:"ca"`
}

type mailConfig struct {
	From         string `toml:"from"`
	Server       string `toml:"server"`
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
	Directory    string `toml:"directory"`
	Console      bool   `toml:"console"`
}

type lifetimesConfig struct {
	Ticket      duration `toml:"ticket"`
	Poll        duration `toml:"poll"`
	Interval    duration `toml:"interval"`
	RPT         duration `toml:"rpt"`
	PAT         duration `toml:"pat"`
	Refresh     duration `toml:"refresh"`
	PCT         duration `toml:"pct"`
	Claims      duration `toml:"claims"`
	Code        duration `toml:"code"`
	Interaction duration `toml:"interaction"`
	IDToken     duration `toml:"id_token"`
	Session     duration `toml:"session"`
	Invitation  duration `toml:"invitation"`
	KeyOverlap  duration `toml:"key_overlap"`
	Dormant     duration `toml:"dormant"`
	Uses        duration `toml:"uses"`
}

// duration is a time such as "10m" or "36h".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v <= 0 {
		err = errors.New("a lifetime has to be longer than nothing")
	}
	*d = duration(v)
	return err
}

type limitsConfig struct {
	Client        rate `toml:"client"`
	Address       rate `toml:"address"`
	Public        rate `toml:"public"`
	Registration  rate `toml:"registration"`
	SignInAccount rate `toml:"sign_in_account"`
	SignInAddress rate `toml:"sign_in_address"`
	SignInMail    rate `toml:"sign_in_mail"`
}

// loginConfig says how people come in besides passkeys and codes by e-mail.
type loginConfig struct {
	Passwords bool             `toml:"passwords"`
	Guests    bool             `toml:"guests"`
	Providers []providerConfig `toml:"providers"`
}

type providerConfig struct {
	ID               string   `toml:"id"`
	Name             string   `toml:"name"`
	Issuer           string   `toml:"issuer"`
	ClientID         string   `toml:"client_id"`
	ClientSecretFile string   `toml:"client_secret_file"`
	Scopes           []string `toml:"scopes"`
	TrustEmail       bool     `toml:"trust_email"`
}

// rate is how much there is in a time, such as "600/1m", or "off".
type rate limit.Rate

func (r *rate) UnmarshalText(text []byte) error {
	v, err := limit.Parse(string(text))
	*r = rate(v)
	return err
}

type registrationConfig struct {
	Mode             string        `toml:"mode"`
	Scopes           []string      `toml:"scopes"`
	StatementIssuers []claimIssuer `toml:"statement_issuers"`
}

type claimIssuer struct {
	Issuer   string `toml:"issuer"`
	JWKSURI  string `toml:"jwks_uri"`
	JWKSFile string `toml:"jwks_file"`
}

type clientConfig struct {
	ID                               string   `toml:"id"`
	Name                             string   `toml:"name"`
	Public                           bool     `toml:"public"`
	SecretFile                       string   `toml:"secret_file"`
	JWKSFile                         string   `toml:"jwks_file"`
	JWKSURI                          string   `toml:"jwks_uri"`
	TicketBinding                    bool     `toml:"require_ticket_binding"`
	AuthMethod                       string   `toml:"token_endpoint_auth_method"`
	Certificate                      string   `toml:"certificate"`
	CertificateBound                 bool     `toml:"tls_client_certificate_bound_access_tokens"`
	SignedRPTs                       bool     `toml:"signed_rpts"`
	DPoPBound                        bool     `toml:"dpop_bound_access_tokens"`
	RequirePushed                    bool     `toml:"require_pushed_authorization_requests"`
	GrantTypes                       []string `toml:"grant_types"`
	RedirectURIs                     []string `toml:"redirect_uris"`
	ClaimsRedirectURIs               []string `toml:"claims_redirect_uris"`
	PostLogoutRedirectURIs           []string `toml:"post_logout_redirect_uris"`
	BackchannelLogoutURI             string   `toml:"backchannel_logout_uri"`
	BackchannelLogoutSessionRequired bool     `toml:"backchannel_logout_session_required"`
	Scopes                           []string `toml:"scopes"`
	ResourceIndicators               []string `toml:"resource_indicators"`
	PushClaims                       bool     `toml:"push_claims"`
	Space                            string   `toml:"space"`
	Disabled                         bool     `toml:"disabled"`
}

// wordsConfig is what a scope lets somebody do.
type wordsConfig struct {
	Scope string `toml:"scope"`
	saidConfig
}

// typeConfig is what things of a type are.
type typeConfig struct {
	Type string `toml:"type"`
	saidConfig
}

// saidConfig is something in the languages of pages.
type saidConfig struct {
	English string `toml:"en"`
	German  string `toml:"de"`
	French  string `toml:"fr"`
	Spanish string `toml:"es"`
	Arabic  string `toml:"ar"`
}

type personConfig struct {
	Email        string `toml:"email"`
	Name         string `toml:"name"`
	PasswordFile string `toml:"password_file"`
	PasswordHash string `toml:"password_hash"`
	Space        string `toml:"space"`
}

// readConfig reads the file, if there is one, the environment over it, and the
// files that they name. Everything that is wrong is reported at once, each with
// its key.
func readConfig(path string, env func(string) (string, bool)) (settings, error) {
	c := config{Listen: "127.0.0.1:8443", Data: "licet-data", Login: loginConfig{Guests: true}}
	var faults []error
	if path != "" {
		var table map[string]any
		if _, err := toml.DecodeFile(path, &table); err != nil {
			return settings{}, fmt.Errorf("configuration: %w", err)
		}
		faults = fillTable(reflect.ValueOf(&c).Elem(), table, "")
	}
	faults = append(faults, fromEnvironment(reflect.ValueOf(&c).Elem(), "LICET", env)...)
	s, wrong := c.check()
	if faults = append(faults, wrong...); len(faults) > 0 {
		return settings{}, fmt.Errorf("configuration:\n%w", errors.Join(faults...))
	}
	return s, nil
}

// client is the registration that a client's configuration asks for.
func (c clientConfig) client(secretHash, jwks []byte) oauth.Client {
	out := oauth.Client{
		ID: oauth.ClientID(c.ID), Name: c.Name, AuthMethod: oauth.AuthMethod(c.AuthMethod), JWKS: jwks, JWKSURI: c.JWKSURI, GrantTypes: c.GrantTypes, RequireTicketBinding: c.TicketBinding,
		Certificate: oauth.CertificateName(c.Certificate), CertificateBound: c.CertificateBound, DPoPBound: c.DPoPBound, SignedRPTs: c.SignedRPTs, RequirePushed: c.RequirePushed,
		RedirectURIs: c.RedirectURIs, ClaimsRedirectURIs: c.ClaimsRedirectURIs, PushClaims: c.PushClaims, Space: c.Space, Disabled: c.Disabled,
		ResourceIndicators: c.ResourceIndicators, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, BackchannelLogoutURI: c.BackchannelLogoutURI, BackchannelLogoutSessionRequired: c.BackchannelLogoutSessionRequired,
	}
	switch {
	case c.AuthMethod != "":
	case c.Public:
		out.AuthMethod = oauth.AuthNone
	case c.SecretFile != "":
		out.AuthMethod = oauth.AuthBasic
	case c.JWKSFile != "", c.JWKSURI != "":
		out.AuthMethod = oauth.AuthKey
	case c.Certificate != "":
		out.AuthMethod = oauth.AuthTLS
	}
	if c.SecretFile != "" {
		out.SecretHash = secretHash
	}
	for _, s := range c.Scopes {
		out.Scopes = append(out.Scopes, uma.Scope(s))
	}
	return out
}

func (l lifetimesConfig) lifetimes() as.Lifetimes {
	d := func(d duration) time.Duration { return time.Duration(d) }
	return as.Lifetimes{
		Ticket: d(l.Ticket), Poll: d(l.Poll), Interval: d(l.Interval), RPT: d(l.RPT), PAT: d(l.PAT), Refresh: d(l.Refresh), PCT: d(l.PCT),
		Claims: d(l.Claims), Code: d(l.Code), Interaction: d(l.Interaction), IDToken: d(l.IDToken), Session: d(l.Session),
		Invitation: d(l.Invitation), KeyOverlap: d(l.KeyOverlap), Dormant: d(l.Dormant), Uses: d(l.Uses),
	}
}
