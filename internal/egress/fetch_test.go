package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serve answers over plain http on loopback.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func answer(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	}
}

func fetchHere(url string) ([]byte, error) {
	return Fetch(context.Background(), New(Options{AllowLoopback: true}), url)
}

func TestJSONDocumentIsFetched(t *testing.T) {
	for _, contentType := range []string{
		"application/json", "application/json; charset=utf-8", "application/jwk-set+json", "Application/JSON",
	} {
		if body, err := fetchHere(serve(t, answer(contentType, []byte(`{}`)))); err != nil || string(body) != `{}` {
			t.Errorf("%s: %q, %v", contentType, body, err)
		}
	}
}

func TestRequestAsksForNothingButJSON(t *testing.T) {
	var got http.Header
	var closes bool
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, closes = r.Header, r.Close
		answer("application/json", []byte(`{}`))(w, r)
	})
	if _, err := fetchHere(url); err != nil {
		t.Fatal(err)
	}
	if got.Get("Accept-Encoding") != "" || got.Get("Cookie") != "" || got.Get("Authorization") != "" || !strings.HasPrefix(got.Get("Accept"), "application/json") {
		t.Errorf("asked with %v", got)
	}
	if !closes {
		t.Error("the connection is kept open")
	}
}

// Proves SEC-111.
func TestAnswerOfTheWrongKindIsRefused(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			if code != http.StatusNoContent {
				_, _ = io.WriteString(w, `{}`)
			}
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"HTML":                 answer("text/html", []byte(`{}`)),
		"text":                 answer("text/json", []byte(`{}`)),
		"an image that is not": answer("image/svg+json", []byte(`{}`)),
		"no type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, `{}`)
		},
		"a broken type": answer("application/json; charset", []byte(`{}`)),
		"201":           status(http.StatusCreated),
		"204":           status(http.StatusNoContent),
		"206":           status(http.StatusPartialContent),
		"404":           status(http.StatusNotFound),
		"500":           status(http.StatusInternalServerError),
	} {
		if body, err := fetchHere(serve(t, h)); err == nil {
			t.Errorf("%s: %q", name, body)
		}
	}
}

// Proves SEC-110.
func TestRedirectIsNotFollowed(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, to := range []string{"http://127.0.0.1:" + c.port + "/", "https://127.0.0.1:" + c.port + "/", "/again", "file:///etc/hostname"} {
			var calls atomic.Int64
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Content-Type", "application/json")
				http.Redirect(w, r, to, code)
			})
			if body, err := fetchHere(url); err == nil {
				t.Errorf("%d to %s: %q", code, to, body)
			}
			if calls.Load() != 1 {
				t.Errorf("%d to %s: %d calls", code, to, calls.Load())
			}
		}
	}
	if n := c.seen.Load(); n != 0 {
		t.Errorf("the canary saw %d connections", n)
	}
}

// Proves SEC-111.
func TestLongAnswerIsCutAt64KiB(t *testing.T) {
	full := bytes.Repeat([]byte("x"), maxBody)
	if body, err := fetchHere(serve(t, answer("application/json", full))); err != nil || len(body) != maxBody {
		t.Errorf("64 KiB: %d bytes, %v", len(body), err)
	}
	if _, err := fetchHere(serve(t, answer("application/json", append(full, 'x')))); !errors.Is(err, errTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
	var sent atomic.Int64
	endless := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			n, err := w.Write(full)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
	url := serve(t, endless)
	start := time.Now()
	if _, err := fetchHere(url); !errors.Is(err, errTooLarge) {
		t.Errorf("an endless answer: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("an endless answer was cut after %v", took)
	}
	// The cap is on the client and not only on Fetch.
	resp, err := New(Options{AllowLoopback: true}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if !errors.Is(err, errTooLarge) || len(body) != maxBody {
		t.Errorf("read without Fetch: %d bytes, %v", len(body), err)
	}
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errTooLarge) {
		t.Errorf("read on: %d bytes, %v", n, err)
	}
}

// Proves SEC-111.
func TestLongHeaderIsCut(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("a", 8<<20))
		answer("application/json", []byte(`{}`))(w, r)
	})
	if body, err := fetchHere(url); err == nil {
		t.Errorf("fetched: %q", body)
	}
}

// Proves SEC-111.
func TestCompressedAnswerIsNotUnpacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() > maxBody {
		t.Fatalf("the bomb has %d bytes, and would be cut for its size", packed.Len())
	}
	for _, encoding := range []string{"gzip", "GZIP", "identity, gzip", "br"} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			answer("application/json", packed.Bytes())(w, r)
		})
		if body, err := fetchHere(url); err == nil {
			t.Errorf("%s: %d bytes", encoding, len(body))
		}
		resp, err := New(Options{AllowLoopback: true}).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(body, packed.Bytes()) {
			t.Errorf("%s: without Fetch, %d bytes, %v", encoding, len(body), err)
		}
		resp.Body.Close()
	}
}

// Proves SEC-111.
func TestSlowAnswerIsCutAfterThreeSeconds(t *testing.T) {
	var all sync.WaitGroup // at the same time, as each takes its three seconds
	for name, h := range map[string]http.HandlerFunc{
		"before the header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"keys":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"drop by drop": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				<-tick.C
			}
		},
	} {
		url := serve(t, h)
		all.Go(func() {
			start := time.Now()
			body, err := fetchHere(url)
			if took := time.Since(start); err == nil || took < 2*time.Second || took > 5*time.Second {
				t.Errorf("%s: after %v: %q, %v", name, took, body, err)
			}
		})
	}
	all.Wait()
}

// serveTLS answers over TLS on loopback, and returns a client that trusts its
// certificate.
func serveTLS(t *testing.T, config *tls.Config) (url string, trusting *http.Client) {
	t.Helper()
	s := httptest.NewUnstartedServer(answer("application/json", []byte(`{}`)))
	s.TLS = config
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	trusting = New(Options{AllowLoopback: true})
	trusting.Transport.(*transport).https.(*http.Transport).TLSClientConfig.RootCAs = roots
	return s.URL, trusting
}

func TestOnlyTLS12AndLaterIsSpoken(t *testing.T) {
	for version, want := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		url, client := serveTLS(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version})
		if _, err := Fetch(context.Background(), client, url); (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestCertificateOfAStrangerIsRefused(t *testing.T) {
	url, _ := serveTLS(t, nil)
	var unknown x509.UnknownAuthorityError
	if _, err := fetchHere(url); !errors.As(err, &unknown) {
		t.Errorf("the error is %v", err)
	}
}

func TestCancelledFetchEnds(t *testing.T) {
	arrived := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-arrived; cancel() }()
	if _, err := Fetch(ctx, New(Options{AllowLoopback: true}), url); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
