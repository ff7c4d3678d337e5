package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// refused are addresses of every kind that is not the public Internet's.
var refused = []string{
	"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::127.0.0.1", // loopback
	"0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", // unspecified: this machine, to many systems
	"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "::ffff:10.0.0.1", // RFC 1918
	"169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fe80::a9fe:a9fe", // link-local, metadata
	"fd00:ec2::254", "fd20:ce::254", "fc00::1", "fdff::1", // ULA, metadata
	"fec0::1",                                                                          // site-local
	"100.64.0.1", "100.127.255.255", "100.100.100.200", "192.0.0.192", "168.63.129.16", // carriers, metadata
	"224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1", "ff0e::1", "240.0.0.1", // multicast, reserved
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", // documentation
	"198.18.0.1", "198.19.255.255", "192.88.99.1", "100::1", "5f00::1", "4000::1",
	"2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", // 6to4 of the above
	"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.1", // NAT64 of the above
	"2001::1", "2001:0:7f00:1::", "2001:10::1", // Teredo and other assignments
	"fe80::1%1", "2606:4700::1111%1",
}

var public = []string{
	"93.184.216.34", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1",
	"168.63.129.17", "198.17.255.255", "198.20.0.1", "223.255.255.255",
	"2606:4700::1111", "2001:4860:4860::8888", "2a00::1", "2003::1",
	"::ffff:93.184.216.34", "64:ff9b::93.184.216.34",
}

// Proves SEC-110.
func TestOnlyPublicAddressesOnThePortOfHTTPSAreReached(t *testing.T) {
	var none Options
	for _, s := range refused {
		if err := none.checkHTTPS(netip.AddrPortFrom(netip.MustParseAddr(s), 443)); err == nil {
			t.Errorf("%s is reached", s)
		}
	}
	for _, s := range public {
		ip := netip.MustParseAddr(s)
		if err := none.checkHTTPS(netip.AddrPortFrom(ip, 443)); err != nil {
			t.Errorf("%s is refused: %v", s, err)
		}
		for _, port := range []uint16{0, 22, 25, 80, 444, 6379, 8443} {
			if err := none.checkHTTPS(netip.AddrPortFrom(ip, port)); err == nil {
				t.Errorf("%s is reached on port %d", s, port)
			}
		}
	}
}

func TestOperatorMayOpenNetworksOneByOne(t *testing.T) {
	open := Options{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}}
	for s, want := range map[string]bool{
		"10.1.2.3:8443": true, "[::ffff:10.1.2.3]:443": true, "[fd00:1::5]:443": true,
		"10.2.0.1:443": false, "[fd00:2::5]:443": false, "127.0.0.1:443": false, "169.254.169.254:443": false,
		"93.184.216.34:443": true, "93.184.216.34:8443": false, "[fd00:1::5%1]:443": false,
	} {
		if err := open.checkHTTPS(netip.MustParseAddrPort(s)); (err == nil) != want {
			t.Errorf("%s: %v", s, err)
		}
	}
	loopback := Options{AllowLoopback: true}
	for s, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true,
		"10.0.0.1:443": false, "169.254.169.254:80": false, "0.0.0.0:8080": false, "93.184.216.34:8443": false,
	} {
		if err := loopback.checkHTTPS(netip.MustParseAddrPort(s)); (err == nil) != want {
			t.Errorf("with loopback, %s: %v", s, err)
		}
	}
	for s, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:80": true, "93.184.216.34:80": false, "10.1.2.3:80": false, "0.0.0.0:80": false,
	} {
		if err := checkHTTP(netip.MustParseAddrPort(s)); (err == nil) != want {
			t.Errorf("over plain http, %s: %v", s, err)
		}
	}
}

// Proves SEC-110.
func TestNothingOnThisMachineIsReached(t *testing.T) {
	four, six := listen(t, "127.0.0.1:0"), listen(t, "[::1]:0")
	client := New(Options{})
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"} {
		for _, scheme := range []string{"https", "http", "HTTP", "ftp", "gopher", "file", "unix", ""} {
			if _, err := Fetch(context.Background(), client, scheme+"://"+host+":"+four.port+"/"); err == nil {
				t.Errorf("%s://%s is fetched", scheme, host)
			}
		}
	}
	for _, host := range []string{"[::1]", "[::]", "localhost", "[0:0:0:0:0:0:0:1]"} {
		if _, err := Fetch(context.Background(), client, "https://"+host+":"+six.port+"/"); err == nil {
			t.Errorf("%s is fetched", host)
		}
	}
	if _, err := Fetch(context.Background(), client, "file:///etc/hostname"); err == nil {
		t.Error("a file is fetched")
	}
	if n := four.seen.Load() + six.seen.Load(); n != 0 {
		t.Errorf("the canaries saw %d connections", n)
	}
}

// Proves SEC-110.
func TestNameThatLeadsHereIsNotReached(t *testing.T) {
	four, six := listen(t, "127.0.0.1:0"), listen(t, "[::1]:0")
	for address, port := range map[string]string{
		"127.0.0.1": four.port, "0.0.0.0": four.port, "::ffff:127.0.0.1": four.port, "::1": six.port, "::": six.port,
	} {
		client := newClient(Options{}, &net.Dialer{Resolver: names(t, address)})
		// The last ones are how addresses are hidden from those who judge the
		// text: decimal, octal, hexadecimal, short, and in another alphabet.
		for _, name := range []string{"keys.example", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "①②⑦.⓪.⓪.①"} {
			_, err := Fetch(context.Background(), client, "https://"+name+":"+port+"/")
			if err == nil || !strings.Contains(err.Error(), "is not a public address") && !strings.Contains(err.Error(), "no such host") {
				t.Errorf("%s, which is %s: %v", name, address, err)
			}
		}
	}
	if n := four.seen.Load() + six.seen.Load(); n != 0 {
		t.Errorf("the canaries saw %d connections", n)
	}
}

// Proves SEC-110.
func TestNameThatChangesItsAddressIsJudgedAtEveryConnection(t *testing.T) {
	// 0.0.0.0 is this machine too, so both addresses lead to the one canary, and
	// only the first may.
	c := listen(t, "127.0.0.1:0")
	open := Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	client := newClient(open, &net.Dialer{Resolver: names(t, "127.0.0.1", "0.0.0.0")})
	for range 5 {
		if _, err := Fetch(context.Background(), client, "https://rebind.example:"+c.port+"/"); err == nil {
			t.Error("fetched")
		}
	}
	if n := c.seen.Load(); n != 1 {
		t.Errorf("the canary saw %d connections, want the first one", n)
	}
}

func TestPlainHTTPIsForThisMachineOnly(t *testing.T) {
	open := Options{AllowLoopback: true, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	client := newClient(open, &net.Dialer{Resolver: names(t, "192.0.2.1")})
	_, err := Fetch(context.Background(), client, "http://keys.example/")
	if err == nil || !strings.Contains(err.Error(), errScheme.Error()) {
		t.Errorf("plain http to an operator's network: %v", err)
	}
}

func TestURLWithAPasswordIsNotFetched(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	if _, err := Fetch(context.Background(), New(Options{AllowLoopback: true}), "http://user:pw@127.0.0.1:"+c.port+"/"); err == nil {
		t.Error("fetched")
	}
	if c.seen.Load() != 0 {
		t.Error("the canary saw a connection")
	}
}

// Proves SEC-110.
func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := listen(t, "127.0.0.1:0")
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:"+proxy.port)
	}
	client := newClient(Options{AllowLoopback: true}, &net.Dialer{Resolver: names(t, "192.0.2.1")})
	for _, scheme := range []string{"https", "http"} {
		if _, err := Fetch(context.Background(), client, scheme+"://keys.example/"); err == nil {
			t.Errorf("%s: fetched", scheme)
		}
	}
	if n := proxy.seen.Load(); n != 0 {
		t.Errorf("the proxy saw %d connections", n)
	}
	tr := client.Transport.(*transport)
	for _, rt := range []http.RoundTripper{tr.https, tr.http} {
		if rt.(*http.Transport).Proxy != nil {
			t.Error("a transport has a proxy")
		}
	}
}
