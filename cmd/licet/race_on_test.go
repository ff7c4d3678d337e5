//go:build race

package main

// underRace says that the race detector is watching, which takes memory of its
// own.
const underRace = true
