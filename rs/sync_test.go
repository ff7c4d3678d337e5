package rs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// operations are the writing calls of the registration API.
func operations(d *double) string {
	var out []string
	for _, s := range d.asked("/rreg/") {
		if s.method != "GET" {
			out = append(out, s.method)
		}
	}
	return strings.Join(out, " ")
}

func synchronise(t *testing.T, p *photos, desired ...Resource) {
	t.Helper()
	p.as.forget()
	if err := p.Sync(t.Context(), "alice", desired); err != nil {
		t.Fatal(err)
	}
}

// Proves FED-RS-3-03, FED-RS-3-02.
func TestSyncDoesWhatDiffersAndNothingElse(t *testing.T) {
	p := newPhotos(t)
	album, diary := resources()[0], resources()[1]
	anna := p.as.idOf("anna", "album")
	id := p.as.idOf("alice", "album")

	synchronise(t, p, diary, album)
	if got := operations(p.as); got != "" {
		t.Errorf("nothing differs, but: %s", got)
	}
	album.Scopes = []uma.Scope{"edit", "view", "edit"}
	if synchronise(t, p, diary, album); operations(p.as) != "" {
		t.Errorf("the order of scopes means nothing, but: %s", operations(p.as))
	}
	album.Scopes = append(album.Scopes, "print")
	album.Name = ""
	if synchronise(t, p, diary, album); operations(p.as) != "PUT" || p.as.idOf("alice", "album") != id {
		t.Errorf("after a change: %s, id %s", operations(p.as), p.as.idOf("alice", "album"))
	}
	if raw := string(p.as.resources["alice"][id]); !strings.Contains(raw, "print") || strings.Contains(raw, `"name"`) {
		t.Errorf("the description is %s", raw)
	}
	if synchronise(t, p, album, Resource{Key: "map"}); operations(p.as) != "POST DELETE" {
		t.Errorf("one new and one gone: %s", operations(p.as))
	}
	if raw := string(p.as.resources["alice"][p.as.idOf("alice", "map")]); raw != `{"resource_key":"map","resource_scopes":[]}` {
		t.Errorf("the least description is %s", raw)
	}
	unreachable(t, p.call("GET", "/alice/diary", ""))
	if synchronise(t, p); operations(p.as) != "DELETE DELETE" || p.as.idOf("anna", "album") != anna {
		t.Errorf("nothing desired: %s", operations(p.as))
	}
}

func TestWhatWasRegisteredByOtherMeansIsLeftAlone(t *testing.T) {
	p := newPhotos(t)
	p.as.locked(func() {
		p.as.resources["alice"]["foreign"] = json.RawMessage(`{"resource_scopes":["a"],"name":"by hand"}`)
	})
	if synchronise(t, p); operations(p.as) != "DELETE DELETE" || p.as.resources["alice"]["foreign"] == nil {
		t.Errorf("%s", operations(p.as))
	}
}

func TestARestartRegistersNothingTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.json")
	open := func(c *Config) {
		r, err := OpenFileRegistry(path)
		if err != nil {
			t.Fatal(err)
		}
		c.Registry = r
	}
	p := newPhotos(t, open)
	for name, restart := range map[string]func(c *Config){
		"with its registry":    open,
		"with a lost registry": func(c *Config) { c.Registry = &MemoryRegistry{} },
	} {
		c := Config{Issuer: p.as.URL, PAT: StaticPAT{"alice": "pat-alice"}, Route: routePhotos, Realm: "photos"}
		restart(&c)
		again, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		p.Server = again
		if name == "with its registry" {
			challenged(t, p, p.call("GET", "/alice/album", "")) // even before Sync
		}
		if synchronise(t, p, resources()...); operations(p.as) != "" {
			t.Errorf("%s: %s", name, operations(p.as))
		}
		challenged(t, p, p.call("GET", "/alice/album", ""))
	}
}

func TestAnotherAuthorizationServersIdsMeanNothing(t *testing.T) {
	registry := &MemoryRegistry{}
	newPhotos(t, func(c *Config) { c.Registry = registry })
	other := newDouble(t)
	other.next = 100
	other.resources["alice"] = map[string]json.RawMessage{idNumber(1): json.RawMessage(`{"resource_scopes":[]}`), idNumber(2): json.RawMessage(`{"resource_scopes":[]}`)}
	s, err := New(Config{Issuer: other.URL, PAT: StaticPAT{"alice": "pat-alice"}, Route: routePhotos, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	p := &photos{Server: s, as: other}
	s.alarm = func(context.Context, Owner, error) {}
	unreachable(t, p.call("GET", "/alice/album", ""))
	if asked := other.asked("/permission"); len(asked) != 0 {
		t.Errorf("it was asked %v", asked)
	}
	if synchronise(t, p, resources()...); operations(other) != "POST POST" {
		t.Errorf("%s", operations(other))
	}
}

// The answer to a registration was lost and it was done again.
func TestAResourceThatWasRegisteredTwiceIsRegisteredOnceAfterwards(t *testing.T) {
	p := newPhotos(t)
	kept := p.as.idOf("alice", "album")
	p.as.locked(func() { p.as.resources["alice"]["a twin"] = p.as.resources["alice"][kept] })
	if synchronise(t, p, resources()...); operations(p.as) != "DELETE" || p.as.resources["alice"][kept] == nil {
		t.Errorf("%s", operations(p.as))
	}
}

func TestWhatASyncCouldDoBeforeItFailedIsRemembered(t *testing.T) {
	p := newPhotos(t)
	synchronise(t, p)
	posts := 0
	p.as.locked(func() {
		p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == "POST" {
				posts++
			}
			if r.Method == "POST" && posts == 2 {
				w.WriteHeader(500)
				return true
			}
			return false
		}
	})
	if err := p.Sync(t.Context(), "alice", resources()); err == nil {
		t.Fatal("the failure is not told")
	}
	have, _ := p.registry.Load(t.Context(), "alice")
	if len(have) != 1 {
		t.Errorf("remembered are %v", have)
	}
	if synchronise(t, p, resources()...); operations(p.as) != "POST" {
		t.Errorf("the next sync did %s", operations(p.as))
	}
}

func TestKeysAreUnique(t *testing.T) {
	p := newPhotos(t)
	for _, desired := range [][]Resource{{{Key: "a"}, {Key: "a"}}, {{Key: ""}}} {
		if p.Sync(t.Context(), "alice", desired) == nil {
			t.Errorf("%v was accepted", desired)
		}
	}
	if operations(p.as) != "" {
		t.Error("something was done")
	}
}

func TestAResourceThatTheServerForgotIsRegisteredAgainOnce(t *testing.T) {
	p := newPhotos(t)
	p.as.locked(func() {
		delete(p.as.resources["alice"], idNumber(1))
		delete(p.as.resources["alice"], idNumber(2))
		// Another node registered this, and nobody said that it has to go.
		p.as.resources["alice"]["other"] = json.RawMessage(`{"resource_scopes":[],"resource_key":"other"}`)
	})
	challenged(t, p, p.call("GET", "/alice/album", ""))
	if got := operations(p.as); got != "POST POST" {
		t.Errorf("to heal it did %s", got)
	}
	challenged(t, p, p.call("GET", "/alice/diary", ""))

	// Not again and again: anybody can cause this.
	p.as.locked(func() { p.as.resources["alice"] = nil })
	p.as.forget()
	for range 3 {
		unreachable(t, p.call("GET", "/alice/album", ""))
	}
	if got := operations(p.as); got != "" {
		t.Errorf("within the pause it did %s", got)
	}
	p.clock.advance(healPause)
	challenged(t, p, p.call("GET", "/alice/album", ""))
}

func TestAServerThatDeniesWhatItRegisteredIsAskedTwiceAndNoMore(t *testing.T) {
	p := newPhotos(t)
	p.as.locked(func() {
		p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/permission" {
				return false
			}
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"invalid_resource_id"}`)
			return true
		}
	})
	unreachable(t, p.call("GET", "/alice/album", ""))
	if n := len(p.as.asked("/permission")); n != 2 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestARegistryFileIsTheOldOneOrTheNewOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "registry.json")
	r, err := OpenFileRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]Entry{"album": {Issuer: "https://as.example", ID: "1", Resource: resources()[0]}}
	if err := r.Save(t.Context(), "alice", entries); err != nil {
		t.Fatal(err)
	}
	again, err := OpenFileRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	if e, ok, _ := again.Lookup(t.Context(), "alice", "album"); !ok || e.ID != "1" || !e.Resource.equal(resources()[0]) {
		t.Errorf("read back is %v", e)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind is %v", files)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("the file is readable as %s", info.Mode())
	}
	// When the file cannot be written, what is remembered stays what it was.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if r.Save(t.Context(), "alice", nil) == nil {
		t.Error("the failure is not told")
	}
	if _, ok, _ := r.Lookup(t.Context(), "alice", "album"); !ok {
		t.Error("the entry is gone")
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(`{"alice":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileRegistry(broken); err == nil {
		t.Error("a broken file is taken for an empty registry")
	}
}
