package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// reads is a store that counts how often it is asked.
type reads struct {
	as.Store
	asked *atomic.Int64
}

func (s reads) View(ctx context.Context, f func(as.Reader) error) error {
	s.asked.Add(1)
	return s.Store.View(ctx, f)
}

func (s reads) Update(ctx context.Context, f func(as.Tx) error) error {
	s.asked.Add(1)
	return s.Store.Update(ctx, f)
}

// A client that is unknown, disabled, or comes with a secret that is wrong at its
// beginning or at its end, hears the same, and the store is asked as often. That
// the work between is the same is shown by the tests beside house_test.go.
//
// Proves SEC-097.
func TestAWrongSecretTellsNothingAboutTheRightOne(t *testing.T) {
	var asked atomic.Int64
	w := newWorld(t, func(c *as.Config) { c.Store = reads{c.Store, &asked} })
	off := w.C2.Client
	off.Disabled = true
	_, _, err := w.AS.RegisterClient(t.Context(), off)
	w.must(err)
	right := w.C1.Secret
	flipped := func(i int) string {
		other := "A"
		if right[i] == 'A' {
			other = "B"
		}
		return right[:i] + other + right[i+1:]
	}
	said := map[string][]string{}
	for name, pair := range map[string][2]string{
		"wrong in the first byte": {"c1", flipped(0)}, "wrong in the middle": {"c1", flipped(len(right) / 2)}, "wrong in the last byte": {"c1", flipped(len(right) - 1)},
		"cut short": {"c1", right[:len(right)-1]}, "with more behind it": {"c1", right + "A"}, "wrong in all": {"c1", strings.Repeat("x", len(right))},
		"of an unknown client": {"nobody", right}, "of another client": {"rs1", right}, "of a disabled client": {"c2", w.C2.Secret}, "of a public client": {"public", right},
	} {
		for place, send := range map[string]func() answer{
			"in the header": func() answer {
				return w.do(http.MethodPost, pathToken, http.Header{"Content-Type": {formType}, "Authorization": {basic(pair[0], pair[1])}}, url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}}.Encode())
			},
			"in the form": func() answer {
				return w.ask(pathToken, "", url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}, "client_id": {pair[0]}, "client_secret": {pair[1]}})
			},
		} {
			before := asked.Load()
			a := send()
			heard := fmt.Sprintln(asked.Load()-before, trace(a, holding{resource: "-", policy: "-", request: "-", connection: "-", rpt: "-", group: "-", member: "-", block: "-"}))
			said[heard] = append(said[heard], name+" "+place)
		}
	}
	if len(said) != 1 {
		t.Errorf("what is wrong can be told apart:\n%v", said)
	}
	for heard := range said {
		if !strings.Contains(heard, "401") {
			t.Errorf("all of them hear %s", heard)
		}
	}
	wantError(t, w.postTicket(w.C1, "x"), http.StatusBadRequest, uma.InvalidGrant) // the right one is
}
