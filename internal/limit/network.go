package limit

import (
	"net"
	"net/netip"
)

// Network is where a connection comes from, as far as one party has it: an
// address, or of IPv6 the /64, all of which one machine may use. What is no
// address, with or without a port, stays as it is.
func Network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
