package web

import (
	"html/template"
	"strconv"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Opening again what was open before, by way of the page that says what it would be:
//
//	GET  /app/reopen?share=ID&version=N   the sentence; nothing has happened yet
//	POST /app/reopen                      it is in force

// once is a promise that is over.
type once struct {
	Said  template.HTML
	Ended page.Moment
	How   template.HTML
	Again string // where to open it again
}

// pastShown is how many promises that are over are shown beside a thing.
const pastShown = 6

// past shows what was open of a thing. What has ended by itself is not made again as
// it was, because its end is past: the questions are asked anew.
func (s *Server) past(v *visit, t owner.Thing) ([]once, error) {
	list, err := v.views.Past(v.ctx, v.owner, t, pastShown)
	if err != nil {
		return nil, err
	}
	out := make([]once, len(list))
	for i, one := range list {
		out[i] = once{
			Said:  v.Say("<b>%s</b> could <em>%s</em> <b>%s</b>.", v.whom(one.Who, one.Through), s.verbsSaid(v, one.Scopes), v.thing(owner.ThingName{ID: t.ID, Name: t.Description.Name}).Name),
			Ended: v.At(one.Ended), How: v.Say(endings[one.How]),
			Again: s.below("reopen", "share", string(one.ID), "version", strconv.FormatInt(one.Version, 10)),
		}
		if one.Over(v.Now()) {
			out[i].Again = s.below("share", "thing", string(t.ID), "with", one.Who[0].Key)
		}
	}
	return out, nil
}

// versionOf reads which version a form or an address means.
func (v *visit) versionOf() (as.VersionRef, error) {
	n, err := strconv.ParseInt(v.form["version"], 10, 64)
	if err != nil || v.form["share"] == "" {
		return as.VersionRef{}, uma.NewError(uma.NotFound, "There is nothing to bring back.")
	}
	return as.VersionRef{Share: policy.ShareID(v.form["share"]), Version: n}, nil
}

// reopen shows what would be open again.
func (s *Server) reopen(v *visit) error {
	ref, err := v.versionOf()
	if err != nil {
		return err
	}
	t, one, err := v.views.Version(v.ctx, v.owner, ref)
	if err != nil {
		return err
	}
	says := s.sharing(v, one)
	will, err := s.willSee(v, one.Share.Share, says.Whom)
	if err != nil {
		return err
	}
	return s.show(v, "things", "reopen", page.Options{}, struct {
		common
		Thing   thingRow
		Sharing sharing
		Seen    seen
		Fields  [][2]string
	}{
		s.common(v), s.thingRow(v, t), says, will,
		[][2]string{{"share", string(ref.Share)}, {"version", strconv.FormatInt(ref.Version, 10)}},
	})
}

// doReopen makes it so. Whoever had been let in asks anew.
func (s *Server) doReopen(v *visit) error {
	ref, err := v.versionOf()
	if err != nil {
		return err
	}
	_, one, err := v.views.Version(v.ctx, v.owner, ref)
	if err != nil {
		return err
	}
	if must, err := s.mustProve(v, one.Share.Share); err != nil {
		return err
	} else if must {
		return s.prove(v, "get", Path+"reopen")
	}
	made, err := s.AS.RestoreShare(v.ctx, v.owner, ref)
	if err != nil {
		return err
	}
	v.tell("undone", 0)
	v.Redirect(s.below("shares/" + string(made.ID)))
	return nil
}
