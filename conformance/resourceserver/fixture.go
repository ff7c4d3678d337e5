package resourceserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// Fixture is what the suite has to know of the resource server under test. See
// docs/reference/conformance.md.
type Fixture struct {
	// Listen is the TCP address of the double. Port 0 is any, and is for
	// resource servers that are started with {issuer}.
	Listen string `json:"listen"`
	// Issuer is the double's issuer where a TLS proxy is in front of it; empty
	// is http://Listen.
	Issuer string `json:"issuer"`
	// Client is the resource server as an OAuth client of the double.
	Client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	} `json:"client"`
	// Owners are resource owners by any name, each with at least one way to a
	// PAT.
	Owners map[string]Owner `json:"owners"`
	// Start is the command line of the resource server; {issuer} in it is
	// replaced. Without it the resource server has to run already, and checks
	// that need it to start anew are skipped.
	Start []string `json:"start"`
	API   string   `json:"api"` // scheme://host:port of the resource server

	Read    *Request `json:"read"`    // a protected request; required
	Write   *Request `json:"write"`   // another on the same resource that needs another scope
	Other   *Request `json:"other"`   // one on another resource of the same owner
	Foreign *Request `json:"foreign"` // one on a resource of another owner
	Open    *Request `json:"open"`    // one that needs no permission

	// CacheSeconds is how long the resource server may use an introspection
	// again, as it documents.
	CacheSeconds int `json:"cache_seconds"`
}

// Owner is a resource owner who has connected the resource server.
type Owner struct {
	PAT               string `json:"pat"`                // good as long as the suite runs
	RefreshToken      string `json:"refresh_token"`      // brings a PAT; it is not rotated
	ClientCredentials bool   `json:"client_credentials"` // the client's own PATs are this owner's
}

// Request is one operation of the API.
type Request struct {
	Method string   `json:"method"` // empty is GET
	Path   string   `json:"path"`   // with a query if there is one
	Body   string   `json:"body"`
	Owner  string   `json:"owner"`  // whose resource it is
	Scopes []string `json:"scopes"` // that the API documents for it; empty is not compared
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
	if f.Listen == "" {
		wrong("listen: the address of the double is missing")
	}
	if strings.HasSuffix(f.Listen, ":0") && len(f.Start) == 0 {
		wrong("listen: port 0 needs a start command that is told {issuer}")
	}
	if u, err := url.Parse(f.API); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		wrong("api: it has to be scheme://host:port")
	}
	f.API = strings.TrimRight(f.API, "/")
	if len(f.Owners) == 0 {
		wrong("owners: there has to be one")
	}
	for name, o := range f.Owners {
		if o.PAT == "" && o.RefreshToken == "" && !o.ClientCredentials {
			wrong("owners.%s: needs a pat, a refresh_token or client_credentials", name)
		}
		if (o.RefreshToken != "" || o.ClientCredentials) && f.Client.ID == "" {
			wrong("client: the double has to know how the resource server authenticates")
		}
	}
	if f.Read == nil {
		wrong("read: there has to be a protected request")
	}
	for name, r := range map[string]*Request{"read": f.Read, "write": f.Write, "other": f.Other, "foreign": f.Foreign} {
		if r == nil {
			continue
		}
		if _, known := f.Owners[r.Owner]; !known {
			wrong("%s.owner: %q is none of the owners", name, r.Owner)
		}
	}
	for name, r := range map[string]*Request{"read": f.Read, "write": f.Write, "other": f.Other, "foreign": f.Foreign, "open": f.Open} {
		if r == nil {
			continue
		}
		if !strings.HasPrefix(r.Path, "/") {
			wrong("%s.path: it has to begin with a slash", name)
		}
		if r.Method == "" {
			r.Method = http.MethodGet
		}
	}
	if f.Read != nil && f.Foreign != nil && f.Read.Owner == f.Foreign.Owner {
		wrong("foreign.owner: it has to be another owner than that of read")
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func (f *Fixture) cache() time.Duration { return time.Duration(f.CacheSeconds) * time.Second }
