package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

var t0 = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func TestOpenMakesFolderAndFileForTheOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b", "100% #1?", "newswatch.db")
	s := mustOpen(t, path)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{
		filepath.Dir(path): 0o700, filepath.Dir(filepath.Dir(path)): 0o700, path: 0o600, path + "-wal": 0o600,
	} {
		st, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Mode().Perm(); got != want {
			t.Errorf("%s: %o, want %o", p, got, want)
		}
	}
}

// TestOpenRefuses shows what Open does not touch, and that it says what to do.
func TestOpenRefuses(t *testing.T) {
	text := func(path string) error {
		return os.WriteFile(path, []byte(strings.Repeat("These are my notes, not a database.\n", 300)), 0o644)
	}
	alter := func(stmts ...string) func(string) error {
		return func(path string) error {
			db, err := sql.Open("sqlite", "file:"+path)
			if err != nil {
				return err
			}
			for _, s := range stmts {
				if _, err := db.Exec(s); err != nil {
					return errors.Join(err, db.Close())
				}
			}
			return db.Close()
		}
	}
	ours := func(path string) error {
		s, err := Open(t.Context(), path)
		if err != nil {
			return err
		}
		return s.Close()
	}
	for name, c := range map[string]struct {
		make func(string) error
		want string
	}{
		"a text file":                {text, "is not one, or is damaged; move it away or give another store.url"},
		"another program's database": {alter("CREATE TABLE bookmarks (url TEXT)"), "is another program's; move it away or give another store.url"},
		"another application's id":   {alter("PRAGMA application_id = 7"), "is another program's"},
		"a newer newswatch's": {func(path string) error {
			return errors.Join(ours(path), alter(fmt.Sprintf("PRAGMA user_version = %d", len(migrations)+1))(path))
		}, "was written by a newer newswatch"},
		"a damaged one": {func(path string) error {
			if err := ours(path); err != nil {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			copy(b[100:], strings.Repeat("damage", 600)) // the root page of the schema
			return os.WriteFile(path, b, 0o600)
		}, "is not one, or is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "newswatch.db")
			if err := c.make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), path)
			if err == nil {
				t.Fatal(s.Close())
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error %q does not say %q of %s", err, c.want, path)
			}
			if strings.Contains(c.want, "newer") == errors.Is(err, ErrNotOurs) {
				t.Errorf("class of %v", err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(before) {
				t.Errorf("the file was changed: %v", err)
			}
			if left, _ := filepath.Glob(path + "-*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestOpenSaysWhyAFolderCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{
		filepath.Join(file, "newswatch.db"):         "not a directory",
		"/proc/newswatch/newswatch.db":              "the folder of the database cannot be made",
		"/proc/newswatch.db":                        "is its folder writable?",
		filepath.Join(dir, "as", "folder", "x", ""): "",
	}
	if err := os.MkdirAll(filepath.Join(dir, "as", "folder", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range paths {
		s, err := Open(t.Context(), path)
		if err == nil {
			t.Errorf("%s was opened: %v", path, s.Close())
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, filepath.Join(dir, "new.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestFullDisk fills the space that the database may take, and demands that
// what was refused is told so, that what was acknowledged is kept, and that it
// goes on when there is room again.
func TestFullDisk(t *testing.T) {
	t.Run("page limit", func(t *testing.T) {
		fillUp(t, filepath.Join(t.TempDir(), "newswatch.db"), []string{"max_page_count(120)"}, nil)
	})
	t.Run("tmpfs", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root may mount a small tmpfs")
		}
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("a tmpfs cannot be mounted here: %s", out)
		}
		t.Cleanup(func() {
			if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
				t.Errorf("umount: %s", out)
			}
		})
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		fillUp(t, filepath.Join(dir, "newswatch.db"), nil, func() error { return os.Remove(ballast) })
	})
}

func fillUp(t *testing.T, path string, pragmas []string, relieve func() error) {
	s, err := open(t.Context(), path, pragmas)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for ; done < 2000; done++ {
		if err = put(t.Context(), s, done); err != nil {
			break
		}
	}
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "full") {
		t.Fatalf("after %d: %v", done, err)
	}
	if done < 5 {
		t.Fatalf("full after %d", done)
	}
	c, err := s.Counts(t.Context())
	if err != nil {
		t.Fatalf("reading a full store: %v", err)
	}
	if c.Items != done || c.Seen != done {
		t.Errorf("%d were acknowledged: %+v", done, c)
	}
	if relieve != nil {
		if err := relieve(); err != nil {
			t.Fatal(err)
		}
		if err := put(t.Context(), s, done); err != nil {
			t.Errorf("with room again: %v", err)
		}
		done++
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	var verdict string
	if err := again.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	if c, err = again.Counts(t.Context()); err != nil || c.Items != done {
		t.Errorf("reopened: %+v, %v", c, err)
	}
}

// put syncs, claims and records the n-th item of one feed.
func put(ctx context.Context, s *Store, n int) error {
	if err := s.SyncFeeds(ctx, []string{"a"}, t0); err != nil {
		return err
	}
	cs, err := s.ClaimFeeds(ctx, t0.Add(time.Hour), 1, -time.Hour)
	if err != nil {
		return err
	}
	if len(cs) != 1 {
		return fmt.Errorf("%d feeds are due", len(cs))
	}
	var b store.Batch
	b.Lease = cs[0].Lease
	b.State = fetcher.State{FeedID: "a", LastPoll: t0, NextCheck: t0}
	it := feed.Item{ID: feed.NewItemID("a", fmt.Sprint(n), "", ""), FeedID: "a"}
	for i := range 800 { // words that hardly compress
		it.Content += fmt.Sprintf("%x ", (n+1)*(i+1)*2654435761)
	}
	b.Seen = []store.Sighting{{ID: it.ID}}
	b.Items = []store.StoredItem{{Item: it, Stored: t0}}
	_, err = s.Record(ctx, b)
	return err
}

func mustOpen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
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
