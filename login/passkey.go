package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/licet/licet/as"
)

// Passkeys (WebAuthn 3). Everything is asked of them that makes a passkey enough by
// itself: it is found without a name being typed (a discoverable credential), and it
// is unlocked by the person, with a finger, a face or a PIN (user verification).

// passkeyTime is how long the page may lie open before its passkey is used.
const passkeyTime = 15 * time.Minute

// relyingParty is this server as passkeys know it: the host of the issuer, at exactly
// its origin. At an address that is no name there can be no passkeys, nor over plain
// http away from this machine, and it is nil.
func relyingParty(issuer string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil, nil
	}
	if host := u.Hostname(); u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil, nil
	}
	required := true
	return webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "Licet", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &required, UserVerification: protocol.VerificationRequired,
		},
	})
}

// PasskeysAt is the name of the host at which there can be passkeys, and at no other;
// "" where there can be none.
func (l *Login) PasskeysAt() string {
	if l.passkeys == nil {
		return ""
	}
	return l.passkeys.Config.RPID
}

// AskPasskey asks any passkey of this server to sign something: options is what a
// browser's navigator.credentials.get is called with, as JSON, and ceremony comes back
// with its answer.
func (l *Login) AskPasskey(w http.ResponseWriter, r *http.Request) (options, ceremony string, err error) {
	asked, session, err := l.passkeys.BeginDiscoverableLogin()
	if err != nil {
		return "", "", err
	}
	return l.ask(w, r, as.CeremonySignIn, asked.Response, session)
}

func (l *Login) ask(w http.ResponseWriter, r *http.Request, kind as.CeremonyKind, asked any, session *webauthn.SessionData) (options, ceremony string, err error) {
	text, err := json.Marshal(asked)
	if err != nil {
		return "", "", err
	}
	data, err := json.Marshal(session)
	if err != nil {
		return "", "", err
	}
	return string(text), l.AS.BeginCeremony(kind, l.browser(w, r), data, passkeyTime), nil
}

// opened opens the ceremony that an answer belongs to.
func (l *Login) opened(r *http.Request, kind as.CeremonyKind, sealed string) (as.Ceremony, webauthn.SessionData, error) {
	handle, known := l.known(r)
	if !known || l.passkeys == nil {
		return as.Ceremony{}, webauthn.SessionData{}, as.ErrNotFound
	}
	c, err := l.AS.OpenCeremony(kind, handle, sealed)
	if err != nil {
		return as.Ceremony{}, webauthn.SessionData{}, err
	}
	var session webauthn.SessionData
	err = json.Unmarshal(c.Data, &session)
	return c, session, err
}

// EnterPasskey signs in with what a passkey has signed. Why it is no good is not
// told; one attempt too many is as.TooManyAttempts.
func (l *Login) EnterPasskey(w http.ResponseWriter, r *http.Request, ceremony, response string) (bool, error) {
	ctx := r.Context()
	c, session, err := l.opened(r, as.CeremonySignIn, ceremony)
	if err != nil {
		return l.in(w, "", err)
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(response))
	if err != nil {
		return false, nil // what comes from a browser may be anything
	}
	key, account, err := l.AS.Passkey(ctx, answer.RawID)
	if err != nil && !errors.Is(err, as.ErrNotFound) {
		return false, err
	}
	unknown := err != nil
	e := l.entry(r, "")
	_, in, _ := l.session(r)
	if e.Attempt, err = l.AS.BeginAttempt(ctx, account.ID, r.RemoteAddr, in.ID); err != nil {
		return false, err
	}
	if unknown {
		return false, nil
	}
	owner := func([]byte, []byte) (webauthn.User, error) { return holder{account, []as.Passkey{key}}, nil }
	if _, err := l.passkeys.ValidateDiscoverableLogin(owner, session, answer); err != nil {
		return false, nil
	}
	key.SignCount, key.BackedUp = int64(answer.Response.AuthenticatorData.Counter), answer.Response.AuthenticatorData.Flags.HasBackupState()
	secret, err := l.AS.EnterByPasskey(ctx, c, key, e)
	return l.in(w, secret, err)
}

// OfferPasskey asks the browser of somebody who is signed in to make a passkey, with
// what its navigator.credentials.create is called with; as.ErrNotFound when nobody is.
func (l *Login) OfferPasskey(w http.ResponseWriter, r *http.Request) (options, ceremony string, err error) {
	_, account, in := l.session(r)
	if !in || l.passkeys == nil {
		return "", "", as.ErrNotFound
	}
	has, err := l.AS.Passkeys(r.Context(), account.ID)
	if err != nil {
		return "", "", err
	}
	who := holder{account, has}
	asked, session, err := l.passkeys.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return "", "", err
	}
	return l.ask(w, r, as.CeremonyRegister, asked.Response, session)
}

// AddPasskey gives the person who is signed in the passkey that their browser has
// made. One that is no good is false.
func (l *Login) AddPasskey(r *http.Request, ceremony, response, name string) (bool, error) {
	_, account, in := l.session(r)
	if !in {
		return false, nil
	}
	c, session, err := l.opened(r, as.CeremonyRegister, ceremony)
	if errors.Is(err, as.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil {
		return false, nil
	}
	// It is for the account that it was begun for: CreateCredential compares.
	made, err := l.passkeys.CreateCredential(holder{account, nil}, session, answer)
	if err != nil {
		return false, nil
	}
	key := as.Passkey{
		ID: made.ID, Account: account.ID, Name: name, PublicKey: made.PublicKey, SignCount: int64(made.Authenticator.SignCount),
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
	}
	for _, t := range made.Transport {
		key.Transports = append(key.Transports, string(t))
	}
	err = l.AS.AddPasskey(r.Context(), c, key)
	if errors.Is(err, as.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// holder is an account with its passkeys, as the library knows it. The handle that
// passkeys keep is the id of the account, which says nothing about the person.
type holder struct {
	account as.Account
	keys    []as.Passkey
}

func (h holder) WebAuthnID() []byte   { return []byte(h.account.ID) }
func (h holder) WebAuthnName() string { return h.account.Email }

func (h holder) WebAuthnDisplayName() string {
	if h.account.Name != "" {
		return h.account.Name
	}
	return h.account.Email
}

func (h holder) WebAuthnCredentials() []webauthn.Credential {
	var all []webauthn.Credential
	for _, key := range h.keys {
		c := webauthn.Credential{
			ID: key.ID, PublicKey: key.PublicKey,
			Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: key.BackupEligible, BackupState: key.BackedUp},
			Authenticator: webauthn.Authenticator{SignCount: uint32(key.SignCount)},
		}
		for _, t := range key.Transports {
			c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
		}
		all = append(all, c)
	}
	return all
}
