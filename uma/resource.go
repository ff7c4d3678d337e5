package uma

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// The most that a resource description may hold.
const (
	maxScopes = 256
	maxText   = 1 << 10 // bytes of a name, type or URI
	maxLong   = 8 << 10 // bytes of a description
)

// ResourceDescription describes a resource to be protected (FedAuthz 3.1).
type ResourceDescription struct {
	Scopes      []Scope // resource_scopes; may be empty
	Name        string
	Description string
	IconURI     string
	Type        string
	// Members is the whole description as it was sent, with the members of
	// other languages ("name#de") and unknown ones, without "_id". It is what
	// a read returns.
	Members Object
}

// ParseResourceDescription reads a resource description. "_id" and
// "user_access_policy_uri" are the authorization server's to say; in a
// description they are ignored.
func ParseResourceDescription(o Object) (ResourceDescription, error) {
	d := ResourceDescription{Members: Object{}}
	for name, value := range o {
		if name == "_id" || name == "user_access_policy_uri" {
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return ResourceDescription{}, errNotJSON.Because(err)
		}
		d.Members[name] = compact.Bytes()
	}
	var err error
	if d.Scopes, err = o.scopes("resource_scopes"); err != nil {
		return ResourceDescription{}, err
	}
	for name, field := range map[string]*string{"name": &d.Name, "description": &d.Description, "icon_uri": &d.IconURI, "type": &d.Type} {
		if *field, _, err = o.String(name); err != nil {
			return ResourceDescription{}, err
		}
		limit := maxText
		if name == "description" {
			limit = maxLong
		}
		if len(*field) > limit {
			return ResourceDescription{}, NewError(InvalidRequest, "The member "+name+" is too long.")
		}
	}
	if err := o.checkLanguages("name", "description", "icon_uri"); err != nil {
		return ResourceDescription{}, err
	}
	if d.IconURI != "" && !isWebURI(d.IconURI) {
		return ResourceDescription{}, NewError(InvalidRequest, "The member icon_uri has to be an absolute http or https URI.")
	}
	return d, nil
}

// checkLanguages checks the members in other languages, such as "name#de"
// (RFC 7591 2.2).
func (o Object) checkLanguages(bases ...string) error {
	for name := range o {
		base, _, found := strings.Cut(name, "#")
		if !found {
			continue
		}
		for _, b := range bases {
			if base != b {
				continue
			}
			if _, _, err := o.String(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func isWebURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// MarshalJSON writes the description as it was sent.
func (d ResourceDescription) MarshalJSON() ([]byte, error) { return json.Marshal(d.Members) }

// UnmarshalJSON reads what MarshalJSON wrote, by the rules of
// ParseResourceDescription.
func (d *ResourceDescription) UnmarshalJSON(raw []byte) error {
	o, err := ParseObject(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	*d, err = ParseResourceDescription(o)
	return err
}
