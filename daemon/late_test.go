package daemon

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
)

// TestWhatIsPutOffIsLate: the store sees a feed that is put off as one that is due
// later. From ten minutes after it was due at first, it is told to be late.
func TestWhatIsPutOffIsLate(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	loaded, _, err := configs.Default()
	if err != nil {
		t.Fatal(err)
	}
	loaded.Store = configs.Store{Engine: configs.EngineSQLite, Path: filepath.Join(t.TempDir(), "newswatch.db")}
	loaded.Fetch.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	st, err := OpenStore(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	due := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	now := due
	d, err := New(loaded, st, Options{Now: func() time.Time { return now }, putOff: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	state := fetcher.State{NextCheck: due}
	for _, id := range []string{"first", "second"} {
		res, err := d.fetch.Fetch(t.Context(), feed.Feed{ID: id, URL: server.URL + "/" + id}, state, nil)
		if _, ofFeed := errors.AsType[*fetcher.Error](err); !ofFeed || (res.Outcome == fetcher.PutOff) != (id == "second") {
			t.Fatalf("%s: %s, %v", id, res.Outcome, err)
		}
	}
	for _, tc := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {lateAfter, 0}, {lateAfter + time.Second, 1}} {
		now = due.Add(tc.after)
		if got := d.status().PutOffLate; got != tc.want {
			t.Errorf("after %s %d feeds are late, want %d", tc.after, got, tc.want)
		}
	}
}
