package rows

import (
	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const blockColumns = `id, space_id, subject, client_id, claims, request_id, created_by, created_at`

var insertBlock = insertInto("blocks", blockColumns)

func intoBlock() ([]any, *as.Block) {
	b := new(as.Block)
	return []any{&b.ID, &b.Space, &b.Subject, &b.Client, &b.Claims, &b.Request, &b.CreatedBy, instant{&b.CreatedAt}}, b
}

func (t *Tx) Block(space as.SpaceID, id as.BlockID) (as.Block, error) {
	return one(t, intoBlock, `select `+blockColumns+` from blocks where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) Blocks(space as.SpaceID, p as.Page) ([]as.Block, error) {
	return all(t, intoBlock, `select `+blockColumns+` from blocks where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) Blocked(space as.SpaceID, client oauth.ClientID, subject string) (bool, error) {
	list, err := all(t, intoBlock, `select `+blockColumns+` from blocks where space_id = $1 and subject = $2 and client_id in ('', $3)`, space, subject, client)
	return len(list) > 0, err
}

func (t *Tx) InsertBlock(b as.Block) error {
	return t.insert(insertBlock, b.ID, b.Space, b.Subject, b.Client, b.Claims, b.Request, b.CreatedBy, ms(b.CreatedAt))
}

func (t *Tx) DeleteBlock(space as.SpaceID, id as.BlockID) error {
	return t.change(`delete from blocks where space_id = $1 and id = $2`, space, id)
}
