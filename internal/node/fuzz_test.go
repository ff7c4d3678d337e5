package node

import (
	"net/netip"
	"strings"
	"testing"
)

// Whatever the header says: the caller is who came, or somebody whom a trusted
// proxy wrote down, and what strangers write counts for nothing.
func FuzzForwardedFor(f *testing.F) {
	for _, header := range []string{"", "198.51.100.1", "192.0.2.66, 198.51.100.1", "unknown", ",", "[2001:db8::7]:4711", "10.0.0.2,10.0.0.3", "fe80::1%eth0", "::ffff:198.51.100.1\n10.0.0.1"} {
		f.Add(header)
	}
	proxies := netip.MustParsePrefix("10.0.0.0/8")
	isProxy := proxies.Contains
	stranger, proxy := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, text string) {
		header := strings.Split(text, "\n")
		if got := outermost(stranger, header, isProxy); got != stranger {
			t.Errorf("%q of a stranger makes it %v", header, got)
		}
		got := outermost(proxy, header, isProxy)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q leads to %v", header, got)
		}
		// What is written further out than the first stranger changes nothing.
		if farther := outermost(proxy, append([]string{"192.0.2.66, 192.0.2.67"}, header...), isProxy); !isProxy(got) && farther != got {
			t.Errorf("%q leads to %v, and with a lie before it to %v", header, got, farther)
		}
	})
}
