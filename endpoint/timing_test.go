package endpoint

import (
	"flag"
	"math"
	mrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

var samples = flag.Int("samples", 0, "how often each refusal of a client is timed, such as 20000; 0 leaves it out, as it takes a minute")

// welch is Welch's t of two sets of times, of which the slowest tenth is left out:
// what else the machine did.
func welch(a, b []float64) float64 {
	most := slices.Sorted(slices.Values(slices.Concat(a, b)))[(len(a)+len(b))*9/10]
	mean := func(x []float64) (mean, variance, n float64) {
		for _, v := range x {
			if v <= most {
				mean += v
				n++
			}
		}
		mean /= n
		for _, v := range x {
			if v <= most {
				variance += (v - mean) * (v - mean)
			}
		}
		return mean, variance / (n - 1), n
	}
	ma, va, na := mean(a)
	mb, vb, nb := mean(b)
	return (ma - mb) / math.Sqrt(va/na+vb/nb)
}

// How long a refusal takes tells neither where a secret is wrong nor whether the
// client is known.
//
// Proves SEC-097.
func TestTheTimeOfARefusalTellsNothing(t *testing.T) {
	if *samples == 0 {
		t.Skip("NOT MEASURED without -samples, see .ci/long; that the work is the same is proved in compare_test.go")
	}
	w := newWorld(t)
	right := w.C1.Secret
	wrong := func(i int) string {
		other := "A"
		if right[i] == 'A' {
			other = "B"
		}
		return right[:i] + other + right[i+1:]
	}
	callers := []string{basic("c1", wrong(0)), basic("c1", wrong(len(right)-1)), basic("c9", wrong(0))}
	took := make([][]float64, len(callers))
	body := url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}}.Encode()
	for range *samples {
		for _, k := range mrand.Perm(len(callers)) {
			header := http.Header{"Content-Type": {formType}, "Authorization": {callers[k]}}
			begun := time.Now()
			a := w.do(http.MethodPost, pathToken, header, body)
			took[k] = append(took[k], float64(time.Since(begun)))
			wantStatus(t, a, http.StatusUnauthorized)
		}
	}
	// The control: a difference of a twentieth would be seen.
	slower := slices.Clone(took[0])
	for i := range slower {
		slower[i] *= 1.05
	}
	if x := welch(slower, took[1]); x < 4.5 {
		t.Errorf("with %d samples nothing could be seen: t is %.1f", *samples, x)
	}
	for name, x := range map[string]float64{"wrong at the beginning and at the end": welch(took[0], took[1]), "of a known client and of an unknown one": welch(took[0], took[2])} {
		t.Logf("%s: t is %.1f", name, x)
		if math.Abs(x) >= 4.5 {
			t.Errorf("%s: the times can be told apart", name)
		}
	}
}
