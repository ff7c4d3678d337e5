package rows

import "github.com/licet/licet/as"

const importedColumns = `name, row_count, chain, created_at`

var insertImported = insertInto("imported", importedColumns)

func intoImported() ([]any, *as.Imported) {
	i := new(as.Imported)
	return []any{&i.Name, &i.Rows, &i.Chain, instant{&i.CreatedAt}}, i
}

func (t *Tx) Imported(name string) (as.Imported, error) {
	return one(t, intoImported, `select `+importedColumns+` from imported where name = $1`, name)
}

func (t *Tx) InsertImported(i as.Imported) error {
	return t.insert(insertImported, i.Name, i.Rows, i.Chain, ms(i.CreatedAt))
}

func (t *Tx) AdvanceImported(i as.Imported, after int64) error {
	return t.change(`update imported set row_count = $3, chain = $4 where name = $1 and row_count = $2`, i.Name, after, i.Rows, i.Chain)
}
