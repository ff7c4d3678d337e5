package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/uma"
)

var (
	// ErrUntrusted says that a resource server named an authorization server
	// that Config.Trust does not accept. Nothing was sent there.
	ErrUntrusted = errors.New("client: the authorization server is not trusted")
	// ErrSendAgain says that permission was granted, but the request could not
	// be sent a second time because its body has no GetBody. Send it again.
	ErrSendAgain = errors.New("client: permission was granted; send the request again, its body cannot be replayed")
	// ErrState says that a callback has no state, or one that does not belong
	// to this session and user, or one that was used before (Grant 5.1).
	ErrState = errors.New("client: the state of the callback is not one of this session")
	// ErrIssuer says that a callback comes from another authorization server
	// than the one the requesting party was sent to (RFC 9207).
	ErrIssuer = errors.New("client: the answer is another issuer's")
	// ErrTicketRepeated says that an authorization server returned the ticket
	// that was presented to it (Grant 5.5).
	ErrTicketRepeated = errors.New("client: the authorization server repeated a permission ticket")
	// ErrUser says that a process of one user was to be continued for another
	// (Grant 3.3.1).
	ErrUser = errors.New("client: the authorization process is another user's")
)

// NeedInfoError says that the authorization server needs to know more about the
// requesting party than Config.Claims could tell (Grant 3.3.6). Where a person
// is at hand, [Transport.Begin] leads on; a machine can do nothing.
type NeedInfoError struct {
	Process
	RequiredClaims []uma.RequiredClaim
	RedirectUser   string // claims interaction endpoint for this process; may be empty
}

func (e *NeedInfoError) Error() string {
	return fmt.Sprintf("client: %s needs more information about the requesting party", e.Issuer)
}

// PendingError says that the resource owner has been asked and has not answered
// while Config.MaxWait lasted. The Process may be kept and given to
// [Transport.Continue] later.
type PendingError struct {
	Process
	Interval time.Duration // the least time until the next question
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("client: %s waits for the resource owner's answer", e.Issuer)
}

// DeniedError is the final no (Grant 3.3.6).
type DeniedError struct {
	Issuer      string
	Description string // for people; may be empty
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("client: %s denied the request%s", e.Issuer, sentence(e.Description))
}

// ASError is any other refusal of an authorization server (RFC 6749 5.2), or of
// its claims interaction endpoint (Grant 3.3.3).
type ASError struct {
	Issuer      string
	Status      int // of the HTTP answer; 0 for a callback
	Code        uma.Code
	Description string
}

func (e *ASError) Error() string {
	return fmt.Sprintf("client: %s answered %s%s", e.Issuer, e.Code, sentence(e.Description))
}

func sentence(description string) string {
	if description == "" {
		return ""
	}
	return fmt.Sprintf(": %q", description) // quoted: it is a stranger's text
}
