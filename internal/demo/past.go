package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/client"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

const day = 24 * time.Hour

// begins is how long ago this world was made.
const begins = 45 * day

// deed is something that was done in the past.
type deed struct {
	ago time.Duration
	do  func(context.Context) error
}

// live makes the past: everything in it is done by whoever would have done it, at its
// time, and what services and apps do goes over HTTP.
func (w *World) live(v voucher) error {
	frame, err := w.program(clientFrame, "Kitchen Frame", v)
	if err != nil {
		return err
	}
	desk, err := w.program(clientDesk, "Practice Desk", v)
	if err != nil {
		return err
	}
	alice, anna, carol, dan := w.person("alice"), w.person("anna"), w.person("carol"), w.person("dan")
	until := func(d time.Duration) time.Time { return time.Now().Add(d) }
	harbour, medication, lake := w.photos.address+"/alice/harbour", w.clinic.address+"/fhir/alice?of=medication", w.photos.address+"/alice/lake"
	var stopped policy.ShareID
	for _, d := range []deed{
		{begins, w.protect},
		{44 * day, func(ctx context.Context) error { return w.askMe(ctx) }},
		{38 * day, w.share(alice, alice.space, "photos/harbour", policy.Share{Claims: byEmail(anna.Email), Scopes: scopes("view", "download"), NotAfter: until(40 * day)})},
		{38 * day, w.share(alice, alice.space, "photos/dunes", policy.Share{Claims: byEmail(anna.Email), Scopes: scopes("view"), NotAfter: until(40 * day)})},
		{37 * day, frame.uses(anna.Email, harbour)},
		{30 * day, w.share(anna, anna.space, "clinic/blood-sugar", policy.Share{Claims: byEmail(alice.Email), Scopes: scopes("view")})},
		{30 * day, w.share(anna, anna.space, "clinic/blood-sugar", policy.Share{Claims: byEmail(addressOfDoctor), Scopes: scopes("view", "add"), NotAfter: until(60 * day)})},
		{25 * day, w.share(alice, alice.space, "clinic/medication", policy.Share{Claims: byEmail(addressOfDoctor), Scopes: scopes("view"), NotAfter: until(5 * day)})},
		{24 * day, desk.uses(addressOfDoctor, medication)},
		{21 * day, func(ctx context.Context) error { return w.guard(ctx, carol, dan) }},
		{20 * day, w.share(carol, dan.space, "clinic/dan-vaccinations", policy.Share{Claims: byEmail("nurse@school.example"), Scopes: scopes("view"), NotAfter: until(70 * day)})},
		{19 * day, desk.uses("nurse@school.example", w.clinic.address+"/fhir/dan?of=dan-vaccinations")},
		{18 * day, frame.uses(anna.Email, harbour)},
		{16 * day, func(ctx context.Context) (err error) {
			stopped, err = w.shared(ctx, alice, alice.space, "photos/lake", policy.Share{Claims: byEmail("theo@example.com"), Scopes: scopes("view"), NotAfter: until(30 * day)})
			return err
		}},
		{15 * day, frame.uses("theo@example.com", lake)},
		{9 * day, func(ctx context.Context) error {
			_, err := w.node.AS.WithdrawAll(ctx, alice.owner(alice.space), as.Target{Share: stopped})
			return err
		}},
		{6 * day, frame.asks("max@example.com", w.photos.address+"/alice/dunes")},
		{6*day - time.Hour, w.refuse(alice)},
		{4 * day, desk.uses(addressOfDoctor, w.clinic.address+"/fhir/anna?of=blood-sugar")},
		{2 * day, desk.uses(addressOfDoctor, medication)},
		{20 * time.Hour, frame.uses(anna.Email, harbour)},
	} {
		w.clock.ago(d.ago)
		if err := d.do(w.ctx); err != nil {
			return fmt.Errorf("%v ago: %w", d.ago, err)
		}
		if err := w.node.AS.FlushUses(w.ctx); err != nil {
			return err
		}
	}
	return nil
}

func scopes(list ...uma.Scope) []uma.Scope { return list }

// protect has the services put everybody's things under protection.
func (w *World) protect(ctx context.Context) error {
	for _, owner := range slices.Sorted(maps.Keys(clinicThings)) {
		if err := w.clinic.guard.Sync(ctx, owner, clinicThings[owner]); err != nil {
			return err
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(photoThings)) {
		if err := w.photos.guard.Sync(ctx, owner, w.photos.described(owner)); err != nil {
			return err
		}
	}
	return nil
}

// askMe has Alice say of her things: whoever shows an address may ask me.
func (w *World) askMe(ctx context.Context) error {
	alice := w.person("alice")
	for _, thing := range []string{"clinic/blood-pressure", "clinic/notes", "photos/sunrise", "photos/dunes"} {
		wish := policy.Share{Claims: byEmail(""), Scopes: scopes("view"), Ask: true}
		if _, err := w.shared(ctx, alice, alice.space, thing, wish); err != nil {
			return err
		}
	}
	return nil
}

// share has somebody share a thing, in their own space or in that of whom they act for.
func (w *World) share(who *person, space as.SpaceID, thing string, wish policy.Share) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := w.shared(ctx, who, space, thing, wish)
		return err
	}
}

func (w *World) shared(ctx context.Context, who *person, space as.SpaceID, thing string, wish policy.Share) (policy.ShareID, error) {
	var err error
	if wish.Resource, err = w.thing(ctx, space, thing); err != nil {
		return "", err
	}
	made, err := w.node.AS.CreateShare(ctx, who.owner(space), wish)
	return made.ID, err
}

// thing finds the id of a thing by its service and its name there.
func (w *World) thing(ctx context.Context, space as.SpaceID, name string) (uma.ResourceID, error) {
	for _, p := range w.people {
		if p.space != space {
			continue
		}
		for _, service := range []struct {
			name     string
			registry *rs.MemoryRegistry
		}{{"clinic/", &w.clinic.registry}, {"photos/", &w.photos.registry}} {
			if len(name) <= len(service.name) || name[:len(service.name)] != service.name {
				continue
			}
			e, found, err := service.registry.Lookup(ctx, rs.Owner(p.short()), name[len(service.name):])
			if err != nil || found {
				return e.ID, err
			}
		}
	}
	return "", fmt.Errorf("there is no %s", name)
}

// guard makes somebody the guardian of somebody else, until that one is of age.
func (w *World) guard(ctx context.Context, guardian, ward *person) error {
	_, err := w.node.AS.GrantRole(ctx, ward.owner(ward.space), guardian.account, as.RoleGuardian, time.Now().AddDate(4, 9, 0))
	return err
}

// refuse has somebody say no to everything that is asked.
func (w *World) refuse(who *person) func(context.Context) error {
	return func(ctx context.Context) error {
		asked, err := w.node.AS.Requests(ctx, who.owner(who.space), as.RequestPending, as.Page{Limit: 100})
		if err != nil {
			return err
		}
		if len(asked) == 0 {
			return errors.New("nobody asks")
		}
		for _, q := range asked {
			if _, err := w.node.AS.Refuse(ctx, who.owner(who.space), q.ID); err != nil {
				return err
			}
		}
		return nil
	}
}

// program is an app that somebody used.
type program struct {
	world     *World
	transport *client.Transport
	user      string // whose address it says
}

func (w *World) program(id oauth.ClientID, name string, v voucher) (*program, error) {
	secret, err := w.register(w.ctx, oauth.Client{
		ID: id, Name: name, Scopes: scopes("view"), PushClaims: true,
		GrantTypes: []string{uma.GrantType}, ClaimsRedirectURIs: []string{"https://" + string(id) + ".example/back"},
	})
	if err != nil {
		return nil, err
	}
	p := &program{world: w}
	p.transport, err = client.New(client.Config{
		ClientID: string(id), ClientSecret: client.Secret(secret), Trust: client.Issuers(w.Issuer), Now: w.clock.Now,
		Base: localhost(w.Listener),
		Claims: func(context.Context, client.Need) (token, format string, err error) {
			token, err = v.says(id, p.user, w.clock.Now())
			return token, uma.IDTokenFormat, err
		},
	})
	return p, err
}

// uses has somebody get at something with the program.
func (p *program) uses(email, address string) func(context.Context) error {
	return func(ctx context.Context) error { return p.get(ctx, email, address) }
}

// asks has somebody ask for something that they are not let at.
func (p *program) asks(email, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var pending *client.PendingError
		if err := p.get(ctx, email, address); !errors.As(err, &pending) {
			return fmt.Errorf("%s should have been told to wait for an answer: %w", email, err)
		}
		return nil
	}
}

func (p *program) get(ctx context.Context, email, address string) error {
	p.user = email
	req, err := http.NewRequestWithContext(client.WithUser(ctx, email), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: p.transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s at %s: %s", email, address, resp.Status)
	}
	return err
}
