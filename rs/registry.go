package rs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/licet/licet/uma"
)

// Registry remembers under which id the authorization server knows a resource.
// It saves questions; losing it loses nothing that [Server.Sync] does not find
// again. It is used by many goroutines.
type Registry interface {
	// Lookup returns the entry of one resource of an owner.
	Lookup(ctx context.Context, owner Owner, key string) (Entry, bool, error)
	// Load returns all entries of an owner by their keys. The caller does not
	// change the map.
	Load(ctx context.Context, owner Owner) (map[string]Entry, error)
	// Save replaces all entries of an owner; the map is the registry's then.
	Save(ctx context.Context, owner Owner, entries map[string]Entry) error
}

// Entry is one registered resource.
type Entry struct {
	Issuer   string         `json:"issuer"` // an id means something to one authorization server only
	ID       uma.ResourceID `json:"_id"`
	Resource Resource       `json:"resource"` // as it was last registered
}

// MemoryRegistry forgets with the process. Its zero value is ready.
type MemoryRegistry struct {
	mu     sync.RWMutex
	owners map[Owner]map[string]Entry
}

// Lookup implements [Registry].
func (m *MemoryRegistry) Lookup(_ context.Context, owner Owner, key string) (Entry, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.owners[owner][key]
	return e, ok, nil
}

// Load implements [Registry].
func (m *MemoryRegistry) Load(_ context.Context, owner Owner) (map[string]Entry, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.owners[owner], nil
}

// Save implements [Registry].
func (m *MemoryRegistry) Save(_ context.Context, owner Owner, entries map[string]Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owners = with(m.owners, owner, entries)
	return nil
}

// with copies the outer map, so that a failed write can leave the old one.
func with(owners map[Owner]map[string]Entry, owner Owner, entries map[string]Entry) map[Owner]map[string]Entry {
	out := maps.Clone(owners)
	if out == nil {
		out = map[Owner]map[string]Entry{}
	}
	out[owner] = entries
	return out
}

// FileRegistry is a registry in one JSON file, for one process. The file is
// replaced as a whole: after a crash it is the old one or the new one.
type FileRegistry struct {
	path   string
	memory MemoryRegistry
	saving sync.Mutex
}

// OpenFileRegistry reads the file at path, which need not exist yet. A file
// that it cannot read is an error, not an empty registry.
func OpenFileRegistry(path string) (*FileRegistry, error) {
	r := &FileRegistry{path: path}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &r.memory.owners)
	}
	if err != nil {
		return nil, fmt.Errorf("rs: registry: %w", err)
	}
	return r, nil
}

// Lookup implements [Registry].
func (r *FileRegistry) Lookup(ctx context.Context, owner Owner, key string) (Entry, bool, error) {
	return r.memory.Lookup(ctx, owner, key)
}

// Load implements [Registry].
func (r *FileRegistry) Load(ctx context.Context, owner Owner) (map[string]Entry, error) {
	return r.memory.Load(ctx, owner)
}

// Save implements [Registry]. It returns when the entries are on the disk.
func (r *FileRegistry) Save(ctx context.Context, owner Owner, entries map[string]Entry) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	r.memory.mu.RLock()
	next := with(r.memory.owners, owner, entries)
	r.memory.mu.RUnlock()
	raw, err := json.MarshalIndent(next, "", "\t")
	if err == nil {
		err = replaceFile(r.path, raw)
	}
	if err != nil {
		return fmt.Errorf("rs: registry: %w", err)
	}
	return r.memory.Save(ctx, owner, entries)
}

// replaceFile writes a file beside the old one, makes it durable and only then
// lets it take the name.
func replaceFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
