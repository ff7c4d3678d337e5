package as

import "github.com/licet/licet/uma"

// Result is how the authorization server answers a token request of the UMA
// grant that passed the protocol checks (Grant 3.3.5, 3.3.6). Each is a value,
// also the refusals: they were written down like any success.
type Result interface{ result() }

// Granted carries the RPT.
type Granted struct{ uma.TokenResponse }

// NeedInfo asks for claims, with the next ticket of the process.
type NeedInfo struct {
	Ticket         uma.Ticket
	RequiredClaims []uma.RequiredClaim
	RedirectUser   string
}

// Submitted says that the owner was asked, with the next ticket and the seconds
// to wait before presenting it.
type Submitted struct {
	Ticket   uma.Ticket
	Interval int64
}

// Denied is final.
type Denied struct{}

func (Granted) result()   {}
func (NeedInfo) result()  {}
func (Submitted) result() {}
func (Denied) result()    {}
