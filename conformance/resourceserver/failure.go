package resourceserver

import (
	"net/http"

	"github.com/licet/licet/conformance/internal/wire"
)

// failures are what an endpoint may do instead of an answer.
var failures = []struct {
	name    string
	instead http.HandlerFunc
}{
	{"closes the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	{"answers 500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
	{"answers 503 in HTML", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html>Come back later.</html>")) // into memory
	}},
	{"refuses every PAT", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error":"invalid_token"}`)) // into memory
	}},
	{"knows nothing any more", func(w http.ResponseWriter, _ *http.Request) {
		wire.Refuse(w, http.StatusBadRequest, "invalid_resource_id", "there is no such resource")
	}},
	{"answers what is no JSON", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"active":tr`)) // into memory
	}},
	{"answers an empty object", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{}`)) // into memory
	}},
}

// at answers only one path.
func at(path string, instead http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		instead(w, r)
		return true
	}
}
