package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serverConfig writes a configuration with one resource server, tied to a space as
// an organisation's own, so that it gets tokens by itself.
func serverConfig(t *testing.T, dir, address, space string) string {
	t.Helper()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret := write("rs.secret", strings.Repeat("s", 40)+"\n")
	password := write("alice.password", "correct horse\n")
	return write("licet.toml", fmt.Sprintf(`
issuer = "http://%s"
listen = "%s"
data = "%s"

[login]
passwords = true

[[people]]
email = "alice@example.com"
name = "Alice"
password_file = "%s"
space = "Alice"

[[clients]]
id = "rs"
name = "Resource server"
secret_file = "%s"
grant_types = ["client_credentials"]
scopes = ["uma_protection", "uma_policy"]
space = "%s"
`, address, address, filepath.Join(dir, "data"), password, secret, space))
}

// spaceOf reads the id of the space out of the log, as soon as it is there.
func spaceOf(t *testing.T, log *log) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(log.String()) {
			var entry struct{ Space string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Space != "" {
				return entry.Space
			}
		}
	}
	t.Fatalf("the log names no space:\n%s", log)
	return ""
}

// settled makes a server's directory with Alice and her space in it, and returns
// the configuration of a server whose resource server is the space's own.
func settled(t *testing.T, environment ...string) (file, address string) {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	p := start(t, io.Discard, environment, "serve", "--config", serverConfig(t, dir, address, ""))
	p.ready("http://" + address + "/readyz")
	space := spaceOf(t, p.stderr)
	p.kill()
	return serverConfig(t, dir, address, space), address
}

// caller is a resource server, and the owner's app too, at a running server.
type caller struct {
	t     *testing.T
	at    string // host and port
	token string
}

// newCaller gets a token with the resource server's own credentials.
func newCaller(t *testing.T, address string) *caller {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+address+"/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("rs", strings.Repeat("s", 40))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("no token: %s %v", resp.Status, err)
	}
	return &caller{t, address, answer.AccessToken}
}

// make posts a description to a path and returns the id of what was made; ok
// says that it was acknowledged.
func (c *caller) make(path, description string) (id string, ok bool) {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.at+path, strings.NewReader(description))
	if err != nil {
		return "", false
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	var answer struct {
		ID string `json:"_id"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.ID, err == nil && resp.StatusCode == http.StatusCreated
}

// list reads a list at a path into to, and returns the path of what follows.
func (c *caller) list(path string, to any) (next string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+c.at+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(to); err != nil {
		c.t.Fatal(err)
	}
	target, _, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	_, next, _ = strings.Cut(strings.TrimPrefix(target, "http://"), "/")
	return "/" + next
}

func (c *caller) resources() []string {
	c.t.Helper()
	var ids []string
	c.list("/uma/resources", &ids)
	return ids
}

func (c *caller) policies() []string {
	c.t.Helper()
	var ids []string
	for path := "/owner/policies?limit=1000"; path != "/"; {
		var some []struct {
			ID string `json:"_id"`
		}
		path = c.list(path, &some)
		for _, p := range some {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// selfSigned makes a certificate for the loopback address.
func selfSigned(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// trusting is an HTTP client that trusts one certificate.
func trusting(t *testing.T, cert string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}
