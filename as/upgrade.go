package as

import (
	"errors"
)

// upgrade adds to a new grant what is still live of the RPT that the client
// submitted, and revokes that RPT's grant (Grant 3.3.5.1). The RPT may have
// expired; it must be of the same client, resource server, resource owner and
// requesting party, or it is treated as absent (AMB-14).
func (r *redemption) upgrade(g Grant) (bool, error) {
	if r.request.RPT == "" {
		return false, nil
	}
	t, err := r.tx.AccessToken(r.vault.datedDigest(anAccess, string(r.request.RPT)))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	old, err := r.tx.GrantState(t.Grant)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !t.RevokedAt.IsZero() || !old.live() || old.Kind != GrantUMA || old.Client != g.Client || old.Space != g.Space ||
		old.ResourceServer != g.ResourceServer || old.Subject != g.Subject {
		return false, nil
	}
	states, err := r.tx.PermissionsOf(old.ID)
	if err != nil {
		return false, err
	}
	carried := r.livePermissions(states, t.Scopes)
	if len(carried) == 0 {
		return false, nil
	}
	for _, p := range carried {
		// What the RPT had, and no more if it was narrowed, under the generations that
		// it was made under.
		p.ID, p.Grant = PermissionID(r.vault.id(r.now())), g.ID
		if err := r.tx.InsertPermission(p); err != nil {
			return false, err
		}
	}
	return true, r.tx.SupersedeGrant(old.ID, g.ID, r.now())
}
