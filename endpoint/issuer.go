package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
)

// ParseIssuer checks an issuer identifier (RFC 8414 2): an https URL without
// query and fragment. Plain http is for development and only on a loopback
// address or localhost.
func ParseIssuer(issuer string) (*url.URL, error) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("endpoint: issuer: %w", err)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("endpoint: issuer %q has to be an absolute URL without user, query and fragment", issuer)
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && Loopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, errors.New("endpoint: an issuer with plain http has to be on a loopback address")
	default:
		return nil, fmt.Errorf("endpoint: issuer %q is not an https URL", issuer)
	}
}

// Loopback says whether a host name is this machine itself.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
