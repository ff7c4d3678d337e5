package login

import "net/http"

// SendCode sends a code to an e-mail address, for this browser. Whether there is an
// account can be told neither from the answer nor from the work. An *uma.Error says
// that this is no address, and as.TooManyAttempts that it was too often.
func (l *Login) SendCode(w http.ResponseWriter, r *http.Request, email string) error {
	return l.AS.SendCode(r.Context(), email, r.RemoteAddr, l.browser(w, r), l.Guests)
}

// EnterCode signs in with the code that was sent last for this browser. Why one is no
// good is not told; one attempt too many is as.TooManyAttempts.
func (l *Login) EnterCode(w http.ResponseWriter, r *http.Request, code string) (bool, error) {
	handle, known := l.known(r)
	if !known {
		return false, nil
	}
	_, in, _ := l.session(r)
	secret, _, err := l.AS.EnterByCode(r.Context(), handle, code, r.RemoteAddr, in.ID, l.entry(r, ""))
	return l.in(w, secret, err)
}

// EnterFirst makes the operator's own account with the secret that the server has
// printed, and signs in to it. A secret that is no good any more is false.
func (l *Login) EnterFirst(w http.ResponseWriter, r *http.Request, secret, email, name string) (bool, error) {
	session, err := l.AS.EnterFirst(r.Context(), secret, email, name, l.entry(r, ""))
	return l.in(w, session, err)
}
