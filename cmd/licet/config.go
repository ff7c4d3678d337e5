package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// config is the configuration of a server, from a TOML file and from the
// environment. docs/reference/configuration.md describes every key.
type config struct {
	Issuer         string          `toml:"issuer"`
	Listen         string          `toml:"listen"`
	Data           string          `toml:"data"`
	BehindProxy    bool            `toml:"behind_proxy"`
	TLS            tlsConfig       `toml:"tls"`
	Partial        string          `toml:"partial"`
	StrictScopes   bool            `toml:"strict_scopes"`
	RevokeOnReplay bool            `toml:"revoke_on_replay"`
	ForbidsFile    string          `toml:"forbids_file"`
	Lifetimes      lifetimesConfig `toml:"lifetimes"`
	ClaimIssuers   []claimIssuer   `toml:"claim_issuers"`
	Clients        []clientConfig  `toml:"clients"`
	People         []personConfig  `toml:"people"`
}

type tlsConfig struct {
	Cert string `toml:"cert"`
	Key  string `toml:"key"`
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
	KeyOverlap  duration `toml:"key_overlap"`
	Dormant     duration `toml:"dormant"`
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

type claimIssuer struct {
	Issuer   string `toml:"issuer"`
	JWKSURI  string `toml:"jwks_uri"`
	JWKSFile string `toml:"jwks_file"`
}

type clientConfig struct {
	ID                 string   `toml:"id"`
	Name               string   `toml:"name"`
	Public             bool     `toml:"public"`
	SecretFile         string   `toml:"secret_file"`
	GrantTypes         []string `toml:"grant_types"`
	RedirectURIs       []string `toml:"redirect_uris"`
	ClaimsRedirectURIs []string `toml:"claims_redirect_uris"`
	Scopes             []string `toml:"scopes"`
	PushClaims         bool     `toml:"push_claims"`
	Space              string   `toml:"space"`
	Disabled           bool     `toml:"disabled"`
}

type personConfig struct {
	Email        string `toml:"email"`
	Name         string `toml:"name"`
	PasswordFile string `toml:"password_file"`
	PasswordHash string `toml:"password_hash"`
	Space        string `toml:"space"`
}

// readConfig reads the file, if there is one, and the environment over it, and
// reports everything that is wrong at once.
func readConfig(path string, env func(string) (string, bool)) (config, error) {
	c := config{Listen: "127.0.0.1:8443", Data: "licet-data"}
	var faults []error
	if path != "" {
		meta, err := toml.DecodeFile(path, &c)
		if err != nil {
			return config{}, fmt.Errorf("configuration: %w", err)
		}
		for _, key := range meta.Undecoded() {
			faults = append(faults, fmt.Errorf("%s: there is no such key", key))
		}
	}
	faults = append(faults, fromEnvironment(reflect.ValueOf(&c).Elem(), "LICET", env)...)
	faults = append(faults, c.check()...)
	if len(faults) > 0 {
		return config{}, fmt.Errorf("configuration:\n%w", errors.Join(faults...))
	}
	return c, nil
}

// fromEnvironment sets each key from the variable of its name: lifetimes.rpt is
// LICET_LIFETIMES_RPT. Texts are taken as they are; anything else is written as in
// the file, lists of tables as inline tables.
func fromEnvironment(into reflect.Value, prefix string, env func(string) (string, bool)) []error {
	var faults []error
	for i := range into.NumField() {
		field := into.Field(i)
		name := prefix + "_" + strings.ToUpper(into.Type().Field(i).Tag.Get("toml"))
		if field.Kind() == reflect.Struct {
			faults = append(faults, fromEnvironment(field, name, env)...)
			continue
		}
		text, ok := env(name)
		if !ok {
			continue
		}
		if err := setField(field, text); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	return faults
}

func setField(field reflect.Value, text string) error {
	switch to := field.Addr().Interface().(type) {
	case *string:
		*to = text
		return nil
	case *duration:
		return to.UnmarshalText([]byte(text))
	}
	holder := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: field.Type(), Tag: `toml:"v"`}}))
	meta, err := toml.Decode("v = "+text, holder.Interface())
	if err == nil && len(meta.Undecoded()) > 0 {
		err = fmt.Errorf("there is no such key as %s", meta.Undecoded()[0])
	}
	if err == nil {
		field.Set(holder.Elem().Field(0))
	}
	return err
}

// check finds what is wrong by itself; what depends on files is found when they
// are read.
func (c config) check() []error {
	var faults []error
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Issuer == "" {
		wrong("issuer: it has to be set, to the https URL under which people and programs reach this server")
	} else if u, err := endpoint.ParseIssuer(c.Issuer); err != nil {
		wrong("issuer: %w", err)
	} else if u.Scheme == "https" && c.TLS.Cert == "" && !c.BehindProxy {
		wrong("tls.cert: an https issuer needs a certificate here, or behind_proxy = true if TLS ends before this server")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		wrong("tls: cert and key go together")
	}
	switch as.Partial(c.Partial) {
	case as.PartialLast, as.PartialFirst, as.PartialNever:
	default:
		wrong("partial: has to be empty, %q or %q", as.PartialFirst, as.PartialNever)
	}
	for i, issuer := range c.ClaimIssuers {
		if issuer.Issuer == "" || (issuer.JWKSURI == "") == (issuer.JWKSFile == "") {
			wrong("claim_issuers[%d]: needs an issuer, and either jwks_uri or jwks_file", i)
		}
	}
	for i, client := range c.Clients {
		if client.ID == "" {
			wrong("clients[%d].id: it has to be set", i)
		}
		if client.Public == (client.SecretFile != "") {
			wrong("clients[%d]: either public = true or a secret_file", i)
		}
		registration := client.client(make([]byte, sha256.Size)) // the secret itself is read later
		if client.Public {
			registration.SecretHash = nil
		}
		if err := registration.Validate(); err != nil {
			wrong("clients[%d]: %w", i, err)
		}
	}
	for i, person := range c.People {
		if person.Email == "" || person.PasswordFile == "" && person.PasswordHash == "" {
			wrong("people[%d]: needs an email, and a password_file or a password_hash", i)
		}
	}
	return faults
}

// client is the registration that a client's configuration asks for.
func (c clientConfig) client(secretHash []byte) oauth.Client {
	out := oauth.Client{
		ID: oauth.ClientID(c.ID), Name: c.Name, AuthMethod: oauth.AuthBasic, SecretHash: secretHash, GrantTypes: c.GrantTypes,
		RedirectURIs: c.RedirectURIs, ClaimsRedirectURIs: c.ClaimsRedirectURIs, PushClaims: c.PushClaims, Space: c.Space, Disabled: c.Disabled,
	}
	if c.Public {
		out.AuthMethod = oauth.AuthNone
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
		KeyOverlap: d(l.KeyOverlap), Dormant: d(l.Dormant),
	}
}

// forbids reads the operator's Cedar policies.
func (c config) forbids() (string, error) {
	if c.ForbidsFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.ForbidsFile)
	if err != nil {
		return "", fmt.Errorf("forbids_file: %w", err)
	}
	return string(text), nil
}

func (c config) claimIssuers() ([]as.ClaimIssuer, error) {
	var out []as.ClaimIssuer
	for _, issuer := range c.ClaimIssuers {
		trusted := as.ClaimIssuer{Issuer: issuer.Issuer, JWKSURI: issuer.JWKSURI}
		if issuer.JWKSFile != "" {
			keys, err := os.ReadFile(issuer.JWKSFile)
			if err != nil {
				return nil, fmt.Errorf("claim_issuers: %w", err)
			}
			trusted.JWKS = json.RawMessage(keys)
		}
		out = append(out, trusted)
	}
	return out, nil
}

// readSecret reads a secret from its file, without the line break that editors
// leave at the end.
func readSecret(path string) (string, error) {
	text, err := os.ReadFile(filepath.Clean(path))
	return strings.TrimRight(string(text), "\r\n"), err
}
