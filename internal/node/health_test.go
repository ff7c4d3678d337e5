package node

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
)

// apart is a store whose clock is not that of this machine.
type apart struct {
	Store
	by time.Duration
}

func (s apart) Now() time.Time { return s.Store.Now().Add(s.by) }

// Proves SEC-053.
func TestANodeWhoseClockIsWrongIsNotReady(t *testing.T) {
	var log bytes.Buffer
	n, err := Open(t.Context(), Place{Data: t.TempDir()}, as.Config{Issuer: "http://localhost:1"}, Surface{}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	store := n.Store
	for by, want := range map[time.Duration]int{
		0: http.StatusOK, 30 * time.Second: http.StatusOK, -30 * time.Second: http.StatusOK,
		2 * time.Minute: http.StatusServiceUnavailable, -2 * time.Minute: http.StatusServiceUnavailable,
	} {
		n.Store = apart{store, by}
		log.Reset()
		for path, want := range map[string]int{"/readyz": want, "/livez": http.StatusOK} {
			got := httptest.NewRecorder()
			n.WithHealth(n.Face).ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
			if got.Code != want {
				t.Errorf("%s with clocks %v apart: %d", path, by, got.Code)
			}
		}
		if told := strings.Contains(log.String(), "2m0s apart"); told != (want != http.StatusOK) {
			t.Errorf("with clocks %v apart the log says %q", by, &log)
		}
	}
}
