package login

import (
	"testing"
	"time"
)

// Who has to prove anew who they are has to have done so since, as the provider says
// in auth_time. One that says nothing is no proof; a clock that is somewhat behind is
// borne with, and one that is ahead gains nothing.
//
// Proves SEC-073.
func TestAFreshProofIsOneThatTheProviderWasShownSince(t *testing.T) {
	since := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	now := since.Add(2 * time.Minute)
	for name, c := range map[string]struct {
		since, said, want time.Time
		refused           bool
	}{
		"since":                     {since, since.Add(time.Minute), since.Add(time.Minute), false},
		"by a clock that is behind": {since, since.Add(-clockApart), since, false},
		"before":                    {since, since.Add(-clockApart - time.Second), time.Time{}, true},
		"it does not say":           {since, time.Time{}, time.Time{}, true},
		"in our future":             {since, now.Add(time.Hour), now, false},
		"an old one may be enough":  {time.Time{}, since.Add(-time.Hour), since.Add(-time.Hour), false},
		"and so may none":           {time.Time{}, time.Time{}, time.Time{}, false},
	} {
		got, err := journey{Since: c.since}.provedAt(c.said, now)
		if (err != nil) != c.refused || !c.refused && !got.Equal(c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
