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
	h["Cache-Control"], h["X-Content-Type-Options"] = noStore, noSniff
	h["Content-Type"], h["Content-Length"] = []string{contentType}, []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that is gone cannot be told
}

// What every answer says; nobody writes to them.
var noStore, noSniff = []string{"no-store"}, []string{"nosniff"}

var errLongForm = uma.NewError(uma.InvalidRequest, "The request is too large.").Because(uma.ErrTooLarge)

// readForm parses an application/x-www-form-urlencoded body, once.
func (c *call) readForm() error {
	if c.form != nil {
		return nil
	}
	if err := hasContentType(c.r, "application/x-www-form-urlencoded"); err != nil {
		return err
	}
	if c.r.ContentLength > uma.MaxForm {
		return errLongForm // and none of it is read
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
	if r.Header.Get("Content-Type") == want {
		return nil
	}
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return uma.NewError(uma.InvalidRequest, "The Content-Type has to be "+want+".")
	}
	return nil
}
