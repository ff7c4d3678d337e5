package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// A running server need not be stopped to let somebody register: the token that the
// command prints is good there at once, once.
func TestAnInitialAccessTokenIsMadeBesideARunningServer(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	file := serverConfig(t, dir, address, "")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\n[registration]\nmode = \"token\"\nscopes = [\"openid\"]\n"...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/readyz")
	register := func(token, scope string) *http.Response {
		t.Helper()
		body := fmt.Sprintf(`{"redirect_uris":["https://rs.example/cb"],"scope":%q}`, scope)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/register", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	made := func(arguments ...string) string {
		t.Helper()
		var out bytes.Buffer
		command := start(t, &out, nil, append([]string{"initial-token", "--config", file}, arguments...)...)
		if err := command.wait(); err != nil {
			t.Fatalf("%v %s", err, command.stderr)
		}
		return strings.TrimSpace(out.String())
	}
	server := made("--scope", "uma_protection", "--life", "1h")
	if resp := register(server, "openid uma_protection"); resp.StatusCode != http.StatusCreated {
		t.Errorf("the first client: %s", resp.Status)
	}
	if resp := register(server, "openid"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the second client: %s", resp.Status)
	}
	plain := made("--uses", "2")
	if resp := register(plain, "uma_protection"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a privilege that the token does not give: %s", resp.Status)
	}
	if resp := register(plain, "openid"); resp.StatusCode != http.StatusCreated {
		t.Errorf("a plain client: %s", resp.Status)
	}
}
