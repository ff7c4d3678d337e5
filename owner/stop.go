package owner

import (
	"context"
	"errors"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

// Sharing shows one share of the space. A share that is not there any more is
// not_found.
func (v Views) Sharing(ctx context.Context, o as.Owner, id policy.ShareID) (Sharing, error) {
	share, err := v.AS.ReadShare(ctx, o, id)
	if err != nil {
		return Sharing{}, err
	}
	var out []Sharing
	err = v.read(ctx, o, func(s *snapshot) (err error) {
		out, err = s.sharings([]*as.Share{&share})
		return err
	})
	if err != nil {
		return Sharing{}, err
	}
	return out[0], nil
}

// Impact is what stopping something would do, as pages show it.
type Impact struct {
	as.Impact
	Still []Sharing // the shares by which the same people could do something all the same
}

// Impact shows what withdrawing a target would do; see as.Server.Impact.
func (v Views) Impact(ctx context.Context, o as.Owner, t as.Target) (Impact, error) {
	var out Impact
	err := v.read(ctx, o, func(s *snapshot) error {
		found, err := s.AS.Impact(s, o.Space, t)
		if err != nil {
			return err
		}
		out = Impact{Impact: found}
		still := map[policy.ShareID]bool{}
		for _, one := range found.StillOpen {
			for _, id := range one.Shares {
				still[id] = true
			}
		}
		var shares []as.Share
		for id := range still {
			share, err := s.Share(o.Space, id)
			if err != nil {
				return err
			}
			shares = append(shares, share)
		}
		out.Still, err = s.sharings(placesOf(shares))
		return err
	})
	return out, err
}

// Waiting counts the requests that wait for an answer, up to 100.
func (v Views) Waiting(ctx context.Context, o as.Owner) (int, error) {
	n := 0
	err := v.read(ctx, o, func(s *snapshot) (err error) {
		n, err = s.CountRequests(o.Space, as.RequestPending, homePending)
		return err
	})
	return n, err
}

// Head is the number of the newest event of the space: as long as it stays, no page
// about the space is out of date.
func (v Views) Head(ctx context.Context, o as.Owner) (int64, error) {
	var head int64
	err := v.read(ctx, o, func(s *snapshot) (err error) {
		if head, _, err = s.HistoryHead(o.Space); errors.Is(err, as.ErrNotFound) {
			return nil // nothing has happened yet
		}
		return err
	})
	return head, err
}
