package oauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
)

func TestIDTokenIsRead(t *testing.T) {
	f := theForger()
	claims := with(goodClaims(), members{"auth_time": at(-time.Hour), "department": "x-ray"})
	id, err := oauth.VerifyIDToken(f.token(claims), mustKeys(t, f.document()), expectation())
	if err != nil {
		t.Fatal(err)
	}
	if id.Issuer != foreignIssuer || id.Subject != "bob" || id.Email != "bob@mail.example" || !id.EmailVerified ||
		id.Name != "Bob" || !id.AuthTime.Equal(now.Add(-time.Hour)) {
		t.Errorf("read as %+v", id)
	}
	if v, _, _ := id.Claims.String("department"); v != "x-ray" {
		t.Error("a claim is lost")
	}
}

func TestIDTokenIsAcceptedInTheFormsThatIssuersUse(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for name, more := range map[string]members{
		"audience in an array":         {"aud": []string{ourClient}},
		"for this server":              {"aud": ourIssuer},
		"two audiences, asked by us":   {"aud": []string{"other", ourClient}, "azp": ourClient},
		"for us, asked by us":          {"azp": ourClient},
		"asked by us, for this server": {"aud": ourIssuer, "azp": ourClient},
		"times with a fraction":        {"exp": float64(at(time.Minute)) + 0.5, "iat": float64(at(0)) + 0.25},
		"begins now":                   {"nbf": at(0), "iat": at(0)},
		"typ claim of an ID token":     {"typ": "ID"},
	} {
		if _, err := oauth.VerifyIDToken(f.token(with(goodClaims(), more)), keys, expectation()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, typ := range []string{"JWT", "jwt"} {
		token := f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","typ":"`+typ+`"}`, string(mustJSON(goodClaims())))
		if _, err := oauth.VerifyIDToken(token, keys, expectation()); err != nil {
			t.Errorf("typ %s: %v", typ, err)
		}
	}
}

// without is the ordinary claims but for one.
func without(name string) members {
	c := goodClaims()
	delete(c, name)
	return c
}

// Proves SEC-045.
func TestIDTokenThatIsNotForNowOrNotFromThemIsRefused(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for name, tc := range map[string]struct {
		claims members
		fault  oauth.TokenFault
	}{
		"expired":                    {with(goodClaims(), members{"exp": at(-time.Second)}), oauth.FaultTime},
		"expires now":                {with(goodClaims(), members{"exp": at(0)}), oauth.FaultTime},
		"no exp":                     {without("exp"), oauth.FaultClaim},
		"exp is text":                {with(goodClaims(), members{"exp": "1800000300"}), oauth.FaultClaim},
		"exp is null":                {with(goodClaims(), members{"exp": nil}), oauth.FaultClaim},
		"exp is beyond arithmetic":   {with(goodClaims(), members{"exp": 9.3e18}), oauth.FaultClaim},
		"exp is negative":            {with(goodClaims(), members{"exp": -1}), oauth.FaultClaim},
		"nbf in the future":          {with(goodClaims(), members{"nbf": at(time.Hour)}), oauth.FaultTime},
		"iat in the future":          {with(goodClaims(), members{"iat": at(time.Hour)}), oauth.FaultTime},
		"no iat":                     {without("iat"), oauth.FaultClaim},
		"auth_time is text":          {with(goodClaims(), members{"auth_time": "yesterday"}), oauth.FaultClaim},
		"wrong iss":                  {with(goodClaims(), members{"iss": "https://evil.example"}), oauth.FaultIssuer},
		"iss with a slash":           {with(goodClaims(), members{"iss": foreignIssuer + "/"}), oauth.FaultIssuer},
		"iss in another case":        {with(goodClaims(), members{"iss": "https://ID.example"}), oauth.FaultIssuer},
		"no iss":                     {without("iss"), oauth.FaultIssuer},
		"iss in an array":            {with(goodClaims(), members{"iss": []string{foreignIssuer}}), oauth.FaultClaim},
		"no sub":                     {without("sub"), oauth.FaultClaim},
		"empty sub":                  {with(goodClaims(), members{"sub": ""}), oauth.FaultClaim},
		"sub is a number":            {with(goodClaims(), members{"sub": 1}), oauth.FaultClaim},
		"endless sub":                {with(goodClaims(), members{"sub": strings.Repeat("s", 256)}), oauth.FaultClaim},
		"email in an array":          {with(goodClaims(), members{"email": []string{"a@b.example"}}), oauth.FaultClaim},
		"no aud":                     {without("aud"), oauth.FaultClaim},
		"aud is null":                {with(goodClaims(), members{"aud": nil}), oauth.FaultClaim},
		"aud is empty":               {with(goodClaims(), members{"aud": ""}), oauth.FaultAudience},
		"aud is an empty array":      {with(goodClaims(), members{"aud": []string{}}), oauth.FaultAudience},
		"aud is an array of numbers": {with(goodClaims(), members{"aud": []int{1}}), oauth.FaultClaim},
		"logout token":               {with(goodClaims(), members{"events": members{"http://schemas.openid.net/event/backchannel-logout": members{}}}), oauth.FaultType},
	} {
		_, err := oauth.VerifyIDToken(f.token(tc.claims), keys, expectation())
		wantFault(t, name, err, tc.fault)
	}
	for name, forgery := range forgeries(f) {
		_, err := oauth.VerifyIDToken(forgery.token, keys, expectation())
		wantFault(t, name, err, forgery.fault)
	}
}

// Proves SEC-046, GRANT-5.7-03.
func TestIDTokenThatAnotherClientAskedForIsRefused(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for name, more := range map[string]members{
		"aud of another client":                 {"aud": "c2"},
		"aud in another case":                   {"aud": "C1"},
		"aud that begins with ours":             {"aud": "c1.evil"},
		"aud array of others":                   {"aud": []string{"c2", "c3"}, "azp": "c2"},
		"several aud, azp missing":              {"aud": []string{"c2", ourClient}},
		"several aud, azp of another":           {"aud": []string{"c2", ourClient}, "azp": "c2"},
		"several aud, azp empty":                {"aud": []string{"c2", ourClient}, "azp": ""},
		"aud twice ours, azp missing":           {"aud": []string{ourClient, ourClient}},
		"for this server, asked by another":     {"aud": ourIssuer, "azp": "c2"},
		"for us, asked by another":              {"azp": "c2"},
		"for us and this server, azp of a rest": {"aud": []string{ourIssuer, ourClient}, "azp": foreignIssuer},
	} {
		_, err := oauth.VerifyIDToken(f.token(with(goodClaims(), more)), keys, expectation())
		wantFault(t, name, err, oauth.FaultAudience)
	}
	_, err := oauth.VerifyIDToken(f.token(with(goodClaims(), members{"azp": 1})), keys, expectation())
	wantFault(t, "azp is a number", err, oauth.FaultClaim)
}

// Proves SEC-045, SEC-046.
func TestOtherTokensOfTheIssuerAreNoIDTokens(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	claims := string(mustJSON(goodClaims()))
	for _, typ := range []string{"at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", "JOSE", " JWT"} {
		token := f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","typ":"`+typ+`"}`, claims)
		_, err := oauth.VerifyIDToken(token, keys, expectation())
		wantFault(t, typ, err, oauth.FaultType)
	}
	for _, typ := range []any{"Bearer", "Refresh", "Logout", "id", "", 1, nil} {
		_, err := oauth.VerifyIDToken(f.token(with(goodClaims(), members{"typ": typ})), keys, expectation())
		wantFault(t, "typ claim", err, oauth.FaultType)
	}
}

func TestClockOfTheIssuerMayBeALittleAhead(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for _, name := range []string{"iat", "nbf"} {
		for _, tc := range []struct {
			ahead, leeway time.Duration
			ok            bool
		}{
			{8 * time.Second, 0, true},
			{30 * time.Second, 0, true},
			{31 * time.Second, 0, false},
			{61 * time.Second, 0, false},
			{8 * time.Second, time.Second, false},
			{61 * time.Second, time.Hour, false},
			{60 * time.Second, time.Hour, true},
		} {
			want := expectation()
			want.Leeway = tc.leeway
			_, err := oauth.VerifyIDToken(f.token(with(goodClaims(), members{name: at(tc.ahead)})), keys, want)
			if tc.ok && err != nil {
				t.Errorf("%s %v ahead, leeway %v: %v", name, tc.ahead, tc.leeway, err)
			} else if !tc.ok {
				wantFault(t, name+" "+tc.ahead.String()+" ahead", err, oauth.FaultTime)
			}
		}
	}
	want := expectation()
	want.Leeway = time.Hour
	_, err := oauth.VerifyIDToken(f.token(with(goodClaims(), members{"exp": at(-time.Second)})), keys, want)
	wantFault(t, "there is no leeway for an end", err, oauth.FaultTime)
}

// Proves SEC-122.
func TestExpectationThatExpectsNothingAcceptsNothing(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	noIssuer, noAudience, emptyAudience := expectation(), expectation(), expectation()
	noIssuer.Issuer, noAudience.Audiences, emptyAudience.Audiences = "", nil, []string{""}
	_, err := oauth.VerifyIDToken(f.token(without("iss")), keys, noIssuer)
	wantFault(t, "no issuer", err, oauth.FaultIssuer)
	_, err = oauth.VerifyIDToken(f.token(goodClaims()), keys, noAudience)
	wantFault(t, "no audience", err, oauth.FaultAudience)
	_, err = oauth.VerifyIDToken(f.token(with(goodClaims(), members{"aud": ""})), keys, emptyAudience)
	wantFault(t, "empty audience", err, oauth.FaultAudience)
}

func TestEmailIsVerifiedByTheValueTrueAlone(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for _, v := range []any{"true", "TRUE", 1, false, nil, []bool{true}, members{"true": true}} {
		id, err := oauth.VerifyIDToken(f.token(with(goodClaims(), members{"email_verified": v})), keys, expectation())
		if err != nil || id.EmailVerified {
			t.Errorf("email_verified %#v: verified %v, %v", v, id.EmailVerified, err)
		}
	}
	id, err := oauth.VerifyIDToken(f.token(without("email_verified")), keys, expectation())
	if err != nil || id.EmailVerified {
		t.Errorf("no email_verified: verified %v, %v", id.EmailVerified, err)
	}
}
