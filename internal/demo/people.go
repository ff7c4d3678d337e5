package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// person is somebody who is made up.
type person struct {
	Host  string // where their browser is, as it were
	Name  string
	Email string
	Says  string // who that is
	For   string // for whom their browser acts, when it is opened here; "" for themselves

	account as.AccountID
	space   as.SpaceID
}

// owner is as whom somebody acts in a space, their own or another's.
func (p *person) owner(space as.SpaceID) as.Owner { return as.Owner{Space: space, Account: p.account} }

// The people who own things. The host of each is theirs alone.
var cast = []person{
	{Host: "alice.localhost", Name: "Alice Marsh", Email: "alice@example.com", Says: "has readings and notes at a clinic, and photos"},
	{Host: "anna.localhost", Name: "Anna Ruiz", Email: "anna@example.com", Says: "shares her blood sugar with Alice and with a doctor"},
	{Host: "carol.localhost", Name: "Carol Weiss", Email: "carol@example.com", Says: "acts for her son Dan, who is thirteen", For: "dan"},
	{Host: "dan.localhost", Name: "Dan Weiss", Email: "dan@example.com", Says: "is thirteen; his mother acts for him"},
}

// addressOfBob is somebody who has no account when it begins.
const (
	addressOfBob    = "bob@example.com"
	addressOfDoctor = "dr.osei@surgery.example"
)

// The programs, by their client ids.
const (
	clientClinic oauth.ClientID = "clinic"
	clientPhotos oauth.ClientID = "photos"
	clientApp    oauth.ClientID = "kin"
	clientFrame  oauth.ClientID = "frame"
	clientDesk   oauth.ClientID = "desk"
)

// enter makes the accounts and the spaces.
func (w *World) enter(ctx context.Context) error {
	for _, p := range cast {
		account, space, err := w.node.AS.CreateAccount(ctx, as.Account{Email: p.Email, EmailVerified: true, Name: p.Name, Language: "en"}, p.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		p.account, p.space = account.ID, space.ID
		w.people[p.Host] = &p
	}
	return nil
}

// First is somebody's first name.
func (p *person) First() string {
	first, _, _ := strings.Cut(p.Name, " ")
	return first
}

// short is the name that services have for somebody.
func (p *person) short() string { return strings.TrimSuffix(p.Host, ".localhost") }

func (w *World) person(name string) *person { return w.people[name+".localhost"] }

// register makes a client and returns its secret.
func (w *World) register(ctx context.Context, c oauth.Client) (string, error) {
	c.AuthMethod = oauth.AuthBasic
	_, secret, err := w.node.AS.RegisterClient(ctx, c)
	if err != nil {
		return "", fmt.Errorf("client %s: %w", c.ID, err)
	}
	return secret, nil
}

// service registers a resource server and connects it for people, by the names it
// has for them.
func (w *World) service(ctx context.Context, id oauth.ClientID, name, address string, owners ...string) (rs.StaticPAT, error) {
	_, err := w.register(ctx, oauth.Client{
		ID: id, Name: name, Scopes: []uma.Scope{uma.ScopeProtection},
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, RedirectURIs: []string{address + "/connected"},
	})
	if err != nil {
		return nil, err
	}
	pats := rs.StaticPAT{}
	for _, who := range owners {
		p := w.person(who)
		token, err := w.node.AS.IssueToken(ctx, id, p.account, p.space, uma.ScopeProtection)
		if err != nil {
			return nil, err
		}
		pats[rs.Owner(who)] = uma.PAT(token.AccessToken)
	}
	return pats, nil
}

// voucher is an issuer of ID tokens that Licet believes: with it the programs of the
// past say who uses them, and no browser is needed.
type voucher struct {
	key    oauth.Key
	public json.RawMessage
}

const voucherIssuer = "https://id.example"

func newVoucher() (voucher, error) {
	key, err := oauth.GenerateKey(rand.Reader, oauth.ES256)
	if err != nil {
		return voucher{}, err
	}
	public, err := oauth.KeySet{key}.Public()
	return voucher{key, public}, err
}

func (v voucher) issuer() as.ClaimIssuer {
	return as.ClaimIssuer{Issuer: voucherIssuer, JWKS: v.public}
}

// says is an ID token for a client about somebody.
func (v voucher) says(client oauth.ClientID, email string, now time.Time) (string, error) {
	return oauth.Sign(v.key, "JWT", oauth.IDTokenClaims{
		Issuer: voucherIssuer, Subject: email, Audience: string(client), Email: email, EmailVerified: true,
		IssuedAt: now.Unix(), ExpiresAt: now.Add(5 * time.Minute).Unix(),
	})
}

// byEmail is the condition that somebody has an address, verified; "" for any.
func byEmail(address string) []policy.Claim {
	c := policy.Claim{RequiredClaim: uma.RequiredClaim{Name: "email", FriendlyName: "e-mail address"}}
	if address != "" {
		c.Values = []string{address}
	}
	return []policy.Claim{c}
}
