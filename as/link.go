package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Links. A share with a link is for whoever has opened it: a secret in an address,
// of which the store has the digest with the share. So there is one share for each
// link, and a link ends with its share. Whoever holds it is told by a fact, which
// joins their process at the claims interaction endpoint like any other.

var (
	errNoLink     = uma.NewError(uma.NotFound, "This link is not good, or is not good any more.")
	errLinkSecret = uma.NewError(uma.InvalidRequest, "Whether a policy is with a link is said when it is created, and never changed.")
	errLinkEnd    = uma.NewError(uma.InvalidRequest, "A link has an end, within a year.")
)

// maxLinkLife is how long a link is good at most.
const maxLinkLife = 366 * 24 * time.Hour

// maxHeld is how many links are looked at of those that a browser holds.
const maxHeld = 16

// ShareByLink writes down a wish with a link, and returns the secret of the link,
// this once. The wish has to have an end.
func (s *Server) ShareByLink(ctx context.Context, o Owner, wish policy.Share) (Share, string, error) {
	secret := s.vault.bearer()
	wish.Link = true
	var share Share
	err := s.manage(ctx, o, func(tx Tx) (err error) {
		share, err = s.createShare(tx, o, Share{Share: wish, LinkDigest: s.vault.digest(aLink, secret)})
		return err
	})
	if err != nil {
		return Share{}, "", err
	}
	return share, secret, nil
}

// checkLink holds a share that has, or had, a link to what links are.
func (s *Server) checkLink(share Share) error {
	switch {
	case share.Link != (len(share.LinkDigest) > 0):
		return errLinkSecret
	case share.Link && (share.NotAfter.IsZero() || share.NotAfter.After(s.now().Add(maxLinkLife))):
		return errLinkEnd
	}
	return nil
}

// OpenLink returns what a secret opens, for whoever has it. Unknown, ended, withdrawn
// and not begun are the same error.
func (s *Server) OpenLink(ctx context.Context, secret string) (Received, error) {
	var out Received
	err := s.Store.View(ctx, func(r Reader) error {
		share, err := s.linked(r, secret)
		if err != nil {
			return err
		}
		res, err := r.ResourceInSpace(share.Space, share.Resource)
		if err != nil {
			return err
		}
		out, err = show(r, share, res)
		return err
	})
	return out, absent(err, errNoLink)
}

// linked is the share of a link's secret, in force now; otherwise ErrNotFound.
func (s *Server) linked(r Reader, secret string) (Share, error) {
	share, err := r.ShareByLink(s.vault.digest(aLink, secret))
	if err != nil {
		return Share{}, err
	}
	now := s.now()
	if !share.Link || !share.DormantSince.IsZero() || now.Before(share.NotBefore) || !now.Before(share.NotAfter) {
		return Share{}, ErrNotFound
	}
	return share, nil
}

// linkFact is that somebody holds the link of a share.
func (s *Server) linkFact(share Share) policy.Fact {
	return policy.Fact{Name: policy.ClaimLink, Value: string(share.ID), Issuer: s.Issuer, At: s.now()}
}

// held are the facts that the secrets state in a process: of other things nothing
// is told, so that no owner learns what links to others' things somebody has.
func (s *Server) held(r Reader, p Process, secrets []string) ([]policy.Fact, error) {
	var facts []policy.Fact
	for _, secret := range secrets[:min(len(secrets), maxHeld)] {
		share, err := s.linked(r, secret)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, asked := range p.Permissions {
			if share.Space == p.Space && share.Resource == asked.Resource {
				facts = append(facts, s.linkFact(share))
				break
			}
		}
	}
	return facts, nil
}
