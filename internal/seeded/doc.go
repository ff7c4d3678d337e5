// Package seeded is a set of switches for mistakes made on purpose. A check is
// worth something only if it notices what it is there for, so the server can be
// built broken:
//
//	go build -tags seeded ./cmd/licet
//	LICET_SEED=ticket-not-spent ./licet dev
//
// The environment variable names one mistake; without it the build behaves as
// any other, and an unknown name ends the process. Each mistake is one that
// others made, and sits where it would sit if somebody made it here.
//
// The switches of an ordinary build are constants, all false, so that the
// compiler leaves nothing of them: there is no way to turn one on, and a test
// looks for it. A build with the tag is never a product.
package seeded
