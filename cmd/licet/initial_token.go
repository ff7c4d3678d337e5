package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/uma"
)

type initialTokenCommand struct {
	Config     string        `help:"The configuration file (TOML) of the server." type:"path" placeholder:"FILE"`
	Uses       int64         `help:"How many clients may be registered with it." default:"1"`
	Life       time.Duration `help:"How long it is good for." default:"24h"`
	Scope      []string      `help:"What these clients may register for beside registration.scopes, such as uma_protection for a resource server." placeholder:"SCOPE"`
	PushClaims bool          `help:"These clients may push claim tokens."`
	Space      string        `help:"These clients act for the organisation of this space with client_credentials." placeholder:"ID"`
}

// Run prints an initial access token. It writes nothing down, so a server that is
// running need not be stopped.
func (cmd initialTokenCommand) Run(s surroundings) error {
	c, err := readConfig(cmd.Config, s.env)
	if err != nil {
		return err
	}
	if c.as.Registration.Mode == as.RegistrationOff {
		return errors.New("registration.mode is off: the server would take no token")
	}
	if cmd.Life <= 0 {
		return errors.New("--life has to be longer than nothing")
	}
	a := as.InitialAccess{Uses: cmd.Uses, ExpiresAt: time.Now().Add(cmd.Life).UTC(), PushClaims: cmd.PushClaims, Space: as.SpaceID(cmd.Space)}
	for _, scope := range cmd.Scope {
		a.Scopes = append(a.Scopes, uma.Scope(scope))
	}
	token, err := node.InitialAccessToken(c.place, a)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, token)
	return err
}
