package uma

import "log/slog"

// A message prints its secrets as fingerprints, to fmt and to slog: some are
// plain strings, as they go to encoding/json and to other packages, and a log
// handler that writes JSON would write even a [Ticket] inside a struct in full.
// Only the wire sees them, through encoding/json.

// LogValue implements [slog.LogValuer] without the secrets.
func (r TokenRequest) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("ticket", r.Ticket.String()),
		slog.String("claim_token", Fingerprint(r.ClaimToken)),
		slog.String("claim_token_format", r.ClaimTokenFormat),
		slog.String("pct", r.PCT.String()),
		slog.String("rpt", r.RPT.String()),
		slog.String("scope", JoinScopes(r.Scopes)),
	)
}

// LogValue implements [slog.LogValuer] without the secrets.
func (r TokenResponse) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("access_token", Fingerprint(r.AccessToken)),
		slog.String("token_type", r.TokenType),
		slog.Int64("expires_in", r.ExpiresIn),
		slog.String("refresh_token", Fingerprint(r.RefreshToken)),
		slog.String("scope", r.Scope),
		slog.String("id_token", Fingerprint(r.IDToken)),
		slog.String("pct", r.PCT.String()),
		slog.Bool("upgraded", r.Upgraded),
	)
}

// LogValue implements [slog.LogValuer] without the ticket. A redirect_user may
// be made for one person, so it is left out, too.
func (r ErrorResponse) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("error", string(r.Error)),
		slog.String("error_description", r.ErrorDescription),
		slog.String("ticket", r.Ticket.String()),
		slog.Int64("interval", r.Interval),
	)
}

// LogValue implements [slog.LogValuer] without the ticket.
func (r TicketResponse) LogValue() slog.Value {
	return slog.GroupValue(slog.String("ticket", r.Ticket.String()))
}

// LogValue implements [slog.LogValuer] without the ticket.
func (c Challenge) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("realm", c.Realm), slog.String("as_uri", c.ASURI), slog.String("ticket", c.Ticket.String()),
	)
}

func (r TokenRequest) String() string    { return r.LogValue().String() }
func (r TokenResponse) String() string   { return r.LogValue().String() }
func (r TokenRequest) GoString() string  { return r.String() }
func (r TokenResponse) GoString() string { return r.String() }
