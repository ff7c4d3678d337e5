package oauth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
)

func TestTokensOfTheFourAlgorithmsAreVerified(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for alg, kid := range map[string]string{"EdDSA": "ed", "ES256": "ec", "RS256": "rsa", "PS256": "rsa"} {
		for _, header := range []string{
			fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"x+jwt"}`, alg, kid),
			fmt.Sprintf(`{"typ":"x+jwt","alg":%q}`, alg),
		} {
			claims, h, err := oauth.VerifyJWT(f.sign(alg, header, `{"a":"b"}`), keys, nil)
			if err != nil {
				t.Errorf("%s: %v", header, err)
				continue
			}
			if v, _, _ := claims.String("a"); v != "b" || h.Algorithm != alg || h.Type != "x+jwt" {
				t.Errorf("%s: %v, %+v", header, claims, h)
			}
		}
	}
}

func TestCallerMayNarrowTheAlgorithmsAndNeverWidenThem(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	token := f.sign("ES256", `{"alg":"ES256"}`, `{}`)
	if _, _, err := oauth.VerifyJWT(token, keys, []string{"ES256"}); err != nil {
		t.Error(err)
	}
	for _, algs := range [][]string{{"EdDSA"}, {}} {
		_, _, err := oauth.VerifyJWT(token, keys, algs)
		wantFault(t, fmt.Sprint(algs), err, oauth.FaultAlgorithm)
	}
	for _, alg := range []string{"none", "HS256"} {
		header := fmt.Sprintf(`{"alg":%q}`, alg)
		_, _, err := oauth.VerifyJWT(hs256(nil, header, `{}`), keys, []string{alg})
		wantFault(t, alg, err, oauth.FaultAlgorithm)
	}
}

// forgeries are tokens that somebody made who does not have the issuer's key,
// or that say which key to take.
func forgeries(f *forger) map[string]struct {
	token string
	fault oauth.TokenFault
} {
	const claims = `{"iss":"https://id.example","sub":"bob"}`
	_, foreign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	stranger := &forger{ed: foreign, ec: f.ec, rsa: f.rsa}
	der, err := x509.MarshalPKIXPublicKey(&f.rsa.PublicKey)
	if err != nil {
		panic(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	embedded := string(mustJSON(edJWK(foreign.Public().(ed25519.PublicKey))))
	good := f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, claims)
	parts := strings.Split(good, ".")
	signed := func(header string) string { return f.sign("EdDSA", header, claims) }

	type forgery = struct {
		token string
		fault oauth.TokenFault
	}
	return map[string]forgery{
		"alg none":                      {f.sign("none", `{"alg":"none"}`, claims), oauth.FaultAlgorithm},
		"alg none, signed":              {signed(`{"alg":"none","kid":"ed"}`), oauth.FaultAlgorithm},
		"alg None":                      {f.sign("none", `{"alg":"None"}`, claims), oauth.FaultAlgorithm},
		"alg in another case":           {signed(`{"alg":"eddsa","kid":"ed"}`), oauth.FaultAlgorithm},
		"HS256 with the public key PEM": {hs256(publicPEM, `{"alg":"HS256","kid":"rsa"}`, claims), oauth.FaultAlgorithm},
		"HS256 with the public key DER": {hs256(der, `{"alg":"HS256","kid":"rsa"}`, claims), oauth.FaultAlgorithm},
		"HS256 with the Ed25519 key":    {hs256(f.ed.Public().(ed25519.PublicKey), `{"alg":"HS256","kid":"ed"}`, claims), oauth.FaultAlgorithm},
		"HS256 with the empty key":      {hs256(nil, `{"alg":"HS256"}`, claims), oauth.FaultAlgorithm},
		"PBES2":                         {signed(`{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"x"}`), oauth.FaultAlgorithm},
		"RS512":                         {signed(`{"alg":"RS512","kid":"rsa"}`), oauth.FaultAlgorithm},
		"no alg":                        {signed(`{"kid":"ed"}`), oauth.FaultHeader},
		"alg of the wrong type":         {signed(`{"alg":["EdDSA"],"kid":"ed"}`), oauth.FaultHeader},
		"alg null":                      {signed(`{"alg":null,"kid":"ed"}`), oauth.FaultHeader},

		"RS256 of an Ed25519 key": {f.sign("RS256", `{"alg":"RS256","kid":"ed"}`, claims), oauth.FaultUnknownKey},
		"EdDSA of an RSA key":     {signed(`{"alg":"EdDSA","kid":"rsa"}`), oauth.FaultUnknownKey},
		"PS256 that is RS256":     {f.sign("RS256", `{"alg":"PS256","kid":"rsa"}`, claims), oauth.FaultSignature},

		"embedded jwk":               {stranger.sign("EdDSA", `{"alg":"EdDSA","jwk":`+embedded+`}`, claims), oauth.FaultHeader},
		"embedded jwk and kid":       {stranger.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","jwk":`+embedded+`}`, claims), oauth.FaultHeader},
		"embedded jwk, truly signed": {signed(`{"alg":"EdDSA","kid":"ed","jwk":{}}`), oauth.FaultHeader},
		"jku":                        {signed(`{"alg":"EdDSA","kid":"ed","jku":"https://evil.example/jwks"}`), oauth.FaultHeader},
		"x5u":                        {signed(`{"alg":"EdDSA","kid":"ed","x5u":"https://evil.example/cert"}`), oauth.FaultHeader},
		"x5c":                        {signed(`{"alg":"EdDSA","kid":"ed","x5c":["MIIB"]}`), oauth.FaultHeader},
		"crit":                       {signed(`{"alg":"EdDSA","kid":"ed","crit":["exp"],"exp":1}`), oauth.FaultHeader},
		"empty crit":                 {signed(`{"alg":"EdDSA","kid":"ed","crit":[]}`), oauth.FaultHeader},
		"b64":                        {signed(`{"alg":"EdDSA","kid":"ed","b64":false}`), oauth.FaultHeader},

		"kid of nobody":          {signed(`{"alg":"EdDSA","kid":"other"}`), oauth.FaultUnknownKey},
		"kid that is a path":     {signed(`{"alg":"EdDSA","kid":"../../../../dev/null"}`), oauth.FaultUnknownKey},
		"kid that is SQL":        {signed(`{"alg":"EdDSA","kid":"' UNION SELECT 'x' --"}`), oauth.FaultUnknownKey},
		"kid in another case":    {signed(`{"alg":"EdDSA","kid":"ED"}`), oauth.FaultUnknownKey},
		"empty kid":              {signed(`{"alg":"EdDSA","kid":""}`), oauth.FaultHeader},
		"kid null":               {signed(`{"alg":"EdDSA","kid":null}`), oauth.FaultHeader},
		"kid of the wrong type":  {signed(`{"alg":"EdDSA","kid":{"a":1}}`), oauth.FaultHeader},
		"typ of the wrong type":  {signed(`{"alg":"EdDSA","kid":"ed","typ":1}`), oauth.FaultHeader},
		"key of a stranger":      {stranger.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, claims), oauth.FaultSignature},
		"stranger without a kid": {stranger.sign("EdDSA", `{"alg":"EdDSA"}`, claims), oauth.FaultUnknownKey},

		"no signature":               {parts[0] + "." + parts[1] + ".", oauth.FaultSignature},
		"signature of another":       {parts[0] + "." + b64([]byte(`{"sub":"eve"}`)) + "." + parts[2], oauth.FaultSignature},
		"header of another":          {b64([]byte(`{"kid":"ed","alg":"EdDSA"}`)) + "." + parts[1] + "." + parts[2], oauth.FaultSignature},
		"last bits of the signature": {good[:len(good)-1] + nextLetter(good[len(good)-1]), oauth.FaultSyntax},
		"line break":                 {good[:20] + "\n" + good[20:], oauth.FaultSyntax},
		"trailing line break":        {good + "\n", oauth.FaultSyntax},
		"leading space":              {" " + good, oauth.FaultSyntax},
		"padding":                    {parts[0] + "==." + parts[1] + "." + parts[2], oauth.FaultSyntax},
		"standard base64":            {base64.StdEncoding.EncodeToString([]byte(`{"alg":"EdDSA","x":"???>>>"}`)) + "." + parts[1] + "." + parts[2], oauth.FaultSyntax},
		"prefix of a scheme":         {"Bearer " + good, oauth.FaultSyntax},

		"empty":                       {"", oauth.FaultSyntax},
		"two dots":                    {"..", oauth.FaultSyntax},
		"one part":                    {parts[0], oauth.FaultSyntax},
		"two parts":                   {parts[0] + "." + parts[1], oauth.FaultSyntax},
		"four parts":                  {good + ".x", oauth.FaultSyntax},
		"five parts, as of a JWE":     {b64([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"x"}`)) + ".a.b.c.d", oauth.FaultSyntax},
		"JSON serialisation":          {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, oauth.FaultSyntax},
		"header that is an array":     {signed(`["EdDSA"]`), oauth.FaultSyntax},
		"header that is null":         {signed(`null`), oauth.FaultSyntax},
		"header with something after": {signed(`{"alg":"EdDSA","kid":"ed"}{}`), oauth.FaultSyntax},
		"header with alg twice":       {signed(`{"alg":"none","alg":"EdDSA","kid":"ed"}`), oauth.FaultSyntax},
		"header that is not UTF-8":    {signed("{\"alg\":\"EdDSA\",\"kid\":\"\xff\"}"), oauth.FaultSyntax},
		"header with ALG":             {signed(`{"ALG":"EdDSA","kid":"ed"}`), oauth.FaultHeader},
		"payload with sub twice":      {f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `{"sub":"bob","sub":"eve"}`), oauth.FaultSyntax},
		"payload with a deep twice":   {f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `{"a":{"b":1,"b":2}}`), oauth.FaultSyntax},
		"payload that is a string":    {f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `"x"`), oauth.FaultSyntax},
		"payload that is empty":       {f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, ``), oauth.FaultSyntax},
		"payload that is nested":      {f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","cty":"JWT"}`, good), oauth.FaultSyntax},
	}
}

func nextLetter(c byte) string {
	return string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_A"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", c)+1])
}

// Proves SEC-045.
func TestForgedTokensAreRefused(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	for name, forgery := range forgeries(f) {
		claims, _, err := oauth.VerifyJWT(forgery.token, keys, nil)
		wantFault(t, name, err, forgery.fault)
		if claims != nil {
			t.Errorf("%s: there are claims: %v", name, claims)
		}
	}
}

func TestUnknownKeyCanBeToldFromTheOtherFaults(t *testing.T) {
	f := theForger()
	token := f.sign("EdDSA", `{"alg":"EdDSA","kid":"new"}`, `{}`)
	if _, _, err := oauth.VerifyJWT(token, mustKeys(t, f.document()), nil); !errors.Is(err, oauth.ErrUnknownKey) {
		t.Errorf("a key that is not in the set: %v", err)
	}
	if _, _, err := oauth.VerifyJWT(token, nil, nil); !errors.Is(err, oauth.ErrUnknownKey) {
		t.Errorf("no keys: %v", err)
	}
	if _, _, err := oauth.VerifyJWT("x", nil, nil); errors.Is(err, oauth.ErrUnknownKey) {
		t.Errorf("no token: %v", err)
	}
}

func TestWorkForATokenWithoutKidIsBounded(t *testing.T) {
	f := theForger()
	last := edJWK(f.ed.Public().(ed25519.PublicKey))
	token := f.sign("EdDSA", `{"alg":"EdDSA"}`, `{}`)
	for others, verified := range map[int]bool{3: true, 4: false, 40: false} {
		var set []members
		for range others {
			key, _, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			set = append(set, edJWK(key))
		}
		_, _, err := oauth.VerifyJWT(token, mustKeys(t, jwks(append(set, last)...)), nil)
		if (err == nil) != verified {
			t.Errorf("after %d other keys: %v", others, err)
		}
	}
}

// Proves SEC-113.
func TestMonstrousTokensCostNothing(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	const header = `{"alg":"EdDSA","kid":"ed"}`
	for name, token := range map[string]string{
		"10 000 parts":       strings.Repeat("e30.", 10_000),
		"10 000 dots":        strings.Repeat(".", 10_000),
		"8 MB of dots":       strings.Repeat(".", 8<<20),
		"8 MB header":        f.sign("EdDSA", `{"alg":"EdDSA","a":"`+strings.Repeat("a", 8<<20)+`"}`, `{}`),
		"deep header":        f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`, `{}`),
		"deep payload":       f.sign("EdDSA", header, strings.Repeat(`{"a":`, 2000)+"1"+strings.Repeat("}", 2000)),
		"unclosed payload":   f.sign("EdDSA", header, strings.Repeat(`[`, 10_000)),
		"huge p2c":           f.sign("EdDSA", `{"alg":"PBES2-HS512+A256KW","p2c":2147483647,"p2s":"c2FsdA"}`, `{}`),
		"JWE with huge p2c":  b64([]byte(`{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"c2FsdA"}`)) + ".AA.AA.AA.AA",
		"JWE with zip":       b64([]byte(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`)) + "..AA.AA.AA",
		"one byte too large": oversized(f),
	} {
		var err error
		took, bytes := cost(func() { _, _, err = oauth.VerifyJWT(token, keys, nil) })
		if err == nil {
			t.Errorf("%s: verified", name)
		}
		if took > 10*time.Millisecond || bytes > 1<<20 {
			t.Errorf("%s: refused after %v and %d bytes", name, took, bytes)
		}
	}
}

// oversized is a token that is good but for its size.
func oversized(f *forger) string {
	return f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `{"a":"`+strings.Repeat("a", 13_000)+`"}`)
}

// cost is the shortest time of a few calls, as the machine may be busy, and the
// bytes that one call allocates.
func cost(call func()) (time.Duration, uint64) {
	best := time.Hour
	var before, after runtime.MemStats
	for range 5 {
		runtime.ReadMemStats(&before)
		start := time.Now()
		call()
		best = min(best, time.Since(start))
		runtime.ReadMemStats(&after)
	}
	return best, after.TotalAlloc - before.TotalAlloc
}

func TestLargestTokenIsStillVerified(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	token := f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `{"a":"`+strings.Repeat("a", 12_000)+`"}`)
	if _, _, err := oauth.VerifyJWT(token, keys, nil); err != nil {
		t.Errorf("a token of %d bytes: %v", len(token), err)
	}
	if _, _, err := oauth.VerifyJWT(oversized(f), keys, nil); err == nil {
		t.Errorf("a token of %d bytes is verified", len(oversized(f)))
	}
}

func TestTokenErrorShowsNothingOfTheToken(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	const canary = "canary-in-a-token"
	for _, token := range []string{
		f.sign("EdDSA", `{"alg":"EdDSA","kid":"`+canary+`"}`, `{}`),
		f.sign("EdDSA", `{"alg":"`+canary+`"}`, `{}`),
		f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, `"`+canary+`"`),
		canary + "." + canary + "." + canary,
	} {
		if _, _, err := oauth.VerifyJWT(token, keys, nil); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	}
}
