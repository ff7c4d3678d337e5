// Package resourceserver checks a UMA 2.0 resource server from outside. The
// suite plays its authorization server: a double that keeps registrations, hands
// out permission tickets, answers introspection as each check wants it, and
// writes every message down. It plays the client, too.
//
//	fixture ─► Run ─► for each check:
//	                    client ──request──► API under test ──► double
//	                       ▲                     │               │
//	                       └────── answer ───────┘          what was asked
//	                    the check compares both ─► PASS, WARN, FAIL, SKIP
//
// Where a resource is registered and with which scopes is learned from what the
// API asks for: nothing has to be known of how it maps requests.
//
// The package has its own bytes: it shares no parser with any server or SDK of
// this module, so that a misreading cannot agree with itself.
package resourceserver
