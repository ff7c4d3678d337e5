// Package authorizationserver checks an authorization server of UMA 2.0 from
// outside: whose it is does not matter. It plays its resource servers, clients,
// owners and requesting parties, with bytes of its own.
//
// A check is a function, where it takes several steps, or a vector: a file below
// vectors/ with one request that breaks one rule, or keeps it, and what has to
// come back. Every check is named after the requirement it is about.
package authorizationserver
