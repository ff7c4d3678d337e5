package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
)

// homePeople is how many of those who can see something Home names.
const homePeople = 6

// home answers whether the person is safe, in one look.
func (s *Server) home(v *visit) error {
	since := v.lastLook()
	h, err := v.views.Home(v.ctx, v.owner, since)
	if err != nil {
		return err
	}
	people, err := v.views.People(v.ctx, v.owner, owner.PeopleQuery{}, owner.Page{Limit: homePeople})
	if err != nil {
		return err
	}
	data := struct {
		common
		Name    string
		Says    template.HTML // who can see something
		Counts  template.HTML
		Calm    bool // nobody waits
		Same    bool // and nothing has changed or ends soon
		Since   *page.Moment
		Front   front
		Shared  int
		Ending  []sharing
		Changes []line
		People  []who
		More    bool
		Ask     *asked // the request that has waited longest
		Asked   template.HTML
		Others  int // more requests
		First   *firstSteps
	}{
		common: s.common(v), Name: v.called(), Says: v.canSee(h), Counts: v.open(h), Calm: h.Pending == 0, Same: !since.IsZero() && len(h.Changes)+len(h.Ending) == 0, Since: v.Until(since),
		Front: frontOf(h), Shared: h.Shared, Ending: s.sharings(v, h.Ending), Changes: v.lines(h.Changes), People: v.whos(people.List), More: people.Next != "",
	}
	if h.Pending > 0 {
		first, err := v.views.Requests(v.ctx, v.owner, as.RequestPending, owner.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(first.List) > 0 {
			data.Ask, data.Others = s.asked(v, first.List[0]), h.Pending-1
			data.Asked = data.Ask.names(v)
		}
	}
	if h.Things == 0 && v.acting() == "" {
		passkeys, err := s.AS.Passkeys(v.ctx, v.account.ID)
		if err != nil {
			return err
		}
		data.First = &firstSteps{Address: s.AS.Issuer}
		if len(passkeys) == 0 {
			data.First.PasskeysAt = s.SignIn.PasskeysAt()
		}
	}
	v.looked()
	return s.show(v, "home", "home", page.Options{Done: v.done(s)}, data)
}

// firstSteps are what to do where nothing is known yet.
type firstSteps struct {
	PasskeysAt string // the host at which they may make one; "" for those who have one
	Address    string // what a service is given to be connected
}

// canSee is the sentence that Home begins with.
func (v *visit) canSee(h owner.Home) template.HTML {
	switch {
	case h.Shared == 0:
		return v.whose("Nobody can see anything of yours.", "Nobody can see anything of %s's.")
	case h.Open > 0 && h.People == 0 && h.Apps == 0:
		return v.whose("People you have not named can see something of yours.", "People who were not named can see something of %s's.")
	case h.Apps == 0:
		return v.whose("%d people can see something of yours.", "%d people can see something of %s's.", h.People)
	case h.People == 0:
		return v.whose("%d apps can see something of yours.", "%d apps can see something of %s's.", h.Apps)
	default:
		return v.whose("%s and %s can see something of yours.", "%s and %s can see something of %s's.", v.Say("%d people", h.People), v.Say("%d apps", h.Apps))
	}
}

// open says how much is open, and how much is not.
func (v *visit) open(h owner.Home) template.HTML {
	if h.Things == 0 {
		return v.nothingKnown()
	}
	if h.Shared == 0 {
		return v.Say("That is a fine place to be. %s", v.whose("%d things are known here, and only you can see them.", "%d things are known here, and only %s can see them.", h.Things))
	}
	return v.whose("%d of your things are open.", "%d of %s's things are open.", h.Shared) + " " +
		v.whose("Only you can see the other %d.", "The other %d can be seen by %s alone.", h.Things-int64(h.Shared))
}

func (v *visit) nothingKnown() template.HTML {
	return v.whose("Nothing of yours is known here yet. Connect a service that keeps your things, and they appear here.",
		"Nothing of %s's is known here yet. Connect a service that keeps something of theirs, and it appears here.")
}

// window is one window of the house front.
type window struct {
	X, Bottom int
	Lit       bool
}

// front is the house front: a drawing so high, with its windows.
type front struct {
	Height  int
	Windows []window
}

// The house front: so many windows at the most, in rows.
const (
	mostWindows = 24
	inARow      = 8
)

// frontOf has one window for each thing or, of very many things, in proportion: as
// soon as one thing is open, at least one is lit.
func frontOf(h owner.Home) front {
	total, lit := int(h.Things), h.Shared
	if total > mostWindows {
		if lit > 0 {
			lit = max(1, lit*mostWindows/total)
		}
		total = mostWindows
	}
	out := make([]window, total)
	for i := range out {
		out[i] = window{X: 26 + i%inARow*43, Bottom: 68 + i/inARow*76}
	}
	// Lit windows are spread over the front, always at the same places.
	for i, at := 0, 2; i < lit && total > 0; i++ {
		for out[at%total].Lit {
			at++
		}
		out[at%total].Lit = true
		at += 7
	}
	return front{Height: 20 + (total+inARow-1)/inARow*76, Windows: out}
}

// cookieLook says when this browser looked at a home before, and when it does now: a
// look is over when nobody has come for half an hour. Each home of each person has its
// own, the latest first; of very many homes the one that was left longest is forgotten.
const (
	cookieLook = "licet-look"
	lookEnds   = 30 * time.Minute
	lookKept   = 180 * 24 * 60 * 60 // seconds
	mostLooks  = 12
)

// look is one home, and when this browser looked at it; what is not known is zero.
type look struct {
	home        string
	before, now time.Time
}

// lastLook is when the look before this one ended; zero when it is not known.
func (v *visit) lastLook() time.Time {
	here, _ := v.looks()
	if v.Now().Sub(here.now) > lookEnds {
		return here.now
	}
	return here.before
}

// looks reads the look at this home, and those at others.
func (v *visit) looks() (here look, others []look) {
	// Who looks, and at whose home, is for nobody to read in a cookie.
	sum := sha256.Sum256([]byte(string(v.account.ID) + "." + string(v.owner.Space)))
	here.home = base64.RawURLEncoding.EncodeToString(sum[:9])
	said, _ := v.Cookie(cookieLook)
	for one := range strings.SplitSeq(said, "~") {
		part := strings.Split(one, ".")
		if len(part) != 3 {
			continue
		}
		l := look{part[0], when(part[1]), when(part[2])}
		if l.home == here.home {
			here = l
		} else {
			others = append(others, l)
		}
	}
	return here, others
}

func when(seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

func unix(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// looked notes that this browser looks at this home.
func (v *visit) looked() {
	here, others := v.looks()
	here.before, here.now = v.lastLook(), v.Now()
	all := append([]look{here}, others...)
	said := make([]string, 0, mostLooks)
	for _, l := range all[:min(len(all), mostLooks)] {
		said = append(said, l.home+"."+unix(l.before)+"."+unix(l.now))
	}
	v.SetCookie(cookieLook, strings.Join(said, "~"), lookKept)
}
