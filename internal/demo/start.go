package demo

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/licet/licet/internal/mail"
	"github.com/licet/licet/internal/page"
)

// start is the site that leads through the demonstration: what to do in which order,
// everybody's windows, the letters and the trace.
type start struct {
	*site
	world *World
}

// settle makes everybody at their addresses, and returns who answers there.
func (w *World) settle(addresses map[party]string) (map[party]http.Handler, error) {
	ctx := w.ctx
	if err := w.enter(ctx); err != nil {
		return nil, err
	}
	clinicPATs, err := w.service(ctx, clientClinic, string(partyClinic), addresses[partyClinic], "alice", "anna", "dan")
	if err != nil {
		return nil, err
	}
	photoPATs, err := w.service(ctx, clientPhotos, string(partyPhotos), addresses[partyPhotos], "alice", "anna")
	if err != nil {
		return nil, err
	}
	secret, err := w.registerApp(addresses[partyApp])
	if err != nil {
		return nil, err
	}
	if w.start, err = w.newStart(addresses[partyStart]); err != nil {
		return nil, err
	}
	if w.clinic, err = w.newClinic(addresses[partyClinic], clinicPATs); err != nil {
		return nil, err
	}
	if w.photos, err = w.newPhotos(addresses[partyPhotos], photoPATs); err != nil {
		return nil, err
	}
	if w.app, err = w.newApp(addresses[partyApp], secret); err != nil {
		return nil, err
	}
	w.app.back = w.start.address
	w.app.links = []appLink{
		{w.clinic.address + "/fhir/alice?of=blood-pressure,notes", "Blood pressure and notes", "Alice"},
		{w.photos.address + "/alice/sunrise", "Sunrise", "Alice"},
	}
	cameBack := func(r *http.Request) bool { return r.URL.Path == pathBack }
	return map[party]http.Handler{
		partyClinic: w.clinic, partyPhotos: w.photos, partyStart: w.start, partyApp: w.trace.browsing(w.app, cameBack),
	}, nil
}

func (w *World) newStart(address string) (*start, error) {
	s, err := newSite(address, "start", w.clock.Now)
	if err != nil {
		return nil, err
	}
	out := &start{s, w}
	s.HandleFunc("GET /{$}", out.home)
	s.HandleFunc("GET /letters", out.letters)
	s.HandleFunc("GET /trace", out.showTrace)
	s.HandleFunc("POST /trace", out.clearTrace)
	s.HandleFunc("GET /live/steps", func(w http.ResponseWriter, r *http.Request) {
		events(w, r, r.URL.Query().Get("was"), out.world.steps.mark)
	})
	s.HandleFunc("GET /live/letters", func(w http.ResponseWriter, r *http.Request) {
		events(w, r, r.URL.Query().Get("was"), out.lettersMark)
	})
	s.HandleFunc("GET /live/trace", func(w http.ResponseWriter, r *http.Request) {
		events(w, r, r.URL.Query().Get("was"), out.traceMark)
	})
	return out, nil
}

// pathEnter is where a made-up person is signed in, at their own host.
const pathEnter = "/demo/sign-in"

// door is before the server: it signs made-up people in, and has the trace told of
// what people do. Everything else is the server's.
func (w *World) door(server http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathEnter, w.enterAs)
	mux.Handle("/", w.telling(w.trace.browsing(server, func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/uma/claims") })))
	return mux
}

// enterAs signs the person of this host in, with the key of the start page.
func (w *World) enterAs(rw http.ResponseWriter, r *http.Request) {
	p := w.people[host(r)]
	r.Body = http.MaxBytesReader(rw, r.Body, 4<<10)
	if p == nil || r.ParseForm() != nil || subtle.ConstantTimeCompare([]byte(r.PostForm.Get("key")), []byte(w.key)) != 1 {
		http.NotFound(rw, r)
		return
	}
	secret, err := w.node.AS.NewSession(r.Context(), p.account)
	if err != nil {
		w.Log.Error("signing somebody in who is made up", "error", err)
		http.Error(rw, "this did not work", http.StatusInternalServerError)
		return
	}
	set := func(name, value string) {
		http.SetCookie(rw, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	set("licet-session", secret)
	if p == w.person("alice") {
		w.steps.did(stepHome)
	}
	if p.For != "" {
		set("licet-space", string(w.person(p.For).space))
	}
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Referrer-Policy", "no-referrer")
	to := r.PostForm.Get("to")
	if !appPath.MatchString(to) {
		to = "/app/"
	}
	http.Redirect(rw, r, to, http.StatusSeeOther)
}

// appPath is a page of the owner's app.
var appPath = regexp.MustCompile(`^/app/[a-z]*$`)

// deeds are what an owner does that makes a difference, with what the trace tells of it
// and the step that it is.
var deeds = []struct {
	method string
	path   *regexp.Regexp
	says   string // "" for nothing to tell
	step   int    // -1 for none
}{
	{http.MethodPost, regexp.MustCompile(`^/app/requests/[^/]+$`), "%s answers the request", stepAnswer},
	{http.MethodPost, regexp.MustCompile(`^/app/stop$`), "%s stops it", -1},
	{http.MethodPost, regexp.MustCompile(`^/app/undo$`), "%s brings it back", stepUndo},
	{http.MethodPost, regexp.MustCompile(`^/app/share$`), "%s shares something", -1},
	{http.MethodGet, regexp.MustCompile(`^/app/people/[^/]+$`), "", stepPerson},
}

// telling has the trace and the steps told of what people do.
func (w *World) telling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		kept := &keptStatus{ResponseWriter: rw, status: http.StatusOK}
		next.ServeHTTP(kept, r)
		p := w.people[host(r)]
		if p == nil || kept.status != map[string]int{http.MethodPost: http.StatusSeeOther, http.MethodGet: http.StatusOK}[r.Method] {
			return
		}
		for _, d := range deeds {
			if d.method != r.Method || !d.path.MatchString(r.URL.Path) {
				continue
			}
			if d.says != "" {
				w.bell.Add(1)
				w.trace.did(fmt.Sprintf(d.says, p.First()))
			}
			if d.step >= 0 && p == w.person("alice") {
				w.steps.did(d.step)
			}
		}
	})
}

// window is somebody's window.
type window struct {
	*person
	Enter string // where the form is sent
	To    string
	Key   string
	Tab   string // the name of the tab that it opens
}

func (s *start) window(name, to string) window {
	p := s.world.person(name)
	return window{p, s.world.at(p.Host) + pathEnter, to, s.world.key, name}
}

// everybody is a source of a Content-Security-Policy for all hosts of people.
func (s *start) everybody() string { return s.world.at("*.localhost") }

func (s *start) home(w http.ResponseWriter, r *http.Request) {
	a := s.open(w, r)
	type place struct{ Name, Says, Link string }
	world := s.world
	data := struct {
		Start               string
		App, Link           string
		Alice, Requests     window
		People              []window
		Places              []place
		Issuer, BobsAddress string
		Done                [6]bool
	}{
		Start: s.address, App: world.app.address + "/", Link: world.app.address + openPath(world.app.links[0].Link),
		Alice: s.window("alice", "/app/"), Requests: s.window("alice", "/app/requests"), Issuer: world.Issuer, BobsAddress: addressOfBob, Done: world.steps.done(),
		Places: []place{
			{"Kin", "Bob's app: opens what others share with him, wherever it is kept", world.app.address + "/"},
			{"Licet, for Bob", "what others have opened to him, and what he has asked for; here he can make a passkey", world.Issuer + "/app/received"},
			{"Riverside Clinic", "Alice's page there, with her readings and notes", world.own(world.clinic.site, "alice")},
			{"Lumen Photos", "Alice's page there, with her photos", world.own(world.photos.site, "alice")},
			{"Letters", "every mail that Licet has sent, with its codes and links", s.address + "/letters"},
			{"Trace", "every message between them, as a diagram", s.address + "/trace"},
		},
	}
	for _, name := range []string{"alice", "anna", "carol"} {
		data.People = append(data.People, s.window(name, "/app/"))
	}
	a.Show(http.StatusOK, s.set, "home", page.Options{Wide: true, LeadsTo: s.everybody(), Live: "/live/steps?was=" + world.steps.mark()}, data)
}

// letter is a mail as the page of letters shows it.
type letter struct {
	Subject, To string
	At          page.Moment
	Code        string // to be entered
	Link        string
	Follow      string // what the link is called
	Text        []string
}

var codeIn = regexp.MustCompile(`(?m)^[0-9]{6,10}$`)

// letters shows the mails, newest first. A link in one leads to the host of its reader.
func (s *start) letters(w http.ResponseWriter, r *http.Request) {
	a := s.open(w, r)
	data := struct {
		Start   string
		Letters []letter
	}{Start: s.address}
	for _, m := range s.world.box.Mails("") {
		data.Letters = append(data.Letters, s.letter(a, m))
	}
	const shown = 40
	data.Letters = data.Letters[:min(shown, len(data.Letters))]
	a.Show(http.StatusOK, s.set, "letters", page.Options{Live: "/live/letters?was=" + s.lettersMark(), LeadsTo: s.everybody()}, data)
}

func (s *start) letter(a *page.Answer, m mail.Mail) letter {
	out := letter{Subject: m.Subject, To: m.To, At: a.At(m.At), Code: codeIn.FindString(m.Text)}
	home := s.world.Issuer
	for _, p := range s.world.people {
		if p.Email == m.To {
			home = s.world.at(p.Host)
		}
	}
	for line := range strings.Lines(m.Text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == out.Code:
		case strings.HasPrefix(line, s.world.Issuer+"/"):
			out.Link = home + strings.TrimPrefix(line, s.world.Issuer)
			if n := len(out.Text); n > 0 && strings.HasSuffix(out.Text[n-1], ":") {
				out.Follow, out.Text = strings.TrimSuffix(out.Text[n-1], ":"), out.Text[:n-1]
			}
		default:
			out.Text = append(out.Text, line)
		}
	}
	return out
}

// lettersMark changes when a letter comes.
func (s *start) lettersMark() string {
	mails := s.world.box.Mails("")
	if len(mails) == 0 {
		return "none"
	}
	return mails[0].ID
}

func (s *start) traceMark() string {
	_, mark := s.world.trace.messages()
	return mark
}

func (s *start) showTrace(w http.ResponseWriter, r *http.Request) {
	s.world.steps.did(stepTrace)
	a := s.open(w, r)
	messages, mark := s.world.trace.messages()
	data := struct {
		Start, Form string
		Diagram     *diagram
		Messages    []tracedLine
	}{s.address, a.Form("trace"), diagramOf(messages), nil}
	for _, m := range messages {
		data.Messages = append(data.Messages, tracedLine{m, a.At(m.At)})
	}
	a.Show(http.StatusOK, s.set, "trace", page.Options{Wide: true, Live: "/live/trace?was=" + mark}, data)
}

// tracedLine is a message with its time as the reader has it.
type tracedLine struct {
	message
	When page.Moment
}

// LeftOut tells how many messages are left out in place of one.
func (l tracedLine) LeftOut() string { return leftOut(l.Left) }

func (s *start) clearTrace(w http.ResponseWriter, r *http.Request) {
	a, ok := s.form(w, r, "trace")
	if !ok {
		return
	}
	s.world.trace.begin()
	a.Redirect("/trace")
}
