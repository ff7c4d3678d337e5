// Package policy judges: given an owner's shares on one resource, and what is
// known about a requesting party, is one scope permitted, are claims missing,
// does the owner want to be asked, or is it no?
//
// A judgement depends on what it is given and on nothing else. It reads no
// store, asks no network and has no clock, and it gives its reasons.
//
//	shares ──► the conditions of each, and what is missing of them (conditions.go)
//	       ──► those with nothing missing, compiled to Cedar    (compile.go)
//	operator's forbids ──► one Cedar authorization              (judge.go)
//	       ──► Verdict: Permit | Need | AskOwner | Deny
//
// A share permits only where two locks open: its conditions hold, and cedar-go
// allows the policy that was compiled from it. Operator-wide forbids always
// win, and one that cannot be evaluated forbids. No conditions means no.
//
// What the server itself knows is context.server in Cedar, what claims say is
// context.claims and context.facts. No claim, whatever its name, reaches the
// former.
package policy
