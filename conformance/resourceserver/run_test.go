package resourceserver

import (
	"net"
	"os"
	"slices"
	"testing"

	"github.com/licet/licet/conformance/internal/wire"
	"github.com/licet/licet/conformance/report"
)

func fixture(t *testing.T, args ...string) Fixture {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f := Fixture{
		Listen: "127.0.0.1:0", API: "http://" + address,
		Owners:  map[string]Owner{"alice": {RefreshToken: "refresh-alice"}, "anna": {RefreshToken: "refresh-anna"}},
		Start:   append([]string{self, "api", "-issuer", "{issuer}", "-listen", address}, args...),
		Read:    &Request{Path: "/alice/album", Owner: "alice", Scopes: []string{"view"}},
		Write:   &Request{Method: "PUT", Path: "/alice/album", Body: "{}", Owner: "alice", Scopes: []string{"edit"}},
		Other:   &Request{Path: "/alice/diary", Owner: "alice", Scopes: []string{"view"}},
		Foreign: &Request{Path: "/anna/album", Owner: "anna", Scopes: []string{"view"}},
		Open:    &Request{Path: "/public/news"},
	}
	f.Client.ID, f.Client.Secret = "photos", "photo secret+1"
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	return f
}

// alone says whether a check cannot look here, because this machine has no
// address besides loopback.
func alone(t *testing.T, id string) bool {
	t.Helper()
	if _, ok := wire.NotLoopback(); ok || !slices.Contains([]string{"FED-1.3-01"}, id) {
		return false
	}
	t.Logf("%s CANNOT BE TESTED HERE: this machine has no address besides loopback", id)
	return true
}

// passes expects that every check passes, none is skipped.
func passes(t *testing.T, f Fixture, only ...string) {
	t.Helper()
	found, err := Run(t.Context(), f, only, func(report.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Results) == 0 {
		t.Fatal("nothing was checked")
	}
	for _, r := range found.Results {
		if r.Outcome != report.Pass && !alone(t, r.ID) {
			t.Errorf("%s (%s): %s\n%s", r.ID, r.Requirement, r.Detail, r.Messages)
		}
	}
}

// Proves SEC-032, SEC-056, SEC-057, SEC-059, SEC-086, GRANT-3.2-01, GRANT-3.2.1-01,
// GRANT-3.2.1-02, GRANT-3.2.1-03, GRANT-3.2.2-01, GRANT-3.5-01, GRANT-3.5-02,
// FED-RS-1.3-01, FED-RS-4.1-01, FED-RS-5-02, FED-5.1.1-07 of the SDK in rs.
func TestAnAPIWithOurSDKConforms(t *testing.T) { passes(t, fixture(t)) }

func TestAnAPIThatRemembersIntrospectionsConforms(t *testing.T) {
	f := fixture(t, "-cache", "1s")
	f.CacheSeconds = 1
	passes(t, f, "FED-RS-5-01", "SEC-059", "GRANT-3.5-02")
}

// The control of the mistakes below: without one, nothing is found.
func TestANaiveAPIWithoutAMistakeConforms(t *testing.T) { passes(t, fixture(t, "-broken", "none")) }

// The suite is honest: it finds every one of these mistakes, by the check that
// is about it, and finds nothing where there is none.
func TestEveryMistakeOfAResourceServerIsCaught(t *testing.T) {
	for mistake, id := range map[string]string{
		"any active RPT is good":                     "GRANT-3.5-02",
		"active is not looked at":                    "GRANT-3.5-02",
		"another issuer's token is good":             "GRANT-3.5-02",
		"a bound token needs no proof":               "GRANT-3.5-02",
		"the resource is not compared":               "GRANT-3.5-02",
		"the scope is not compared":                  "GRANT-3.5-02",
		"scopes are compared by their letters":       "GRANT-3.5-02",
		"an end of zero is no end":                   "GRANT-3.5-02",
		"the handler believes another path":          "SEC-057",
		"it fails open":                              "GRANT-3.5-02",
		"the end of a permission is not looked at":   "FED-5.1.1-07",
		"the begin of a permission is not looked at": "FED-5.1.1-07",
		"only the permission's times count":          "FED-5.1.1-07",
		"the refusal is 403":                         "GRANT-3.5-01",
		"the challenge is Bearer's":                  "GRANT-3.2.1-01",
		"as_uri is the token endpoint":               "GRANT-3.2.1-02",
		"as_uri has a slash more":                    "GRANT-3.2.1-02",
		"the ticket is in the body":                  "GRANT-3.2.1-05",
		"a ticket is used for several answers":       "FED-RS-4-04",
		"an unreachable server is a fault":           "GRANT-3.2.2-01",
		"a fault tells everything":                   "SEC-032",
		"every scope is asked for":                   "GRANT-3.2-02",
		"an unregistered scope is asked for":         "FED-RS-4.1-01",
		"one PAT serves all owners":                  "FED-RS-4.1-01",
		"the PAT is in the URL":                      "FED-RS-1.3-01",
		"a description has a string for its scopes":  "FED-3.1-01",
		"unknown members are refused":                "GEN-1.1-03",
		"introspection is remembered for ever":       "FED-RS-5-01",
		"a remembered RPT is not compared":           "SEC-059",
		"the path is compared as it was sent":        "SEC-057",
		"redirects are followed":                     "FED-1.3-02",
		"the issuer of the metadata is not compared": "GRANT-2-04",
		"plain http is spoken to anybody":            "FED-1.3-01",
	} {
		t.Run(mistake, func(t *testing.T) {
			found, err := Run(t.Context(), fixture(t, "-broken", mistake), []string{id}, func(report.Result) {})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range found.Results {
				if o := r.Outcome; r.ID == id && o != report.Fail && o != report.Warn && !alone(t, id) {
					t.Errorf("%s does not see it: %v %s", id, o, r.Detail)
				} else if r.ID == id {
					t.Logf("%s: %s", r.ID, r.Detail)
				}
			}
		})
	}
}
