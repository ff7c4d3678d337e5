package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
)

// device gives the visitor's browser a place for passkeys, with a finger on it.
func (v *visitor) device() webauthn.AuthenticatorID {
	v.t.Helper()
	call(v, webauthn.Enable, webauthn.EnableParams{})
	return call(v, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}).AuthenticatorID
}

// byItself opens a page that asks for a passkey, which the device gives at once, so that
// the page leads on.
func (v *visitor) byItself(path string) {
	v.t.Helper()
	v.leads("a passkey", func() { v.open(path) })
}

// Alice makes a passkey, comes in with it without writing anything, and removes it;
// then it opens nothing any more.
func TestAPasskeyOpensTheDoor(t *testing.T) {
	journey(t, []way{
		{name: "phone", width: phone, scripts: true},
		{name: "keyboard in the dark", width: desk, scripts: true, dark: true, keyboard: true},
		{name: "Arabic", width: phone, scripts: true, language: "ar"},
		{name: "pseudo", width: desk, scripts: true, pseudo: true},
		{name: "large letters", width: desk, scripts: true, large: true},
	}, func(v *visitor) {
		device := v.device()
		present := func(is bool) {
			call(v, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: device, Enabled: is})
		}
		v.open("/sign-in/ways")
		v.look("sign in first")
		v.signIn(v.place.fixture.Owners["alice"])
		v.wantAt("/sign-in/ways")
		v.look("no passkey yet")
		v.write("#device", "My phone")
		v.follow("#add")
		v.want("button[value=remove]")
		v.look("one passkey")
		keys := call(v, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: device}).Credentials
		if len(keys) != 1 || !keys[0].IsResidentCredential || keys[0].RpID != "localhost" {
			v.t.Fatalf("the device has %+v", keys)
		}
		v.leave()
		v.byItself("/sign-in?return=/sign-in/ways")
		v.wantAt("/sign-in/ways")
		v.look("in by the passkey")
		v.leave()
		present(false)
		v.open("/sign-in?return=/sign-in/ways")
		v.signIn(person{v.place.fixture.Owners["alice"].Email, "not her password", ""})
		v.want("#problem", "#passkey-form:not([hidden])")
		v.look("with a passkey, after a wrong password")
		present(true)
		v.follow("#passkey")
		v.wantAt("/sign-in/ways")
		v.follow("button[value=remove]")
		if v.has("button[value=remove]") {
			v.t.Error("the passkey is still there")
		}
		v.leave()
		v.byItself("/sign-in")
		v.wantAt("/sign-in")
		v.want("#problem")
		v.look("a passkey that was removed")
		call(v, webauthn.Disable, cdp.Empty{})
	})
}

// Without a script nothing is offered that would not work.
func TestWithoutAScriptNoPasskeyIsOffered(t *testing.T) {
	journey(t, []way{{name: "phone", width: phone}, {name: "desk in the dark", width: desk, dark: true}}, func(v *visitor) {
		v.open("/sign-in?return=/sign-in/ways")
		v.look("the ways in")
		if ask[bool](v, "document.querySelector('#passkey-form').checkVisibility()") {
			v.t.Error("a passkey is offered")
		}
		v.signIn(v.place.fixture.Owners["alice"])
		v.wantAt("/sign-in/ways")
		v.look("how one signs in")
		if ask[bool](v, "document.querySelector('#passkey-form').checkVisibility()") {
			v.t.Error("a new passkey is offered")
		}
	})
}

// Where a passkey could not work none is offered, nor told of: at another name of the
// server, and in a browser that knows none.
func TestWhereAPasskeyCannotWorkNoneIsOffered(t *testing.T) {
	journey(t, []way{{name: "phone", width: phone, scripts: true}, {name: "desk in the dark", width: desk, scripts: true, dark: true}}, func(v *visitor) {
		told := func() (parts []string) {
			return ask[[]string](v, `[...document.querySelectorAll("[data-passkeys-at]")].filter((e) => e.checkVisibility()).map((e) => e.id || e.textContent)`)
		}
		comes := func(issuer string) {
			v.open(issuer + "/sign-in?return=/sign-in/ways")
			v.look("the ways in")
			offered := told()
			v.signIn(v.place.fixture.Owners["alice"])
			v.want("#sessions")
			v.look("how one signs in")
			if offered = append(offered, told()...); len(offered) > 0 {
				v.t.Errorf("at %s there are %q", issuer, offered)
			}
		}
		v.open("/sign-in?return=/sign-in/ways")
		if offered := told(); len(offered) != 1 {
			v.t.Fatalf("the control: there are %q", offered)
		}
		comes(strings.Replace(v.place.fixture.Issuer, "localhost", "other.localhost", 1))
		call(v, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "delete window.PublicKeyCredential"})
		comes(v.place.fixture.Issuer)
	})
}
