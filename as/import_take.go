package as

import (
	"errors"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// taking is a batch of an import in its transaction.
type taking struct {
	*importing
	tx      Tx
	servers map[oauth.ClientID]bool // known to be resource servers
	noted   map[SpaceID]*importNote
	order   []SpaceID
}

// importNote is what the history of a space tells of a batch.
type importNote struct{ resources, shares, groups int }

// take writes down what a row says.
func (t *taking) take(row importRow) error {
	switch row.kind {
	case importAccount:
		return t.takeAccount(row)
	case importClient:
		return t.takeClient(row)
	case importGroup:
		return t.takeGroup(row)
	default:
		return t.takeResource(row)
	}
}

func (t *taking) takeAccount(row importRow) error {
	err := t.tx.InsertAccount(row.account)
	if errors.Is(err, ErrExists) {
		return errEmailTaken
	}
	if err != nil || row.space.ID == "" {
		return err
	}
	if err := t.openSpace(t.tx, row.space); err != nil {
		return err
	}
	return t.tx.PutRole(Role{Account: row.account.ID, Space: row.space.ID, Kind: RoleOwner})
}

// takeClient never replaces a client: its secret and redirects are whoever's
// registered it.
func (t *taking) takeClient(row importRow) error {
	if row.owner != "" {
		o, err := t.owner(row.owner)
		if err != nil {
			return err
		}
		row.client.Space = string(o.space)
	}
	err := t.tx.InsertClient(row.client)
	if errors.Is(err, ErrExists) {
		return uma.NewError(Conflict, "There is a client with this id.")
	}
	return err
}

func (t *taking) takeResource(row importRow) error {
	o, err := t.owner(row.owner)
	if err != nil {
		return err
	}
	if err := t.resourceServer(row.resource.ResourceServer); err != nil {
		return err
	}
	row.resource.Space = o.space
	if err := t.tx.InsertResource(row.resource); err != nil {
		return err
	}
	for _, share := range row.shares {
		share.Space, share.CreatedBy, share.UpdatedBy = o.space, o.account, string(o.account)
		if share.Group != "" {
			if _, err := t.tx.Group(o.space, share.Group); err != nil {
				return absent(err, errShareGroup)
			}
		}
		if err := t.tx.InsertShare(share); err != nil {
			return err
		}
		if err := t.planEnding(t.tx, share); err != nil {
			return err
		}
	}
	n := t.noteOf(o.space)
	n.resources++
	n.shares += len(row.shares)
	return nil
}

func (t *taking) takeGroup(row importRow) error {
	o, err := t.owner(row.owner)
	if err != nil {
		return err
	}
	row.group.Space = o.space
	if err := t.tx.InsertGroup(row.group); err != nil {
		return err
	}
	for _, m := range row.members {
		m.Space = o.space
		if err := t.tx.InsertMember(m); errors.Is(err, ErrExists) {
			return errIsMember
		} else if err != nil {
			return err
		}
	}
	t.noteOf(o.space).groups++
	return nil
}

// noteOf is what the history of a space will tell of the batch.
func (t *taking) noteOf(space SpaceID) *importNote {
	n := t.noted[space]
	if n == nil {
		n = &importNote{}
		t.noted[space] = n
		t.order = append(t.order, space)
	}
	return n
}

// owner finds the person with an address and the one space that they own, and
// remembers it for the rest of the import.
func (t *taking) owner(email string) (importOwner, error) {
	if o, ok := t.owners[email]; ok {
		return o, nil
	}
	a, err := t.tx.AccountByEmail(email)
	if errors.Is(err, ErrNotFound) {
		return importOwner{}, uma.NewError(uma.InvalidRequest, "There is no account of the owner.")
	}
	if err != nil {
		return importOwner{}, err
	}
	roles, err := t.tx.RolesOf(a.ID)
	if err != nil {
		return importOwner{}, err
	}
	o := importOwner{account: a.ID}
	for _, role := range roles {
		if role.Kind != RoleOwner || !role.manages(t.now()) {
			continue
		}
		if o.space != "" {
			return importOwner{}, uma.NewError(uma.InvalidRequest, "The owner has several spaces.")
		}
		o.space = role.Space
	}
	if o.space == "" {
		return importOwner{}, uma.NewError(uma.InvalidRequest, "The owner has no space.")
	}
	t.owners[email] = o
	return o, nil
}

// resourceServer insists that a client may hold a PAT.
func (t *taking) resourceServer(id oauth.ClientID) error {
	if t.servers[id] {
		return nil
	}
	c, err := t.tx.Client(id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err != nil || !contains(c.Scopes, uma.ScopeProtection) {
		return uma.NewError(uma.InvalidRequest, "The resource_server is no client that is registered for uma_protection.")
	}
	if t.servers == nil {
		t.servers = map[oauth.ClientID]bool{}
	}
	t.servers[id] = true
	return nil
}

// note tells the history of each space what the batch brought into it.
func (t *taking) note(name string) error {
	for _, space := range t.order {
		n := t.noted[space]
		err := t.record(t.tx, space, EventImported, actorImport, name, detail{"resources": n.resources, "shares": n.shares, "groups": n.groups})
		if err != nil {
			return err
		}
	}
	return nil
}

// actorImport is who acts in an import: whoever runs the server.
const actorImport = "import"
