package as_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
)

// beside opens more authorization servers on the world's store.
func (w *world) beside(n int, options ...func(*as.Config)) []*as.Server {
	w.t.Helper()
	nodes := make([]*as.Server, n)
	for i := range nodes {
		config := w.Server.Config
		for _, o := range options {
			o(&config)
		}
		var err error
		nodes[i], err = as.New(w.ctx, config)
		w.must(err)
	}
	return nodes
}

func (w *world) signingKeys() (keys []as.SigningKey) {
	w.t.Helper()
	w.must(w.store.View(w.ctx, func(r as.Reader) (err error) {
		keys, err = r.SigningKeys()
		return err
	}))
	return keys
}

// Nodes that find at the same time that the key is old make one new key.
func TestNodesRotateTheKeysOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	nodes := append(w.beside(3), w.Server)
	w.advance(48 * time.Hour)
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			if err := n.RotateKeysAfter(w.ctx, 24*time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(w.signingKeys()); n != 2 {
		t.Errorf("there are %d keys, want the old one and one new one", n)
	}
	for i, n := range nodes {
		w.advance(11 * time.Second) // longer than a node goes by what it read
		if keys, err := n.JWKS(w.ctx); err != nil || string(keys) != string(jwksOf(w)) {
			t.Errorf("node %d publishes %s, %v", i, keys, err)
		}
	}
}

func jwksOf(w *world) []byte {
	keys, err := w.JWKS(w.ctx)
	w.must(err)
	return keys
}

// Nodes that start at the same time on an empty store make one key.
func TestNodesMakeTheFirstKeyOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
		keys, err := tx.SigningKeys()
		for _, k := range keys {
			k.ExpiresAt = w.Now().Add(-time.Hour)
			err = errors.Join(err, tx.UpdateSigningKey(k))
		}
		_, swept := tx.Sweep(w.Now(), 100)
		return errors.Join(err, swept)
	}))
	if n := len(w.signingKeys()); n != 0 {
		t.Fatalf("there are %d keys at first", n)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := as.New(w.ctx, w.Server.Config); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(w.signingKeys()); n != 1 {
		t.Errorf("there are %d keys, want one", n)
	}
}

// A node that has not got the others' secrets could read nothing of what they
// stored, and would store what they cannot read. It does not start.
func TestANodeWithOtherSecretsDoesNotStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.Server.Config
	config.Secrets = as.Secrets{Digest: random(32), Seal: [][]byte{random(32)}}
	if _, err := as.New(w.ctx, config); !errors.Is(err, as.ErrSecrets) {
		t.Errorf("it says %v", err)
	}
	if n := len(w.signingKeys()); n != 1 {
		t.Errorf("it left %d keys behind", n)
	}
}
