package owner

import (
	"context"

	"github.com/licet/licet/as"
)

// Blocked is somebody by whom the owner does not want to be asked any more.
type Blocked struct {
	as.BlockedParty
	Who Who // as whom they asked
	App App // the one application that they may not ask through; zero: through none
}

// BlockedPage is a page of them, oldest first.
type BlockedPage struct {
	List []Blocked
	Next string
}

// Blocked lists those who may not ask.
func (v Views) Blocked(ctx context.Context, o as.Owner, p Page) (BlockedPage, error) {
	after, err := v.AS.OpenCursor(o, "blocked", p.After)
	if err != nil {
		return BlockedPage{}, err
	}
	found, err := v.AS.Blocks(ctx, o, as.Page{After: after, Limit: p.limit() + 1})
	if err != nil {
		return BlockedPage{}, err
	}
	var out BlockedPage
	found, out.Next = cut(v, o, "blocked", found, func(b as.BlockedParty) string { return string(b.ID) }, p)
	err = v.read(ctx, o, func(s *snapshot) error {
		out.List = make([]Blocked, len(found))
		for i, b := range found {
			w, err := s.party(b.Party())
			if err != nil {
				return err
			}
			out.List[i] = Blocked{BlockedParty: b, Who: w}
			if b.Client != "" {
				out.List[i].App = App{b.Client, b.ClientName}
			}
		}
		return nil
	})
	return out, err
}
