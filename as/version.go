package as

import (
	"context"
	"errors"
	"slices"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The past of shares. Every version is kept in the transaction that ends it, so
// that what could be done on a day of the past is read and never guessed. What is
// kept grants nothing; a wish that is made again is another share, or a later
// version, and nothing that was granted before lives by it (decision 2).

// ShareVersions returns a page of versions of the space's shares. A page goes on
// after the Key of its last.
func (s *Server) ShareVersions(ctx context.Context, o Owner, f VersionFilter, page Page) ([]ShareVersion, error) {
	var list []ShareVersion
	err := s.Store.View(ctx, func(r Reader) (err error) {
		list, err = r.ShareVersions(o.Space, f, page)
		return err
	})
	return list, err
}

// VersionRef names a version of a share.
type VersionRef struct {
	Share   policy.ShareID
	Version int64
}

var (
	errNoVersion   = uma.NewError(uma.NotFound, "There is no such version.")
	errPast        = uma.NewError(uma.InvalidRequest, "This version has ended by itself. Share again with another end.")
	errNothingBack = uma.NewError(Conflict, "There is nothing to bring back.")
)

// RestoreShare makes the wish of an earlier version again. A share that was
// withdrawn comes back as a share of its own; one that goes on gets another
// version. What was granted before stays dead: whoever wants to use it asks anew. A
// wish that is in force already is returned as it is, so that asking twice makes
// one share. The errors are not_found, and what CreateShare may say: a
// resource or a scope may be gone, or the time over.
func (s *Server) RestoreShare(ctx context.Context, o Owner, ref VersionRef) (Share, error) {
	var share Share
	err := s.manage(ctx, o, func(tx Tx) error {
		found, err := tx.ShareVersions(o.Space, VersionFilter{Share: ref.Share}, Page{After: VersionKey(ref.Share, ref.Version-1), Limit: 1})
		if err != nil {
			return err
		}
		if len(found) == 0 || found[0].Version != ref.Version {
			return errNoVersion
		}
		share, err = s.restore(tx, o, found[0])
		return err
	})
	return share, err
}

func (s *Server) restore(tx Tx, o Owner, v ShareVersion) (Share, error) {
	if !v.NotAfter.IsZero() && !v.NotAfter.After(s.now()) {
		return Share{}, errPast
	}
	on, err := tx.SharesInForce(o.Space, []uma.ResourceID{v.Resource})
	if err != nil {
		return Share{}, err
	}
	same := slices.IndexFunc(on, func(have Share) bool { return sameWish(have.Share, v.Share.Share) })
	if same >= 0 {
		return on[same], nil
	}
	old, err := tx.Share(o.Space, v.ID)
	switch {
	case err == nil:
		return s.replaceShare(tx, o, old, v.Share.Share, EventShareRestored)
	case !errors.Is(err, ErrNotFound):
		return Share{}, err
	}
	share, err := s.insertShare(tx, o, v.Share)
	if err != nil {
		return Share{}, err
	}
	d := shareDetail(share)
	d["of"], d["of_version"] = v.ID, v.Version
	return share, s.record(tx, o.Space, EventShareRestored, o.actor(), string(share.ID), d)
}

// Undo makes the wishes again that an event of the space ended, as far as that can
// be: as RestoreShare, all at once, and without what cannot be made again because
// its resource, scope or time is gone. It returns the shares. The error is conflict
// when there is nothing to bring back.
func (s *Server) Undo(ctx context.Context, o Owner, event int64) ([]Share, error) {
	var back []Share
	err := s.manage(ctx, o, func(tx Tx) error {
		back = nil
		if event <= 0 {
			return errNothingBack
		}
		ended, err := tx.ShareVersions(o.Space, VersionFilter{EndedBy: event}, Page{Limit: maxAtOnce})
		if err != nil {
			return err
		}
		for _, v := range ended {
			if goes, err := follows(tx, v); err != nil {
				return err
			} else if !goes {
				continue
			}
			share, err := s.restore(tx, o, v)
			var cannot *uma.Error
			if errors.As(err, &cannot) {
				continue // a refusal comes before anything is written
			}
			if err != nil {
				return err
			}
			back = append(back, share)
		}
		if len(back) == 0 {
			return errNothingBack
		}
		return nil
	})
	return back, err
}

// follows says whether nobody has had another wish since the version ended: what
// was replaced is only brought back over what replaced it.
func follows(tx Tx, v ShareVersion) (bool, error) {
	if v.Ending.How != EndReplaced {
		return true, nil
	}
	now, err := tx.Share(v.Space, v.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return now.Version == v.Version+1, err
}

// maxAtOnce is how many shares one act may end or bring back.
const maxAtOnce = 10_000

func idsOf(shares []Share) []policy.ShareID {
	out := make([]policy.ShareID, len(shares))
	for i, s := range shares {
		out[i] = s.ID
	}
	return out
}
