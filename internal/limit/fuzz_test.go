package limit

import "testing"

// Whatever is read as a rate is one: off, or so many in some time.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"off", "0", "600/1m", "1/1h", "-1/1m", "1/0s", "1/-1s", "2147483648/1s", "1", "/", "1/1m/1m", "+1/1m", " 1/1m", "1e3/1s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		switch {
		case err != nil:
			if r != (Rate{}) {
				t.Errorf("%q is refused, and is %+v", text, r)
			}
		case r == Off:
			if text != "off" && text != "0" {
				t.Errorf("%q is no limit", text)
			}
		case r.Count <= 0 || r.Per <= 0:
			t.Errorf("%q is %+v", text, r)
		}
	})
}
