package node

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// Proves SEC-125. Whose address counts is decided by who wrote it down, not by
// what it says.
func TestTheCallersAddressIsTheRightMostThatNoTrustedProxyHas(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		connection string
		header     []string
		want       string
	}{
		"no header":                        {"10.0.0.1:99", nil, "10.0.0.1"},
		"a stranger who writes a header":   {"203.0.113.7:99", []string{"198.51.100.1"}, "203.0.113.7"},
		"a stranger who names a proxy":     {"203.0.113.7:99", []string{"10.0.0.9"}, "203.0.113.7"},
		"one proxy":                        {"10.0.0.1:99", []string{"198.51.100.1"}, "198.51.100.1"},
		"one proxy and a caller who lies":  {"10.0.0.1:99", []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		"a lie in a header of its own":     {"10.0.0.1:99", []string{"192.0.2.66", "198.51.100.1"}, "198.51.100.1"},
		"a lie that names a proxy":         {"10.0.0.1:99", []string{"192.0.2.66, 10.0.0.5, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                      {"10.0.0.1:99", []string{"192.0.2.66, 198.51.100.1,10.2.3.4"}, "198.51.100.1"},
		"two proxies in two headers":       {"10.0.0.1:99", []string{"192.0.2.66, 198.51.100.1", "10.2.3.4"}, "198.51.100.1"},
		"nothing but proxies":              {"10.0.0.1:99", []string{"10.9.9.9, 10.2.3.4"}, "10.9.9.9"},
		"what cannot be read":              {"10.0.0.1:99", []string{"192.0.2.66, unknown"}, "10.0.0.1"},
		"what cannot be read, further out": {"10.0.0.1:99", []string{"192.0.2.66, _hidden, 10.2.3.4"}, "10.2.3.4"},
		"an empty hop":                     {"10.0.0.1:99", []string{"192.0.2.66,"}, "10.0.0.1"},
		"an empty header":                  {"10.0.0.1:99", []string{""}, "10.0.0.1"},
		"with a port":                      {"10.0.0.1:99", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                             {"[fd00::1]:99", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":                 {"[fd00::1]:99", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"IPv4 written as IPv6":             {"[::ffff:10.0.0.1]:99", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"a long lie":                       {"10.0.0.1:99", []string{strings.Repeat("10.0.0.2,", 3000) + "198.51.100.1"}, "198.51.100.1"},
	} {
		var got string
		h := FromProxies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got, _, _ = net.SplitHostPort(r.RemoteAddr)
		}), trusted)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.connection
		for _, value := range c.header {
			r.Header.Add("X-Forwarded-For", value)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got = strings.TrimPrefix(got, "::ffff:"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWithoutTrustedProxiesTheConnectionCounts(t *testing.T) {
	var got string
	h := FromProxies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }), nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:99"
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got != "10.0.0.1:99" {
		t.Errorf("the address is %s", got)
	}
}
