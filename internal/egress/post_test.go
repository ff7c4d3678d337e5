package egress

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
)

// Proves SEC-111.
func TestAFormIsSentAndItsAnswerIsAStatus(t *testing.T) {
	var got http.Header
	var body []byte
	status := http.StatusOK
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	post := func() error {
		return PostForm(context.Background(), New(Options{AllowLoopback: true}), uri, url.Values{"a": {"b&c"}})
	}
	for _, status = range []int{http.StatusOK, http.StatusNoContent} {
		if err := post(); err != nil || string(body) != "a=b%26c" || got.Get("Content-Type") != "application/x-www-form-urlencoded" || got.Get("Cookie") != "" {
			t.Errorf("%d: %v, sent %q with %v", status, err, body, got)
		}
	}
	for _, status = range []int{http.StatusAccepted, http.StatusFound, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusBadGateway} {
		if err := post(); err == nil {
			t.Errorf("%d is a success", status)
		}
	}
	here := listen(t, "127.0.0.1:0")
	for _, uri := range []string{"https://127.0.0.1:" + here.port, "http://127.0.0.1:" + here.port, "ftp://127.0.0.1:" + here.port, "https://a@127.0.0.1:" + here.port, "://"} {
		if err := PostForm(context.Background(), New(Options{}), uri, nil); err == nil || here.seen.Load() != 0 {
			t.Errorf("%s: %v, %d connections", uri, err, here.seen.Load())
		}
	}
}

// Proves SEC-110.
func TestAFormIsSentToNoNameThatResolvesInside(t *testing.T) {
	here := listen(t, "127.0.0.1:0")
	d := &net.Dialer{Resolver: names(t, "127.0.0.1")}
	err := PostForm(context.Background(), newClient(Options{}, d), "https://client.example:"+here.port+"/logout", url.Values{"logout_token": {"x"}})
	if err == nil || here.seen.Load() != 0 {
		t.Errorf("%v, %d connections", err, here.seen.Load())
	}
}
