package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var assetFiles embed.FS

//go:embed frame
var frameFiles embed.FS

// asset is a file that pages refer to by a name that changes with its content.
type asset struct {
	content []byte
	packed  func() []byte // with gzip
	tag     string
}

var assets = func() map[string]asset {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic("page: " + err.Error())
	}
	out := map[string]asset{}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic("page: " + err.Error())
		}
		sum := sha256.Sum256(content)
		out[e.Name()] = asset{content, sync.OnceValue(func() []byte { return pack(content) }), hex.EncodeToString(sum[:8])}
	}
	return out
}()

func pack(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic("page: " + err.Error()) // memory does not fail
	}
	return b.Bytes()
}

// AssetsPath is the path, below the issuer, of what pages refer to.
const AssetsPath = "/assets/"

// assetPath is where a file is found, for as long as it is what it is.
func (p *Pages) assetPath(name string) string {
	return p.base + AssetsPath + name + "?" + assets[name].tag
}

// ServeAsset serves a file of [AssetsPath] and reports whether there is one of that
// name. Files are the same for everybody and hold no secret, so they may be packed;
// pages hold secrets beside what somebody else chose and are not (BREACH).
func (p *Pages) ServeAsset(w http.ResponseWriter, r *http.Request, name string) bool {
	file, ok := assets[name]
	if !ok {
		return false
	}
	h := w.Header()
	switch path.Ext(name) {
	case ".css":
		h.Set("Content-Type", "text/css; charset=utf-8")
	case ".js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
	case ".svg":
		h.Set("Content-Type", "image/svg+xml")
	}
	h.Set("Cache-Control", "no-cache") // asks, and mostly hears "not modified"
	if strings.TrimPrefix(r.URL.RawQuery, "?") == file.tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	content, tag := file.content, file.tag
	if unpacks(r) {
		h.Set("Content-Encoding", "gzip")
		content, tag = file.packed(), tag+"-gzip"
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	return true
}

// unpacks reports whether the browser says that it takes what is packed with gzip.
func unpacks(r *http.Request) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(header, ",") {
			if strings.TrimSpace(coding) == "gzip" { // with a weight, it is no browser
				return true
			}
		}
	}
	return false
}
