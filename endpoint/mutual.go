package endpoint

import (
	"net/http"
	"net/url"
	"strings"
)

// The endpoints of programs are served a second time, where connections are asked
// for a client certificate (RFC 8705 5): a browser that came there would ask the
// person for one.

// aliased are the endpoints that have an alias, by the members of the metadata.
var aliased = map[string]string{
	"token_endpoint":                        pathToken,
	"revocation_endpoint":                   pathRevoke,
	"introspection_endpoint":                pathIntrospect,
	"pushed_authorization_request_endpoint": pathPushed,
	"userinfo_endpoint":                     pathUserInfo,
	"permission_endpoint":                   pathPermission,
	"resource_registration_endpoint":        pathResources,
	"policy_endpoint":                       pathPolicies,
	"registered_resources_endpoint":         pathOwnedResources,
	"permission_requests_endpoint":          pathRequests,
}

// aliases are the URLs of these endpoints (RFC 8705 5); nil where connections are
// not asked for certificates.
func (s *Server) aliases() map[string]string {
	if s.mutual == nil {
		return nil
	}
	out := map[string]string{}
	for member, path := range aliased {
		out[member] = s.mutual.Scheme + "://" + s.mutual.Host + s.base + path
	}
	return out
}

// Mutual serves the endpoints of programs, for connections that have been asked for
// a client certificate. It is nil without Config.Mutual.
func (s *Server) Mutual() http.Handler {
	if s.mutual == nil {
		return nil
	}
	var table []route
	for _, rt := range routes() {
		switch rt.caller {
		case byClient, byPAT, byOwner, byBearer, byPATOrClient:
			table = append(table, rt)
		}
	}
	return s.muxOf(table)
}

// originOf is the origin under which the request came: of the two that are
// configured, the one it names.
func (s *Server) originOf(r *http.Request) string {
	if s.mutual != nil && strings.EqualFold(r.Host, s.mutual.Host) {
		return s.mutual.Scheme + "://" + s.mutual.Host
	}
	return s.issuer.Scheme + "://" + s.issuer.Host
}

// CheckMutual says whether an origin can be Config.Mutual.
func CheckMutual(origin string) error {
	_, err := parseMutual(origin)
	return err
}

// parseMutual reads the origin of the second listener; nil for none. It is an
// https origin, because certificates are shown to nothing else.
func parseMutual(origin string) (*url.URL, error) {
	if origin == "" {
		return nil, nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errMutual
	}
	return u, nil
}
