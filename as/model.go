package as

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Ids are made by [Server.newID]: time-ordered, with 128 random bits, never
// reused, and never found by anything but equality.
type (
	SpaceID      string
	AccountID    string
	ProcessID    string
	GrantID      string
	RequestID    string
	SessionID    string
	MessageID    string
	InvitationID string
	MemberID     string
	BlockID      string
)

// Digest is the keyed hash (HMAC-SHA-256) of a bearer artefact together with
// the kind of artefact it is. Stores keep digests and never the artefact.
type Digest []byte

// Space is a subject space: whose data it is. Resources, shares and protection
// API access tokens belong to a space, never to a login.
type Space struct {
	ID         SpaceID
	Name       string
	Generation int64 // bumped by "stop everything"; see Permission
	CreatedAt  time.Time
}

// Account is a person who can sign in.
type Account struct {
	ID            AccountID
	Email         string // canonical form; see CanonicalEmail
	EmailVerified bool
	Name          string
	PasswordHash  string // argon2id in PHC form; "" when there is none
	Disabled      bool
	Generation    int64 // bumped by "sign out everywhere"
	Letters       Letters
	Language      string // of letters, as BCP 47 has it; "" when it is not known
	CreatedAt     time.Time
}

// Letters says how an account wants to hear of what happens in its spaces. Letters
// about its security come always.
type Letters string

const (
	LettersAtOnce Letters = "" // what comes too often is put together
	LettersDaily  Letters = "daily"
	LettersNone   Letters = "none"
)

// RoleKind is what an account may do in a space.
type RoleKind string

const (
	RoleOwner    RoleKind = "owner"
	RoleGuardian RoleKind = "guardian"
	RoleDelegate RoleKind = "delegate"
	RoleViewer   RoleKind = "viewer"
)

// Role ties an account to a space.
type Role struct {
	Account   AccountID
	Space     SpaceID
	Kind      RoleKind
	EndsAt    time.Time // zero: without an end
	GrantedBy AccountID // "" for one that came with the space, or from the operator
	CreatedAt time.Time
}

// Invitation offers a role in a space to whoever has an account with this
// verified e-mail address. It is taken once.
type Invitation struct {
	ID        InvitationID
	Space     SpaceID
	Email     string // canonical form
	Kind      RoleKind
	EndsAt    time.Time // of the role; zero: without an end
	InvitedBy AccountID
	CreatedAt time.Time
	ExpiresAt time.Time // of the invitation
	TakenAt   time.Time // zero: not yet
}

// Count is how often something happened since it began, until ExpiresAt. What it
// counts is in the digest alone.
type Count struct {
	Digest    Digest
	N         int64
	ExpiresAt time.Time
}

// Session is a signed-in browser. Signing in again as the same person gives it
// another secret and so another digest; the ID stays.
type Session struct {
	Digest            Digest
	ID                SessionID
	Account           AccountID
	AccountGeneration int64
	AuthTime          time.Time // when the person proved last who they are; zero when nobody says
	CreatedAt         time.Time // when the browser came in
	ExpiresAt         time.Time
	Method            Method // how the person proved last who they are
	Agent             string // how the browser named itself then; shortened, and not to be believed
}

// Method is how a person proves who they are.
type Method string

// The methods of signing in.
const (
	ByPassword Method = "password"
	ByCode     Method = "code" // sent to their e-mail address
	ByPasskey  Method = "passkey"
	ByProvider Method = "provider" // an OpenID provider
	ByFirstRun Method = "first run"
)

// Passkey is a public key with which an account proves who it is (WebAuthn). The
// private one never leaves the person's device, or the place where they keep such
// keys.
type Passkey struct {
	ID             []byte // the credential id, unique
	Account        AccountID
	Name           string // what the person calls it
	PublicKey      []byte // COSE
	SignCount      int64  // 0 where the authenticator does not count
	BackupEligible bool   // it may be copied to other devices of the person
	BackedUp       bool
	Transports     []string
	CreatedAt      time.Time
	UsedAt         time.Time
}

// Identity is an account at an OpenID provider which signs an account in here. An
// account may have several.
type Identity struct {
	Issuer    string
	Subject   string
	Account   AccountID
	Email     string // what the provider said when it was linked, to know it by
	CreatedAt time.Time
}

// MailCode is a code that was sent to an e-mail address. There is one for each
// browser, of whose handle Digest is: a new one takes the place of the one before.
type MailCode struct {
	Digest    Digest
	Code      []byte // digest of the handle, the address and the code; empty: no code fits
	Email     string // canonical form
	Tries     int64
	ExpiresAt time.Time
	SpentAt   time.Time
}

// Resource is a protected resource that a resource server registered for a
// space (FedAuthz 3).
type Resource struct {
	ID             uma.ResourceID
	Space          SpaceID
	ResourceServer oauth.ClientID
	Description    uma.ResourceDescription
	Generation     int64 // bumped by nothing but a withdrawal that names the resource
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// SortName is the form of a name by which resources are ordered and searched: in
// lower case and of one line.
func SortName(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(strings.ToValidUTF8(name, "")), func(r rune) bool {
		return !unicode.IsPrint(r)
	}), " ")
}

// NameKey is where the resource stands in the list by names.
func (r Resource) NameKey() string { return r.Outline().NameKey() }

// ResourceOutline is of a resource what many are ordered and narrowed by.
type ResourceOutline struct {
	ID             uma.ResourceID
	ResourceServer oauth.ClientID
	SortName       string
	Scopes         []uma.Scope
	UpdatedAt      time.Time
}

// Outline is the resource without what is only shown.
func (r Resource) Outline() ResourceOutline {
	return ResourceOutline{r.ID, r.ResourceServer, SortName(r.Description.Name), r.Description.Scopes, r.UpdatedAt}
}

// NameKey is that of the resource.
func (r ResourceOutline) NameKey() string { return r.SortName + "\n" + string(r.ID) }

// Share is a stored share. Version counts the owner's edits and is the ETag of
// the policy; Generation is bumped whenever what was granted under it must
// end.
type Share struct {
	policy.Share
	Space          SpaceID
	ResourceServer oauth.ClientID
	Version        int64
	Generation     int64
	// KnownAs is the e-mail address that whom the share is for had verified when the
	// owner approved their request, in canonical form; "" when there was none. The
	// share's conditions do not depend on it.
	KnownAs      string
	CreatedBy    AccountID
	CreatedAt    time.Time
	UpdatedBy    string // who made this version: an account's or a client's id
	UpdatedAt    time.Time
	DormantSince time.Time // when its resource was deregistered; zero: in force
	LinkDigest   Digest    // of the secret of its link; nil for none
}

// ShareEnd says how a version of a share ended.
type ShareEnd string

const (
	EndReplaced  ShareEnd = "replaced"   // by the next version
	EndWithdrawn ShareEnd = "withdrawn"  // by somebody who manages the space
	EndGone      ShareEnd = "gone"       // its resource was deregistered
	EndGivenBack ShareEnd = "given_back" // by whom it was for
	EndExpired   ShareEnd = "expired"    // by itself; see ShareVersion.EndedAt
)

// Ending is how and by whom something came to an end.
type Ending struct {
	At    time.Time
	How   ShareEnd
	By    string // an account's or a client's id
	Event int64  // Seq of the event that tells of it
}

// ShareVersion is one version of a share, now or once in force: from UpdatedAt on
// until it ended. Versions that ended are kept as they were.
type ShareVersion struct {
	Share
	Ending Ending // zero: nobody has ended it
}

// EndedAt says when and how the version had ended at now, be it by itself; the
// zero time and "" while it goes on.
func (v ShareVersion) EndedAt(now time.Time) (time.Time, ShareEnd) {
	if !v.NotAfter.IsZero() && !v.NotAfter.After(now) && (v.Ending.At.IsZero() || !v.Ending.At.Before(v.NotAfter)) {
		return v.NotAfter, EndExpired
	}
	if v.Ending.At.IsZero() || v.Ending.At.After(now) {
		return time.Time{}, ""
	}
	return v.Ending.At, v.Ending.How
}

// InForce says whether the version let anybody in at an instant, be it under
// conditions.
func (v ShareVersion) InForce(at time.Time) bool {
	return !at.Before(v.UpdatedAt) && !at.Before(v.NotBefore) &&
		(v.Ending.At.IsZero() || at.Before(v.Ending.At)) && (v.NotAfter.IsZero() || at.Before(v.NotAfter))
}

// Key is where the version stands in lists.
func (v ShareVersion) Key() string { return VersionKey(v.ID, v.Version) }

// VersionKey is the key of a version in lists: Page.After.
func VersionKey(id policy.ShareID, version int64) string {
	n := strconv.FormatInt(version, 10)
	return string(id) + " 0000000000000000000"[:20-len(n)] + n
}

// PastResource is a resource as it was from its UpdatedAt on until another
// description took its place, or it was deregistered.
type PastResource struct {
	Resource
	Until time.Time
}

// Group is some people whom an owner shares with by one name. It belongs to a
// space.
type Group struct {
	ID        policy.GroupID
	Space     SpaceID
	Name      string
	CreatedAt time.Time
}

// Member is a person in a group: whoever has this e-mail address, verified.
// Somebody who is taken out and put in again is another member.
type Member struct {
	ID        MemberID
	Space     SpaceID
	Group     policy.GroupID
	Email     string // canonical form
	CreatedAt time.Time
}

// Process is one authorization process: a client's attempt to gain some
// permissions, over its chain of single-use tickets.
type Process struct {
	ID             ProcessID
	Space          SpaceID
	ResourceServer oauth.ClientID
	Client         oauth.ClientID // bound at first presentation; "" before
	Permissions    []uma.Permission
	Requested      []uma.Scope // the scopes the client asked for last
	Subject        string      // the requesting party, "" while unknown
	Claims         []byte      // sealed facts
	Remember       bool        // the requesting party agreed to a PCT
	Reason         []byte      // sealed: why the requesting party asks; nil when it was not said
	Request        RequestID   // the owner's pending request, if any
	Grant          GrantID     // what the process led to, if anything
	Interval       int64       // seconds between polls
	PollAfter      time.Time   // earlier polls raise Interval
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// Ticket is the stored form of a permission ticket. A sealed ticket has no row
// until it is presented; then it is inserted already spent.
type Ticket struct {
	Digest        Digest
	Process       ProcessID
	CodeChallenge string // S256; whoever presents the ticket has to know its code_verifier. "": nothing to know
	ExpiresAt     time.Time
	SpentAt       time.Time // zero: unspent
}

// Interaction is a visit of a requesting party at the claims interaction
// endpoint. Its digest is of the handle in the visitor's cookie.
type Interaction struct {
	Digest        Digest
	Process       ProcessID
	Client        oauth.ClientID
	RedirectURI   string
	State         string
	HasState      bool
	CodeChallenge string // S256, of the ticket that it ends with; "" for one without
	ExpiresAt     time.Time
	DoneAt        time.Time
}

// Code is an authorization code.
type Code struct {
	Digest        Digest
	Client        oauth.ClientID
	Account       AccountID
	Space         SpaceID // for uma_protection and the policy scope; "" otherwise
	RedirectURI   string
	Scopes        []uma.Scope
	Nonce         string
	CodeChallenge string             // S256
	BoundTo       oauth.Confirmation // the key that has to redeem it; "" for any
	AuthTime      time.Time
	Session       SessionID // in which it was agreed to
	Grant         GrantID   // what redeeming it makes
	ExpiresAt     time.Time
	SpentAt       time.Time
}

// PushedRequest is an authorization request that a client pushed (RFC 9126). Its
// digest is of the request_uri.
type PushedRequest struct {
	Digest     Digest
	Client     oauth.ClientID
	Parameters []byte // sealed
	ExpiresAt  time.Time
	SpentAt    time.Time
}

// GrantKind tells an RPT's grant from an ordinary OAuth grant.
type GrantKind string

const (
	GrantOAuth GrantKind = "oauth"
	GrantUMA   GrantKind = "uma"
)

// Grant is a token family: everything that came from one authorization. It
// carries the generations it was made under; when any has moved on, all its
// tokens are dead.
type Grant struct {
	ID                GrantID
	Kind              GrantKind
	Client            oauth.ClientID
	Account           AccountID // who authorized it; "" for client_credentials and UMA
	Space             SpaceID
	ResourceServer    oauth.ClientID // for UMA: where the RPT is good
	Subject           string         // for UMA: the requesting party
	Scopes            []uma.Scope    // for OAuth
	Process           ProcessID      // for UMA
	Permissions       []Permission   // for UMA
	Renewable         bool           // for UMA: it has refresh tokens
	AuthTime          time.Time
	SpaceGeneration   int64
	AccountGeneration int64
	CreatedAt         time.Time
	EndsAt            time.Time // until then something of it can be used, and after that it may be swept
	RevokedAt         time.Time
	Successor         GrantID // what an upgrade replaced it by
}

// AccessToken is the stored form of an access token: RPT, PAT or other.
type AccessToken struct {
	Digest    Digest
	Grant     GrantID
	Scopes    []uma.Scope        // narrows the grant; nil: not narrowed
	BoundTo   oauth.Confirmation // whoever uses it has to have this; "" for a bearer token
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt time.Time
}

// RefreshToken is the stored form of a refresh token.
type RefreshToken struct {
	Digest    Digest
	Grant     GrantID
	BoundTo   oauth.Confirmation // for public clients; "" for a bearer token
	CreatedAt time.Time
	ExpiresAt time.Time
	SpentAt   time.Time
}

// GrantState is a grant with what has become of those it depends on, read in
// one statement.
type GrantState struct {
	Grant
	ClientDisabled           bool // also when the client is gone, or was revoked after the grant was made
	AccountDisabled          bool // also when the account is gone
	CurrentSpaceGeneration   int64
	CurrentAccountGeneration int64
}

// Permission is a part of a grant, which says to whom, through which client, in
// which space and where: one resource, and the scopes that one share granted on it.
// It is live while its time has not passed and the generations it was made under are
// the current ones.
type Permission struct {
	Resource           uma.ResourceID
	Scopes             []uma.Scope // empty: the resource without any scope
	Share              policy.ShareID
	ShareVersion       int64
	ShareGeneration    int64
	ResourceGeneration int64
	CreatedAt          time.Time
	NotAfter           time.Time      // zero: as long as the token
	Group              policy.GroupID // that the share is with, "" for none; and as which member of it:
	Member             MemberID
}

// PermissionState is a permission with what has become of those it depends on.
type PermissionState struct {
	Permission
	ShareLive                 bool // the share exists and is not dormant
	CurrentShareGeneration    int64
	MemberLive                bool // Member is in Group still, or there is no Group
	ResourceLive              bool // the resource is registered
	CurrentResourceGeneration int64
	ResourceScopes            []uma.Scope // registered now
}

// LiveAccess is a token family through which something can be used.
type LiveAccess struct {
	Grant    GrantID
	Client   oauth.ClientID
	Tokens   int64 // access tokens that live
	Renewals int64 // refresh tokens that can be used
}

// PCT is the stored form of a persisted claims token.
type PCT struct {
	Digest    Digest
	Client    oauth.ClientID
	Subject   string
	Claims    []byte // sealed facts
	CreatedAt time.Time
	ExpiresAt time.Time
	SpentAt   time.Time // rotated or revoked
}

// RequestStatus is the state of a pending request.
type RequestStatus string

const (
	RequestPending  RequestStatus = "pending"
	RequestApproved RequestStatus = "approved"
	RequestDenied   RequestStatus = "denied"
	// RequestAside is "not now": set aside by the owner, and pending for whoever asks.
	RequestAside RequestStatus = "aside"
)

// Waits says whether a request can still be answered.
func (s RequestStatus) Waits() bool { return s == RequestPending || s == RequestAside }

// Request is a question to the resource owner: may this requesting party have
// these permissions (Grant 3.3.6, request_submitted).
type Request struct {
	ID             RequestID
	Space          SpaceID
	ResourceServer oauth.ClientID
	Process        ProcessID
	Client         oauth.ClientID
	Subject        string
	Claims         []byte // sealed facts about who asks
	Reason         []byte // sealed: why, in their own words; nil when it was not said
	Permissions    []uma.Permission
	Status         RequestStatus
	Granted        []uma.Permission
	Shares         []policy.ShareID // what approval made
	DecidedBy      AccountID
	CreatedAt      time.Time
	DecidedAt      time.Time
}

// Block is a requesting party by whom the owner is not asked any more.
type Block struct {
	ID        BlockID
	Space     SpaceID
	Subject   string         // as of Process
	Client    oauth.ClientID // through which; "" for every one
	Claims    []byte         // sealed facts about the party
	Request   RequestID      // that it was the answer to
	CreatedBy AccountID
	CreatedAt time.Time
}

// Event is one entry of a space's append-only history. Seq counts from 1
// within the space; Hash covers the entry and Prev, the hash of the entry
// before it.
type Event struct {
	Space   SpaceID // "" for the server's own history
	Seq     int64
	At      time.Time
	Kind    string
	Actor   string // account or client id
	Subject string // what or whom it is about: an id
	Detail  string // a JSON object, without secrets
	Prev    []byte
	Hash    []byte
}

// SigningKey is a stored key of this server's key set.
type SigningKey struct {
	ID         string // kid
	Sealed     []byte // the private JWK, sealed
	CreatedAt  time.Time
	ActiveFrom time.Time // signs from then on
	ExpiresAt  time.Time // published until then; zero: no successor yet
}

// MessageKind says what a message is and to whom it goes.
type MessageKind string

// MessageLogout tells a client that a session has ended (OpenID Connect
// Back-Channel Logout 1.0). Its recipient is the client's id.
const MessageLogout MessageKind = "logout"

// MessageLetter is a Letter to a person. Its recipient is an e-mail address, and its
// body is sealed.
const MessageLetter MessageKind = "letter"

// What is planned is a message to the server itself, which makes letters of it when
// it is due. The recipient of a digest is an account; of the others, a space.
const (
	MessageDigest MessageKind = "digest"
	MessageEnding MessageKind = "ending"
	MessageReview MessageKind = "review"
)

// Message is something that has to be said to somebody outside.
type Message struct {
	ID        MessageID
	Kind      MessageKind
	Recipient string
	Body      []byte // JSON, of the kind
	DueAt     time.Time
	Attempts  int64
	ExpiresAt time.Time // it is not worth anything any more
}

// Imported is how far an import has come. It is written in the transaction that
// writes the rows, so that no row is taken twice and none is left out.
type Imported struct {
	Name      string
	Rows      int64  // how many have been taken
	Chain     []byte // hash over the texts of these rows
	CreatedAt time.Time
}
