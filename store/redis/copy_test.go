package redis_test

import (
	"path/filepath"
	"testing"

	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/store/storetest"
)

// TestCopyBetweenEngines moves everything each way, and between two servers.
func TestCopyBetweenEngines(t *testing.T) {
	engine := func() storetest.Opener {
		db := redistest.Start(t)
		return opener(db.URL, db)
	}
	here, there := engine(), engine()
	t.Run("SQLiteToRedis", func(t *testing.T) { storetest.RunCopy(t, files, here) })
	t.Run("RedisToSQLite", func(t *testing.T) { storetest.RunCopy(t, here, files) })
	t.Run("RedisToRedis", func(t *testing.T) { storetest.RunCopy(t, here, there) })
	t.Run("SQLiteToSQLite", func(t *testing.T) { storetest.RunCopy(t, files, files) })
}

// files opens SQLite files.
func files(t testing.TB) func() store.Store {
	path := filepath.Join(t.TempDir(), "newswatch.db")
	return func() store.Store {
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
}
