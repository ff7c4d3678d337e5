package endpoint

import (
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// This file is the only place where an error becomes a status and a body.

// errMethod is the answer to a method that a path does not have (FedAuthz 3.2).
var errMethod = uma.NewError(uma.UnsupportedMethod, "This method is not supported here.")

// tooManyRequests is the code of 429; OAuth has none for it.
const tooManyRequests uma.Code = "too_many_requests"

// status is the one table of statuses by error code.
var status = map[uma.Code]int{
	"":                       http.StatusUnauthorized,
	uma.InvalidToken:         http.StatusUnauthorized,
	uma.InvalidClient:        http.StatusUnauthorized,
	uma.InsufficientScope:    http.StatusForbidden,
	uma.AccessDenied:         http.StatusForbidden,
	uma.NeedInfoCode:         http.StatusForbidden,
	uma.RequestDenied:        http.StatusForbidden,
	uma.RequestSubmittedCode: http.StatusForbidden,
	uma.NotFound:             http.StatusNotFound,
	uma.UnsupportedMethod:    http.StatusMethodNotAllowed,
	as.Conflict:              http.StatusConflict,
	as.PreconditionFailed:    http.StatusPreconditionFailed,
	uma.ServerError:          http.StatusInternalServerError,

	uma.TemporarilyUnavailable: http.StatusServiceUnavailable,
	tooManyRequests:            http.StatusTooManyRequests,
}

// fail answers with an error in the form of the route's face. An error that is
// no *uma.Error is a fault of ours: the caller learns a request id, the log the
// cause.
func (s *Server) fail(c *call, err error) {
	var e *uma.Error
	var later later
	var attempts as.TooManyAttempts
	if errors.As(err, &later) {
		s.hold(c)
		retryAfter(c, later.wait)
		e = uma.NewError(tooManyRequests, "Too much of what comes from here is no good, or it is too much. Wait as long as Retry-After says.")
	} else if errors.As(err, &attempts) {
		retryAfter(c, attempts.Wait)
		e = uma.NewError(tooManyRequests, "There were too many attempts to sign in. Try again in "+minutes(attempts.Wait)+".")
	} else if errors.Is(err, as.ErrUnavailable) {
		s.Log.ErrorContext(c.r.Context(), "the store is unavailable", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		c.w.Header().Set("Retry-After", "2")
		e = uma.NewError(uma.TemporarilyUnavailable, "The server cannot reach its database at the moment. Try again soon.")
	} else if !errors.As(err, &e) {
		id := rand.Text()
		s.Log.ErrorContext(c.r.Context(), "request failed", "request_id", id, "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		e = uma.NewError(uma.ServerError, "The server could not answer. Request id: "+id)
	}
	code := http.StatusBadRequest
	if known, ok := status[e.Code]; ok {
		code = known
	}
	if errors.Is(e, uma.ErrTooLarge) {
		code = http.StatusRequestEntityTooLarge
	}
	if ofProof(e.Code) && (c.by("Bearer") || c.by("DPoP")) {
		code = http.StatusUnauthorized
	}
	if code == http.StatusUnauthorized || e.Code == uma.InsufficientScope {
		challenge(c, e, c.w.Header())
	}
	switch c.face {
	case faceProblem:
		writeProblem(c.w, code, e)
	case facePage:
		s.errorPage(c, code, e.Description)
	default:
		answer := e.Response()
		if answer.Error == "" { // no token was shown; the body still says something (FedAuthz 6)
			answer.Error = uma.InvalidToken
		}
		writeJSON(c.w, code, answer)
	}
}

// problem is an error of our own APIs (RFC 9457).
type problem struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Detail string   `json:"detail,omitempty"`
	Code   uma.Code `json:"code,omitempty"`
}

func writeProblem(w http.ResponseWriter, code int, e *uma.Error) {
	writeBody(w, code, typeProblem, problem{
		Type: "about:blank", Title: http.StatusText(code), Status: code, Detail: e.Description, Code: e.Code,
	})
}

// retryAfter says in whole seconds, and never too few, when to come again.
func retryAfter(c *call, wait time.Duration) {
	c.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

// minutes is a time for people.
func minutes(d time.Duration) string {
	if n := int(math.Ceil(d.Minutes())); n > 1 {
		return strconv.Itoa(n) + " minutes"
	}
	return "a minute"
}
