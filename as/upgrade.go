package as

import (
	"errors"
)

// upgrade adds to a new grant what is still live of the RPT that the client
// submitted, and returns that RPT's grant, which the new one supersedes (Grant
// 3.3.5.1). The RPT may have expired; it must be of the same client, resource server,
// resource owner and requesting party, or it is treated as absent (AMB-14).
func (r *redemption) upgrade(g *Grant) (GrantID, error) {
	if r.request.RPT == "" {
		return "", nil
	}
	t, err := r.tx.AccessToken(r.vault.datedDigest(anAccess, string(r.request.RPT)))
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	old, err := r.tx.GrantState(t.Grant)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !t.RevokedAt.IsZero() || !old.live() || old.Kind != GrantUMA || old.Client != g.Client || old.Space != g.Space ||
		old.ResourceServer != g.ResourceServer || old.Subject != g.Subject {
		return "", nil
	}
	states, err := r.tx.PermissionsOf(old.Grant)
	if err != nil {
		return "", err
	}
	// What the RPT had, and no more if it was narrowed, under the generations that
	// it was made under.
	carried := r.livePermissions(states, t.Scopes)
	if len(carried) == 0 {
		return "", nil
	}
	g.Permissions = append(g.Permissions, carried...)
	return old.ID, nil
}
