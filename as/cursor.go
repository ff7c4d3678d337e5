package as

import (
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var errCursor = uma.NewError(uma.InvalidRequest, "The parameter after has to be the cursor of this list's Link header.")

// Cursor seals the key that a page of a list ended with, so that it is good for
// the next page of this list to this owner and for nothing else: an id of the
// store never becomes a parameter, and what was made up or is another's cannot
// be told from each other. list names the list, with whatever narrows it.
func (s *Server) Cursor(o Owner, list, after string) string {
	return encode(s.vault.seal(cursorOf(o, list), []byte(after)))
}

// OpenCursor returns the key that Cursor sealed; "" for no cursor. One of another
// owner, of another list, edited or made up is invalid_request.
func (s *Server) OpenCursor(o Owner, list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	sealed, ok := decode(cursor)
	if !ok {
		return "", errCursor
	}
	after, err := s.vault.open(cursorOf(o, list), sealed)
	if err != nil {
		return "", errCursor.Because(err)
	}
	return string(after), nil
}

// cursorOf is the use that a cursor is sealed for. The ids are ours and have no
// zero byte, so no two lists of two owners have the same.
func cursorOf(o Owner, list string) artefact {
	return aCursor + artefact("\x00"+string(o.Space)+"\x00"+o.actor()+"\x00"+list)
}

// PartyKey is a name for a party that is good in a path of this space: it tells
// nobody an address, is the same every time, and says nothing in another space.
func (s *Server) PartyKey(o Owner, p policy.Party) string {
	name := "\x00" + string(o.Space) + "\x00" + string(p.Kind) + "\x00" + p.Name + "\x00" + p.Issuer + "\x00" + p.Value
	return encode(s.vault.digest(aParty, name)[:16])
}
