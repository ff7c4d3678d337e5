package egress

import (
	"fmt"
	"net/netip"
	"slices"
)

// The addresses that look like public ones and are not (the registries of RFC
// 6890), beside those that netip knows itself.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"100.64.0.0/10",    // shared by the customers of a carrier; also cloud metadata
	"168.63.129.16/32", // the host of an Azure machine
	"192.0.0.0/24",     // protocol assignments; also cloud metadata
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // relays of 6to4
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"240.0.0.0/4",      // reserved, and broadcast
	"2001::/23",        // protocol assignments: Teredo, which embeds addresses, and others
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4, which embeds addresses
	"3fff::/20",        // documentation
)

var (
	globalIPv6 = netip.MustParsePrefix("2000::/3") // all that is assigned as global unicast
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// checkHTTPS says why an address must not be connected to over https.
func (o Options) checkHTTPS(to netip.AddrPort) error {
	ip := embedded(to.Addr())
	switch {
	case slices.ContainsFunc(o.Allow, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return nil
	case o.AllowLoopback && ip.IsLoopback():
		return nil
	case !isPublic(ip):
		return fmt.Errorf("egress: %s is not a public address", ip)
	case to.Port() != httpsPort:
		return fmt.Errorf("egress: port %d is not the port of https", to.Port())
	}
	return nil
}

// checkHTTP does the same for plain http, which has business on this machine
// only.
func checkHTTP(to netip.AddrPort) error {
	if !to.Addr().Unmap().IsLoopback() {
		return errScheme
	}
	return nil
}

// embedded returns the IPv4 address that an IPv6 address stands for, where a
// host or its network would translate the one into the other.
func embedded(ip netip.Addr) netip.Addr {
	ip = ip.Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !globalIPv6.Contains(ip) {
		return false
	}
	for _, p := range special {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}
