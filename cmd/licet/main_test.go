package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary stand in for the command, so that tests run the
// real thing in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && checked[os.Args[1]] != nil {
		if err := checked[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv("LICET_TEST_AS_COMMAND") == "1" {
		main()
	}
	testscript.Main(m, map[string]func(){"licet": main})
}

func TestTheCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// A server on an empty directory answers soon, and keeps what it has over a
// restart. The time is printed; the bound here is generous, because the machine
// may be busy.
func TestAServerStartsSoonOnAnEmptyDirectoryAndKeepsItsKeys(t *testing.T) {
	dir, address := t.TempDir(), freeAddress(t)
	file := serverConfig(t, dir, address, "")
	p := start(t, io.Discard, nil, "serve", "--config", file)
	took := p.ready("http://" + address + "/readyz")
	t.Logf("from start to first answer: %v", took)
	if took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	get := func() string {
		resp, err := http.Get("http://" + address + "/jwks")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	keys := get()
	if rss := residentKiB(t, p.Process.Pid); rss > 0 {
		t.Logf("idle, it holds %d KiB", rss)
		if rss<<10 > 60_000_000 && !underRace {
			t.Errorf("idle, it holds %d KiB, more than 60 MB", rss)
		}
	}
	second := start(t, io.Discard, []string{"LICET_LISTEN=127.0.0.1:0"}, "serve", "--config", file)
	if err := second.wait(); err == nil || !strings.Contains(second.stderr.String(), "in use by another process") {
		t.Errorf("a second server on the same directory: %v %s", err, second.stderr)
	}
	if err := p.stop(); err != nil {
		t.Fatalf("it does not stop well: %v\n%s", err, p.stderr)
	}
	p = start(t, io.Discard, nil, "serve", "--config", file)
	p.ready("http://" + address + "/livez")
	if get() != keys {
		t.Error("after a restart the keys are others")
	}
}

// Proves FED-1.3-01. Plain http is for this machine alone; with a certificate
// the protection API answers TLS and nothing else.
func TestPlainHTTPIsNotServedToTheWorld(t *testing.T) {
	dir := t.TempDir()
	for name, env := range map[string][]string{
		"an http issuer elsewhere":       {"LICET_ISSUER=http://access.example"},
		"an https issuer without TLS":    {"LICET_ISSUER=https://access.example"},
		"a loopback issuer on every net": {"LICET_ISSUER=http://127.0.0.1:1", "LICET_LISTEN=0.0.0.0:0"},
		"the same with a proxy in front": {"LICET_ISSUER=http://127.0.0.1:1", "LICET_LISTEN=0.0.0.0:0", "LICET_BEHIND_PROXY=true"},
	} {
		p := start(t, io.Discard, append(env, "LICET_DATA="+filepath.Join(dir, "data")), "serve")
		err := p.wait()
		var failed *exec.ExitError
		if !errors.As(err, &failed) || failed.ExitCode() != 1 {
			t.Errorf("%s: %v %s", name, err, p.stderr)
		}
	}
	cert, key := selfSigned(t, dir)
	address := freeAddress(t)
	start(t, io.Discard, []string{
		"LICET_ISSUER=https://" + address, "LICET_LISTEN=" + address, "LICET_DATA=" + filepath.Join(dir, "data"),
		"LICET_TLS_CERT=" + cert, "LICET_TLS_KEY=" + key,
	}, "serve")
	client := trusting(t, cert)
	for begin := time.Now(); ; {
		resp, err := client.Get("https://" + address + "/.well-known/uma2-configuration")
		if err == nil {
			_ = resp.Body.Close()
			if resp.TLS == nil || resp.StatusCode != http.StatusOK {
				t.Errorf("over TLS: %s", resp.Status)
			}
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	old := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, InsecureSkipVerify: true}
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	} else if !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1 is refused for another reason: %v", err)
	}
	if resp, err := http.Get("http://" + address + "/uma/resources"); err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("plain http is answered %s", resp.Status)
		}
	}
}

// With a second address connections there are asked for a client certificate, and
// only there; the metadata says where.
func TestConnectionsAreAskedForCertificatesAtTheSecondAddress(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir)
	address, mutual := freeAddress(t), freeAddress(t)
	start(t, io.Discard, []string{
		"LICET_ISSUER=https://" + address, "LICET_LISTEN=" + address, "LICET_DATA=" + filepath.Join(dir, "data"),
		"LICET_TLS_CERT=" + cert, "LICET_TLS_KEY=" + key,
		"LICET_MTLS_LISTEN=" + mutual, "LICET_MTLS_ORIGIN=https://" + mutual, "LICET_MTLS_CA=" + cert,
	}, "serve")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	client := trusting(t, cert)
	var asked atomic.Int64
	client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked.Add(1)
		return &pair, nil
	}
	var said struct {
		Aliases map[string]string `json:"mtls_endpoint_aliases"`
		Methods []string          `json:"token_endpoint_auth_methods_supported"`
	}
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		resp, err := client.Get("https://" + address + "/.well-known/uma2-configuration")
		if err == nil {
			err = json.NewDecoder(resp.Body).Decode(&said)
			_ = resp.Body.Close()
		}
		if err == nil {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("at the first address a certificate was asked for %d times", n)
	}
	if said.Aliases["token_endpoint"] != "https://"+mutual+"/token" || !slices.Contains(said.Methods, "tls_client_auth") {
		t.Errorf("the metadata says %v", said)
	}
	resp, err := client.Post(said.Aliases["token_endpoint"], "application/x-www-form-urlencoded", strings.NewReader("client_id=x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || asked.Load() == 0 {
		t.Errorf("at the second address: %s, asked %d times", resp.Status, asked.Load())
	}
	for name, env := range map[string][]string{
		"no origin":          {"LICET_MTLS_LISTEN=127.0.0.1:0"},
		"a plain origin":     {"LICET_MTLS_LISTEN=127.0.0.1:0", "LICET_MTLS_ORIGIN=http://a.example"},
		"no certificates":    {"LICET_MTLS_LISTEN=127.0.0.1:0", "LICET_MTLS_ORIGIN=https://a.example", "LICET_MTLS_CA=" + key},
		"no address to hear": {"LICET_MTLS_LISTEN=nowhere", "LICET_MTLS_ORIGIN=https://a.example"},
	} {
		p := start(t, io.Discard, append(env, "LICET_ISSUER=https://"+address, "LICET_LISTEN=127.0.0.1:0", "LICET_DATA="+filepath.Join(dir, "other"),
			"LICET_TLS_CERT="+cert, "LICET_TLS_KEY="+key), "serve")
		if err := p.wait(); err == nil || !strings.Contains(p.stderr.String(), "mtls") {
			t.Errorf("%s: %v %s", name, err, p.stderr)
		}
	}
}

// One switch holds the server and its configured clients to FAPI 2.0.
func TestFAPI2IsOneSwitch(t *testing.T) {
	dir := t.TempDir()
	address := freeAddress(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	head := fmt.Sprintf("issuer = %q\nlisten = %q\ndata = %q\nfapi2 = true\n[[clients]]\nid = \"app\"\n", "http://"+address, address, filepath.Join(dir, "data"))
	secret := write("secret", strings.Repeat("s", 40))
	weak := start(t, io.Discard, nil, "serve", "--config", write("weak.toml", head+fmt.Sprintf("secret_file = %q\n", secret)))
	if err := weak.wait(); err == nil || !strings.Contains(weak.stderr.String(), "clients[0]: with fapi2") {
		t.Errorf("a client with a secret: %v %s", err, weak.stderr)
	}
	keys := write("jwks.json", `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	p := start(t, io.Discard, nil, "serve", "--config", write("strong.toml", head+fmt.Sprintf("jwks_file = %q\n", keys)))
	p.ready("http://" + address + "/readyz")
	resp, err := http.Get("http://" + address + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var said map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	if methods := said["token_endpoint_auth_methods_supported"].([]any); len(methods) != 1 || methods[0] != "private_key_jwt" || said["require_pushed_authorization_requests"] != true {
		t.Errorf("the metadata says %v", said)
	}
}
