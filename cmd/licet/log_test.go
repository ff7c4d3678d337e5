package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// said waits until a server's log has a text, and returns the log.
func (p *process) said(text string) string {
	p.t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if log := p.stderr.String(); strings.Contains(log, text) {
			return log
		}
	}
	p.t.Fatalf("the log does not say %q:\n%s", text, p.stderr)
	return ""
}

// raw sends bytes over a connection and reads what comes back.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// The log of a server that runs tells each request in one line, whatever was sent:
// no query, no header and no body, in which secrets travel, and no line that a
// stranger wrote.
//
// Proves SEC-011, SEC-115, SEC-117.
func TestTheLogHasNoSecretAndNoLineOfAStrangers(t *testing.T) {
	file, address := settled(t)
	p := start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/readyz")
	c := newCaller(t, address)
	id, ok := c.make("/uma/resources", `{"resource_scopes":["view"],"name":"diary"}`)
	if !ok {
		t.Fatal("no resource")
	}
	ask, err := http.NewRequest(http.MethodPost, "http://"+address+"/uma/permission", strings.NewReader(`{"resource_id":"`+id+`","resource_scopes":["view"]}`))
	if err != nil {
		t.Fatal(err)
	}
	ask.Header.Set("Authorization", "Bearer "+c.token)
	ask.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	var ticket struct{ Ticket string }
	if err := json.NewDecoder(answer.Body).Decode(&ticket); err != nil || ticket.Ticket == "" {
		t.Fatalf("no ticket: %s %v", answer.Status, err)
	}
	_ = answer.Body.Close()

	const bait, forged = "cAnArY-0123456789", `{"level":"INFO","msg":"forged"}`
	line := "\r\n" + forged + "\n"
	form := url.Values{}
	for _, name := range []string{"ticket", "code", "token", "refresh_token", "password", "client_secret", "client_assertion", "claim_token", "pct", "rpt", "csrf", "state", "email", "grant_type", "client_id"} {
		form.Set(name, bait+line)
	}
	forms := 0
	for _, path := range []string{"/token", "/introspect", "/revoke", "/par", "/authorize", "/sign-in", "/sign-out", "/uma/claims", "/uma/claims/visit", "/uma/resources", "/uma/permission", "/owner/policies"} {
		for _, head := range []string{"", "Bearer " + bait, "Basic " + bait, bait, "Bearer " + c.token, "Bearer " + ticket.Ticket} {
			for _, body := range []string{form.Encode(), `{"ticket":"` + bait + `"}`, `{"ticket":"` + ticket.Ticket} {
				for _, request := range []string{
					"POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
						"Authorization: " + head + "\r\nCookie: licet-session=" + bait + "; licet-claims=" + bait + "\r\nReferer: https://x.example/?ticket=" + bait +
						"\r\nUser-Agent: " + bait + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body)) + body,
					"GET " + path + "?" + form.Encode() + "&ticket=" + ticket.Ticket + " HTTP/1.1\r\nHost: " + bait + "\r\nConnection: close\r\nX-Forwarded-For: " + bait + "\r\nAuthorization: " + head + "\r\n\r\n",
				} {
					if got := raw(t, address, request); !strings.HasPrefix(got, "HTTP/1.1 ") || strings.HasPrefix(got, "HTTP/1.1 5") {
						t.Errorf("%.60s is answered with %.200s", request, got)
					}
					forms++
				}
			}
		}
	}
	for _, request := range []string{
		"GET /uma/%0d%0a" + url.PathEscape(forged) + "%0a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /uma/\x1b[2J%1b[2J%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + bait + "\r\n" + bait + " is no header\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer " + bait + "\r\n\r\n",
		"POST /token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nAuthorization: Bearer " + bait + "\r\n\r\n" + bait + "\r\n\r\n",
		"NONSENSE " + bait + "\r\n\r\n",
	} {
		raw(t, address, request)
	}
	last := "/the-last-of-all"
	raw(t, address, "GET "+last+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	logged := p.said(last)
	requests := 0
	for entry := range strings.Lines(logged) {
		var e struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(entry), &e); err != nil || e.Level == "" {
			t.Errorf("a line of the log is no entry: %q: %v", entry, err)
		}
		if e.Msg == "forged" {
			t.Errorf("a stranger wrote a line of the log: %s", entry)
		}
		if e.Msg == "request" {
			requests++
		}
	}
	if requests < forms {
		t.Errorf("of %d requests the log tells %d", forms, requests)
	}
	for name, s := range map[string]string{
		"the bait": bait, "a token": c.token, "a ticket": ticket.Ticket, "the client secret": strings.Repeat("s", 40), "the password": "correct horse",
	} {
		if strings.Contains(logged, s) || strings.Contains(logged, s[:len(s)*2/3]) {
			t.Errorf("the log has %s", name)
		}
	}
	if !strings.Contains(logged, "forged") || !strings.Contains(logged, "/uma/claims/visit") {
		t.Error("the control is not in the log: this is not the log of these requests")
	}
}
