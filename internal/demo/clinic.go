package demo

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/rs"
)

// clinic is a resource server: an API in the manner of FHIR with readings and notes of
// people who are made up. What protects it is newGuard and its route; the API knows
// nothing of it.
//
//	GET /fhir/OWNER?of=THING,THING    a Bundle
type clinic struct {
	*site
	guard    *rs.Server
	registry rs.MemoryRegistry
	now      func() time.Time
}

// clinicThings are what the clinic keeps, by whose they are.
var clinicThings = map[rs.Owner][]rs.Resource{
	"alice": {
		{Key: "blood-pressure", Name: "Blood pressure", Description: "Measured at home, morning and evening.", Type: "readings", Scopes: scopes("view", "add")},
		{Key: "notes", Name: "Notes of our talks", Description: "What was said, in the words of the doctor.", Type: "notes", Scopes: scopes("view")},
		{Key: "medication", Name: "Medication", Description: "What is taken, how much of it, and since when.", Type: "list", Scopes: scopes("view", "edit")},
	},
	"anna": {{Key: "blood-sugar", Name: "Blood sugar", Type: "readings", Scopes: scopes("view", "add")}},
	"dan":  {{Key: "dan-vaccinations", Name: "Vaccinations", Type: "list", Scopes: scopes("view")}, {Key: "dan-growth", Name: "Growth", Type: "readings", Scopes: scopes("view")}},
}

// Resource is one entry of a Bundle: an Observation with its readings, or a
// Communication with a note. It has as much of FHIR as is needed here.
type Resource struct {
	ResourceType string     `json:"resourceType"`
	Code         string     `json:"code"`
	At           time.Time  `json:"effectiveDateTime"`
	Value        []Quantity `json:"component,omitempty"`
	Note         string     `json:"note,omitempty"`
}

// Quantity is a reading.
type Quantity struct {
	Code  string  `json:"code"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Bundle is what the API answers with.
type Bundle struct {
	ResourceType string     `json:"resourceType"`
	Entry        []Resource `json:"entry"`
}

// newGuard protects an API.
func (w *World) newGuard(pats rs.StaticPAT, route rs.Route, registry rs.Registry, who party) (*rs.Server, error) {
	return rs.New(rs.Config{
		Issuer: w.Issuer, PAT: pats, Route: route, Registry: registry, Realm: strings.ToLower(string(who)), Now: w.clock.Now,
		HTTP: &http.Client{Transport: w.trace.as(who, localhost(w.Listener)), Timeout: 10 * time.Second},
		Alarm: func(ctx context.Context, owner rs.Owner, err error) {
			if ctx.Err() == nil { // somebody is still there to be refused
				w.Log.Warn("a request was refused in doubt", "by", who, "owner", owner, "error", err)
			}
		},
	})
}

func (w *World) newClinic(address string, pats rs.StaticPAT) (*clinic, error) {
	s, err := newSite(address, "clinic", w.clock.Now)
	if err != nil {
		return nil, err
	}
	c := &clinic{site: s, now: w.clock.Now}
	if c.guard, err = w.newGuard(pats, routeFHIR, &c.registry, partyClinic); err != nil {
		return nil, err
	}
	api := http.NewServeMux()
	api.HandleFunc("GET /fhir/{owner}", c.bundle)
	s.Handle("/fhir/", c.guard.Guard(api))
	s.HandleFunc("GET /{owner}", w.ownThings(s, func(owner rs.Owner) ([]rs.Resource, rs.Registry) { return clinicThings[owner], &c.registry }))
	return c, nil
}

// routeFHIR says what a request needs: to see each of the things that it names.
func routeFHIR(r *http.Request) (rs.Access, error) {
	owner, ok := strings.CutPrefix(r.URL.Path, "/fhir/")
	if !ok || r.Method != http.MethodGet {
		return rs.Access{}, errors.New("there is nothing like that")
	}
	a := rs.Access{Owner: rs.Owner(owner)}
	for _, name := range strings.Split(r.URL.Query().Get("of"), ",") {
		a.Needs = append(a.Needs, rs.Need{Resource: name, Scopes: scopes("view")})
	}
	return a, nil
}

func (c *clinic) bundle(w http.ResponseWriter, r *http.Request) {
	out := Bundle{ResourceType: "Bundle"}
	for _, name := range strings.Split(r.URL.Query().Get("of"), ",") {
		out.Entry = append(out.Entry, c.record(rs.Owner(r.PathValue("owner")), name)...)
	}
	w.Header().Set("Content-Type", "application/fhir+json")
	_ = json.NewEncoder(w).Encode(out) // a caller that is gone cannot be told
}

// record is what the clinic has written down under a name.
func (c *clinic) record(owner rs.Owner, name string) []Resource {
	things := clinicThings[owner]
	i := slices.IndexFunc(things, func(t rs.Resource) bool { return t.Key == name })
	if i < 0 {
		return nil
	}
	var out []Resource
	today := c.now().UTC().Truncate(day)
	for week := 11; week >= 0; week-- {
		at := today.Add(-time.Duration(week)*7*day + 8*time.Hour)
		wave := 3 + 3*math.Sin(float64(week)*2.4) + float64(week*week%3)
		reading := func(values ...Quantity) {
			out = append(out, Resource{ResourceType: "Observation", Code: things[i].Name, At: at, Value: values})
		}
		switch name {
		case "blood-pressure":
			reading(Quantity{"Systolic", math.Round(122 + float64(week)*1.3 + wave), "mmHg"}, Quantity{"Diastolic", math.Round(76 + float64(week)*.7 + wave*.7), "mmHg"})
		case "blood-sugar":
			reading(Quantity{"Glucose", math.Round(51+wave*1.5) / 10, "mmol/l"})
		case "dan-growth":
			reading(Quantity{"Height", 158 - math.Round(float64(week)*1.5)/10, "cm"})
		}
	}
	for i, text := range notes[name] {
		out = append(out, Resource{ResourceType: "Communication", Code: things[i%len(things)].Name, At: today.Add(-time.Duration(20+30*i)*day + 10*time.Hour), Note: text})
	}
	return out
}

var notes = map[string][]string{
	"notes":            {"Sleeps better. Would like to walk more, and worries less about the house.", "First talk. Tired since the spring; we agreed to see each other every month."},
	"medication":       {"Ramipril 5 mg, one in the morning.", "Vitamin D 1000 IU, one a day in winter."},
	"dan-vaccinations": {"Tetanus, diphtheria, pertussis: refreshed.", "Tick-borne encephalitis: second of three."},
}
