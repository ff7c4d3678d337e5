package as

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The kinds of rows.
const (
	importAccount  = "account"
	importClient   = "client"
	importResource = "resource"
	importGroup    = "group"
)

// importRow is a parsed row, with ids: a transaction may run twice and has to do
// the same. Owner is the canonical e-mail address of whose it is.
type importRow struct {
	kind     string
	owner    string
	account  Account
	space    Space // with an account: what is made for it, if it has a name
	client   oauth.Client
	resource Resource
	shares   []Share
	group    Group
	members  []Member
}

func (r importRow) made(row int64) Made {
	m := Made{Row: row, Kind: r.kind, Space: r.space.ID}
	switch r.kind {
	case importAccount:
		m.ID = string(r.account.ID)
	case importClient:
		m.ID = string(r.client.ID)
	case importResource:
		m.ID = string(r.resource.ID)
	case importGroup:
		m.ID = string(r.group.ID)
	}
	for _, share := range r.shares {
		m.Shares = append(m.Shares, share.ID)
	}
	return m
}

// parseRow reads a row by the rules by which the APIs read the same.
func (im *importing) parseRow(line []byte) (importRow, error) {
	o, err := uma.ParseObject(bytes.NewReader(line))
	if err != nil {
		return importRow{}, err
	}
	kind, _, err := o.String("kind")
	if err != nil {
		return importRow{}, err
	}
	switch kind {
	case importAccount:
		return im.parseAccount(o)
	case importClient:
		return im.parseClient(o)
	case importResource:
		return im.parseResource(o)
	case importGroup:
		return im.parseGroup(o)
	}
	return importRow{}, uma.NewError(uma.InvalidRequest, `The member kind has to be "account", "client", "resource" or "group".`)
}

func (im *importing) parseAccount(o uma.Object) (importRow, error) {
	if err := o.OnlyMembers("kind", "email", "email_verified", "name", "password_hash", "space"); err != nil {
		return importRow{}, err
	}
	now := im.now()
	row := importRow{kind: importAccount, account: Account{ID: AccountID(im.vault.id(now)), Generation: 1, CreatedAt: now}}
	err := texts(o, map[string]*string{
		"email": &row.account.Email, "name": &row.account.Name, "password_hash": &row.account.PasswordHash, "space": &row.space.Name,
	})
	if err != nil {
		return importRow{}, err
	}
	if row.account.EmailVerified, _, err = o.Bool("email_verified"); err != nil {
		return importRow{}, err
	}
	if row.account.Email, err = importEmail(row.account.Email); err != nil {
		return importRow{}, err
	}
	if row.account.PasswordHash != "" {
		if err := im.options.PasswordHash(row.account.PasswordHash); err != nil {
			return importRow{}, uma.NewError(uma.InvalidRequest, "The member password_hash is no hash that can be used.").Because(err)
		}
	}
	if row.space.Name != "" {
		row.space.ID, row.space.Generation, row.space.CreatedAt = SpaceID(im.vault.id(now)), 1, now
	}
	return row, nil
}

func importEmail(s string) (string, error) {
	email, err := policy.CanonicalEmail(s)
	if err != nil {
		return "", errNoAddress.Because(err)
	}
	return email, nil
}

func (im *importing) parseClient(o uma.Object) (importRow, error) {
	err := o.OnlyMembers("kind", "client_id", "client_name", "token_endpoint_auth_method", "client_secret_sha256", "jwks", "jwks_uri", "grant_types",
		"redirect_uris", "claims_redirect_uris", "post_logout_redirect_uris", "resource_indicators", "scopes", "require_pushed_authorization_requests",
		"backchannel_logout_uri", "backchannel_logout_session_required",
		"signed_rpts", "dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens", oauth.SubjectDN, oauth.SANDNS, oauth.SANURI, oauth.SANIP, oauth.SANEmail,
		"require_ticket_binding",
		"push_claims", "owner")
	if err != nil {
		return importRow{}, err
	}
	row := importRow{kind: importClient}
	c := &row.client
	var id, method, secret string
	err = texts(o, map[string]*string{
		"client_id": &id, "client_name": &c.Name, "token_endpoint_auth_method": &method, "client_secret_sha256": &secret, "owner": &row.owner,
		"backchannel_logout_uri": &c.BackchannelLogoutURI, "jwks_uri": &c.JWKSURI,
	})
	if err != nil {
		return importRow{}, err
	}
	c.JWKS = o["jwks"]
	c.ID, c.AuthMethod = oauth.ClientID(id), oauth.AuthMethod(method)
	for name, field := range map[string]*[]string{
		"grant_types": &c.GrantTypes, "redirect_uris": &c.RedirectURIs, "claims_redirect_uris": &c.ClaimsRedirectURIs,
		"post_logout_redirect_uris": &c.PostLogoutRedirectURIs, "resource_indicators": &c.ResourceIndicators,
	} {
		if *field, _, err = o.Strings(name); err != nil {
			return importRow{}, err
		}
	}
	scopes, _, err := o.Strings("scopes")
	if err != nil {
		return importRow{}, err
	}
	for _, scope := range scopes {
		c.Scopes = append(c.Scopes, uma.Scope(scope))
	}
	for name, field := range map[string]*bool{
		"require_pushed_authorization_requests": &c.RequirePushed, "signed_rpts": &c.SignedRPTs, "dpop_bound_access_tokens": &c.DPoPBound, "tls_client_certificate_bound_access_tokens": &c.CertificateBound, "push_claims": &c.PushClaims,
		"require_ticket_binding":              &c.RequireTicketBinding,
		"backchannel_logout_session_required": &c.BackchannelLogoutSessionRequired,
	} {
		if *field, _, err = o.Bool(name); err != nil {
			return importRow{}, err
		}
	}
	for _, member := range oauth.CertificateNames {
		value, found, err := o.String(member)
		if err != nil || found && c.Certificate != "" {
			return importRow{}, uma.NewError(oauth.InvalidClientMetadata, "A certificate has one name.").Because(err)
		}
		if found {
			c.Certificate = oauth.NameCertificate(member, value)
		}
	}
	if secret != "" {
		if c.SecretHash, err = base64.RawURLEncoding.Strict().DecodeString(secret); err != nil {
			return importRow{}, uma.NewError(uma.InvalidRequest, "The member client_secret_sha256 has to be a SHA-256 sum in base64url.")
		}
	}
	if row.owner != "" {
		if row.owner, err = importEmail(row.owner); err != nil {
			return importRow{}, err
		}
	}
	return row, c.Validate()
}

func (im *importing) parseResource(o uma.Object) (importRow, error) {
	if err := o.OnlyMembers("kind", "owner", "resource_server", "description", "shares"); err != nil {
		return importRow{}, err
	}
	now := im.now()
	row := importRow{kind: importResource, resource: Resource{ID: uma.ResourceID(im.vault.id(now)), Generation: 1, CreatedAt: now, UpdatedAt: now}}
	var server string
	err := texts(o, map[string]*string{"owner": &row.owner, "resource_server": &server})
	if err != nil {
		return importRow{}, err
	}
	row.resource.ResourceServer = oauth.ClientID(server)
	if row.owner, err = importEmail(row.owner); err != nil {
		return importRow{}, err
	}
	var described uma.Object
	if json.Unmarshal(o["description"], &described) != nil || described == nil {
		return importRow{}, uma.NewError(uma.InvalidRequest, "The member description has to be an object.")
	}
	if row.resource.Description, err = uma.ParseResourceDescription(described); err != nil {
		return importRow{}, err
	}
	wishes, _, err := o.Objects("shares")
	if err != nil {
		return importRow{}, err
	}
	for _, wish := range wishes {
		share, err := im.parseShare(wish, row.resource)
		if err != nil {
			return importRow{}, err
		}
		row.shares = append(row.shares, share)
	}
	return row, nil
}

func (im *importing) parseGroup(o uma.Object) (importRow, error) {
	if err := o.OnlyMembers("kind", "owner", "name", "members"); err != nil {
		return importRow{}, err
	}
	now := im.now()
	row := importRow{kind: importGroup, group: Group{ID: policy.GroupID(im.vault.id(now)), CreatedAt: now}}
	err := texts(o, map[string]*string{"owner": &row.owner, "name": &row.group.Name})
	if err != nil {
		return importRow{}, err
	}
	if row.owner, err = importEmail(row.owner); err != nil {
		return importRow{}, err
	}
	if row.group.Name, err = groupName(row.group.Name); err != nil {
		return importRow{}, err
	}
	addresses, _, err := o.Strings("members")
	if err != nil {
		return importRow{}, err
	}
	for _, address := range addresses {
		if address, err = importEmail(address); err != nil {
			return importRow{}, err
		}
		row.members = append(row.members, Member{ID: MemberID(im.vault.id(now)), Group: row.group.ID, Email: address, CreatedAt: now})
	}
	return row, nil
}

// parseShare reads a policy document that does not say of what: it stands with
// its resource, whose id nobody knows yet.
func (im *importing) parseShare(document uma.Object, res Resource) (Share, error) {
	if _, ok := document["resource_id"]; ok {
		return Share{}, uma.NewError(uma.InvalidRequest, "A policy in an import has no resource_id: it is of the resource that it stands with.")
	}
	document["resource_id"] = json.RawMessage(`"` + res.ID + `"`)
	wish, err := policy.ParseDocument(document)
	if err != nil {
		return Share{}, err
	}
	if len(without(wish.Scopes, res.Description.Scopes)) > 0 {
		return Share{}, errShareScope
	}
	if err := im.checkLink(Share{Share: wish}); err != nil {
		return Share{}, err // nobody would be told its secret
	}
	wish.ID = policy.ShareID(im.vault.id(res.CreatedAt))
	return Share{
		Share: wish, ResourceServer: res.ResourceServer, Version: 1, Generation: 1, CreatedAt: res.CreatedAt, UpdatedAt: res.CreatedAt,
	}, nil
}

// texts reads members that are strings; an absent one is "".
func texts(o uma.Object, into map[string]*string) error {
	for name, to := range into {
		var err error
		if *to, _, err = o.String(name); err != nil {
			return err
		}
	}
	return nil
}
