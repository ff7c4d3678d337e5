package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/internal/mail"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/login"
	"github.com/licet/licet/owner/web"
	"github.com/licet/licet/store/postgres"
	"github.com/licet/licet/store/sqlite"
)

// Place is where a node keeps what it keeps.
type Place struct {
	Data     string // the directory of the node's own files
	Database string // the URL of the database that nodes share; "" for one file in Data
}

// secrets is the file of the server's own keys.
func (p Place) secrets() string { return filepath.Join(p.Data, "secret.json") }

// Surface is how the endpoints are served. The zero value is the defaults.
type Surface struct {
	Limits endpoint.Limits // how much abuse is borne
	Mutual string          // as in endpoint.Config
	Mail   mail.Config     // how people are written to; the zero value is no mail
	SignIn login.Methods   // how people come in

	Words     page.Words // as in page.Config
	Kinds     page.Words // as in page.Config
	Sensitive []string   // as in web.Config
}

// Node is a built server: the rooms, connected.
type Node struct {
	AS     *as.Server
	Store  Store
	Face   http.Handler // every endpoint
	Mutual http.Handler // those for connections asked for a client certificate; nil for none
	Log    *slog.Logger

	leave func() // ends what would go on for as long as somebody listens
}

// Store is a store that tells what it has done.
type Store interface {
	as.Store
	Stats() postgres.Stats // those of every store are alike
}

// Open connects the rooms. Store, Secrets, Log and the claims interaction endpoint
// of the configuration are set here.
func Open(ctx context.Context, place Place, c as.Config, surface Surface, log *slog.Logger) (*Node, error) {
	store, err := openStore(ctx, place)
	if err != nil {
		return nil, err
	}
	n, err := connect(ctx, store, place.secrets(), c, surface, log)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return n, nil
}

func openStore(ctx context.Context, place Place) (Store, error) {
	if place.Database != "" {
		return postgres.Open(ctx, place.Database)
	}
	return sqlite.Open(ctx, filepath.Join(place.Data, "licet.db"))
}

func connect(ctx context.Context, store Store, secretFile string, c as.Config, surface Surface, log *slog.Logger) (*Node, error) {
	issuer, err := endpoint.ParseIssuer(c.Issuer)
	if err != nil {
		return nil, err
	}
	keys, err := openSecrets(ctx, secretFile, store)
	if err != nil {
		return nil, err
	}
	c.Store, c.Log = store, log
	c.Secrets = as.Secrets{Digest: keys.Digest, Seal: keys.Seal}
	c.ClaimsInteractionEndpoint = endpoint.ClaimsInteractionURL(c.Issuer)
	if c.Fetch == nil {
		c.Fetch = egress.New(egress.Options{AllowLoopback: issuer.Scheme == "http"})
	}
	if surface.Mail.Off() {
		log.Warn("NO MAIL: nobody can be sent a code, and nobody is told of requests, of what ends, or of what concerns their account")
	} else {
		post, err := mail.New(surface.Mail, c.Issuer, c.Now)
		if err != nil {
			return nil, err
		}
		c.Mail = post.Send
	}
	server, err := as.New(ctx, c)
	if errors.Is(err, as.ErrSecrets) {
		return nil, fmt.Errorf("%s is not the file that the database was made with, and every node needs that one: %w", secretFile, err)
	} else if err != nil {
		return nil, err
	}
	pages, err := page.New(page.Config{Issuer: issuer, FormKey: keys.Form, Now: server.Now, Words: surface.Words, Kinds: surface.Kinds})
	if err != nil {
		return nil, err
	}
	people, err := login.New(login.Config{AS: server, Secure: issuer.Scheme == "https", Language: pages.Language, Methods: surface.SignIn})
	if err != nil {
		return nil, err
	}
	face, err := endpoint.New(endpoint.Config{AS: server, SignIn: people, Pages: pages, Home: web.Path, Limits: surface.Limits, Mutual: surface.Mutual, Log: log})
	if err != nil {
		return nil, err
	}
	app, err := web.New(web.Config{AS: server, SignIn: people, Pages: pages, Sensitive: surface.Sensitive, Log: log})
	if err != nil {
		return nil, err
	}
	return &Node{AS: server, Store: store, Face: faces(pages.Base(), face, app), Mutual: face.Mutual(), Log: log, leave: app.Leave}, nil
}

// faces puts the owner's app beside the endpoints. Who comes to the front door is
// led to it.
func faces(base string, endpoints, app http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", endpoints)
	mux.Handle(base+web.Path, app)
	mux.Handle("GET "+base+"/{$}", http.RedirectHandler(base+web.Path, http.StatusSeeOther))
	bare := strings.TrimSuffix(base+web.Path, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.Path; path == base+"/" || strings.HasPrefix(path, bare) {
			mux.ServeHTTP(w, r)
			return
		}
		endpoints.ServeHTTP(w, r) // which have a mux of their own
	})
}

// InitialAccessToken makes an initial access token with the secrets of the node that
// is at that place. It needs neither the node nor its database.
func InitialAccessToken(place Place, a as.InitialAccess) (string, error) {
	keys, err := readSecrets(place.secrets())
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is no server yet: its first start makes its secrets")
	}
	if err != nil {
		return "", err
	}
	return as.IssueInitialAccess(as.Secrets{Digest: keys.Digest, Seal: keys.Seal}, a, rand.Reader)
}

// Close closes the store, when nobody is served any more.
func (n *Node) Close() error { return n.Store.Close() }

// How often ended records are swept away, and how many in one transaction.
const (
	sweepEvery = time.Minute
	sweepBatch = 1000
	rotateKeys = 90 * 24 * time.Hour
)

// keepHouse sweeps until ctx ends.
func (n *Node) keepHouse(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := n.AS.Sweep(ctx, sweepBatch); err != nil && ctx.Err() == nil {
			n.Log.Error("sweeping", "error", err)
		}
		if err := n.AS.RotateKeysAfter(ctx, rotateKeys); err != nil && ctx.Err() == nil {
			n.Log.Error("rotating the signing keys", "error", err)
		}
	}
}

// How often the outbox is looked into when nobody says that something is in it,
// and how much is delivered before it is looked into again.
const (
	deliverEvery = 5 * time.Second
	deliverBatch = 64
)

// deliver delivers what is in the outbox until ctx ends: also what this node left
// there when it was stopped, and what another one could not deliver.
func (n *Node) deliver(ctx context.Context) {
	tick := time.NewTicker(deliverEvery)
	defer tick.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			tried, err := n.AS.Deliver(ctx, deliverBatch)
			if err != nil && ctx.Err() == nil {
				n.Log.Error("delivering messages", "error", err)
			}
			more = err == nil && tried == deliverBatch
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.AS.Outgoing():
		}
	}
}

// noteEvery is how often what was used is written down, and noteLatest after how many
// times at the latest what had better gather: an owner sees a use within five seconds.
const (
	noteEvery  = time.Second
	noteLatest = 4
)

// noteUses writes down what was used until ctx ends, and then the rest.
func (n *Node) noteUses(ctx context.Context) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	waited := 0
	for more := true; more; {
		select {
		case <-ctx.Done():
			more = false
		case <-tick.C:
		}
		if waited++; more && waited < noteLatest && n.AS.UsesWait() {
			continue
		}
		waited = 0
		// What is seen while it is written is of the next second, and the end of the
		// server must not lose what it has seen.
		if err := n.AS.FlushUses(context.WithoutCancel(ctx)); err != nil {
			n.Log.Error("writing down what was used", "error", err)
		}
	}
}

// secrets are the server's own keys, in a file beside the database.
type secrets struct {
	Digest []byte   `json:"digest"`
	Seal   [][]byte `json:"seal"` // the first seals, the others only open
	Form   []byte   `json:"form"`
}

// openSecrets reads the server's keys, or makes them at the first start. It never
// writes over a file, and makes no keys for a store that others were used with:
// with new ones everything stored is lost.
func openSecrets(ctx context.Context, path string, store as.Store) (secrets, error) {
	s, err := readSecrets(path)
	if errors.Is(err, fs.ErrNotExist) {
		var used []as.SigningKey
		err := store.View(ctx, func(r as.Reader) (err error) {
			used, err = r.SigningKeys()
			return err
		})
		if err != nil {
			return secrets{}, err
		}
		if len(used) > 0 {
			return secrets{}, fmt.Errorf("%s is not there, and nothing else opens the database: take it from its backup, or from another node of the database", path)
		}
		return makeSecrets(path)
	}
	return s, err
}

func readSecrets(path string) (secrets, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return secrets{}, err
	}
	var s secrets
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return secrets{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func makeSecrets(path string) (secrets, error) {
	key := func() []byte {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails
		return b
	}
	s := secrets{Digest: key(), Seal: [][]byte{key()}, Form: key()}
	text, err := json.Marshal(s)
	if err != nil {
		return secrets{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return secrets{}, err
	}
	return s, writeDurably(path, text)
}

// writeDurably makes a file that is either whole and on the disk, or not there:
// records sealed with keys that a power cut takes away could never be opened.
func writeDurably(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // fails if another process was faster
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
