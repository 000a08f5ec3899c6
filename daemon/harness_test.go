package daemon_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
)

func TestMain(m *testing.M) {
	if os.Getenv(benchServer) != "" {
		serveFeeds()
		return
	}
	// Redis' driver looks once a second whether a server that was dead can be dialled
	// again, and up to a second passes until it sees that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// loopbackConfig is the default configuration without its feeds and
// subscribers, with a store of its own, and with leave to dial loopback.
func loopbackConfig(t testing.TB) *configs.Loaded {
	t.Helper()
	loaded, _, err := configs.Default()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	loaded.Feeds, loaded.Subscribers = nil, nil
	loaded.Data = dir
	loaded.Store = configs.Store{Engine: configs.EngineSQLite, Path: filepath.Join(dir, "newswatch.db")}
	loaded.HTTP.Listen = ""
	loaded.Fetch.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	return loaded
}

func openStore(t testing.TB, loaded *configs.Loaded) store.Store {
	t.Helper()
	st, err := daemon.OpenStore(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func newDaemon(t testing.TB, loaded *configs.Loaded, st store.Store) *daemon.Daemon {
	t.Helper()
	d, err := daemon.New(loaded, st, daemon.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
