package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const invitationColumns = `id, space_id, email, kind, ends_at, invited_by, created_at, expires_at, taken_at`

var insertInvitation = insertInto("invitations", invitationColumns)

func intoInvitation() ([]any, *as.Invitation) {
	i := new(as.Invitation)
	return []any{&i.ID, &i.Space, &i.Email, &i.Kind, instant{&i.EndsAt}, &i.InvitedBy, instant{&i.CreatedAt}, instant{&i.ExpiresAt}, instant{&i.TakenAt}}, i
}

func (t *Tx) Invitation(id as.InvitationID) (as.Invitation, error) {
	return one(t, intoInvitation, `select `+invitationColumns+` from invitations where id = $1`, id)
}

func (t *Tx) Invitations(space as.SpaceID, now time.Time, p as.Page) ([]as.Invitation, error) {
	return all(t, intoInvitation, `select `+invitationColumns+` from invitations where space_id = $1 and taken_at = 0 and expires_at > $2
		and id > $3 order by id limit $4`, space, ms(now), p.After, p.Limit)
}

func (t *Tx) InvitationsTo(email string, now time.Time, p as.Page) ([]as.Invitation, error) {
	return all(t, intoInvitation, `select `+invitationColumns+` from invitations where email = $1 and taken_at = 0 and expires_at > $2
		and id > $3 order by id limit $4`, email, ms(now), p.After, p.Limit)
}

func (t *Tx) InsertInvitation(i as.Invitation) error {
	return t.insert(insertInvitation, i.ID, i.Space, i.Email, i.Kind, ms(i.EndsAt), i.InvitedBy, ms(i.CreatedAt), ms(i.ExpiresAt), ms(i.TakenAt))
}

func (t *Tx) TakeInvitation(id as.InvitationID, email string, now time.Time) (as.Invitation, error) {
	t.wrote = true
	i, err := one(t, intoInvitation, `update invitations set taken_at = $3 where id = $1 and email = $2 and taken_at = 0 and expires_at > $3
		returning `+invitationColumns, id, email, ms(now))
	i.TakenAt = time.Time{}
	return i, err
}

func (t *Tx) DeleteInvitation(space as.SpaceID, id as.InvitationID) error {
	return t.change(`delete from invitations where space_id = $1 and id = $2 and taken_at = 0`, space, id)
}
