package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAChallengeIsReadAsHTTPSpellsIt(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    string
	}{
		{[]string{`UMA realm="example", as_uri="https://as.example", ticket="t-1"`}, `UMA as_uri=https://as.example realm=example ticket=t-1`},
		{[]string{`uma ticket=t-1 , AS_URI="https://as.example"`}, `uma as_uri=https://as.example ticket=t-1`},
		{[]string{`Bearer realm="a, UMA", error=x, UMA as_uri="u", ticket="a\"b"`}, `UMA as_uri=u ticket=a"b`},
		{[]string{`Basic realm="x"`, `UMA as_uri="u",ticket="t"`}, `UMA as_uri=u ticket=t`},
		{[]string{`UMA ticket="a", ticket="b"`}, `UMA ticket=b twice`},
		{[]string{`Negotiate`, `UMAX as_uri="u"`, `"UMA"`}, ``},
		{[]string{`UMA as_uri="never ended`}, `UMA`},
	} {
		var got []string
		for _, c := range UMA(http.Header{"Www-Authenticate": c.headers}) {
			line := c.Scheme
			for _, name := range []string{"as_uri", "realm", "ticket"} {
				if value, there := c.Parameters[name]; there {
					line += " " + name + "=" + value
				}
			}
			if c.Twice != "" {
				line += " twice"
			}
			got = append(got, line)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%q is read as %q and not as %q", c.headers, got, c.want)
		}
	}
}

// Nothing between the check and the program under test tidies a path up.
func TestATargetGoesOutAsItIsSpelled(t *testing.T) {
	var log Log
	s, err := Serve("127.0.0.1:0", "client", "API", &log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "seen")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, target := range []string{"//a", "/a/../b", "/a%2Fb", "/a;x=y?q=1", "/a/%2e%2e/b", "/a/."} {
		mark := log.Mark()
		m, err := Call{Method: "PUT", Base: s.URL, Target: target, Header: http.Header{"X-A": {"1"}}, Body: "text"}.Do(t.Context(), "client", "API")
		if err != nil || m.Status != 200 || m.AnswerBody != "seen" {
			t.Fatalf("%s: %v %v", target, m, err)
		}
		seen := log.Since(mark, "API", "")
		if len(seen) != 1 || seen[0].Target != target || seen[0].Body != "text" || seen[0].Header.Get("X-A") != "1" {
			t.Errorf("%s arrives as %v", target, seen)
		}
	}
}

func TestAMessageIsWrittenDownBeforeItsAnswerLeaves(t *testing.T) {
	var log Log
	s, err := Serve("127.0.0.1:0", "client", "API", &log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		JSON(w, http.StatusTeapot, map[string]any{"body": string(body)})
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := (Call{Method: "GET", Base: s.URL, Target: "/gone"}).Do(t.Context(), "client", "API"); err == nil {
		t.Error("there is an answer though the connection was closed")
	}
	m, err := Call{Method: "POST", Base: s.URL, Target: "/here", Header: http.Header{"Authorization": {"bearer a-secret"}}, Body: "b"}.Do(context.Background(), "client", "API")
	if err != nil || m.Status != http.StatusTeapot {
		t.Fatalf("%v %v", m, err)
	}
	all := log.Since(0, "API", "")
	if len(all) != 2 || all[0].Status != 0 || all[1].Status != http.StatusTeapot || all[1].AnswerBody != `{"body":"b"}` {
		t.Fatalf("the log has %v", all)
	}
	if all[1].Bearer() != "a-secret" || !all[1].Asks("a-secret") || all[1].Tells("a-secret") {
		t.Error("the secret is not found where it is")
	}
	if text := all[1].String(); !strings.Contains(text, "POST /here") || !strings.Contains(text, "418") {
		t.Errorf("it is printed as %s", text)
	}
}
