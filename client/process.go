package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/uma"
)

// Process is an authorization process as the client sees it: the newest ticket
// and what it is for. It may be stored and continued later; its ticket is good
// once.
type Process struct {
	Issuer   string
	Ticket   uma.Ticket
	Verifier Secret // goes with the ticket; empty for one that is not bound
	At       Place
	Use      string // as in Token
}

// How often an authorization server may ask for more in one process, and how
// long to wait between two questions when it does not say.
const (
	maxRounds    = 8
	firstPause   = 5 * time.Second
	longestPause = time.Minute
)

// obtain leads a process to an RPT in the store. Requests for the same thing at
// the same time share one that succeeds; where it does not, each has its own
// ticket to say what to do with.
func (t *Transport) obtain(ctx context.Context, p Process, refused uma.RPT, restarted bool) error {
	scopes := t.c.Scopes
	if restarted {
		scopes = nil // they may be what ended the first process
	}
	key := fmt.Sprintf("%q %q %q", p.At.Origin, p.At.User, p.Use)
	ran, err := t.gate.alone(ctx, key, func() error {
		if t.arrived(ctx, p, refused) {
			return nil
		}
		return t.advance(ctx, p, scopes)
	})
	if ran || err != nil || t.arrived(ctx, p, refused) {
		return err
	}
	return t.advance(ctx, p, scopes)
}

// arrived says whether, since the challenge, somebody else got an RPT for the
// very same use.
func (t *Transport) arrived(ctx context.Context, p Process, refused uma.RPT) bool {
	tokens, err := t.c.Tokens.Tokens(ctx, p.At)
	if err != nil {
		return false
	}
	i := best(tokens, p.Use)
	return i >= 0 && tokens[i].RPT != refused && tokens[i].soughtFor(p.Use) && !tokens[i].expired(t.c.Now())
}

// Continue takes up a process that had to be left because its resource owner
// was not there, for the same user. When it returns nil, the request that
// began the process goes through.
func (t *Transport) Continue(ctx context.Context, p Process) error {
	if p.At.User != userOf(ctx) {
		return ErrUser
	}
	return t.advance(ctx, p, t.c.Scopes)
}

// advance presents tickets until there is an RPT or nothing more to do.
func (t *Transport) advance(ctx context.Context, p Process, scopes []uma.Scope) error {
	d := dance{Transport: t, Process: p, scopes: scopes, tickets: map[uma.Ticket]bool{}, pushed: map[claimToken]bool{}, pause: firstPause}
	var claim claimToken
	for {
		refusal, err := d.redeem(ctx, claim)
		if err != nil || refusal == nil {
			return err
		}
		claim = claimToken{}
		switch refusal.Error {
		case uma.NeedInfoCode:
			if err := d.renew(refusal); err != nil {
				return err
			}
			claim, err = d.inform(ctx, refusal)
		case uma.RequestSubmittedCode:
			if err := d.renew(refusal); err != nil {
				return err
			}
			err = d.await(ctx, refusal)
		case uma.RequestDenied:
			err = &DeniedError{Issuer: d.Issuer, Description: refusal.ErrorDescription}
		default:
			err = refusal.asError()
		}
		if err != nil {
			return err
		}
	}
}

// dance is one process on its way.
type dance struct {
	*Transport
	Process
	scopes  []uma.Scope
	tickets map[uma.Ticket]bool // that were presented
	pushed  map[claimToken]bool
	rounds  int
	waited  time.Duration
	pause   time.Duration // the next one, when the server names none
}

// renew takes the new ticket. One that was presented before is a fault or an
// attack on the process (Grant 5.5).
func (d *dance) renew(refusal *refusal) error {
	if refusal.Ticket == "" {
		return fmt.Errorf("client: %s answered %s without a ticket", d.Issuer, refusal.Error)
	}
	return d.take(refusal.Ticket)
}

func (d *dance) take(next uma.Ticket) error {
	if d.tickets[next] || next == d.Ticket {
		return ErrTicketRepeated
	}
	d.Ticket, d.Verifier = next, ""
	return nil
}

// inform answers need_info: with a claim token that was not pushed yet, else by
// sending the requesting party there, else with an error that tells the program.
func (d *dance) inform(ctx context.Context, refusal *refusal) (claimToken, error) {
	need := &NeedInfoError{Process: d.Process, RequiredClaims: refusal.RequiredClaims, RedirectUser: refusal.RedirectUser}
	if d.rounds++; d.rounds > maxRounds {
		return claimToken{}, need
	}
	claim, err := d.claim(ctx, need)
	if err != nil || claim != (claimToken{}) {
		return claim, err
	}
	if d.c.Redirect == nil {
		return claimToken{}, need
	}
	back, err := d.gather(ctx, need)
	if err == nil {
		err = d.take(back.Ticket)
	}
	d.Verifier = back.Verifier
	return claimToken{}, err
}

func (d *dance) claim(ctx context.Context, need *NeedInfoError) (claimToken, error) {
	if d.c.Claims == nil {
		return claimToken{}, nil
	}
	token, format, err := d.c.Claims(ctx, Need{Issuer: d.Issuer, Origin: d.At.Origin, RequiredClaims: need.RequiredClaims})
	if err != nil {
		return claimToken{}, err
	}
	if (token == "") != (format == "") {
		return claimToken{}, errors.New("client: Claims has to return a claim token together with its format")
	}
	claim := claimToken{token, format}
	if d.pushed[claim] {
		return claimToken{}, nil // it did not help the first time
	}
	return claim, nil
}

// await waits before the next question, at least as long as the server asks for
// (Grant 3.3.6), or gives the process back to the program.
func (d *dance) await(ctx context.Context, refusal *refusal) error {
	pause := seconds(refusal.Interval)
	if pause == 0 {
		pause = d.pause
		d.pause = min(2*d.pause, longestPause)
	}
	if d.waited+pause > d.c.MaxWait {
		return &PendingError{Process: d.Process, Interval: pause}
	}
	d.waited += pause
	return d.c.Wait(ctx, pause)
}

// seconds turns a stranger's number of seconds into a duration without
// overflow.
func seconds(n int64) time.Duration { return time.Duration(max(0, min(n, 1<<31))) * time.Second }
