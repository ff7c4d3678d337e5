package rows

import (
	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

const (
	groupColumns  = `id, space_id, name, created_at`
	memberColumns = `id, space_id, group_id, email, created_at`
)

var (
	insertGroup  = insertInto("groups", groupColumns)
	insertMember = insertInto("members", memberColumns)
)

func intoGroup() ([]any, *as.Group) {
	g := new(as.Group)
	return []any{&g.ID, &g.Space, &g.Name, instant{&g.CreatedAt}}, g
}

func intoMember() ([]any, *as.Member) {
	m := new(as.Member)
	return []any{&m.ID, &m.Space, &m.Group, &m.Email, instant{&m.CreatedAt}}, m
}

func (t *Tx) Group(space as.SpaceID, id policy.GroupID) (as.Group, error) {
	return one(t, intoGroup, `select `+groupColumns+` from groups where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) Groups(space as.SpaceID, p as.Page) ([]as.Group, error) {
	return all(t, intoGroup, `select `+groupColumns+` from groups where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) Members(space as.SpaceID, group policy.GroupID, p as.Page) ([]as.Member, error) {
	return all(t, intoMember, `select `+memberColumns+` from members where space_id = $1 and group_id = $2 and id > $3 order by id limit $4`,
		space, group, p.After, p.Limit)
}

func (t *Tx) Member(space as.SpaceID, id as.MemberID) (as.Member, error) {
	return one(t, intoMember, `select `+memberColumns+` from members where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) MemberByEmail(space as.SpaceID, group policy.GroupID, email string) (as.Member, error) {
	return one(t, intoMember, `select `+memberColumns+` from members where space_id = $1 and group_id = $2 and email = $3`, space, group, email)
}

func (t *Tx) MembershipsOf(space as.SpaceID, email string, p as.Page) ([]as.Member, error) {
	return all(t, intoMember, `select `+memberColumns+` from members where email = $1 and space_id = $2 and id > $3 order by id limit $4`, email, space, p.After, p.Limit)
}

func (t *Tx) SharesWith(space as.SpaceID, group policy.GroupID, p as.Page) ([]as.Share, error) {
	return all(t, intoShare, `select `+shareColumns+` from shares where space_id = $1 and group_id = $2 and group_id <> '' and id > $3
		order by id limit $4`, space, group, p.After, p.Limit)
}

func (t *Tx) InsertGroup(g as.Group) error {
	return t.insert(insertGroup, g.ID, g.Space, g.Name, ms(g.CreatedAt))
}

func (t *Tx) RenameGroup(space as.SpaceID, id policy.GroupID, name string) error {
	return t.change(`update groups set name = $3 where space_id = $1 and id = $2`, space, id, name)
}

func (t *Tx) DeleteGroup(space as.SpaceID, id policy.GroupID) error {
	if err := t.change(`delete from groups where space_id = $1 and id = $2`, space, id); err != nil {
		return err
	}
	_, err := t.count(`delete from members where group_id = $1`, id)
	return t.changed(err, as.ChangedGroup(id))
}

func (t *Tx) InsertMember(m as.Member) error {
	return t.insert(insertMember, m.ID, m.Space, m.Group, m.Email, ms(m.CreatedAt))
}

func (t *Tx) DeleteMember(space as.SpaceID, group policy.GroupID, id as.MemberID) error {
	return t.changed(t.change(`delete from members where space_id = $1 and group_id = $2 and id = $3`, space, group, id), as.ChangedGroup(group))
}
