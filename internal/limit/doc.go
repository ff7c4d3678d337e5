// Package limit keeps, for each party of one kind, a budget of what it may get
// wrong, and says when the budget is used up and for how long.
//
// A party that gets nothing wrong has no budget here and costs a look into a map.
// What is kept is bounded: when there is no room, the budget goes that would be
// whole again first. An attacker with many addresses therefore loses what each of
// them did least harm with, and never gets an empty budget back.
//
// The package does not know what was wrong, and what is answered.
package limit
