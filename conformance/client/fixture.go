package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Fixture is what the suite has to know of the client under test. See
// docs/reference/conformance.md.
type Fixture struct {
	// Client is the client's registration at the double.
	Client struct {
		ID                string `json:"client_id"`
		Secret            string `json:"client_secret"` // empty for a public client
		ClaimsRedirectURI string `json:"claims_redirect_uri"`
	} `json:"client"`

	// Run is the command line of a client that is no web application: {issuer}
	// is the authorization server that it may trust, {url} the URL to fetch. A
	// check that fetches several gives them in the place of the one.
	Run []string `json:"run"`
	// Web is a client that is a web application.
	Web *Web `json:"web"`

	// PushesClaims says that the client pushes a claim token when it is asked
	// for one that is called ClaimName.
	PushesClaims bool   `json:"pushes_claims"`
	ClaimName    string `json:"claim_name"` // empty is "email"

	// ListenAS and ListenAPI are the TCP addresses of the doubles. Empty is any
	// free one, for clients that are told {issuer}.
	ListenAS  string `json:"listen_as"`
	ListenAPI string `json:"listen_api"`
	// Issuer and API are under what the doubles are reached where a TLS proxy is
	// in front of them; empty is http and their address.
	Issuer string `json:"issuer"`
	API    string `json:"api"`

	TimeoutSeconds int `json:"timeout_seconds"` // of one command; 0 is 30
}

// Web is a web application: with {url} replaced, Fetch makes it fetch a URL for
// the person whose browser asks, and show what came. Each browser is a person.
type Web struct {
	Start []string `json:"start"` // the command line; {issuer} is replaced
	Fetch string   `json:"fetch"`
}

// Load reads a fixture and tells all that is wrong with it.
func Load(file string) (Fixture, error) {
	var f Fixture
	raw, err := os.ReadFile(file)
	if err != nil {
		return f, err
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	if err := f.check(); err != nil {
		return f, fmt.Errorf("%s: %w", file, err)
	}
	return f, nil
}

func (f *Fixture) check() error {
	var faults []error
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if f.Client.ID == "" {
		wrong("client.client_id: it is missing")
	}
	if len(f.Run) == 0 && f.Web == nil {
		wrong("run, web: one of them has to say how the client is made to fetch a URL")
	}
	if len(f.Run) > 0 && !strings.Contains(strings.Join(f.Run, " "), "{url}") {
		wrong("run: nothing of it is {url}")
	}
	if f.Web != nil {
		if u, err := url.Parse(strings.ReplaceAll(f.Web.Fetch, "{url}", "x")); err != nil || u.Host == "" || !strings.Contains(f.Web.Fetch, "{url}") {
			wrong("web.fetch: it has to be a URL with {url} in it")
		}
		if len(f.Web.Start) == 0 && (f.ListenAS == "" || f.ListenAPI == "") {
			wrong("listen_as, listen_api: a web application without a start command has to be told them beforehand")
		}
		if f.Client.ClaimsRedirectURI == "" {
			wrong("client.claims_redirect_uri: a web application has one")
		}
	}
	if f.ListenAS == "" {
		f.ListenAS = "127.0.0.1:0"
	}
	if f.ListenAPI == "" {
		f.ListenAPI = "127.0.0.1:0"
	}
	if f.ClaimName == "" {
		f.ClaimName = "email"
	}
	if f.TimeoutSeconds <= 0 {
		f.TimeoutSeconds = 30
	}
	return errors.Join(faults...)
}
