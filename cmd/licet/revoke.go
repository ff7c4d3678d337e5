package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/oauth"
)

type revokeCommand struct {
	Config     string `help:"The configuration file (TOML) of the server." type:"path" placeholder:"FILE"`
	Client     string `help:"End every token, code and PCT of this client." xor:"what" required:"" placeholder:"ID"`
	Account    string `help:"Sign this person out everywhere and end every token that they have authorized." xor:"what" required:"" placeholder:"E-MAIL"`
	Everything bool   `help:"End every token, code and PCT of every client, and sign everybody out." xor:"what" required:""`
}

// Run takes back what was given until now. It changes no client, account or share:
// who is trusted still gets new tokens.
func (cmd revokeCommand) Run(s surroundings) error {
	c, err := readConfig(cmd.Config, s.env)
	if err != nil {
		return err
	}
	n, err := node.Open(s.ctx, c.place, c.as, node.Surface{}, slog.New(slog.NewJSONHandler(s.stderr, nil)))
	if err != nil {
		return err
	}
	what, err := cmd.revoke(s.ctx, n.AS)
	if err == nil {
		_, err = fmt.Fprintf(s.stdout, "revoked: %s\n", what)
	}
	return errors.Join(err, n.Close())
}

func (cmd revokeCommand) revoke(ctx context.Context, server *as.Server) (what string, err error) {
	switch {
	case cmd.Everything:
		return "everything", server.RevokeEverything(ctx)
	case cmd.Client != "":
		return "client " + cmd.Client, server.RevokeClient(ctx, oauth.ClientID(cmd.Client))
	default:
		account, err := server.AccountByEmail(ctx, cmd.Account)
		if errors.Is(err, as.ErrNotFound) {
			err = errors.New("there is no account with this e-mail address")
		}
		if err != nil {
			return "", err
		}
		return "account " + string(account.ID), server.RevokeAccount(ctx, account.ID)
	}
}
