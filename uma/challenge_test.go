package uma_test

import (
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

func TestChallengeIsWrittenAsOneHeaderValue(t *testing.T) {
	for want, c := range map[string]uma.Challenge{
		`UMA realm="photos", as_uri="https://as.example/t/a", ticket="016f84e8"`: {Realm: "photos", ASURI: "https://as.example/t/a", Ticket: "016f84e8"},
		`UMA as_uri="https://as.example", ticket="t"`:                            {ASURI: "https://as.example", Ticket: "t"},
		`UMA realm="Alice's \"own\" C:\\", as_uri="https://as.example", ticket="a,b=c"`: {
			Realm: `Alice's "own" C:\`, ASURI: "https://as.example", Ticket: "a,b=c"},
		`UMA realm="aSet-Cookie: x=y", as_uri="https://as.example", ticket="t"`: {
			Realm: "a\r\nSet-Cookie: x=y\x00\x7f", ASURI: "https://as.example\r\n", Ticket: "\tt"},
	} {
		if got := c.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Proves GRANT-C-3.3-01, GRANT-3.2.1-04, AMB-03.
func TestChallengeIsFoundHoweverResourceServersWriteIt(t *testing.T) {
	want := uma.Challenge{Realm: "photos", ASURI: "https://as.example/t/a", Ticket: "016f-84e8"}
	bare := uma.Challenge{ASURI: want.ASURI, Ticket: want.Ticket}
	for _, story := range []struct {
		values []string
		want   uma.Challenge
	}{
		{[]string{`UMA realm="photos", as_uri="https://as.example/t/a", ticket="016f-84e8"`}, want},
		{[]string{`UMA as_uri="https://as.example/t/a",ticket="016f-84e8"`}, bare},
		{[]string{`UMA ticket="016f-84e8",	realm="photos" ,as_uri="https://as.example/t/a"`}, want},
		{[]string{`uma Realm=photos, AS_URI="https://as.example/t/a", TICKET=016f-84e8`}, want},
		{[]string{`UMA realm = "photos" , as_uri= "https://as.example/t/a", ticket ="016f-84e8"`}, want},
		{[]string{`UMA realm=photos as_uri=https://as.example/t/a ticket=016f-84e8`}, want},
		{[]string{`UMA realm="pho\tos", as_uri="https:\/\/as.example/t/a", ticket="016f-84e8"`}, want},
		{[]string{`UMA realm="photos", host_id="rs.example", as_uri="https://as.example/t/a", error="insufficient_scope", ticket="016f-84e8", x="1"`}, want},
		{[]string{`UMA host_id=rs.example,as_uri=https://as.example/t/a/.well-known/uma2-configuration,ticket=016f-84e8`}, bare},
		{[]string{`UMA as_uri="https://as.example/t/a/.well-known/uma2-configuration", ticket="016f-84e8"`}, bare},
		{[]string{`Bearer realm="x", error="invalid_token", UMA realm="photos", as_uri="https://as.example/t/a", ticket="016f-84e8", Basic realm="y"`}, want},
		{[]string{`Basic, UMA as_uri="https://as.example/t/a", ticket="016f-84e8", Negotiate`}, bare},
		{[]string{`Negotiate YII/+a==, UMA as_uri="https://as.example/t/a", ticket="016f-84e8"`}, bare},
		{[]string{`Bearer realm="x"`, `Basic realm="y"`, `UMA as_uri="https://as.example/t/a", ticket="016f-84e8"`}, bare},
		{[]string{``, `,,`, `UMA as_uri="https://as.example/t/a", ticket="016f-84e8"`}, bare},
		{[]string{`UMA realm="unfinished", UMA realm="photos", as_uri="https://as.example/t/a", ticket="016f-84e8"`}, want},
		{[]string{`UMA as_uri="https://other.example"`, `UMA as_uri="https://as.example/t/a", ticket="016f-84e8"`}, bare},
		{[]string{strings.Repeat("x", 40_000), `UMA as_uri="https://as.example/t/a", ticket="016f-84e8"`}, bare},
		{[]string{`UMA as_uri="https://as.example/t/a", ticket="016f-84e8`}, bare},
	} {
		got, ok := uma.ParseChallenge(story.values)
		if !ok || got != story.want {
			t.Errorf("%.200q\ngot  %q, %v, found %v\nwant %q", story.values, got.ASURI, got, ok, story.want.ASURI)
		}
	}
}

// An unquoted value is read as it is: a URL may have an equals sign.
func TestUnquotedURLIsReadWhole(t *testing.T) {
	c, ok := uma.ParseChallenge([]string{`UMA as_uri=https://as.example/?t=a&x=y, ticket=a=b==`})
	if !ok || c.ASURI != "https://as.example/?t=a&x=y" || string(c.Ticket) != "a=b==" {
		t.Errorf("got %q, %q", c.ASURI, string(c.Ticket))
	}
}

// What stands in a text of another challenge is no challenge.
func TestQuotedTextIsNoChallenge(t *testing.T) {
	const inner = `, UMA as_uri=\"https://evil.example\", ticket=\"stolen\"`
	c, ok := uma.ParseChallenge([]string{`Bearer error_description="no` + inner + `"`})
	if ok {
		t.Errorf("found %v in the text of a Bearer challenge", c)
	}
	c, ok = uma.ParseChallenge([]string{`UMA realm="x` + inner + `", as_uri="https://as.example", ticket="t"`})
	if !ok || c.ASURI != "https://as.example" || c.Ticket != "t" {
		t.Errorf("the text of the realm became a challenge: %v", c)
	}
}

func TestWithoutAllOfAChallengeThereIsNone(t *testing.T) {
	for _, values := range [][]string{
		nil, {}, {""}, {"UMA"}, {`UMA realm="x"`}, {`UMA as_uri="https://as.example"`}, {`UMA ticket="t"`},
		{`UMA as_uri="", ticket="t"`}, {`UMA as_uri="https://as.example", ticket=""`}, {`UMA as_uri="https://as.example", ticket`},
		{`UMA as_uri="/.well-known/uma2-configuration", ticket="t"`},
		{`UMA as_uri="https://as.example"`, `UMA ticket="t"`}, {`UMA as_uri="https://as.example", Bearer ticket="t"`},
		{`Bearer as_uri="https://as.example", ticket="t"`}, {`UMA2 as_uri="https://as.example", ticket="t"`},
		{`as_uri="https://as.example", ticket="t"`}, {`="UMA"`}, {`UMA =x`}, {`"UMA as_uri=x, ticket=y"`}, {`"UMA" as_uri=x, ticket=y`},
		{`UMA as_uri="https://as.example", ticket="t"` + strings.Repeat(" ", 32<<10)},
	} {
		if c, ok := uma.ParseChallenge(values); ok || c != (uma.Challenge{}) {
			t.Errorf("%.100q: found %v", values, c)
		}
	}
}

// A parameter that is given twice counts as it was given first; whoever can add
// one to the end of a header changes nothing.
func TestFirstOfAParameterCounts(t *testing.T) {
	c, ok := uma.ParseChallenge([]string{`UMA as_uri="https://as.example", ticket="t", as_uri="https://evil.example", Ticket="u"`})
	if !ok || c.ASURI != "https://as.example" || c.Ticket != "t" {
		t.Errorf("got %v", c)
	}
}
