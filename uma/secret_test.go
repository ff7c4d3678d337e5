package uma_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// canary is a secret that must not be seen.
const canary = "CaNaRy-7f3a90c1"

// shows says whether a text gives the canary away, in whichever notation.
func shows(text string) bool {
	text = strings.ToLower(text)
	for _, notation := range []string{canary, hex.EncodeToString([]byte(canary)), fmt.Sprintf("% x", canary), fmt.Sprintf("%# x", canary)} {
		if strings.Contains(text, strings.ToLower(notation)) {
			return true
		}
	}
	return false
}

func secrets() map[string]any {
	return map[string]any{
		"Ticket": uma.Ticket(canary), "RPT": uma.RPT(canary), "PCT": uma.PCT(canary), "PAT": uma.PAT(canary),
	}
}

func messages() map[string]any {
	return map[string]any{
		"TokenRequest":   uma.TokenRequest{Ticket: canary, ClaimToken: canary, ClaimTokenFormat: "f", PCT: canary, RPT: canary},
		"TokenResponse":  uma.TokenResponse{AccessToken: canary, TokenType: "Bearer", RefreshToken: canary, IDToken: canary, PCT: canary},
		"ErrorResponse":  uma.ErrorResponse{Error: uma.NeedInfoCode, Ticket: canary},
		"TicketResponse": uma.TicketResponse{Ticket: canary},
	}
}

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%20s", "%.40s"}

func TestSecretsPrintAsFingerprints(t *testing.T) {
	want := uma.Fingerprint(canary)
	for name, secret := range secrets() {
		for _, verb := range verbs {
			for what, v := range map[string]any{
				name:            secret,
				"a list of it":  []any{secret},
				"a struct":      struct{ Secret any }{secret},
				"a map with it": map[any]any{secret: secret},
			} {
				if got := fmt.Sprintf(verb, v); shows(got) {
					t.Errorf("%s of %s (%s) shows the secret: %s", verb, name, what, got)
				}
			}
		}
		for _, verb := range []string{"%v", "%#v", "%s"} {
			if got := fmt.Sprintf(verb, secret); got != want {
				t.Errorf("%s of %s is %s, not its fingerprint %s", verb, name, got, want)
			}
		}
		if err := fmt.Errorf("the secret %v: %w", secret, errors.New("it failed")); shows(err.Error()) {
			t.Errorf("%s in an error shows: %v", name, err)
		}
	}
}

func TestMessagesPrintWithoutTheirSecrets(t *testing.T) {
	for name, message := range messages() {
		for _, verb := range verbs {
			for what, v := range map[string]any{name: message, "a list of it": []any{message}, "a struct": struct{ M any }{message}} {
				if got := fmt.Sprintf(verb, v); shows(got) {
					t.Errorf("%s of %s (%s) shows a secret: %s", verb, name, what, got)
				}
			}
		}
		if got := fmt.Sprint(message); !strings.Contains(got, uma.Fingerprint(canary)) {
			t.Errorf("%s prints as %s, without a fingerprint", name, got)
		}
	}
}

func TestSecretsAreLoggedAsFingerprints(t *testing.T) {
	values := messages()
	values["Challenge"] = uma.Challenge{Realm: "r", ASURI: "https://as.example", Ticket: canary}
	for name, v := range secrets() {
		values[name] = v
	}
	for name, v := range values {
		var out bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).With("with", v).WithGroup("group").Info("message", "value", v, slog.Group("in", "a", v))
		}
		if got := out.String(); shows(got) || strings.Count(got, uma.Fingerprint(canary)) < 6 {
			t.Errorf("%s is logged as %s", name, got)
		}
	}
}

// The wire is the one place where a secret is written.
func TestSecretsAreWrittenForTheWire(t *testing.T) {
	if got := written(t, uma.TicketResponse{Ticket: canary}); got != `{"ticket":"`+canary+`"}` {
		t.Errorf("got %s", got)
	}
	if got := written(t, uma.TokenResponse{AccessToken: canary, TokenType: "Bearer", PCT: canary}); strings.Count(got, canary) != 2 {
		t.Errorf("got %s", got)
	}
	if got := (uma.Challenge{ASURI: "https://as.example", Ticket: canary}).String(); !strings.Contains(got, canary) {
		t.Errorf("got %s", got)
	}
}

// A fingerprint tells two secrets apart, and none from one.
func TestFingerprints(t *testing.T) {
	if a, b := uma.Fingerprint("a"), uma.Fingerprint("b"); a == b || a != uma.Fingerprint("a") || len(a) != 9 {
		t.Errorf("got %s and %s", a, b)
	}
	if got := uma.Fingerprint(""); got != "(none)" {
		t.Errorf("no secret is %s", got)
	}
}
