package client

import (
	"net"
	"os"
	"slices"
	"testing"

	"github.com/licet/licet/conformance/internal/wire"
	"github.com/licet/licet/conformance/report"
)

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func fixture(t *testing.T, secret string, args ...string) Fixture {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	common := append([]string{"-issuer", "{issuer}", "-secret", secret, "-listen", address}, args...)
	f := Fixture{
		Run: append(append([]string{self, "command"}, common...), "{url}"), PushesClaims: true,
		Web: &Web{Start: append([]string{self, "web"}, common...), Fetch: "http://" + address + "/fetch?url={url}"},
	}
	f.Client.ID, f.Client.Secret, f.Client.ClaimsRedirectURI = clientID, secret, "http://"+address+redirectURI
	if err := f.check(); err != nil {
		t.Fatal(err)
	}
	return f
}

// alone says whether a check cannot look here, because this machine has no
// address besides loopback.
func alone(t *testing.T, id string) bool {
	t.Helper()
	if _, ok := wire.NotLoopback(); ok || !slices.Contains([]string{"GRANT-5-01/plain", "GRANT-5-01/redirect_user"}, id) {
		return false
	}
	t.Logf("%s CANNOT BE TESTED HERE: this machine has no address besides loopback", id)
	return true
}

// passes expects that every check passes, none is skipped.
func passes(t *testing.T, f Fixture) {
	t.Helper()
	found, err := Run(t.Context(), f, nil, func(report.Result) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Results {
		if r.Outcome != report.Pass && !alone(t, r.ID) {
			t.Errorf("%s (%s): %s\n%s", r.ID, r.Requirement, r.Detail, r.Messages)
		}
	}
}

// Proves SEC-064, SEC-085, SEC-086, GRANT-2-06, GRANT-C-3.3-01, GRANT-C-3.3.1-01,
// GRANT-C-3.3.1-02, GRANT-C-3.3.1-03, GRANT-C-3.3.2-01, GRANT-C-3.3.2-03,
// GRANT-C-3.3.3-01, GRANT-C-3.3.5-01, GRANT-C-3.3.5.1-01, GRANT-C-3.3.6-01,
// GRANT-C-3.4-01, GRANT-C-5.1-01, GRANT-C-5.1-02, GRANT-C-5.1-03,
// GRANT-C-5.1-04, GRANT-C-5.1-05, GRANT-C-5.1-06, GRANT-C-5.2-01,
// GRANT-C-5.2-02, GRANT-C-5.5-01, GRANT-C-GEN-01 of the SDK in client.
func TestAClientWithOurSDKConforms(t *testing.T) { passes(t, fixture(t, secret)) }

func TestAPublicClientWithOurSDKConforms(t *testing.T) { passes(t, fixture(t, "")) }

// The control of the mistakes below: without one, nothing is found.
func TestANaiveClientWithoutAMistakeConforms(t *testing.T) {
	passes(t, fixture(t, secret, "-broken", "none"))
}

// The suite is honest: it finds every one of these mistakes, by the check that
// is about it.
func TestEveryMistakeOfAClientIsCaught(t *testing.T) {
	for mistake, id := range map[string]string{
		"the client does not authenticate":              "GRANT-C-3.3-01",
		"the first ticket is used for ever":             "GRANT-C-3.3.1-01",
		"a lost answer is asked for again":              "GRANT-C-3.3.1-01/lost",
		"the format of a claim token is forgotten":      "GRANT-C-3.3.1-02",
		"the newest RPT is good for everything":         "GRANT-C-3.3.5-01",
		"the old RPT is kept beside the upgraded one":   "GRANT-C-3.3.5.1-01",
		"the interval is not waited for":                "GRANT-C-3.3.6-01",
		"the RPT is in the URL, too":                    "GRANT-C-3.4-01",
		"the type of a token is not looked at":          "GRANT-C-3.4-01/type",
		"an RPT is for any authorization server":        "GRANT-C-5.2-01",
		"a PCT is for any authorization server":         "GRANT-C-5.2-02",
		"a repeated ticket is taken":                    "GRANT-C-5.5-01",
		"a fresh ticket is not fetched after a refusal": "GRANT-C-GEN-01",
		"a denied request is asked again":               "GRANT-C-GEN-01",
		"it goes on for ever":                           "GRANT-C-GEN-01/endless",
		"a challenge is compared with the example":      "GRANT-3.2.1-04",
		"unknown members are refused":                   "GEN-1.1-03",
		"any authorization server is trusted":           "GRANT-5-01/untrusted",
		"redirects are followed with everything":        "GRANT-5-01/redirect",
		"plain http is spoken to anybody":               "GRANT-5-01/plain",
		"the issuer of the metadata is not compared":    "SEC-086",
		"the endpoint's query is lost":                  "GRANT-C-3.3.2-01",
		"the redirection URI is not the registered one": "GRANT-C-3.3.2-01",
		"a person is sent over plain http":              "GRANT-5-01/redirect_user",
		"a long interval overflows":                     "GRANT-C-3.3.6-01",
		"the static endpoint goes first":                "GRANT-2-06",
		"there is no state":                             "GRANT-C-3.3.2-03",
		"the state is a constant":                       "GRANT-C-5.1-03",
		"the state is short":                            "GRANT-C-5.1-03",
		"the state is the ticket":                       "GRANT-C-5.1-06",
		"the state is not compared":                     "GRANT-C-5.1-04",
		"a missing state is not missed":                 "GRANT-C-5.1-05",
		"a state is good for ever":                      "SEC-064",
		"a state is good in any browser":                "GRANT-C-5.1-01",
		"iss is not compared":                           "SEC-085",
		"a missing iss is not missed":                   "SEC-085",
		"an unchanged ticket is taken":                  "GRANT-C-5.5-01/callback",
		"unknown parameters are refused":                "GRANT-C-3.3.3-01",
		"all people are one":                            "GRANT-C-3.3.1-03",
	} {
		t.Run(mistake, func(t *testing.T) {
			found, err := Run(t.Context(), fixture(t, secret, "-broken", mistake), []string{id}, func(report.Result) {})
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
