package uma_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

func description(t testing.TB, raw string) uma.ResourceDescription {
	t.Helper()
	d, err := uma.ParseResourceDescription(object(t, raw))
	if err != nil {
		t.Fatalf("%.200s: %v", raw, err)
	}
	return d
}

// refuses checks that a description is refused, and that nothing of it is left.
func refuses(t *testing.T, what, raw string) {
	t.Helper()
	d, err := uma.ParseResourceDescription(object(t, raw))
	refused(t, what, err, uma.InvalidRequest)
	if !reflect.DeepEqual(d, uma.ResourceDescription{}) {
		t.Errorf("%s: a description came with the error: %v", what, d)
	}
}

// Proves FED-3.1-01, FED-3.2-09.
func TestResourceScopesAreAnArrayOfStrings(t *testing.T) {
	for what, scopes := range map[string]string{
		"null": `null`, "a string": `"view"`, "an object": `{"view":true}`, "a number in it": `["view",1]`,
		"null in it": `[null]`, "an array in it": `[["view"]]`, "true": `true`,
	} {
		refuses(t, what, `{"resource_scopes":`+scopes+`}`)
	}
	refuses(t, "missing", `{"name":"Album"}`)
	refuses(t, "nothing at all", `{}`)
}

// Proves FED-3.1-02, AMB-26.
func TestScopesOfAResourceArePlainStringsOrURIs(t *testing.T) {
	for raw, want := range map[string][]uma.Scope{
		`["view","https://scopes.example/edit?x=1#y","urn:example:print"]`: {"view", "https://scopes.example/edit?x=1#y", "urn:example:print"},
		`["view","edit","view","View"]`:                                    {"view", "edit", "View"},
		`[]`:                                                               {},
	} {
		d := description(t, `{"resource_scopes":`+raw+`}`)
		if d.Scopes == nil || !slices.Equal(d.Scopes, want) {
			t.Errorf("%s: got %q", raw, d.Scopes)
		}
	}
}

// Scopes are asked for in lists that are separated by spaces: one that could
// not stand there would lock its resource for ever.
func TestScopeThatCouldNeverBeRequestedIsNotRegistered(t *testing.T) {
	for _, scope := range []string{"", " ", "view edit", "view\n", "a\"b", `a\b`, "sehen für alle", "\u202eweiv", "\x7f", strings.Repeat("x", 1025)} {
		raw, err := json.Marshal(map[string]any{"resource_scopes": []string{"view", scope}})
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, fmt.Sprintf("%.40q", scope), string(raw))
	}
}

// Proves FED-3.1-03, FED-3.1-05, GEN-1.1-02, AMB-31.
func TestDescriptionComesBackAsItWasSent(t *testing.T) {
	sent := `{ "resource_scopes" : ["view","https://scopes.example/print"], "name":"Album <&>", "name#de":"Fotoalbum", "name#ja-Jpan":"アルバム",
		"description":"All of it", "description#de":"Alles", "icon_uri":"https://icons.example/a.png?x=1&y=2", "icon_uri#de":"http://icons.example/",
		"type":"https://types.example/album", "type#de":7, "x_foo":{"deep":[1,2.50,1e3,null,true,{}]}, "Name":[], "nothing":null, "owner":"anna" }`
	d := description(t, sent)
	if d.Name != "Album <&>" || d.Description != "All of it" || d.IconURI != "https://icons.example/a.png?x=1&y=2" || d.Type != "https://types.example/album" {
		t.Errorf("got the texts %q, %q, %q, %q", d.Name, d.Description, d.IconURI, d.Type)
	}
	if german, french := d.DescriptionIn("de"), d.DescriptionIn("fr"); german != "Alles" || french != "All of it" {
		t.Errorf("in German it says %q, in French %q", german, french)
	}
	raw := written(t, d)
	if !reflect.DeepEqual(meaning(t, []byte(raw)), meaning(t, []byte(sent))) {
		t.Errorf("sent\n%s\ngot\n%s", sent, raw)
	}
	var read uma.ResourceDescription
	if err := json.Unmarshal([]byte(raw), &read); err != nil {
		t.Fatal(err)
	}
	if again := written(t, read); again != raw {
		t.Errorf("written, read and written again\n%s\nis\n%s", raw, again)
	}
	if !slices.Equal(read.Scopes, d.Scopes) || read.Name != d.Name || read.Description != d.Description || read.IconURI != d.IconURI || read.Type != d.Type {
		t.Errorf("written and read: %+v, was %+v", read, d)
	}
}

// Proves FED-3.1-04.
func TestIconIsOfTheWeb(t *testing.T) {
	for _, uri := range []string{
		"", "icon.png", "/icon.png", "//icons.example/a.png", "javascript:alert(1)", "data:image/png;base64,AA==", "file:///etc/passwd",
		"ftp://icons.example/", "https:", "https://", "https:icon", "https:///a.png", "https://user:secret@icons.example/", "https://a b/", "http://[::1", "https://icons.example/a b", "https://icons.example/ä",
	} {
		refuses(t, uri, `{"resource_scopes":[],"icon_uri":"`+uri+`"}`)
		refuses(t, "in German: "+uri, `{"resource_scopes":[],"icon_uri#de":"`+uri+`"}`)
	}
}

func TestTextsOfADescriptionAreStrings(t *testing.T) {
	for _, name := range []string{"name", "description", "icon_uri", "type", "name#de", "description#en", "icon_uri#fr", "name#"} {
		for _, value := range []string{`null`, `1`, `["a"]`, `{}`, `true`} {
			refuses(t, name+" "+value, fmt.Sprintf(`{"resource_scopes":[],%q:%s}`, name, value))
		}
	}
}

// Who owns a resource and what its name is for the protocol is not for the body
// to say.
//
// Proves SEC-021.
func TestIDInADescriptionIsIgnored(t *testing.T) {
	d := description(t, `{"_id":"other","user_access_policy_uri":"https://evil.example/","resource_scopes":["view"],"name":"Album"}`)
	if raw := written(t, d); raw != `{"name":"Album","resource_scopes":["view"]}` {
		t.Errorf("kept %s", raw)
	}
	if d := description(t, `{"_id":["of","a","wrong","type"],"resource_scopes":[]}`); len(d.Members) != 1 {
		t.Errorf("kept %v", d.Members)
	}
}

func TestDescriptionIsLimited(t *testing.T) {
	list := func(scopes []uma.Scope) string { return written(t, map[string]any{"resource_scopes": scopes}) }
	if d := description(t, list(numbered(256))); len(d.Scopes) != 256 {
		t.Errorf("256 scopes: %d", len(d.Scopes))
	}
	refuses(t, "257 scopes", list(numbered(257)))
	for name, limit := range map[string]int{"name": 1024, "type": 1024, "icon_uri": 1024, "description": 8192, "name#de": 1024, "description#de": 8192} {
		start := ""
		if name == "icon_uri" {
			start = "https://icons.example/"
		}
		text := start + strings.Repeat("x", limit-len(start))
		description(t, fmt.Sprintf(`{"resource_scopes":[],%q:%q}`, name, text))
		refuses(t, name, fmt.Sprintf(`{"resource_scopes":[],%q:%q}`, name, text+"x"))
	}
}

func TestDescriptionMadeByHandIsWrittenFromItsFields(t *testing.T) {
	for want, d := range map[string]uma.ResourceDescription{
		`{"resource_scopes":[]}`: {},
		`{"resource_scopes":["view"],"name":"Album","description":"All","icon_uri":"https://i.example/","type":"t"}`: {
			Scopes: []uma.Scope{"view"}, Name: "Album", Description: "All", IconURI: "https://i.example/", Type: "t"},
	} {
		if got := written(t, d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		description(t, want)
	}
}

func TestStoredDescriptionIsReadAsStrictlyAsASentOne(t *testing.T) {
	for _, raw := range []string{`null`, `[]`, `{}`, `{"resource_scopes":null}`, `{"resource_scopes":[],"resource_scopes":[]}`, `{"resource_scopes":[],"name":1}`} {
		var d uma.ResourceDescription
		refused(t, raw, json.Unmarshal([]byte(raw), &d), uma.InvalidRequest)
	}
}
