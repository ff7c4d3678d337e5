package uma

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
)

// The most bytes of the texts of a resource description.
const (
	maxText = 1 << 10 // name, type, URI
	maxLong = 8 << 10 // description
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
// description they are ignored. Every fault is an *Error with the code
// invalid_request.
func ParseResourceDescription(o Object) (ResourceDescription, error) {
	d := ResourceDescription{Members: Object{}}
	var err error
	if d.Scopes, err = o.scopes("resource_scopes"); err != nil {
		return ResourceDescription{}, err
	}
	for name, value := range o {
		if name == "_id" || name == "user_access_policy_uri" {
			continue
		}
		if err := d.readText(o, name); err != nil {
			return ResourceDescription{}, err
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return ResourceDescription{}, errNotJSON.Because(err)
		}
		d.Members[name] = compact.Bytes()
	}
	return d, nil
}

// ReadResourceDescription reads what MarshalJSON wrote of a description that
// ParseResourceDescription made: what was checked then is not checked again.
func ReadResourceDescription(raw []byte) (d ResourceDescription, err error) {
	if !json.Valid(raw) {
		return d, errNotJSON
	}
	if d.Members, err = asObject(bytes.TrimSpace(raw)); err != nil {
		return d, err
	}
	if d.Scopes, err = d.Members.scopes("resource_scopes"); err != nil {
		return d, err
	}
	text := func(name string) string {
		value, _, wrong := d.Members.String(name)
		err = cmp.Or(err, wrong)
		return value
	}
	d.Name, d.Description, d.IconURI, d.Type = text("name"), text("description"), text("icon_uri"), text("type")
	return d, err
}

// DescriptionIn is the description in a language, such as "de" or, where there is none
// in it, without one.
func (d ResourceDescription) DescriptionIn(language string) string {
	// What is no text was refused when the description came.
	if said, _, _ := d.Members.String("description#" + language); said != "" {
		return said
	}
	return d.Description
}

// readText checks a member that is a text, in whichever language: "name#de" is
// the German "name" (RFC 7591 2.2). Other members are none of its business.
func (d *ResourceDescription) readText(o Object, name string) error {
	base, _, translated := strings.Cut(name, "#")
	limit := maxText
	var field *string
	switch {
	case base == "name":
		field = &d.Name
	case base == "description":
		field, limit = &d.Description, maxLong
	case base == "icon_uri":
		field = &d.IconURI
	case name == "type":
		field = &d.Type
	default:
		return nil
	}
	text, _, err := o.String(name)
	switch {
	case err != nil:
		return err
	case len(text) > limit:
		return NewError(InvalidRequest, "The member "+printable(name)+" is too long.")
	case base == "icon_uri" && !isWebURI(text):
		return wrongType(name, "an absolute http or https URI")
	case !translated:
		*field = text
	}
	return nil
}

func isWebURI(s string) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// MarshalJSON writes the description as it was sent. One that was made by hand,
// without Members, it writes from its fields.
func (d ResourceDescription) MarshalJSON() ([]byte, error) {
	if d.Members != nil {
		return json.Marshal(d.Members)
	}
	return json.Marshal(struct {
		Scopes      []Scope `json:"resource_scopes"`
		Name        string  `json:"name,omitempty"`
		Description string  `json:"description,omitempty"`
		IconURI     string  `json:"icon_uri,omitempty"`
		Type        string  `json:"type,omitempty"`
	}{append([]Scope{}, d.Scopes...), d.Name, d.Description, d.IconURI, d.Type})
}

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
