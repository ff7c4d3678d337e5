package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var (
	// ErrNotFound: there is no such record, or it is not there to be spent.
	ErrNotFound = errors.New("as: not found")
	// ErrExists: a record with this unique key is already there. The
	// transaction stays usable.
	ErrExists = errors.New("as: already exists")
	// ErrUnavailable: the store cannot be reached at the moment.
	ErrUnavailable = errors.New("as: the store is unavailable")
)

// Store keeps and returns; it knows no rule. Its law is in package storetest
// and every store obeys all of it.
//
// View runs f on one consistent snapshot. Update runs f in a transaction; when
// f returns nil and Update returns nil, everything f wrote is durable, and when
// f returns an error nothing of it remains. Update may run f several times (a
// serialisation conflict is the store's to retry), so f must assign, not
// append, to what it captures, and must not speak to the network. Concurrent
// Updates take effect one after another, and may share one commit. Updates
// must not be nested.
//
// An error of Update other than f's own means that the outcome is unknown: the
// caller must treat one-time things as consumed.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	Update(ctx context.Context, f func(Tx) error) error

	// Watch makes f hear of every Change: after the commit that made it, or that
	// may have made it, and before the Update that made it returns. What another
	// node changed is told within a second of that node's Update. f must be quick
	// and must not use the store. Watch is called before the first View or Update
	// of whoever watches; every watcher hears everything.
	Watch(f func([]Change))
	// Current says whether everything that was acknowledged anywhere more than a
	// second ago has been told. While it has not, nothing that was read earlier
	// may be relied on.
	Current() bool

	// Now is the time by the one clock of everybody who has the store open: two of
	// them differ by no more than it takes to ask. It needs no answer from elsewhere.
	Now() time.Time

	Close() error
}

// Page bounds a listing: at most Limit records whose key follows After, in
// ascending key order. Ids are time-ordered, so this is also oldest first.
type Page struct {
	After string
	Limit int
}

// VersionFilter says which versions are wanted: all for which every member that is
// not zero holds.
type VersionFilter struct {
	Share    policy.ShareID
	Resource uma.ResourceID
	// From and To: that began before To and had not ended, by anybody or by
	// itself, at From.
	From, To time.Time
	Ended    bool  // they have been ended
	EndedBy  int64 // Seq of the event that ended them
}

// Reader reads records. A single record that is absent is ErrNotFound; a list
// may be empty. Expired and spent records are returned as they are.
type Reader interface {
	Space(SpaceID) (Space, error)
	Account(AccountID) (Account, error)
	AccountByEmail(email string) (Account, error)
	Role(AccountID, SpaceID) (Role, error)
	RolesOf(AccountID) ([]Role, error)
	RolesIn(SpaceID) ([]Role, error)
	// Accounts lists all accounts.
	Accounts(Page) ([]Account, error)
	// PasskeysOf and IdentitiesOf list what an account signs in with, oldest first.
	Passkey(id []byte) (Passkey, error)
	PasskeysOf(AccountID) ([]Passkey, error)
	Identity(issuer, subject string) (Identity, error)
	IdentitiesOf(AccountID) ([]Identity, error)
	MailCode(Digest) (MailCode, error)
	Invitation(InvitationID) (Invitation, error)
	// Invitations lists those into a space that can be taken at now.
	Invitations(space SpaceID, now time.Time, page Page) ([]Invitation, error)
	// InvitationsTo lists those to an address that can be taken at now.
	InvitationsTo(email string, now time.Time, page Page) ([]Invitation, error)
	Session(Digest) (Session, error)
	SessionByID(SessionID) (Session, error)
	// SessionsOf lists the sessions of an account that have not expired at now.
	SessionsOf(id AccountID, now time.Time) ([]Session, error)
	// Participants lists the clients that have an ID token of a session, in the
	// order of their ids.
	Participants(SessionID) ([]oauth.ClientID, error)

	Client(oauth.ClientID) (oauth.Client, error)
	Clients(Page) ([]oauth.Client, error)
	RegistrationRecord(Digest) (RegistrationRecord, error)
	// SpacesWith lists the spaces in which the client has an unrevoked OAuth grant, or
	// a registered resource, each once.
	SpacesWith(oauth.ClientID) ([]SpaceID, error)

	// Resource finds a resource only inside the space and resource server named.
	Resource(SpaceID, oauth.ClientID, uma.ResourceID) (Resource, error)
	// ResourceInSpace finds a resource of the space at any resource server.
	ResourceInSpace(SpaceID, uma.ResourceID) (Resource, error)
	ResourceIDs(SpaceID, oauth.ClientID, Page) ([]uma.ResourceID, error)
	ResourcesInSpace(SpaceID, Page) ([]Resource, error)
	// ResourcesOf lists those of the resources that are in the space, in the order
	// of their ids.
	ResourcesOf(SpaceID, []uma.ResourceID) ([]Resource, error)
	// OutlinesOf lists the outlines of those that ResourcesOf lists, in the same order.
	OutlinesOf(SpaceID, []uma.ResourceID) ([]ResourceOutline, error)
	// LastOfResource is the last kept description of a resource of the space.
	LastOfResource(SpaceID, uma.ResourceID) (PastResource, error)
	// ResourcesByName lists resources of a space in the order of SortName and then
	// the id: those whose SortName has the text, itself a SortName, in it, at one resource server
	// or, for "", at any. A page goes by Resource.NameKey.
	ResourcesByName(space SpaceID, server oauth.ClientID, text string, p Page) ([]Resource, error)
	// ResourceCounts counts the resources of a space at each resource server.
	ResourceCounts(SpaceID) (map[oauth.ClientID]int64, error)

	Share(SpaceID, policy.ShareID) (Share, error)
	// ShareByLink finds the share that has a link, by the digest of its secret.
	ShareByLink(Digest) (Share, error)
	// SharesOn lists the shares in force on a resource, not the dormant ones.
	SharesOn(SpaceID, uma.ResourceID) ([]Share, error)
	// Shares lists the shares of a space, dormant ones too.
	Shares(SpaceID, Page) ([]Share, error)
	// SharesInForce lists the shares of a space that are not dormant, on these
	// resources or, for nil, on any, in the order of their ids.
	SharesInForce(SpaceID, []uma.ResourceID) ([]Share, error)
	// ShareVersions lists versions of shares of a space: those in force, and those
	// that were kept. A page goes by ShareVersion.Key.
	ShareVersions(SpaceID, VersionFilter, Page) ([]ShareVersion, error)
	// VersionsOf lists every version of these shares of a space, in the order of
	// ShareVersion.Key.
	VersionsOf(SpaceID, []policy.ShareID) ([]ShareVersion, error)
	// LiveAccess lists the UMA grants that have a live permission under one of the
	// shares of the space and a token that can be used or refreshed at now: of those
	// that are renewable, and of lately, each once and in the order of their ids. A
	// grant that is not renewable is not found by a share: it ends soon, and an index
	// would cost every one of them more than all the rest.
	LiveAccess(space SpaceID, shares []policy.ShareID, lately []GrantID, now time.Time) ([]LiveAccess, error)
	// PastResources lists the kept descriptions of resources of a space that were
	// current at some time after from, in the order of Until and then the id, and at
	// most limit of them; of one resource, or for "" of all.
	PastResources(space SpaceID, id uma.ResourceID, from time.Time, limit int) ([]PastResource, error)

	// SpacesNaming lists the spaces that have a share which names a person, a dormant
	// one too, or a group that they are in, in the order of their ids: named by an
	// e-mail address in canonical form ("" for none), or by the subject of an issuer.
	// It costs the same however many shares a space has.
	SpacesNaming(email, issuer, subject string, after SpaceID, limit int) ([]SpaceID, error)
	// SharesNaming lists the shares of a space, not the dormant ones, that name a
	// person so in any of their conditions, in the order of their ids.
	SharesNaming(space SpaceID, email, issuer, subject string, p Page) ([]Share, error)

	Group(SpaceID, policy.GroupID) (Group, error)
	Groups(SpaceID, Page) ([]Group, error)
	Members(SpaceID, policy.GroupID, Page) ([]Member, error)
	Member(SpaceID, MemberID) (Member, error)
	MemberByEmail(space SpaceID, group policy.GroupID, email string) (Member, error)
	// MembershipsOf lists the memberships of an e-mail address in the groups of a space.
	MembershipsOf(space SpaceID, email string, p Page) ([]Member, error)
	// SharesWith lists the shares with a group, dormant ones too.
	SharesWith(SpaceID, policy.GroupID, Page) ([]Share, error)

	Process(ProcessID) (Process, error)
	Ticket(Digest) (Ticket, error)
	Interaction(Digest) (Interaction, error)
	Code(Digest) (Code, error)
	PushedRequest(Digest) (PushedRequest, error)

	// Count reads what CountUp has counted.
	Count(Digest) (Count, error)

	GrantState(GrantID) (GrantState, error)
	// GrantsIn lists the OAuth grants of a space that were not revoked, and were made
	// since everything was stopped there last.
	GrantsIn(SpaceID, Page) ([]Grant, error)
	AccessToken(Digest) (AccessToken, error)
	RefreshToken(Digest) (RefreshToken, error)
	// PermissionsOf says what has become of the permissions of a grant, in their order.
	PermissionsOf(Grant) ([]PermissionState, error)
	PCT(Digest) (PCT, error)

	Request(SpaceID, RequestID) (Request, error)
	// RequestsOf lists those of the requests that are of the space, in the order of
	// their ids.
	RequestsOf(SpaceID, []RequestID) ([]Request, error)
	// Requests lists the requests of a space with this status; "" for all.
	Requests(SpaceID, RequestStatus, Page) ([]Request, error)
	// CountRequests counts the requests of a space with this status, up to most.
	CountRequests(space SpaceID, status RequestStatus, most int) (int, error)
	// PendingFrom lists the requests of a space that are pending or set aside, from
	// one requesting party (its Subject) through one client, or with "" through any,
	// oldest first.
	PendingFrom(space SpaceID, client oauth.ClientID, subject string) ([]Request, error)

	// RequestsFrom lists what one requesting party (its Subject) has asked of a space,
	// newest first.
	RequestsFrom(space SpaceID, subject string, limit int) ([]Request, error)

	// RequestsBy lists what one requesting party (its Subject) has asked of all
	// spaces, newest first, and RequestBy is one of those.
	RequestsBy(subject string, limit int) ([]Request, error)
	RequestBy(subject string, id RequestID) (Request, error)

	Block(SpaceID, BlockID) (Block, error)
	Blocks(SpaceID, Page) ([]Block, error)
	// Blocked says whether there is a block of a party through this client or every
	// one.
	Blocked(space SpaceID, client oauth.ClientID, subject string) (bool, error)

	// HistoryHead returns Seq and Hash of the newest event of a space.
	HistoryHead(SpaceID) (seq int64, hash []byte, err error)
	// Events lists the events of a space after a sequence number, oldest first.
	Events(space SpaceID, after int64, limit int) ([]Event, error)
	// EventsBefore lists the events of a space before a sequence number, newest
	// first; before the end of the history for 0.
	EventsBefore(space SpaceID, before int64, limit int) ([]Event, error)
	// RoleEvents lists what the history of a space says of roles, EventRoleGranted and
	// EventRoleEnded, after a sequence number, oldest first.
	RoleEvents(space SpaceID, after int64, limit int) ([]Event, error)

	// Uses lists the uses of a space that the filter lets through, newest first, which
	// is by descending id.
	Uses(space SpaceID, f UseFilter, limit int) ([]Use, error)
	// LastUses returns of each of these ids of a kind the newest use in the space, in
	// any order. What was never used is left out.
	LastUses(space SpaceID, of UseOf, ids []string) ([]Use, error)
	// CountUses adds up N of the uses that the filter lets through.
	CountUses(SpaceID, UseFilter) (int64, error)
	// GrantUses returns what AddGrantUse has added up of these grants, in any order.
	GrantUses(ids []GrantID) ([]GrantUse, error)

	SigningKeys() ([]SigningKey, error)

	Imported(name string) (Imported, error)

	Message(MessageID) (Message, error)
	// DueMessages lists messages that are due at now and have not expired, those
	// that are due for longest first.
	DueMessages(now time.Time, limit int) ([]MessageID, error)
}

// Tx reads and writes. An Insert of a key that is there is ErrExists (a store may
// at first take it that a key is new, and run the Update again if it was not); an
// Update or Delete of one that is not is ErrNotFound. A Spend is one conditional
// write that marks the record spent at now and returns it as it was before; a
// record that is absent, spent or expired at now is ErrNotFound. A
// record expires at its ExpiresAt: at that instant it is expired.
type Tx interface {
	Reader

	InsertSpace(Space) error
	// BumpSpace raises the generation of a space by one.
	BumpSpace(SpaceID) error
	InsertAccount(Account) error
	// UpdateAccount is ErrExists when another account has the e-mail address.
	UpdateAccount(Account) error
	PutRole(Role) error
	DeleteRole(AccountID, SpaceID) error
	InsertPasskey(Passkey) error
	// UsePasskey writes SignCount, BackedUp and UsedAt, if the new count is more than
	// the one before or both are 0; otherwise ErrNotFound. Of two who use a passkey
	// with the same count one does.
	UsePasskey(id []byte, signCount int64, backedUp bool, now time.Time) error
	// DeletePasskey and DeleteIdentity delete what is the account's.
	DeletePasskey(AccountID, []byte) error
	InsertIdentity(Identity) error
	DeleteIdentity(account AccountID, issuer, subject string) error
	// PutMailCode writes a code in place of the one that has its Digest, if any.
	PutMailCode(MailCode) error
	// TryMailCode counts a try, as one conditional write, and returns the code as it
	// is then. One that is absent, spent or expired, or was tried most times, is
	// ErrNotFound.
	TryMailCode(d Digest, most int64, now time.Time) (MailCode, error)
	SpendMailCode(d Digest, now time.Time) (MailCode, error)
	InsertInvitation(Invitation) error
	// TakeInvitation marks an invitation taken, a Spend; one to another address is
	// ErrNotFound, too.
	TakeInvitation(id InvitationID, email string, now time.Time) (Invitation, error)
	// DeleteInvitation takes back an invitation into the space that nobody has taken.
	DeleteInvitation(SpaceID, InvitationID) error
	InsertSession(Session) error
	DeleteSession(Digest) error
	InsertParticipant(SessionID, oauth.ClientID) error
	// DeleteParticipants forgets the clients of a session; there may be none.
	DeleteParticipants(SessionID) error

	InsertClient(oauth.Client) error
	UpdateClient(oauth.Client) error
	// DeleteClient removes a client with everything that would be its own again
	// if somebody registered the same id. The resources that it registered are
	// deregistered, and their shares dormant since now.
	DeleteClient(id oauth.ClientID, now time.Time) error
	// InsertRegistration is ErrExists also when the client has one.
	InsertRegistration(RegistrationRecord) error
	// UpdateRegistration replaces the statement of a record.
	UpdateRegistration(RegistrationRecord) error
	// RevokeClient ends what the client was given until now: its grants are read with
	// ClientDisabled, its codes cannot be spent, and its PCTs are ErrNotFound. What it
	// is given from now on is not concerned.
	RevokeClient(oauth.ClientID) error
	// RevokeAll does that for every client, and every session is ErrNotFound.
	RevokeAll() error

	InsertResource(Resource) error
	// UpdateResource replaces description, generation and UpdatedAt of the resource
	// with this id, space and resource server.
	UpdateResource(Resource) error
	// BumpResources raises the generation of every resource of the space at the
	// resource server by one; there may be none.
	BumpResources(SpaceID, oauth.ClientID) error
	// DeleteResource deregisters a resource and makes its shares dormant.
	DeleteResource(space SpaceID, server oauth.ClientID, id uma.ResourceID, now time.Time) error

	InsertShare(Share) error
	// UpdateShare replaces a share of the space, but for its LinkDigest, if its stored Version is
	// the given one less one; otherwise ErrNotFound.
	UpdateShare(Share) error
	DeleteShare(SpaceID, policy.ShareID) error
	// DeleteShares deletes those of the shares that are there.
	DeleteShares(SpaceID, []policy.ShareID) error
	// KeepShares keeps those of the shares of the space that are not dormant as
	// versions with this ending. It changes no share. A version that was kept
	// already stays as it is.
	KeepShares(SpaceID, []policy.ShareID, Ending) error
	// KeepResource keeps a resource of the space, which has to be there, as it is.
	KeepResource(space SpaceID, id uma.ResourceID, until time.Time) error

	InsertGroup(Group) error
	RenameGroup(space SpaceID, id policy.GroupID, name string) error
	// DeleteGroup deletes a group with its members.
	DeleteGroup(SpaceID, policy.GroupID) error
	// InsertMember is ErrExists also when the group has the e-mail address.
	InsertMember(Member) error
	DeleteMember(SpaceID, policy.GroupID, MemberID) error

	// InsertProcess is ErrExists also when there is a grant with the id.
	InsertProcess(Process) error
	UpdateProcess(Process) error
	// BindProcess sets the client of a process that has none or this one;
	// otherwise ErrNotFound.
	BindProcess(ProcessID, oauth.ClientID) error
	InsertTicket(Ticket) error
	SpendTicket(d Digest, now time.Time) (Ticket, error)
	InsertInteraction(Interaction) error
	// FinishInteraction marks an interaction done: a Spend.
	FinishInteraction(d Digest, now time.Time) (Interaction, error)
	InsertCode(Code) error
	SpendCode(d Digest, now time.Time) (Code, error)
	InsertPushedRequest(PushedRequest) error
	SpendPushedRequest(d Digest, now time.Time) (PushedRequest, error)

	// InsertSpent notes that something with this digest was used, which nobody made
	// here and which may be used once: ErrExists when it was used before. The note is
	// swept after the time.
	InsertSpent(d Digest, until time.Time) error

	// CountUp adds one to a count that is below most, as one conditional write, and
	// returns it as it is then; a count that has come to most is ErrNotFound. One
	// that is not there, or has expired at now, begins at one and expires at until.
	CountUp(d Digest, most int64, now, until time.Time) (Count, error)
	// CountDown takes one back. A count that is not there, or is 0, is ErrNotFound.
	CountDown(d Digest) error

	// InsertGrant is ErrExists also when there is a process with the id.
	InsertGrant(Grant) error
	// Issue is InsertGrant with the grant's first access token.
	Issue(Grant, AccessToken) error
	// KeepGrant puts off the end of a grant to a time that is later.
	KeepGrant(id GrantID, until time.Time) error
	// RevokeGrant is idempotent; the first time stays.
	RevokeGrant(id GrantID, now time.Time) error
	// RevokeGrantsOf revokes the UMA grants that a client has in the space under any
	// of the shares, and returns how many: of those that are renewable, and of lately,
	// as LiveAccess.
	RevokeGrantsOf(space SpaceID, client oauth.ClientID, shares []policy.ShareID, lately []GrantID, now time.Time) (int, error)
	// SupersedeGrant revokes a grant and names its successor.
	SupersedeGrant(old, successor GrantID, now time.Time) error
	InsertAccessToken(AccessToken) error
	RevokeAccessToken(d Digest, now time.Time) error
	InsertRefreshToken(RefreshToken) error
	SpendRefreshToken(d Digest, now time.Time) (RefreshToken, error)
	InsertPCT(PCT) error
	SpendPCT(d Digest, now time.Time) (PCT, error)

	InsertRequest(Request) error
	// DecideRequest writes Status, Granted, Shares, DecidedBy and DecidedAt
	// of a request of the space that is pending or set aside; otherwise ErrNotFound.
	DecideRequest(Request) error

	// InsertBlock is ErrExists also when the party is blocked through that client.
	InsertBlock(Block) error
	DeleteBlock(SpaceID, BlockID) error

	// AppendEvent adds an event; ErrExists if the space has its Seq already.
	AppendEvent(Event) error

	// AddUse writes a use down, or adds N to that with the same ID and keeps the later
	// LastAt. Uses with the same ID differ in nothing else.
	AddUse(Use) error
	// AddGrantUse does the same for the use of a grant, which need not be there.
	AddGrantUse(GrantUse) error

	InsertSigningKey(SigningKey) error
	UpdateSigningKey(SigningKey) error

	InsertImported(Imported) error
	// AdvanceImported replaces Rows and Chain of an import that has come to
	// exactly as many rows as after; otherwise ErrNotFound.
	AdvanceImported(i Imported, after int64) error

	InsertMessage(Message) error
	// ClaimMessage counts an attempt to deliver a message that is due and has not
	// expired at now, and makes it due again at the time again; otherwise
	// ErrNotFound. Of several who claim it at the same time one does.
	ClaimMessage(id MessageID, now, again time.Time) error
	DeleteMessage(MessageID) error

	// Sweep deletes at most limit records that ended before the given time:
	// sessions with their participants, invitations, messages, notes of what was spent, counts, mail codes, tickets, processes, interactions, codes, pushed requests, tokens, grants,
	// PCTs, dormant shares, keys. It never
	// deletes an event, and it returns how many records it deleted.
	Sweep(before time.Time, limit int) (int, error)
	// SweepUses deletes at most limit uses that began, and uses of grants that were
	// last, before the given time, and returns how many.
	SweepUses(before time.Time, limit int) (int, error)
}
