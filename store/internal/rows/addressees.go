package rows

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

// The table addressees says whom shares name, one row for each: an address, or what an
// issuer calls somebody. Only those who are named look there.

// address writes whom a share names.
func (t *Tx) address(s as.Share) error {
	for _, who := range addressees(s) {
		if err := t.insert(`insert into addressees (who, space_id, share_id) values ($1, $2, $3)`+UnlessThere, who, s.Space, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// readdress writes it anew.
func (t *Tx) readdress(s as.Share) error {
	if _, err := t.count(`delete from addressees where share_id = $1`, s.ID); err != nil {
		return err
	}
	return t.address(s)
}

// addressees are the persons whom a share names, in any of its conditions.
func addressees(s as.Share) []string {
	var out []string
	for i := range s.Claims {
		for _, p := range (policy.Share{Claims: s.Claims[i : i+1]}).Parties() {
			switch p.Kind {
			case policy.PartyEmail:
				out = append(out, p.Value)
			case policy.PartySubject:
				out = append(out, p.Issuer+"#"+p.Value)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// named are the words by which a share may name a person.
func named(email, issuer, subject string) []string {
	who := []string{issuer + "#" + subject, "#" + subject}
	if email != "" {
		who = append(who, email)
	}
	return who
}

func (t *Tx) SpacesNaming(email, issuer, subject string, after as.SpaceID, limit int) ([]as.SpaceID, error) {
	// One step of an index for each space and word, however many shares there are.
	next := func(query, who string, after as.SpaceID) (as.SpaceID, error) {
		id, err := one(t, single[as.SpaceID], query+` and space_id > $2 order by space_id limit 1`, who, after)
		if errors.Is(err, as.ErrNotFound) {
			err = nil
		}
		return id, err
	}
	var out []as.SpaceID
	for len(out) < limit {
		var first as.SpaceID
		nearer := func(id as.SpaceID, err error) error {
			if id != "" && (first == "" || id < first) {
				first = id
			}
			return err
		}
		for _, who := range named(email, issuer, subject) {
			if err := nearer(next(`select space_id from addressees where who = $1`, who, after)); err != nil {
				return nil, err
			}
		}
		if email != "" {
			if err := nearer(next(`select space_id from members where email = $1`, email, after)); err != nil {
				return nil, err
			}
		}
		if first == "" {
			break
		}
		out, after = append(out, first), first
	}
	return out, nil
}

func (t *Tx) SharesNaming(space as.SpaceID, email, issuer, subject string, p as.Page) ([]as.Share, error) {
	var out []as.Share
	for _, who := range named(email, issuer, subject) {
		err := more(t, &out, intoShare, `select `+shareColumns+` from shares where id in (
			select a.share_id from addressees a join shares s on s.id = a.share_id
			where a.who = $1 and a.space_id = $2 and a.share_id > $3 and s.dormant_since = 0 order by a.share_id limit $4) order by id`,
			who, space, p.After, p.Limit)
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b as.Share) int { return cmp.Compare(a.ID, b.ID) })
	out = slices.CompactFunc(out, func(a, b as.Share) bool { return a.ID == b.ID })
	return out[:min(len(out), p.Limit)], nil
}

// Readdress says whom those shares name that were written by a version which had no
// such table: the column addressee, which a share of today leaves empty, is theirs.
func Readdress(ctx context.Context, store as.Store) error {
	for {
		n := 0
		err := store.View(ctx, func(r as.Reader) error {
			old, err := r.(*Tx).unaddressed()
			n = len(old)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
		err = store.Update(ctx, func(tx as.Tx) error {
			t := tx.(*Tx)
			old, err := t.unaddressed()
			if err != nil {
				return err
			}
			for _, s := range old {
				if err := t.readdress(s); err != nil {
					return err
				}
				if err := t.change(`update shares set addressee = '' where id = $1`, s.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// unaddressed are some of those shares.
func (t *Tx) unaddressed() (old []as.Share, err error) {
	const atOnce = 200
	for _, which := range []string{`addressee > ''`, `addressee is null`} {
		if err := more(t, &old, intoShare, `select `+shareColumns+` from shares where `+which+` limit $1`, atOnce); err != nil {
			return nil, err
		}
	}
	return old, nil
}
