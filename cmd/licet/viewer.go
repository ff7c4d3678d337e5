package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/licet/licet/client"
)

// viewer is Bob's app: a web application that shows pictures from anywhere. It
// knows neither the album nor the authorization server in advance; its
// client.Transport finds out.
type viewer struct {
	http.Handler
	album     string // what the user typed as an address
	transport *client.Transport
	http      *http.Client

	mu      sync.Mutex
	waiting map[string]client.Process // by session and photo: the owner has been asked
}

func newViewer(album, callback, id, secret, issuer string, base http.RoundTripper) (*viewer, error) {
	t, err := client.New(client.Config{
		ClientID: id, ClientSecret: client.Secret(secret), Trust: client.Issuers(issuer), ClaimsRedirectURI: callback, Base: base,
	})
	if err != nil {
		return nil, err
	}
	v := &viewer{album: album, transport: t, http: &http.Client{Transport: t}, waiting: map[string]client.Process{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", v.home)
	mux.HandleFunc("GET /photos/{name}", v.see)
	mux.HandleFunc("POST /photos/{name}/edit", v.edit)
	mux.HandleFunc("GET /claims-callback", v.callback)
	v.Handler = mux
	return v, nil
}

var viewerPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Bob's pictures</title>
{{if .Refresh}}<meta http-equiv="refresh" content="{{.Refresh}}">{{end}}
<body style="font:16px/1.5 system-ui;margin:2rem auto;max-width:36rem"><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{range .Photos}}<p><a href="/photos/{{.}}">See the {{.}}</a></p>{{end}}
{{if not .Photos}}<p><a href="/">Back</a></p>{{end}}</body></html>`))

type viewerText struct {
	Title, Text string
	Photos      []string
	Refresh     int // seconds
}

func show(w http.ResponseWriter, status int, text viewerText) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = viewerPage.Execute(w, text) // a browser that is gone cannot be told
}

func (v *viewer) home(w http.ResponseWriter, r *http.Request) {
	v.session(w, r)
	show(w, http.StatusOK, viewerText{Title: "Bob's pictures", Text: "Alice sent Bob two links.", Photos: photoNames})
}

const viewerCookie = "viewer-session"

// session names the browser, and so the local user that PCTs and RPTs are kept
// for.
func (v *viewer) session(w http.ResponseWriter, r *http.Request) (string, context.Context) {
	id := ""
	if c, err := r.Cookie(viewerCookie); err == nil {
		id = c.Value
	}
	if id == "" {
		id = rand.Text()
		http.SetCookie(w, &http.Cookie{Name: viewerCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return id, client.WithUser(r.Context(), id)
}

// see shows a photo, if the album lets it.
func (v *viewer) see(w http.ResponseWriter, r *http.Request) {
	session, ctx := v.session(w, r)
	key := session + " " + r.PathValue("name")
	if p, ok := v.take(key); ok {
		if err := v.transport.Continue(ctx, p); err != nil {
			v.explain(w, r, ctx, session, key, err)
			return
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.album+"/photos/"+url.PathEscape(r.PathValue("name")), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.explain(w, r, ctx, session, key, err)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a browser that is gone cannot be told
}

// edit tries to change a photo.
func (v *viewer) edit(w http.ResponseWriter, r *http.Request) {
	session, ctx := v.session(w, r)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, v.album+"/photos/"+url.PathEscape(r.PathValue("name")), http.NoBody)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.explain(w, r, ctx, session, session+" edit "+r.PathValue("name"), err)
		return
	}
	defer resp.Body.Close()
	show(w, resp.StatusCode, viewerText{Title: "Changed", Text: "The picture was changed."})
}

// explain turns what the Transport says into what a person can do.
func (v *viewer) explain(w http.ResponseWriter, r *http.Request, ctx context.Context, session, key string, err error) {
	var needInfo *client.NeedInfoError
	var pending *client.PendingError
	var denied *client.DeniedError
	switch {
	case errors.As(err, &needInfo):
		to, err := v.transport.Begin(ctx, needInfo, session)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "viewer-return", Value: r.URL.Path, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		http.Redirect(w, r, to, http.StatusSeeOther)
	case errors.As(err, &pending):
		v.put(key, pending.Process)
		seconds := max(1, int(pending.Interval.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		show(w, http.StatusAccepted, viewerText{Title: "Alice has been asked", Text: "This page looks again by itself.", Refresh: seconds + 1})
	case errors.As(err, &denied):
		show(w, http.StatusForbidden, viewerText{Title: "No", Text: "Alice does not let this app do that."})
	default:
		show(w, http.StatusBadGateway, viewerText{Title: "That did not work", Text: fmt.Sprint(err)})
	}
}

// callback is where the claims interaction endpoint sends the browser back to.
func (v *viewer) callback(w http.ResponseWriter, r *http.Request) {
	session, ctx := v.session(w, r)
	back := "/"
	if c, err := r.Cookie("viewer-return"); err == nil {
		back = c.Value
	}
	if err := v.transport.Callback(ctx, session, r.URL.Query()); err != nil {
		v.explain(w, r, ctx, session, session+" "+photoOf(back), err)
		return
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func photoOf(path string) string {
	const prefix = "/photos/"
	if len(path) > len(prefix) {
		return path[len(prefix):]
	}
	return ""
}

func (v *viewer) take(key string) (client.Process, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	p, ok := v.waiting[key]
	delete(v.waiting, key)
	return p, ok
}

func (v *viewer) put(key string, p client.Process) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting[key] = p
}
