package storetest

import (
	"cmp"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// record is one record with the verbs that write and read it.
type record struct {
	what   string
	insert func(as.Tx) error
	read   func(as.Reader) (any, error)
	want   any
}

// a makes a record: filled, and then told what key it has.
func a[T any](what string, f filler, key func(*T), insert func(as.Tx, T) error, read func(as.Reader) (T, error)) record {
	v := new(T)
	f.fill(v)
	key(v)
	return record{
		what:   what,
		insert: func(tx as.Tx) error { return insert(tx, *v) },
		read:   func(r as.Reader) (any, error) { return read(r) },
		want:   stored(*v),
	}
}

// recordsOf makes one record of each kind, under the names of the scene.
func (s *scene) recordsOf(f filler) []record {
	return slices.Concat(s.peopleOf(f), s.waysInOf(f), s.thingsOf(f), s.processesOf(f), s.tokensOf(f))
}

func (s *scene) peopleOf(f filler) []record {
	return []record{
		a("space", f, func(v *as.Space) { v.ID = s.space() }, as.Tx.InsertSpace,
			func(r as.Reader) (as.Space, error) { return r.Space(s.space()) }),
		a("account", f, func(v *as.Account) { v.ID, v.Email = s.account(), s.id(v.Email+"@example.org") }, as.Tx.InsertAccount,
			func(r as.Reader) (as.Account, error) { return r.Account(s.account()) }),
		a("session", f, func(v *as.Session) { v.Digest, v.ID = s.digest("session"), s.session() }, as.Tx.InsertSession,
			func(r as.Reader) (as.Session, error) { return r.Session(s.digest("session")) }),
		{
			what:   "participant",
			insert: func(tx as.Tx) error { return tx.InsertParticipant(s.session(), s.client()) },
			read:   func(r as.Reader) (any, error) { return s.participant(r) },
			want:   s.client(),
		},
		a("invitation", f, func(v *as.Invitation) { v.ID = s.invitation() }, as.Tx.InsertInvitation,
			func(r as.Reader) (as.Invitation, error) { return r.Invitation(s.invitation()) }),
		a("message", f, func(v *as.Message) { v.ID = s.message() }, as.Tx.InsertMessage,
			func(r as.Reader) (as.Message, error) { return r.Message(s.message()) }),
		a("client", f, func(v *oauth.Client) { v.ID = s.client() }, as.Tx.InsertClient,
			func(r as.Reader) (oauth.Client, error) { return r.Client(s.client()) }),
		a("registration", f, func(v *as.RegistrationRecord) { v.Digest, v.Client = s.digest("registration"), s.client() }, as.Tx.InsertRegistration,
			func(r as.Reader) (as.RegistrationRecord, error) {
				return r.RegistrationRecord(s.digest("registration"))
			}),
		a("signing key", f, func(v *as.SigningKey) { v.ID, v.Sealed = s.id("key"), []byte{0, 1} }, as.Tx.InsertSigningKey, s.key),
		a("import", f, func(v *as.Imported) { v.Name = s.id("import") }, as.Tx.InsertImported,
			func(r as.Reader) (as.Imported, error) { return r.Imported(s.id("import")) }),
	}
}

func (s *scene) thingsOf(f filler) []record {
	return []record{
		a("resource", f, func(v *as.Resource) { v.ID, v.Space, v.ResourceServer = s.resource(), s.space(), s.server() }, as.Tx.InsertResource,
			func(r as.Reader) (as.Resource, error) { return r.Resource(s.space(), s.server(), s.resource()) }),
		a("share", f, func(v *as.Share) {
			v.ID, v.Space, v.Resource = s.share(), s.space(), s.resource()
			if v.LinkDigest != nil {
				v.LinkDigest = s.digest("link") // which is of one share
			}
		}, as.Tx.InsertShare,
			func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }),
		a("group", f, func(v *as.Group) { v.ID, v.Space = s.group(), s.space() }, as.Tx.InsertGroup,
			func(r as.Reader) (as.Group, error) { return r.Group(s.space(), s.group()) }),
		a("member", f, func(v *as.Member) { v.ID, v.Space, v.Group = s.member(), s.space(), s.group() }, as.Tx.InsertMember,
			func(r as.Reader) (as.Member, error) { return r.Member(s.space(), s.member()) }),
		a("request", f, func(v *as.Request) { v.ID, v.Space = s.request(), s.space() }, as.Tx.InsertRequest,
			func(r as.Reader) (as.Request, error) { return r.Request(s.space(), s.request()) }),
		a("block", f, func(v *as.Block) { v.ID, v.Space = s.block(), s.space() }, as.Tx.InsertBlock,
			func(r as.Reader) (as.Block, error) { return r.Block(s.space(), s.block()) }),
		a("event", f, func(v *as.Event) { v.Space, v.Seq, v.Hash = s.space(), 1, []byte{0, 2} }, as.Tx.AppendEvent,
			s.firstEvent),
	}
}

// firstEvent reads the first event of the scene's space.
func (s *scene) firstEvent(r as.Reader) (as.Event, error) {
	list, err := r.Events(s.space(), 0, 1)
	if err == nil && len(list) == 0 {
		err = as.ErrNotFound
	}
	if err != nil {
		return as.Event{}, err
	}
	return list[0], nil
}

func (s *scene) processesOf(f filler) []record {
	return []record{
		a("process", f, func(v *as.Process) { v.ID = s.process() }, as.Tx.InsertProcess,
			func(r as.Reader) (as.Process, error) { return r.Process(s.process()) }),
		a("ticket", f, func(v *as.Ticket) { v.Digest = s.digest("ticket") }, as.Tx.InsertTicket,
			func(r as.Reader) (as.Ticket, error) { return r.Ticket(s.digest("ticket")) }),
		a("interaction", f, func(v *as.Interaction) { v.Digest = s.digest("interaction") }, as.Tx.InsertInteraction,
			func(r as.Reader) (as.Interaction, error) { return r.Interaction(s.digest("interaction")) }),
		a("pushed request", f, func(v *as.PushedRequest) { v.Digest = s.digest("pushed") }, as.Tx.InsertPushedRequest,
			func(r as.Reader) (as.PushedRequest, error) { return r.PushedRequest(s.digest("pushed")) }),
		a("code", f, func(v *as.Code) { v.Digest = s.digest("code") }, as.Tx.InsertCode,
			func(r as.Reader) (as.Code, error) { return r.Code(s.digest("code")) }),
	}
}

func (s *scene) tokensOf(f filler) []record {
	return []record{
		a("grant", f, func(v *as.Grant) { v.ID = s.grant() }, as.Tx.InsertGrant,
			func(r as.Reader) (as.Grant, error) {
				g, err := r.GrantState(s.grant())
				return g.Grant, err
			}),
		a("access token", f, func(v *as.AccessToken) { v.Digest, v.Grant = s.digest("access"), s.grant() }, as.Tx.InsertAccessToken,
			func(r as.Reader) (as.AccessToken, error) { return r.AccessToken(s.digest("access")) }),
		a("refresh token", f, func(v *as.RefreshToken) { v.Digest, v.Grant = s.digest("refresh"), s.grant() }, as.Tx.InsertRefreshToken,
			func(r as.Reader) (as.RefreshToken, error) { return r.RefreshToken(s.digest("refresh")) }),
		a("issued grant", f, func(v *issued) {
			v.Grant.ID, v.Token.Digest, v.Token.Grant = s.issued(), s.digest("issued"), s.issued()
		}, func(tx as.Tx, v issued) error { return tx.Issue(v.Grant, v.Token) }, s.readIssued),
		a("PCT", f, func(v *as.PCT) { v.Digest = s.digest("pct") }, as.Tx.InsertPCT,
			func(r as.Reader) (as.PCT, error) { return r.PCT(s.digest("pct")) }),
	}
}

// insertAll inserts the records.
func (s *scene) insertAll(list []record) {
	s.Helper()
	s.update(func(tx as.Tx) error {
		for _, r := range list {
			if err := r.insert(tx); err != nil {
				s.Errorf("inserting the %s: %v", r.what, err)
				return err
			}
		}
		return nil
	})
}

// readAll checks that the records are as they were written.
func (s *scene) readAll(list []record) {
	s.Helper()
	s.view(func(r as.Reader) error {
		for _, one := range list {
			got, err := one.read(r)
			if err != nil {
				s.Errorf("reading the %s: %v", one.what, err)
				continue
			}
			same(s, "the "+one.what, got, one.want)
		}
		return nil
	})
}

// key reads the scene's signing key.
func (s *scene) key(r as.Reader) (as.SigningKey, error) {
	list, err := r.SigningKeys()
	i := slices.IndexFunc(list, func(k as.SigningKey) bool { return k.ID == s.id("key") })
	if err != nil || i < 0 {
		return as.SigningKey{}, cmp.Or(err, as.ErrNotFound)
	}
	return list[i], nil
}

// participant reads the scene's client through its session.
func (s *scene) participant(r as.Reader) (oauth.ClientID, error) {
	list, err := r.Participants(s.session())
	if err != nil || !slices.Contains(list, s.client()) {
		return "", cmp.Or(err, as.ErrNotFound)
	}
	return s.client(), nil
}

// issued is a grant with its first access token.
type issued struct {
	Grant as.Grant
	Token as.AccessToken
}

func (s *scene) readIssued(r as.Reader) (v issued, err error) {
	state, err := r.GrantState(s.issued())
	if err != nil {
		return v, err
	}
	v.Grant = state.Grant
	v.Token, err = r.AccessToken(s.digest("issued"))
	return v, err
}

// The names of a scene's records.
func (s *scene) space() as.SpaceID           { return as.SpaceID(s.id("space")) }
func (s *scene) account() as.AccountID       { return as.AccountID(s.id("account")) }
func (s *scene) session() as.SessionID       { return as.SessionID(s.id("session")) }
func (s *scene) invitation() as.InvitationID { return as.InvitationID(s.id("invitation")) }
func (s *scene) message() as.MessageID       { return as.MessageID(s.id("message")) }
func (s *scene) client() oauth.ClientID      { return oauth.ClientID(s.id("client")) }
func (s *scene) server() oauth.ClientID      { return oauth.ClientID(s.id("server")) }
func (s *scene) resource() uma.ResourceID    { return uma.ResourceID(s.id("resource")) }
func (s *scene) share() policy.ShareID       { return policy.ShareID(s.id("share")) }
func (s *scene) group() policy.GroupID       { return policy.GroupID(s.id("group")) }
func (s *scene) member() as.MemberID         { return as.MemberID(s.id("member")) }
func (s *scene) block() as.BlockID           { return as.BlockID(s.id("block")) }
func (s *scene) request() as.RequestID       { return as.RequestID(s.id("request")) }
func (s *scene) process() as.ProcessID       { return as.ProcessID(s.id("process")) }
func (s *scene) grant() as.GrantID           { return as.GrantID(s.id("grant")) }
func (s *scene) issued() as.GrantID          { return as.GrantID(s.id("issued")) }
