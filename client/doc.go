// Package client is for programs that call protected APIs: an
// http.RoundTripper that meets the UMA challenge of a resource server, brings
// claims to the authorization server, keeps what it is given, and sends the
// request again.
//
//	transport, err := client.New(client.Config{ClientID: "photo-printer"})
//	api := &http.Client{Transport: transport}
//	res, err := api.Get("https://photos.example/alice/album")
//
// # A request through the room
//
//	request ──► resource server ──► answer ─────────────────────────────────► done
//	   ▲              │ 4xx with a UMA challenge: ticket, as_uri
//	   │              ▼
//	   │        is the authorization server trusted? its discovery document
//	   │              ▼
//	   │        token endpoint, with the newest ticket ◄──────────────┐
//	   │         200   │ need_info          │ request_submitted       │
//	   └─ with RPT ◄───┤                    └─ wait, up to MaxWait ───┤ new ticket
//	                   ├─ Config.Claims has a claim token ────────────┤
//	                   ├─ Config.Redirect brings the person there ────┘
//	                   └─ else *NeedInfoError: Begin, browser, Callback
//
// request_denied is a *DeniedError and final. A ticket that was spent or lost
// (invalid_grant, no answer) makes the transport begin once more at the
// resource server, without the additional scopes; other refusals are *ASError.
// When the owner does not answer in time there is a *PendingError, whose
// Process can be kept and given to Continue, today or next week.
//
// # People
//
// A server that works for several people says with [WithUser] who the request
// is for. RPTs and persisted claims tokens (PCTs) are kept for each user apart;
// without a user a PCT is neither kept nor sent. Where the authorization server
// wants to see the person, a web application does this:
//
//	var need *client.NeedInfoError
//	if errors.As(err, &need) {
//		address, err := transport.Begin(ctx, need, session) // send the browser there
//	}
//	// and at the ClaimsRedirectURI, in the same browser session:
//	err := transport.Callback(ctx, session, r.URL.Query())
//	// nil: do the request again, it goes through
//
// # What never leaves
//
// A client has a secret, or better an [assertion.Key], whose signatures are good
// once and at one authorization server, or neither.
//
// The client's secret, claims, PCTs and tickets go to the authorization server
// whose discovery document speaks for the issuer that was challenged for and
// that Config.Trust accepts; RPTs go to the origin that challenged, and to that
// authorization server for an upgrade. Redirects carry nothing on, and are not
// followed at all on the way to the authorization server. No URL for a browser
// has a token in it, and where the authorization server announces
// [uma.ProfileTicketBinding] the ticket that comes back in one is of use to this
// client alone. Everything goes over https, or over loopback.
//
// One thing Trust cannot stop: a resource server may pass on a ticket that it
// got from another one, and is then shown an RPT that is good there. Call only
// resource servers that you would trust with what they ask for. A challenge from
// another origin that a redirect led to is therefore not met.
//
// # What it refuses to know
//
// What is in a token: RPTs are opaque (Grant 1.3). How a client is registered.
// Which claims there are, and whether a person agrees to tell them: that is
// Config.Claims. What the resource server's scopes mean: its documentation says
// which the first ticket stands for.
package client
