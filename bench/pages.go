package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// What the pages of the owner's app cost, for a person who has much and shares much:
// signed in as a browser is, over one connection, one page after the other. What
// counts is the CPU time of the server and of its database for a whole page.

// The person of whom the pages are.
const (
	pageThings = 10_000
	pageShares = 1000 // with 300 people, some through one app, some with an end
	pagePeople = 300
	pageBob    = 60 // shares of these are with Bob, who uses them
	pageEnded  = 200
	pageAsked  = 12 // requests wait
	pageGiven  = 40 // things that somebody else shares with them

	// pageBudget is the most that a page may cost.
	pageBudget = 20 * time.Millisecond
)

// A password and its hash. It guards nothing.
const (
	pagePassword     = "correct horse battery staple"
	pagePasswordHash = "$argon2id$v=19$m=19456,t=2,p=1$gQ5I/+yMYtsByEDCvJcurw$zASp3n+s9reOqBcPuH9NpcEhRU6LU1b8RbK0WdNvC5c"
)

const clientClinic = "clinic"

// pageRows writes the population; it ends with the resources of the person.
func pageRows(to io.Writer) error {
	w := bufio.NewWriter(to)
	for o, hash := range []string{pagePasswordHash, ""} {
		fmt.Fprintf(w, `{"kind":"account","email":"%s","email_verified":true,"name":"Owner %d","password_hash":"%s","space":"Owner %d's things"}`+"\n", emailOf(o), o, hash, o)
	}
	clientRows(w, emailOf(0))
	fmt.Fprintf(w, `{"kind":"client","client_id":"%s","token_endpoint_auth_method":"client_secret_basic","client_secret_sha256":"%s","client_name":"The clinic","grant_types":["%s"],"redirect_uris":["https://clinic.example/callback"],"scopes":["%s"]}`+"\n",
		clientClinic, secretHash(), oauth.GrantAuthorizationCode, uma.ScopeProtection)
	members := make([]string, 20)
	for i := range members {
		members[i] = fmt.Sprintf(`"friend%d@example.com"`, i)
	}
	fmt.Fprintf(w, `{"kind":"group","owner":"%s","name":"Family","members":[%s]}`+"\n", emailOf(0), strings.Join(members, ","))
	for i := range pageGiven {
		resourceRow(w, i, 1, fmt.Sprintf(`,"shares":[{"resource_scopes":["view"],"required_claims":[{"name":"email","value":"%s"}]}]`, emailOf(0)))
	}
	in30 := time.Now().Add(30 * 24 * time.Hour).Unix()
	for i := range pageThings {
		server, shares := clientRS, ""
		if i%2 == 1 {
			server = clientClinic
		}
		if n := i / (pageThings / pageShares); i%(pageThings/pageShares) == 0 && n < pageShares-pageBob-pageAsked {
			more := ""
			if n%5 == 0 {
				more += `,"client_id":"` + clientApp + `"`
			}
			if n%3 == 0 {
				more += fmt.Sprintf(`,"not_after":%d`, in30+int64(n))
			}
			shares = fmt.Sprintf(`,"shares":[{"resource_scopes":["view"],"required_claims":[{"name":"email","value":"friend%d@example.com"}]%s}]`, n%pagePeople, more)
		}
		fmt.Fprintf(w, `{"kind":"resource","owner":"%s","resource_server":"%s","description":%s%s}`+"\n", emailOf(0), server, describe(i), shares)
	}
	return w.Flush()
}

// readPageIDs reads what became of the person's things at the first service.
func (t *target) readPageIDs(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"kind":"resource"`) {
			if n++; n > pageGiven && (n-pageGiven)%2 == 1 {
				t.world.resources = append(t.world.resources, resource{id: member([]byte(line), "id")})
			}
		}
	}
	return nil
}

// live lets something happen: shares are made, used and ended, and questions asked.
func (t *target) live() error {
	t.world.app = basic(clientApp)
	pats, err := t.tokens(clientRS, uma.ScopeProtection, []string{emailOf(0)})
	if err != nil {
		return err
	}
	policies, err := t.tokens(clientOwners, oauth.ScopePolicy, []string{emailOf(0)})
	if err != nil {
		return err
	}
	t.world.owners = []owner{{pat: "Bearer " + pats[0], policy: "Bearer " + policies[0]}}
	with := func(email string) string { return `"required_claims":[{"name":"email","value":"` + email + `"}]` }
	k, err := newWorker(t)
	if err != nil {
		return err
	}
	defer k.close()
	for i := range pageEnded {
		s, err := k.share(k.resources[i], with(fmt.Sprintf("friend%d@example.com", i)))
		if err == nil {
			err = k.unshare(s)
		}
		if err != nil {
			return err
		}
	}
	for i := range pageBob {
		r := k.resources[len(k.resources)-1-i]
		if _, err := k.share(r, with(bob)); err != nil {
			return err
		}
		rpt, err := k.grant(r, k.bob)
		if err == nil {
			err = k.inspect(rpt)
		}
		if err != nil {
			return err
		}
	}
	for i := range pageAsked {
		r := k.resources[len(k.resources)-1-pageBob-i]
		if _, err := k.share(r, `"approval":"ask",`+with(bob)); err != nil {
			return err
		}
		if err := k.refused(r, k.bob, "request_submitted"); err != nil {
			return err
		}
	}
	return nil
}

// browser is one that is signed in.
type browser struct {
	http.Client
	issuer string
}

// open asks for a page, and for a form sends it. What is not a page of ours ends the
// run.
func (b *browser) open(path string, form url.Values) (string, error) {
	r, err := http.NewRequest(http.MethodGet, b.issuer+path, nil)
	if form != nil {
		if r, err = http.NewRequest(http.MethodPost, b.issuer+path, strings.NewReader(form.Encode())); err == nil {
			r.Header.Set("Content-Type", typeForm)
		}
	}
	if err != nil {
		return "", err
	}
	answer, err := b.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "</html>")) {
		err = wrong(path, answer.StatusCode, text)
	}
	return string(text), err
}

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// signIn signs the person in with the form that everybody signs in with.
func (t *target) signIn() (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{http.Client{Jar: jar}, t.issuer}
	page, err := b.open("/app/", nil)
	if err != nil {
		return nil, err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return nil, errors.New("there is no form to sign in with")
	}
	page, err = b.open("/sign-in", url.Values{"csrf": token[1:], "return": {"/app/"}, "email": {emailOf(0)}, "password": {pagePassword}, "action": {"sign-in"}})
	if err == nil && !strings.Contains(page, "/app/history") {
		err = errors.New("nobody is signed in after the sign-in")
	}
	return b, err
}

// ownersPage is one page to measure.
type ownersPage struct {
	name, path string
	form       url.Values // that is sent; nil: it is only looked at
}

// pages are all pages that show something of what the person has, each with as much on
// it as there is.
func (t *target) pages(b *browser) ([]ownersPage, error) {
	var failed error
	first := func(on, link string) string {
		page, err := b.open(on, nil)
		found := regexp.MustCompile(`href="(` + link + `)"`).FindStringSubmatch(page)
		if err == nil && found == nil {
			err = fmt.Errorf("%s has no link to %s", on, link)
		}
		failed = errors.Join(failed, err)
		if failed != nil {
			return ""
		}
		return strings.ReplaceAll(found[1], "&amp;", "&")
	}
	thing, ended, used := t.world.resources[5].id, t.world.resources[1].id, t.world.resources[len(t.world.resources)-1].id
	person := first("/app/people?q="+bob, "/app/people/[^\"]+")
	key := strings.TrimPrefix(person, "/app/people/")
	today := time.Now().UTC().Format(time.DateOnly)
	share := "/app/share?thing=" + thing
	page, err := b.open(share, nil)
	token := formToken.FindStringSubmatch(page)
	if err == nil && token == nil {
		err = errors.New("there is no form to share with")
	}
	if err != nil {
		return nil, err
	}
	answers := url.Values{"csrf": token[1:], "thing": {thing}, "who": {"person"}, "email": {bob}, "days": {"30"}, "do-0": {"view"}}
	return []ownersPage{
		{"home", "/app/", nil},
		{"things", "/app/things", nil}, {"things searched for", "/app/things?q=9876", nil}, {"things to share with somebody", "/app/things?with=" + key, nil},
		{"a thing", "/app/things/" + used, nil}, {"a thing with a past", "/app/things/" + ended, nil},
		{"people", "/app/people", nil}, {"apps", "/app/people?kind=app", nil},
		{"a person", person, nil}, {"an app", "/app/apps/" + clientApp, nil},
		{"what somebody could do", "/app/could?person=" + key, nil},
		{"to share", share, nil}, {"a share, looked at before", "/app/share/check", answers},
		{"a receipt", first("/app/things/"+used, "/app/shares/[^\"/]+"), nil}, {"to bring back", first("/app/things/"+ended, "/app/reopen[^\"]+"), nil},
		{"to stop somebody", "/app/stop?person=" + key, nil}, {"to stop an app", "/app/stop?app=" + clientApp, nil}, {"to stop everything", "/app/stop", nil},
		{"requests", "/app/requests", nil}, {"a request", first("/app/requests", "/app/requests/[^\"/?]+"), nil}, {"blocked", "/app/blocked", nil},
		{"history", "/app/history", nil}, {"history of a thing", "/app/history?thing=" + used, nil},
		{"history of a person", "/app/history?person=" + key, nil}, {"history of an app", "/app/history?app=" + clientApp, nil},
		{"a day", "/app/history?day=" + today, nil}, {"a day of a person", "/app/history?day=" + today + "&person=" + key, nil},
		{"groups", "/app/groups", nil}, {"a group", first("/app/groups", "/app/groups/[^\"/]+"), nil},
		{"me", "/app/me", nil}, {"received", "/app/received", nil}, {"asked", "/app/asked", nil}, {"roles", "/app/roles", nil},
	}, failed
}

// pageCost is what one page cost.
type pageCost struct {
	Store string  `json:"store"`
	Page  string  `json:"page"`
	CPU   float64 `json:"cpu_ms"`
	P50   float64 `json:"p50_ms"`
	Bytes int     `json:"bytes"`
}

// pagesAtOnce is how often a page is opened for one sample.
const pagesAtOnce = 5

// measurePages measures the pages on each target, interleaved; the first round warms
// up.
func measurePages(ctx context.Context, targets []*target, o options, say func(string, ...any)) ([]pageCost, error) {
	var out []pageCost
	for _, t := range targets {
		b, err := t.signIn()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.store, err)
		}
		list, err := t.pages(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.store, err)
		}
		costs := make([]pageCost, len(list))
		cpu, took := make([][]float64, len(list)), make([][]float64, len(list))
		for round := range o.rounds + 1 {
			say("%s, round %d of %d", t.store, round, o.rounds)
			for i, p := range list {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				before, err := t.used()
				if err != nil {
					return nil, err
				}
				for range pagesAtOnce {
					begin := time.Now()
					text, err := b.open(p.path, p.form)
					if err != nil {
						return nil, err
					}
					took[i] = append(took[i], float64(time.Since(begin))/1e6)
					costs[i] = pageCost{Store: t.store, Page: p.name, Bytes: len(text)}
				}
				after, err := t.used()
				if err != nil {
					return nil, err
				}
				cpu[i] = append(cpu[i], float64(after.CPU-before.CPU)/1e6/pagesAtOnce)
			}
		}
		for i := range costs {
			costs[i].CPU, costs[i].P50 = median(cpu[i][1:]), median(took[i][pagesAtOnce:])
		}
		out = append(out, costs...)
		if o.cpuProfile == "" {
			continue
		}
		if err := t.profilePages(b, list, o.cpuProfile); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// profilePages writes a CPU profile of each page.
func (t *target) profilePages(b *browser, list []ownersPage, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range list {
		done := make(chan error, 1)
		path := filepath.Join(dir, t.store+"-page-"+strings.ReplaceAll(p.name, " ", "-")+".pprof")
		go func() { done <- t.profile(path, profileTime) }()
		for begin := time.Now(); time.Since(begin) < profileTime; {
			if _, err := b.open(p.path, p.form); err != nil {
				return errors.Join(err, <-done)
			}
		}
		if err := <-done; err != nil {
			return err
		}
	}
	return nil
}

// pageTable prints what pages cost, the dearest first, and tells how many cost too much.
func pageTable(to io.Writer, list []pageCost) (missed int, err error) {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b pageCost) int { return int(1000*b.CPU) - int(1000*a.CPU) })
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "store\tpage\tCPU ms\tp50 ms\tkB\t")
	for _, p := range sorted {
		over := ""
		if p.CPU > float64(pageBudget)/1e6 {
			over = "too much"
			missed++
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%d\t%s\n", p.Store, p.Page, p.CPU, p.P50, p.Bytes/1000, over)
	}
	return missed, w.Flush()
}

// pageTargets is one target of each store, which has the person of the pages.
func pageTargets(all []*target) []*target {
	var out []*target
	for _, t := range all {
		if len(out) == 0 || out[len(out)-1].store != t.store {
			t.size = pageThings
			out = append(out, t)
		}
	}
	return out
}

// preparePages builds the population of pages, starts the server on it, and lets
// something happen there.
func (t *target) preparePages(licet, server, jwks string, accessLog bool, _ func(string, ...any)) error {
	if err := t.build(licet, pageRows, t.readPageIDs); err != nil {
		return err
	}
	if err := t.startServer(server, jwks, accessLog); err != nil {
		return err
	}
	return t.live()
}
