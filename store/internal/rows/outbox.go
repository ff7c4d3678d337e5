package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const messageColumns = `id, kind, recipient, body, due_at, attempts, expires_at`

var insertMessage = insertInto("outbox", messageColumns)

func intoMessage() ([]any, *as.Message) {
	m := new(as.Message)
	return []any{&m.ID, &m.Kind, &m.Recipient, &m.Body, instant{&m.DueAt}, &m.Attempts, instant{&m.ExpiresAt}}, m
}

func (t *Tx) Message(id as.MessageID) (as.Message, error) {
	return one(t, intoMessage, `select `+messageColumns+` from outbox where id = $1`, id)
}

func (t *Tx) DueMessages(now time.Time, limit int) ([]as.MessageID, error) {
	return all(t, single[as.MessageID], `select id from outbox where due_at <= $1 and expires_at > $1 order by due_at, id limit $2`, ms(now), limit)
}

func (t *Tx) InsertMessage(m as.Message) error {
	return t.insert(insertMessage, m.ID, m.Kind, m.Recipient, m.Body, ms(m.DueAt), m.Attempts, ms(m.ExpiresAt))
}

func (t *Tx) ClaimMessage(id as.MessageID, now, again time.Time) error {
	return t.change(`update outbox set attempts = attempts + 1, due_at = $3 where id = $1 and due_at <= $2 and expires_at > $2`, id, ms(now), ms(again))
}

func (t *Tx) DeleteMessage(id as.MessageID) error {
	return t.change(`delete from outbox where id = $1`, id)
}
