package endpoint

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"

	"github.com/licet/licet/uma"
)

// writeJSON answers with a JSON document that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, v any) { writeBody(w, status, "application/json", v) }

func writeBody(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		// Only our own types come here, and all of them can be written.
		panic("endpoint: " + err.Error())
	}
	writeWritten(w, status, contentType, body)
}

// writeWritten answers with a body that is written already.
func writeWritten(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that is gone cannot be told
}

// readForm parses an application/x-www-form-urlencoded body, once.
func (c *call) readForm() error {
	if c.form != nil {
		return nil
	}
	if err := hasContentType(c.r, "application/x-www-form-urlencoded"); err != nil {
		return err
	}
	form, err := uma.ParseForm(c.r.Body)
	if err != nil {
		return err
	}
	c.form = form
	return nil
}

// body parses a JSON object of the request.
func body(c *call) (uma.Object, error) {
	if err := hasContentType(c.r, "application/json"); err != nil {
		return nil, err
	}
	return uma.ParseObject(c.r.Body)
}

func hasContentType(r *http.Request, want string) error {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return uma.NewError(uma.InvalidRequest, "The Content-Type has to be "+want+".")
	}
	return nil
}
