package as_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// goodHash is what these tests take for a password hash.
func goodHash(s string) error {
	if s != "$hash$" {
		return errors.New("not the hash")
	}
	return nil
}

// importAll imports a text under a name and returns what was made.
func (w *world) importAll(name, text string) (made []as.Made, done as.Imported, err error) {
	done, err = w.Import(w.ctx, name, strings.NewReader(text), as.ImportOptions{PasswordHash: goodHash, Made: func(m []as.Made) error {
		made = append(made, m...)
		return nil
	}})
	return made, done, err
}

const smallImport = `{"kind":"account","email":"Zoe@Example.org","email_verified":true,"name":"Zoe","password_hash":"$hash$","space":"Zoe's things"}
{"kind":"client","client_id":"archive","client_name":"Archive","token_endpoint_auth_method":"client_secret_basic","client_secret_sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","grant_types":["authorization_code"],"redirect_uris":["https://archive.example/cb"],"scopes":["uma_protection"]}
{"kind":"resource","owner":"zoe@example.org","resource_server":"archive","description":{"name":"Letters","type":"letters","resource_scopes":["view","edit"],"x-shelf":7},"shares":[{"resource_scopes":["view"],"anyone":true},{"resource_scopes":["edit"],"required_claims":[{"name":"email","value":"bob@example.org"}]}]}
{"kind":"resource","owner":"zoe@example.org","resource_server":"archive","description":{"resource_scopes":[]}}
`

// What is imported is what the APIs would have made: it is granted on, shown and
// taken back like anything else.
func TestAnImportIsWhatTheAPIsWouldHaveMade(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*as.Config){
		"plain": func(*as.Config) {}, "a store that runs transactions twice": func(c *as.Config) { c.Store = retrying{c.Store} },
	} {
		w := newWorld(t, option)
		made, done, err := w.importAll("first", smallImport)
		w.must(err)
		if len(made) != 4 || done.Rows != 4 || len(made[2].Shares) != 2 {
			t.Fatalf("%s: made %+v, come to %d rows", name, made, done.Rows)
		}
		zoe, err := w.AccountByEmail(w.ctx, "zoe@example.org")
		w.must(err)
		if zoe.ID != as.AccountID(made[0].ID) || !zoe.EmailVerified || zoe.PasswordHash != "$hash$" {
			t.Errorf("%s: the account is %+v", name, zoe)
		}
		space := as.Space{ID: made[0].Space}
		pat := w.pat(oauth.Client{ID: "archive"}, zoe, space)
		letters := uma.ResourceID(made[2].ID)
		res, err := w.ReadResource(w.ctx, pat, letters)
		w.must(err)
		if string(res.Description.Members["x-shelf"]) != "7" || res.Description.Type != "letters" {
			t.Errorf("%s: the description is %+v", name, res.Description)
		}
		g := w.granted(w.c1, w.asBob(w.ticket(pat, perm(letters, "view", "edit"))))
		w.wantPermissions(pat, g.AccessToken, perm(letters, "view", "edit"))
		w.must(w.WithdrawShare(w.ctx, w.owner(zoe, space), made[2].Shares[1], 0))
		w.wantPermissions(pat, g.AccessToken, perm(letters, "view"))
		events := w.events(space.ID)
		if events[0].Kind != as.EventImported || events[0].Detail != `{"groups":0,"resources":2,"shares":2}` {
			t.Errorf("%s: the history begins with %+v", name, events[0])
		}
		w.must(w.VerifyHistory(w.ctx, space.ID))
	}
}

// Groups come first, because what is shared with them names them by their ids.
func TestAGroupIsImportedWithItsMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, _, err := w.importAll("groups", `{"kind":"group","owner":"alice@example.org","name":"Family","members":["Bob@Example.org","dave@example.org"]}`+"\n")
	w.must(err)
	made, _, err = w.importAll("photos", `{"kind":"resource","owner":"alice@example.org","resource_server":"rs1","description":{"resource_scopes":["view"]},"shares":[{"resource_scopes":["view"],"group_id":"`+made[0].ID+`"}]}`+"\n")
	w.must(err)
	photo := uma.ResourceID(made[0].ID)
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
	redeemed[as.Denied](w, w.c1, w.asCarlos(w.ticket(w.alice1, perm(photo, "view"))))
	// A group of somebody else's is none.
	hers, _, err := w.importAll("hers", `{"kind":"group","owner":"anna@example.org","name":"Family","members":["bob@example.org"]}`+"\n")
	w.must(err)
	_, _, err = w.importAll("more", `{"kind":"resource","owner":"alice@example.org","resource_server":"rs1","description":{"resource_scopes":["view"]},"shares":[{"resource_scopes":["view"],"group_id":"`+hers[0].ID+`"}]}`+"\n")
	wantCode(t, err, uma.InvalidRequest)
}

// photosOf is a file of n resources of Alice's, each with a share.
func photosOf(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"kind":"resource","owner":"alice@example.org","resource_server":"rs1","description":{"name":"Photo %d","resource_scopes":["view"]},"shares":[{"resource_scopes":["view"],"anyone":true}]}`+"\n", i)
	}
	return b.String()
}

// resourcesOf counts Alice's resources.
func (w *world) resourcesOf(pat as.PAT) []uma.ResourceID {
	ids, err := w.ListResources(w.ctx, pat, as.Page{Limit: 10_000})
	w.must(err)
	return ids
}

var errCut = errors.New("the file is cut off")

// An import that is cut off anywhere goes on with the first row that has not
// taken effect; none is taken twice and none is left out.
func TestAnImportGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := photosOf(2300)
	var made []as.Made
	take := func(from io.Reader, fail bool) (as.Imported, error) {
		return w.Import(w.ctx, "photos", from, as.ImportOptions{PasswordHash: goodHash, Made: func(m []as.Made) error {
			made = slices.DeleteFunc(made, func(old as.Made) bool { return old.Row >= m[0].Row })
			made = append(made, m...)
			if fail {
				return errCut
			}
			return nil
		}})
	}
	cut := io.MultiReader(strings.NewReader(text[:len(text)/2]), failing{})
	if done, err := take(cut, false); !errors.Is(err, errCut) || done.Rows != 1000 || len(w.resourcesOf(w.alice1)) != 1000 {
		t.Fatalf("cut off in the second batch: %d rows, %v", done.Rows, err)
	}
	if done, err := take(strings.NewReader(text), true); !errors.Is(err, errCut) || done.Rows != 1000 || len(w.resourcesOf(w.alice1)) != 1000 {
		t.Fatalf("cut off before a commit: %d rows, %v", done.Rows, err)
	}
	for range 2 { // the second time there is nothing left to take
		done, err := take(strings.NewReader(text), false)
		w.must(err)
		if ids := w.resourcesOf(w.alice1); done.Rows != 2300 || len(ids) != 2300 || len(made) != 2300 {
			t.Fatalf("%d rows, %d resources, %d made", done.Rows, len(ids), len(made))
		}
	}
	for i, m := range made {
		if m.Row != int64(i+1) {
			t.Fatalf("what was made number %d is of row %d", i, m.Row)
		}
		res, err := w.ReadResource(w.ctx, w.alice1, uma.ResourceID(m.ID))
		w.must(err)
		if res.Description.Name != fmt.Sprintf("Photo %d", i) {
			t.Fatalf("row %d became %q", m.Row, res.Description.Name)
		}
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// What was taken back since is not brought back, and a file that grew at its end
// is taken from there.
func TestAnImportBringsNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, _, err := w.importAll("photos", photosOf(2))
	w.must(err)
	w.must(w.DeregisterResource(w.ctx, w.alice1, uma.ResourceID(made[0].ID)))
	if made, _, err = w.importAll("photos", photosOf(3)); err != nil || len(made) != 1 || made[0].Row != 3 {
		t.Fatalf("made %+v, %v", made, err)
	}
	if ids := w.resourcesOf(w.alice1); len(ids) != 2 {
		t.Errorf("there are %d resources, want 2", len(ids))
	}
}

// A file that does not begin with the rows that were taken is another import.
func TestAnotherFileIsNoContinuation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.importAll("photos", photosOf(2))
	w.must(err)
	for _, other := range []string{"", photosOf(1), strings.Replace(photosOf(3), "Photo 1", "Photo 9", 1)} {
		_, _, err := w.importAll("photos", other)
		wantCode(t, err, as.Conflict)
	}
	if ids := w.resourcesOf(w.alice1); len(ids) != 2 {
		t.Errorf("there are %d resources, want 2", len(ids))
	}
}

// Of two that run the same import at the same time, every batch is of one.
func TestOneImportDoesNotRunTwiceAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Import(w.ctx, "photos", strings.NewReader(photosOf(3)), as.ImportOptions{PasswordHash: goodHash, Made: func([]as.Made) error {
		_, _, err := w.importAll("photos", photosOf(3)) // overtakes the other before its commit
		return err
	}})
	wantCode(t, err, as.Conflict)
	if ids := w.resourcesOf(w.alice1); len(ids) != 3 {
		t.Errorf("there are %d resources, want 3", len(ids))
	}
}

// A row that no API would take ends the import and is named; of its batch
// nothing has taken effect.
func TestABadRowIsNamedAndItsBatchIsNotTaken(t *testing.T) {
	t.Parallel()
	resource := func(members string) string {
		return `{"kind":"resource","owner":"alice@example.org","resource_server":"rs1",` + members + `}`
	}
	described := `"description":{"resource_scopes":["view"]}`
	w := newWorld(t)
	before := len(w.events(w.aliceSpace.ID))
	for row, code := range map[string]uma.Code{
		``:                    uma.InvalidRequest,
		`[]`:                  uma.InvalidRequest,
		`{"kind":"share"}`:    uma.InvalidRequest,
		`{"kind":"account"}`:  uma.InvalidRequest,
		`{"kind":"resource"}`: uma.InvalidRequest,
		`{"kind":"group"}`:    uma.InvalidRequest,
		`{"kind":"group","owner":"alice@example.org"}`:                                                                                                uma.InvalidRequest,
		`{"kind":"group","owner":"bob@example.org","name":"family"}`:                                                                                  uma.InvalidRequest,
		`{"kind":"group","owner":"alice@example.org","name":"family","members":["bob"]}`:                                                              uma.InvalidRequest,
		`{"kind":"group","owner":"alice@example.org","name":"family","members":["bob@example.org","BOB@example.org"]}`:                                as.Conflict,
		`{"kind":"group","owner":"alice@example.org","name":"family","member":["bob@example.org"]}`:                                                   uma.InvalidRequest,
		resource(described + `,"shares":[{"resource_scopes":["view"],"group_id":"x"}]`):                                                               uma.InvalidRequest,
		`{"kind":"account","kind":"account","email":"x@example.org"}`:                                                                                 uma.InvalidRequest,
		`{"kind":"account","email":"alice@example.org"}`:                                                                                              as.Conflict,
		`{"kind":"account","email":"x@example.org","password_hash":"secret"}`:                                                                         uma.InvalidRequest,
		`{"kind":"account","email":"x@example.org","password":"secret"}`:                                                                              uma.InvalidRequest,
		`{"kind":"client","client_id":"new","token_endpoint_auth_method":"client_secret_post"}`:                                                       oauth.InvalidClientMetadata,
		`{"kind":"client","client_id":"new","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://new.example/jwks","jwks":{"keys":[]}}`: oauth.InvalidClientMetadata,
		`{"kind":"client","client_id":"c1","token_endpoint_auth_method":"none"}`:                                                                      as.Conflict,
		`{"kind":"client","client_id":"new","token_endpoint_auth_method":"none","owner":"bob@example.org"}`:                                           uma.InvalidRequest,
		`{"kind":"resource","owner":"nobody@example.org","resource_server":"rs1",` + described + `}`:                                                  uma.InvalidRequest,
		`{"kind":"resource","owner":"bob@example.org","resource_server":"rs1",` + described + `}`:                                                     uma.InvalidRequest,
		`{"kind":"resource","owner":"alice@example.org","resource_server":"rs9",` + described + `}`:                                                   uma.InvalidRequest,
		`{"kind":"resource","owner":"alice@example.org","resource_server":"c1",` + described + `}`:                                                    uma.InvalidRequest,
		resource(`"description":null`):                                                                                                uma.InvalidRequest,
		resource(`"description":{"name":"without scopes"}`):                                                                           uma.InvalidRequest,
		resource(described + `,"shares":[{"resource_scopes":["edit"],"anyone":true}]`):                                                uma.InvalidScope,
		resource(described + `,"shares":[{"resource_scopes":["view"]}]`):                                                              uma.InvalidRequest,
		resource(described + `,"shares":[{"resource_id":"x","resource_scopes":["view"],"anyone":true}]`):                              uma.InvalidRequest,
		resource(described + `,"shares":[{"resource_scopes":["view"],"anyone":true}],"x":"` + strings.Repeat("x", uma.MaxJSON) + `"`): uma.InvalidRequest,
	} {
		made, done, err := w.importAll("bad", photosOf(2)+row+"\n")
		rowError := new(as.RowError)
		if !errors.As(err, &rowError) || rowError.Row != 3 {
			t.Errorf("%.200s: the error is %v", row, err)
			continue
		}
		wantCode(t, err, code)
		if done.Rows != 0 || len(w.resourcesOf(w.alice1)) != 0 || len(w.events(w.aliceSpace.ID)) != before {
			t.Errorf("%.200s: something of the batch has been taken: %+v", row, made)
		}
		begun, err := w.ImportBegun(w.ctx, "bad")
		w.must(err)
		if begun.Rows != 0 {
			t.Errorf("%.200s: %d rows are counted", row, begun.Rows)
		}
	}
}

// An owner with several spaces has to be told apart by somebody else.
func TestAnImportDoesNotGuessASpace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.Update(context.Background(), func(tx as.Tx) error {
		return tx.PutRole(as.Role{Account: w.alice.ID, Space: w.annaSpace.ID, Kind: as.RoleOwner})
	}))
	_, _, err := w.importAll("photos", photosOf(1))
	wantCode(t, err, uma.InvalidRequest)
}

func TestAnImportedClientIsAsItsRowSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.importAll("clients", `{"kind":"client","client_id":"keyed","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://keyed.example/jwks","grant_types":["`+uma.GrantType+`"],"require_ticket_binding":true}`+"\n")
	w.must(err)
	c, err := w.FindClient(w.ctx, "keyed")
	w.must(err)
	want := oauth.Client{
		ID: "keyed", AuthMethod: oauth.AuthKey, JWKSURI: "https://keyed.example/jwks", GrantTypes: []string{uma.GrantType}, RequireTicketBinding: true,
	}
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
