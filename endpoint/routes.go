package endpoint

import (
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The paths below the issuer.
const (
	pathUMAConfiguration    = "/.well-known/uma2-configuration"
	pathOAuthConfiguration  = "/.well-known/oauth-authorization-server"
	pathOpenIDConfiguration = "/.well-known/openid-configuration"
	pathJWKS                = "/jwks"
	pathAuthorize           = "/authorize"
	pathPushed              = "/par"
	pathToken               = "/token"
	pathIntrospect          = "/introspect"
	pathRevoke              = "/revoke"
	pathRegister            = "/register"
	pathUserInfo            = "/userinfo"
	pathResources           = "/uma/resources"
	pathPermission          = "/uma/permission"
	pathClaims              = "/uma/claims"
	pathClaimsVisit         = "/uma/claims/visit"
	pathSignIn              = "/sign-in"
	pathSignInCode          = "/sign-in/code"
	pathSignInTo            = "/sign-in/to/{id}"
	pathSignInFrom          = "/sign-in/from/{id}"
	pathFirst               = "/sign-in/first"
	pathWays                = "/sign-in/ways"
	pathLink                = "/sign-in/ways/link"
	pathOpen                = "/l/{id}"
	pathOpened              = "/l"
	pathSignOut             = "/sign-out"
	pathEndSession          = "/end-session"
	pathPolicies            = "/owner/policies"
	pathOwnedResources      = "/owner/resources"
	pathRequests            = "/owner/requests"
	pathBlocks              = "/owner/blocks"
	pathGroups              = "/owner/groups"
	pathMembers             = "/owner/members"
	pathConnections         = "/owner/connections"
	pathStop                = "/owner/stop"
	pathOpenAPI             = "/openapi.json"
)

// caller says who may call a route. The zero value is nobody.
type caller int

const (
	nobody        caller = iota
	anybody              // public
	byClient             // OAuth client authentication; a public client names itself
	byPAT                // a bearer token with the scope uma_protection
	byOwner              // a bearer token with the scope uma_policy
	byBearer             // a bearer token; the handler checks it
	byPATOrClient        // introspection: a PAT, or a confidential client
	byNewcomer           // an initial access token, or nobody where everybody may register a client
	byRegistered         // the registration access token of the client that the path names
	byBrowser            // a person's browser; forms carry an anti-forgery token
)

// face says in which form a route tells its errors.
type face int

const (
	faceOAuth      face = iota + 1 // RFC 6749 5.2
	faceProtection                 // FedAuthz 6, RFC 6750 3
	faceProblem                    // RFC 9457, for our own APIs
	facePage                       // HTML for people
)

// call is one request on its way through a handler, with its authenticated
// caller.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	face   face
	pat    as.PAT        // byPAT, byPATOrClient
	owner  as.Owner      // byOwner
	client *oauth.Client // byClient, byPATOrClient; nil until it is proved
	form   uma.Form      // byClient, byBrowser: the parameters, parsed
	token  string        // byBearer, byRegistered: the raw token
	page   *page.Answer  // what a browser is answered; see Server.page
	wrong  bool          // what was shown is no good, and a redirect has said so

	initial    as.InitialAccess // byNewcomer; the zero value where everybody may register
	registered *as.Registered   // byRegistered
}

// route is one line of the route table.
type route struct {
	method string
	path   string // with {id} for a path parameter
	caller caller
	face   face
	handle func(*Server, *call) error
}

// routes is the whole surface of the server. What is not here does not exist.
func routes() []route {
	return slices.Concat(oauthRoutes(), registrationRoutes(), protectionRoutes(), pageRoutes(), ownerRoutes())
}

// buildMux puts the table behind a mux: one handler for each path, which knows
// its methods, so that an unknown method is 405 in the path's own face.
func (s *Server) buildMux() *http.ServeMux { return s.muxOf(routes()) }

func (s *Server) muxOf(table []route) *http.ServeMux {
	byPath := map[string]map[string]route{}
	for _, rt := range table {
		if rt.caller == nobody || rt.face == 0 || rt.handle == nil {
			panic("endpoint: route " + rt.method + " " + rt.path + " does not say who may call it")
		}
		if byPath[rt.path] == nil {
			byPath[rt.path] = map[string]route{}
		}
		byPath[rt.path][rt.method] = rt
	}
	mux := http.NewServeMux()
	for path, methods := range byPath {
		h := s.dispatch(methods)
		if after, found := strings.CutPrefix(path, "/.well-known/"); found {
			// RFC 8414 puts the well-known part before the issuer's path, UMA after
			// it. Both are served (AMB-01).
			mux.Handle("/.well-known/"+after+s.base, h)
			if s.base == "" {
				continue
			}
		}
		mux.Handle(s.base+path, h)
	}
	return mux
}

// dispatch answers the requests of one path.
func (s *Server) dispatch(methods map[string]route) http.Handler {
	allow := make([]string, 0, len(methods))
	var any route
	for m, rt := range methods {
		allow = append(allow, m)
		any = rt
	}
	slices.Sort(allow)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rt, ok := methods[r.Method]
		if !ok {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			s.fail(&call{w: w, r: r, face: any.face}, errMethod)
			return
		}
		c := &call{w: w, r: r, face: rt.face}
		if err := s.serve(rt, c); err != nil {
			s.fail(c, err)
		}
	})
}

// serve lets a request pass: who is it, has it anything left, what is it about.
func (s *Server) serve(rt route, c *call) error {
	if err := s.authenticate(rt.caller, c); err != nil {
		return s.count(c, err)
	}
	if err := s.admit(rt, c); err != nil {
		return err
	}
	if err := rt.handle(s, c); err != nil {
		return s.count(c, err)
	}
	if c.wrong {
		_ = s.spend(c) // it is answered already
	}
	return nil
}
