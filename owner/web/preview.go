package web

import (
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What somebody will see is shown before it is decided: before something is shared, is
// opened again, or is answered.

// seen is what a page shows of a preview.
type seen struct {
	Title  template.HTML
	Things []couldDo
}

// willSee is what whoever a wish is for would be able to do if it were in force.
func (s *Server) willSee(v *visit, wish policy.Share, whom template.HTML) (seen, error) {
	wish.ID = wishID + "0" // by which a link names whom it is for
	shown, err := s.preview(v, as.Supposed{Party: wish.Parties()[0], Wishes: []policy.Share{wish}})
	return seen{v.Say("What %s will see", whom), shown}, err
}

// preview is what somebody would be able to do with things if wishes were in force,
// by the judge that answers apps. What they might reach by proving to be somebody else
// is shut to them.
func (s *Server) preview(v *visit, who as.Supposed) ([]couldDo, error) {
	var ids []uma.ResourceID
	for i := range who.Wishes {
		who.Wishes[i].ID = policy.ShareID(wishID + strconv.Itoa(i))
		ids = append(ids, who.Wishes[i].Resource)
	}
	list, err := s.AS.Could(v.ctx, v.owner, who, ids)
	for _, c := range list {
		for i := range c.Scopes {
			one := &c.Scopes[i]
			// The reason is that of these wishes, and of nothing that is in force beside them.
			one.Shares = slices.DeleteFunc(one.Shares, func(w policy.Weighing) bool { return !strings.HasPrefix(string(w.Share), wishID) })
			if one.Outcome != policy.Permit && !slices.ContainsFunc(one.Shares, func(w policy.Weighing) bool {
				return w.Obstacle == policy.ObstacleNeeds || w.Obstacle == policy.ObstacleAsk
			}) {
				one.Outcome = policy.Deny
			}
		}
	}
	return s.couldDo(v, list), err
}

// wishID begins the ids of wishes. The first of them is by which a link names whom it
// is for.
const wishID = "wish "
