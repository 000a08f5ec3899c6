package daemon_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// TestOperatorsHearOfALostSourceOnce: of a feed that is gone for good the operator
// gets one digest, and the reader beside him none; neither another pass nor
// another process says it again.
func TestOperatorsHearOfALostSourceOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer server.Close()
	loaded := loopbackConfig(t)
	loaded.Feeds = []feed.Feed{{ID: "paper", Name: "The Paper", URL: server.URL, Kind: feed.KindFeed}}
	hourly, err := notify.ParseSchedule("@hourly", nil)
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{"operator": t.TempDir(), "reader": t.TempDir()}
	for id, dir := range dirs {
		loaded.Subscribers = append(loaded.Subscribers, configs.Subscriber{
			Subscriber: notify.Subscriber{ID: id, Operator: id == "operator", Schedule: hourly}, Channel: configs.FileChannel{Dir: dir},
		})
	}
	for range 3 {
		once(t, loaded)
	}
	for id, want := range map[string]int{"operator": 1, "reader": 0} {
		if got, err := filepath.Glob(filepath.Join(dirs[id], "*.eml")); len(got) != want || err != nil {
			t.Errorf("%s got %d digests (%v), want %d", id, len(got), err, want)
		}
	}
}

// once is a whole process that polls and sends all.
func once(t *testing.T, loaded *configs.Loaded) {
	t.Helper()
	st, err := daemon.OpenStore(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	d, err := daemon.New(loaded, st, daemon.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Once(context.WithoutCancel(t.Context()), daemon.OnceOptions{Send: true}); err != nil {
		t.Error(err)
	}
	d.Close()
	if err := st.Close(); err != nil {
		t.Error(err)
	}
}
