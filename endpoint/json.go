package endpoint

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"

	"github.com/licet/licet/uma"
)

// writeJSON answers with a JSON document that no cache keeps.
func writeJSON(w http.ResponseWriter, status int, v any) { writeBody(w, status, typeJSON, v) }

func writeBody(w http.ResponseWriter, status int, contentType []string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		// Only our own types come here, and all of them can be written.
		panic("endpoint: " + err.Error())
	}
	writeWritten(w, status, contentType, body)
}

// writeWritten answers with a body that is written already.
func writeWritten(w http.ResponseWriter, status int, contentType []string, body []byte) {
	h := w.Header()
	h["Cache-Control"], h["X-Content-Type-Options"], h["Content-Type"] = noStore, noSniff, contentType
	if len(body) > measured {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that is gone cannot be told
}

// measured is up to what length net/http itself says how long a body is.
const measured = 2 << 10

// The values of headers. Nobody writes to them.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	noStore     = []string{"no-store"}
	noSniff     = []string{"nosniff"}
)

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
	if sent := r.Header["Content-Type"]; len(sent) > 0 && sent[0] == want {
		return nil
	}
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return uma.NewError(uma.InvalidRequest, "The Content-Type has to be "+want+".")
	}
	return nil
}
