package as

import (
	"errors"
	"slices"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// grant issues the RPT: the grant with its permissions, the token, what it
// upgrades, and the PCT.
func (r *redemption) grant(d decision) (Result, error) {
	now := r.now()
	g, err := r.newGrant()
	if err != nil {
		return nil, err
	}
	ends := time.Time{}
	for _, c := range d.Candidates {
		for _, p := range r.permissions(c, g) {
			g.Permissions = append(g.Permissions, p)
			ends = later(ends, p.NotAfter, now.Add(r.Lifetimes.Refresh))
		}
	}
	old, err := r.upgrade(&g)
	if err != nil {
		return nil, err
	}
	upgraded := old != ""
	answer := uma.TokenResponse{Upgraded: upgraded}
	if seeded.WrongUpgraded {
		answer.Upgraded = !upgraded
	}
	if upgraded {
		ends = now.Add(r.Lifetimes.Refresh)
	}
	tokens := issuance{client: r.client, grant: g, boundTo: r.boundTo, life: r.Lifetimes.RPT, ends: ends, renews: r.client.Allows(oauth.GrantRefreshToken)}
	if err := tokens.signs(r.known); err != nil {
		return nil, err
	}
	r.signed = tokens.signed
	if err := r.issue(r.tx, &answer, tokens, r.insertGrant); err != nil {
		return nil, err
	}
	if upgraded {
		if err := r.tx.SupersedeGrant(old, g.ID, now); err != nil {
			return nil, err
		}
	}
	if answer.PCT, err = r.remember(); err != nil {
		return nil, err
	}
	err = r.record(r.tx, g.Space, EventPermissionGranted, string(r.client.ID), string(g.ID),
		grantedDetail{summary(d.Candidates), r.process.ID, d.Reasons, deciding(d.Candidates), g.Subject, upgraded})
	return Granted{answer}, err
}

// insertGrant writes down the grant that the process leads to. A sealed ticket that
// leads to one at once has no other row: the grant has the id of its process, and to
// insert it is to spend the ticket. It is kept as long as the ticket is good.
func (r *redemption) insertGrant(g Grant, rpt AccessToken) error {
	if !r.process.first {
		r.process.Grant = g.ID
		if err := r.keep(r.tx, &r.process); err != nil {
			return err
		}
		return r.tx.Issue(g, rpt)
	}
	if g.EndsAt.Before(r.process.ExpiresAt) {
		g.EndsAt = r.process.ExpiresAt
	}
	return r.begin(r.tx, &r.process, func() error { return r.tx.Issue(g, rpt) })
}

// newGrant makes the grant that the RPT and its refresh tokens belong to.
func (r *redemption) newGrant() (Grant, error) {
	space, err := r.known.Space(r.process.Space)
	if err != nil {
		return Grant{}, err
	}
	id := GrantID(r.process.ID) // see insertGrant
	if !r.process.first || seeded.TicketNotSpent {
		id = GrantID(r.vault.id(r.now()))
	}
	g := Grant{
		ID: id, Kind: GrantUMA, Client: r.client.ID, Space: r.process.Space,
		ResourceServer: r.process.ResourceServer, Subject: r.process.Subject, Process: r.process.ID,
		SpaceGeneration: space.Generation, CreatedAt: r.now(),
	}
	if g.Subject == "" {
		g.Subject = "process#" + string(r.process.ID) // AMB-20
	}
	// A requesting party with an account here loses its RPTs with the account.
	for _, f := range r.facts {
		if f.Name != "sub" || f.Issuer != r.Issuer {
			continue
		}
		account, err := r.tx.Account(AccountID(f.Value))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return Grant{}, err
		}
		g.Account, g.AccountGeneration = account.ID, account.Generation
	}
	return g, nil
}

// permissions makes one permission for each share that granted something on the
// resource, so that withdrawing one share takes exactly what it gave.
func (r *redemption) permissions(c candidate, g Grant) []Permission {
	var out []Permission
	shares := r.shares[c.Resource.ID]
	if seeded.NoPolicyPermits || seeded.ZeroScopeGranted {
		shares = append(slices.Clip(shares), Share{})
	}
	for _, share := range shares {
		p := Permission{
			Resource: c.Resource.ID, Scopes: []uma.Scope{},
			Share: share.ID, ShareVersion: share.Version, ShareGeneration: share.Generation,
			ResourceGeneration: c.Resource.Generation, CreatedAt: g.CreatedAt,
			Group: share.Group, Member: r.groups[share.Group],
		}
		granted := false
		for _, gs := range c.Scopes {
			if gs.Verdict.Shares[0] != share.ID {
				continue
			}
			granted, p.NotAfter = true, gs.Verdict.NotAfter
			if gs.Scope != "" {
				p.Scopes = append(p.Scopes, gs.Scope)
			}
		}
		if granted {
			out = append(out, p)
		}
	}
	return out
}

// remember issues the next PCT when the requesting party agreed to one in this
// process, or brought one that counted; the one brought is spent (AMB-17).
func (r *redemption) remember() (uma.PCT, error) {
	if r.pct == nil && !r.process.Remember || r.process.Subject == "" {
		return "", nil
	}
	if r.pct != nil {
		_, err := r.tx.SpendPCT(r.pct.Digest, r.now())
		if errors.Is(err, ErrNotFound) {
			return "", errPCTSpent
		}
		if err != nil {
			return "", err
		}
	}
	claims, err := r.sealFacts(r.facts)
	if err != nil {
		return "", err
	}
	secret := r.vault.bearer()
	return uma.PCT(secret), r.tx.InsertPCT(PCT{
		Digest: r.vault.digest(aPCT, secret), Client: r.client.ID, Subject: r.process.Subject, Claims: claims,
		CreatedAt: r.now(), ExpiresAt: r.now().Add(r.Lifetimes.PCT),
	})
}

// deciding are the shares that the candidates are granted under.
func deciding(candidates []candidate) []policy.ShareID {
	var out []policy.ShareID
	for _, c := range candidates {
		for _, s := range c.Scopes {
			out = union(out, s.Verdict.Shares[:1])
		}
	}
	return out
}

// summary is what the history says was granted.
func summary(candidates []candidate) []grantedThing {
	var out []grantedThing
	for _, c := range candidates {
		p := grantedThing{c.Resource.ID, []uma.Scope{}}
		for _, s := range c.Scopes {
			if s.Scope != "" {
				p.Scopes = append(p.Scopes, s.Scope)
			}
		}
		out = append(out, p)
	}
	return out
}
