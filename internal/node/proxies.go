package node

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// FromProxies lets next see, as the remote address of a request, who spoke to the
// outermost of the trusted proxies: the right-most address of X-Forwarded-For that
// is no proxy's. What is to the left of it was written by the caller, and can be
// anything. Whoever is no trusted proxy is the caller, whatever the header says.
func FromProxies(next http.Handler, trusted []netip.Prefix) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	isProxy := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			if caller := outermost(at.Addr().Unmap(), r.Header.Values("X-Forwarded-For"), isProxy); caller != at.Addr().Unmap() {
				r = r.Clone(r.Context())
				r.RemoteAddr = net.JoinHostPort(caller.String(), "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// outermost follows the header from the nearest hop outwards, as long as those
// who wrote it are trusted. What cannot be read ends the way at who wrote it.
func outermost(caller netip.Addr, header []string, isProxy func(netip.Addr) bool) netip.Addr {
	for h := len(header) - 1; h >= 0; h-- {
		rest, hop := header[h], ""
		for more := true; more; {
			if !isProxy(caller) {
				return caller
			}
			i := strings.LastIndexByte(rest, ',')
			hop, more = rest[i+1:], i >= 0
			rest = rest[:max(i, 0)]
			a, ok := parseHop(strings.TrimSpace(hop))
			if !ok {
				return caller
			}
			caller = a
		}
	}
	return caller
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		a = at.Addr()
	}
	return a.Unmap().WithZone(""), true
}
