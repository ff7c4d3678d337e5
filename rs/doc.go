// Package rs is for resource servers: a middleware for net/http that asks for
// permission tickets, checks RPTs and keeps resources registered at an
// authorization server.
//
//	server, err := rs.New(rs.Config{Issuer: issuer, PAT: rs.StaticPAT{"alice": pat}, Route: route})
//	err = server.Sync(ctx, "alice", []rs.Resource{{Key: "album", Scopes: []uma.Scope{"view"}}})
//	http.ListenAndServe(":9000", server.Guard(api))
//
// where route is the API author's own:
//
//	func route(r *http.Request) (rs.Access, error) {
//		return rs.Access{Owner: "alice", Needs: []rs.Need{{Resource: "album", Scopes: []uma.Scope{"view"}}}}, nil
//	}
//
// # A request through the room
//
//	request ─► plain path? ─► Route ─► unprotected ─────────────────────────► handler
//	              │ no: 400     │ error: 403
//	                            ▼
//	                  keys ─► ids, by the Registry
//	                            ▼
//	                  RPT in the Authorization header?
//	                     │ yes: introspection with the owner's PAT (or the cache)
//	                     │      all needs permitted now? ───────────────────► handler, FromContext
//	                     ▼ no
//	                  permission request ─► 401, UMA challenge, new ticket
//
// Wherever something cannot be found out — the authorization server is away or
// talks nonsense, the PAT is refused even after it was renewed, the resource is
// not registered — the answer is 403 with the Warning header of Grant 3.2.2, and
// Config.Alarm hears why. The handler is never the answer to a doubt.
//
// # Owners
//
// One resource server has many owners, and a PAT for each (FedAuthz 1.3). Route
// says whose the resource is; everything that is asked is asked with that
// owner's PAT. Several authorization servers are several Servers.
//
// # Withdrawing
//
// What an owner withdraws is gone with the next introspection: at once with
// CacheTTL zero, and at most CacheTTL later otherwise. A remembered answer is
// compared with every request anew, never outlives the token or a permission in
// it, and is never the reason to say no.
//
// # Paths
//
// Guard answers 400 to a path that two programs could read differently: an
// empty segment, a segment that ends in a dot, an encoded slash, a backslash, a
// semicolon, a control character, a double encoding; in plain letters or
// encoded. Route and the handler see the same spelling. Look at r.URL.Path, at
// r.Method, and at nothing that overrides them.
//
// # What it refuses to know
//
// Who the requesting party is, which client asks and why: only what is
// permitted. What is in a token: it asks. How an owner's PAT first comes to the
// resource server: that is OAuth, with the scope uma_protection; RefreshPAT
// keeps it alive from there, with a secret or with an [assertion.Key]. The handler may be stricter than any RPT, and
// FromContext tells it what was permitted.
package rs
