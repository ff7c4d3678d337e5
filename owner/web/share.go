package web

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Sharing one thing: who, what, until when, why on one page; then the promise in one
// sentence, to be looked at; then it is in force, with a receipt.
//
//	GET  /app/share?thing=ID      the questions
//	POST /app/share/check         the sentence; nothing has happened yet
//	POST /app/share               it is in force
//	GET  /app/shares/{id}         the receipt

// shareForm is what the questions were answered with.
type shareForm struct {
	Who                                 string // one of the kinds that partyOf knows
	Email, Group, Domain, Provider, App string
	Quality, Called, Worth, Confirmer   string // what is confirmed of them: its kind or what it is called there, which one, and by whom
	Days                                string // "1", "30", "90", or "x" for no end
	Why                                 string
	Ask                                 bool
	Choices                             []choice
}

// Fields are the answers as the page that shows the sentence sends them on.
func (f shareForm) Fields() [][2]string {
	out := [][2]string{
		{"who", f.Who}, {"email", f.Email}, {"group", f.Group}, {"domain", f.Domain}, {"provider", f.Provider}, {"app", f.App},
		{"quality", f.Quality}, {"called", f.Called}, {"worth", f.Worth}, {"confirmer", f.Confirmer},
		{"days", f.Days}, {"why", f.Why},
	}
	if f.Ask {
		out = append(out, [2]string{"ask", "yes"})
	}
	for _, one := range f.Choices {
		if one.On {
			out = append(out, [2]string{one.Input, string(one.Scope)})
		}
	}
	return out
}

// choice is one thing that may be done, to be ticked.
type choice struct {
	verb
	Input string
	On    bool
}

// ends are how long something may be shared, the first for who says nothing else.
var ends = []string{"30", "1", "7", "90", "365"}

// endOf is the end of so many days from now.
func (v *visit) endOf(days string) (time.Time, bool) {
	if days == "x" {
		return time.Time{}, true
	}
	if !slices.Contains(ends, days) {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(days)
	return v.Now().AddDate(0, 0, n), err == nil
}

// end is one of the ends that can be chosen.
type end struct {
	Days string
	Said template.HTML
	At   *page.Moment // nil: until it is stopped
	On   bool
}

// endings are the ends to choose from, of which one is chosen.
func (v *visit) endings(days []string, chosen string) []end {
	out := make([]end, len(days))
	for i, d := range days {
		at, _ := v.endOf(d)
		out[i] = end{Days: d, At: v.Until(at), On: d == chosen, Said: v.Say("Until I stop it")}
		if n, err := strconv.Atoi(d); err == nil {
			out[i].Said = v.Say("%d days", n)
		}
	}
	return out
}

// wish reads the questions' answers. problem says what is left to do.
func (s *Server) wish(v *visit, t owner.Thing) (wish policy.Share, form shareForm, problem string) {
	form = shareForm{
		Who: v.form["who"], Email: v.form["email"], Group: v.form["group"], Domain: v.form["domain"], Provider: v.form["provider"], App: v.form["app"],
		Quality: v.form["quality"], Called: strings.TrimSpace(v.form["called"]), Worth: strings.TrimSpace(v.form["worth"]), Confirmer: v.form["confirmer"],
		Days: v.form["days"], Why: strings.TrimSpace(v.form["why"]), Ask: v.form["ask"] == "yes",
	}
	if form.Who == "" {
		form.Who = "person"
	}
	wish, problem = s.partyOf(form)
	for i, scope := range t.Description.Scopes {
		input := "do-" + strconv.Itoa(i)
		form.Choices = append(form.Choices, choice{s.verb(v, scope), input, v.form[input] == string(scope)})
		if v.form[input] == string(scope) {
			wish.Scopes = append(wish.Scopes, scope)
		}
	}
	wish.Resource, wish.Purpose, wish.Ask = t.ID, form.Why, form.Ask
	end, ok := v.endOf(form.Days)
	wish.NotAfter = end
	switch {
	case problem != "":
	case len(t.Description.Scopes) > 0 && len(wish.Scopes) == 0:
		problem = page.Sentence("Tick what may be done.")
	case !ok:
		problem = page.Sentence("Say until when.")
	case wish.Link && end.IsZero():
		problem = page.Sentence("A link has an end. Say until when.")
	case len(form.Why) > maxWhy:
		problem = page.Sentence("Say why in fewer words.")
	}
	return wish, form, problem
}

// partyOf is for whom something is to be shared.
func (s *Server) partyOf(form shareForm) (policy.Share, string) {
	switch form.Who {
	case "person":
		email, err := policy.CanonicalEmail(form.Email)
		if err != nil {
			return policy.Share{}, page.Sentence("Write the e-mail address of the person, such as bob@example.org.")
		}
		return policy.Share{Claims: byEmail(email)}, ""
	case "group":
		if form.Group == "" {
			return policy.Share{}, page.Sentence("Choose the group.")
		}
		return policy.Share{Group: policy.GroupID(form.Group)}, ""
	case "domain":
		email, err := policy.CanonicalEmail("somebody@" + strings.TrimPrefix(strings.TrimSpace(form.Domain), "@"))
		if err != nil {
			return policy.Share{}, page.Sentence("Write how the addresses end, such as clinic.example.")
		}
		return policy.Share{Claims: byEmail("*" + email[len("somebody"):])}, ""
	case "provider":
		if !slices.Contains(s.providers(), form.Provider) {
			return policy.Share{}, page.Sentence("Choose where they sign in.")
		}
		return policy.Share{Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "sub", Issuer: []string{form.Provider}}}}}, ""
	case "claim":
		return s.qualityOf(form)
	case "app":
		if form.App == "" {
			return policy.Share{}, page.Sentence("Choose the app.")
		}
		return policy.Share{Client: form.App}, ""
	case "link":
		return policy.Share{Link: true}, ""
	}
	return policy.Share{}, page.Sentence("Say who it is for.")
}

// qualities are what is commonly confirmed of people, by the names that it has in RFC 9068
// and OpenID Connect Core, and how it is said of whoever has it, confirmed by somebody.
var qualities = []quality{
	{"roles", page.Sentence("Their role"), page.Sentence("anyone whose role is %s, as %s confirms")},
	{"groups", page.Sentence("The group that they are in"), page.Sentence("anyone who is in the group %s, as %s confirms")},
	{"phone_number", page.Sentence("Their telephone number"), page.Sentence("anyone whose telephone number is %s, as %s confirms")},
}

type quality struct{ claim, called, said string }

// elseQuality is chosen for anything else that is confirmed of people.
const elseQuality = "else"

// claimName is what something is called that a provider confirms.
var claimName = regexp.MustCompile(`^[A-Za-z0-9_.:/#-]{1,100}$`)

// notQualities are said in a way of their own, or are promised and confirmed by nobody.
var notQualities = []string{"sub", "email", policy.ClaimPurpose, policy.ClaimTerms, policy.ClaimLink}

// maxWorth is how many bytes a value may have that is confirmed.
const maxWorth = 200

// qualityOf is the condition that something is confirmed of whoever it is for.
func (s *Server) qualityOf(form shareForm) (policy.Share, string) {
	name := form.Quality
	if name == elseQuality {
		name = form.Called
	}
	switch {
	case !claimName.MatchString(name) || slices.Contains(notQualities, name):
		return policy.Share{}, page.Sentence("Say what is confirmed of them, by the name that it has there.")
	case form.Worth == "" || len(form.Worth) > maxWorth:
		return policy.Share{}, page.Sentence("Say which one it has to be, such as nurse.")
	case !slices.Contains(s.confirmers(), form.Confirmer):
		return policy.Share{}, page.Sentence("Choose who confirms it.")
	}
	return policy.Share{Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: name, Issuer: []string{form.Confirmer}}, Values: []string{form.Worth}}}}, ""
}

// byEmail is the condition of an address that was verified.
func byEmail(value string) []policy.Claim {
	return []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{value}}}
}

// providers are those whose word is taken for who somebody is: this server, and the
// issuers that its operator trusts.
func (s *Server) providers() []string { return append([]string{s.AS.Issuer}, s.confirmers()...) }

// confirmers are the issuers whose word is taken for what somebody is, too.
func (s *Server) confirmers() []string {
	var out []string
	for _, one := range s.AS.ClaimIssuers {
		out = append(out, one.Issuer)
	}
	return out
}

// maxWhy is how many bytes a reason may have.
const maxWhy = 500

// share asks the questions.
func (s *Server) share(v *visit) error {
	t, err := v.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	form := shareForm{Who: "person", Days: ends[0], Email: v.form["email"]}
	if v.form["who"] == "app" {
		form.Who = "app"
	}
	if err := s.prefill(v, &form); err != nil {
		return err
	}
	for i, scope := range t.Description.Scopes {
		one := choice{s.verb(v, scope), "do-" + strconv.Itoa(i), false}
		one.On = one.Icon == "see" || len(t.Description.Scopes) == 1
		form.Choices = append(form.Choices, one)
	}
	return s.askShare(v, http.StatusOK, t, form, "")
}

// with is whom an address names with whom something is to be shared: somebody with
// whom something is shared already, or a group. name and value say so in an address;
// they are "" for nobody.
func (s *Server) with(v *visit) (whom owner.Who, name, value string, err error) {
	switch group, key := v.form["group"], v.form["with"]; {
	case group != "":
		g, err := s.AS.Group(v.ctx, v.owner, policy.GroupID(group))
		return owner.Who{Party: policy.Party{Kind: policy.PartyGroup, Value: group}, Group: g.Name}, "group", group, err
	case key != "":
		w, err := v.views.Who(v.ctx, v.owner, key)
		return w, "with", key, err
	}
	return owner.Who{}, "", "", nil
}

// prefill answers with whom.
func (s *Server) prefill(v *visit, form *shareForm) error {
	p, _, _, err := s.with(v)
	if err != nil {
		return err
	}
	switch p.Kind {
	case policy.PartyEmail:
		form.Email = p.Value
	case policy.PartyDomain:
		form.Who, form.Domain = "domain", p.Value
	case policy.PartyGroup:
		form.Who, form.Group = "group", p.Value
	case policy.PartyApp:
		form.Who, form.App = "app", p.Value
	case policy.PartyClaim:
		if p.Name == "sub" {
			form.Who, form.Provider = "provider", p.Issuer
		} else if p.Name != "email" {
			form.Who, form.Quality, form.Called, form.Worth, form.Confirmer = "claim", p.Name, "", p.Value, p.Issuer
			if !slices.ContainsFunc(qualities, func(q quality) bool { return q.claim == p.Name }) {
				form.Quality, form.Called = elseQuality, p.Name
			}
		}
	}
	return nil
}

// option is one that can be chosen in a list.
type option struct {
	Value string
	Name  template.HTML
	On    bool
}

func (s *Server) askShare(v *visit, status int, t owner.Thing, form shareForm, problem string) error {
	data := struct {
		common
		Thing thingRow
		shareForm
		Ends                    []end
		Groups, Providers, Apps []option
		Qualities, Confirmers   []option
	}{common: s.common(v), Thing: s.thingRow(v, t), shareForm: form, Ends: v.endings(append(slices.Clone(ends), "x"), form.Days)}
	groups, err := s.AS.Groups(v.ctx, v.owner, as.Page{Limit: maxOptions})
	if err != nil {
		return err
	}
	for _, g := range groups {
		data.Groups = append(data.Groups, option{string(g.ID), v.text(g.Name), string(g.ID) == form.Group})
	}
	for i, issuer := range s.providers() {
		data.Providers = append(data.Providers, option{issuer, v.provider(issuer), issuer == form.Provider || form.Provider == "" && i == 0})
	}
	for i, issuer := range s.confirmers() {
		data.Confirmers = append(data.Confirmers, option{issuer, v.provider(issuer), issuer == form.Confirmer || form.Confirmer == "" && i == 0})
	}
	for i, q := range qualities {
		data.Qualities = append(data.Qualities, option{q.claim, v.Say(q.called), q.claim == form.Quality || form.Quality == "" && i == 0})
	}
	data.Qualities = append(data.Qualities, option{elseQuality, v.Say("Something else"), form.Quality == elseQuality})
	if form.Who == "app" { // they have to be looked for in all that is shared
		if data.Apps, err = s.apps(v, form.App); err != nil {
			return err
		}
	}
	o := page.Options{}
	if problem != "" {
		o.Problem = v.Say(problem)
	}
	return s.showAs(v, status, "things", "share", o, data)
}

// maxOptions is how many can be chosen from in one list.
const maxOptions = 200

// apps are those that are known in the space, of which one is chosen.
func (s *Server) apps(v *visit, chosen string) ([]option, error) {
	known, err := v.views.Apps(v.ctx, v.owner)
	if err != nil {
		return nil, err
	}
	var out []option
	for _, app := range known[:min(len(known), maxOptions)] {
		out = append(out, option{string(app.ID), v.app(app), string(app.ID) == chosen})
	}
	return out, nil
}

// checkShare shows what will be permitted, in one sentence, before it is.
func (s *Server) checkShare(v *visit) error {
	t, err := v.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	wish, form, problem := s.wish(v, t)
	switch {
	case v.form["back"] != "":
		return s.askShare(v, http.StatusOK, t, form, "")
	case problem != "":
		return s.askShare(v, http.StatusUnprocessableEntity, t, form, problem)
	}
	one, err := s.wished(v, t, wish)
	if err != nil {
		return err
	}
	if must, err := s.mustProve(v, wish); err != nil {
		return err
	} else if must {
		return s.prove(v, "post", Path+"share/check")
	}
	will, err := s.willSee(v, wish, one.Whom)
	if err != nil {
		return err
	}
	return s.show(v, "things", "share-check", page.Options{}, struct {
		common
		Thing thingRow
		shareForm
		Once    string // spent by sharing
		Sharing sharing
		Seen    seen
		Many    bool // who could be anybody
	}{s.common(v), s.thingRow(v, t), form, s.AS.BeginCeremony(as.CeremonyOnce, v.keeper(), nil, goodFor), one, will, form.Who != "person" && form.Who != "group"})
}

// goodFor is how long the page may lie open on which a promise is looked at.
const goodFor = time.Hour

// wished shows a wish that is not in force. A group that is not there, or is somebody
// else's, is not found.
func (s *Server) wished(v *visit, t owner.Thing, wish policy.Share) (sharing, error) {
	one := owner.Sharing{Share: as.Share{Share: wish}, Thing: owner.ThingName{ID: t.ID, Name: t.Description.Name}}
	for _, p := range wish.Parties() {
		w := owner.Who{Party: p}
		switch p.Kind {
		case policy.PartyApp:
			w.App = s.appNamed(v, oauth.ClientID(p.Value))
		case policy.PartyGroup:
			g, err := s.AS.Group(v.ctx, v.owner, wish.Group)
			if err != nil {
				return sharing{}, err
			}
			w.Group = g.Name
		}
		one.Who = append(one.Who, w)
	}
	return s.sharing(v, one), nil
}

// appNamed is an app by its name, as far as it is known.
func (s *Server) appNamed(v *visit, id oauth.ClientID) owner.App {
	client, err := s.AS.FindClient(v.ctx, id)
	if err != nil {
		return owner.App{ID: id}
	}
	return owner.App{ID: id, Name: client.Name}
}

// doShare makes it so. Whoever presses twice, or goes back and presses again, has shared
// once: the page is good once.
func (s *Server) doShare(v *visit) error {
	t, err := v.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	wish, form, problem := s.wish(v, t)
	if problem != "" {
		return s.askShare(v, http.StatusUnprocessableEntity, t, form, problem)
	}
	if must, err := s.mustProve(v, wish); err != nil {
		return err
	} else if must {
		return s.prove(v, "post", Path+"share/check")
	}
	once, err := s.AS.OpenCeremony(as.CeremonyOnce, v.keeper(), v.form["once"])
	if errors.Is(err, as.ErrNotFound) {
		return errStaleForm
	}
	if err == nil {
		err = s.AS.SpendCeremony(v.ctx, once)
	}
	if errors.Is(err, as.ErrNotFound) {
		for _, have := range t.Sharings {
			if alike(have.Share.Share, wish) {
				v.Redirect(s.below("shares/" + string(have.ID)))
				return nil
			}
		}
		return errUsedForm
	}
	if err != nil {
		return err
	}
	made, err := s.make(v, wish)
	if err != nil {
		return err
	}
	v.Redirect(s.below("shares/" + string(made.ID)))
	return nil
}

// make makes a wish a share. The secret of a link goes to the receipt in a cookie of
// this browser: it is in no address of a page, and is shown once.
func (s *Server) make(v *visit, wish policy.Share) (as.Share, error) {
	if !wish.Link {
		return s.AS.CreateShare(v.ctx, v.owner, wish)
	}
	made, secret, err := s.AS.ShareByLink(v.ctx, v.owner, wish)
	if err == nil {
		v.SetCookie(cookieLink, string(made.ID)+"."+secret, 60)
	}
	return made, err
}

const cookieLink = "licet-made"

// madeLink is the address of a link that was made just now, once; "" for any other
// share.
func (s *Server) madeLink(v *visit, id policy.ShareID) string {
	cookie, found := v.Cookie(cookieLink)
	of, secret, _ := strings.Cut(cookie, ".")
	if !found || of != string(id) {
		return ""
	}
	v.SetCookie(cookieLink, "", -1)
	return strings.TrimSuffix(s.AS.Issuer, "/") + "/l/" + url.PathEscape(secret)
}

// alike says whether two wishes differ in nothing but the second in which they end.
func alike(a, b policy.Share) bool {
	a.ID, b.ID = "", "" // by which a link names whom it is for
	return slices.Equal(a.Parties(), b.Parties()) && slices.Equal(a.Scopes, b.Scopes) && a.Purpose == b.Purpose && a.Ask == b.Ask &&
		a.NotAfter.Sub(b.NotAfter).Abs() < time.Minute
}

// receipt shows one share: what was promised, to whom, when and by whom.
func (s *Server) receipt(v *visit) error {
	one, err := v.views.Sharing(v.ctx, v.owner, policy.ShareID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	return s.show(v, "things", "receipt", page.Options{Done: v.done(s)}, struct {
		common
		Sharing sharing
		Given   page.Moment
		Version int64
		ByLink  bool
		Link    string // its address, when it was made just now
	}{s.common(v), s.sharing(v, one), v.At(one.CreatedAt), one.Version, one.Link, s.madeLink(v, one.ID)})
}

// keep moves the end of a share.
func (s *Server) keep(v *visit) error {
	id := policy.ShareID(v.R.PathValue("id"))
	share, err := s.AS.ReadShare(v.ctx, v.owner, id)
	if err != nil {
		return err
	}
	end, ok := v.endOf(v.form["days"])
	if !ok {
		return uma.NewError(uma.InvalidRequest, "Say until when.")
	}
	wish := share.Share
	wish.NotAfter = end
	if must, err := s.mustProve(v, wish); err != nil {
		return err
	} else if must {
		return s.prove(v, "get", Path+"shares/"+string(id))
	}
	if _, err := s.AS.ReplaceShare(v.ctx, v.owner, id, share.Version, wish); err != nil {
		return err
	}
	v.Redirect(s.below("shares/" + string(id)))
	return nil
}
