package sqlite

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// TestWhatCannotBeFoundOutAgainIsFlushed: a commit waits for the disk if one of its
// writes has to, and only then.
func TestWhatCannotBeFoundOutAgainIsFlushed(t *testing.T) {
	const normal, full = 1, 2 // what SQLite calls them
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, filepath.Join(t.TempDir(), "newswatch.db"))
		type write = func(context.Context, func(*tx) error) error
		for _, c := range []struct {
			name   string
			writes []write
			want   int
		}{
			{"what is repeatable", []write{s.w.repeatable, s.w.repeatable}, normal},
			{"what is not", []write{s.w.do}, full},
			{"the former again", []write{s.w.repeatable}, normal},
			{"both at once", []write{s.w.repeatable, s.w.do, s.w.repeatable}, full},
		} {
			release := hold(t, s)
			got := make([]int, len(c.writes))
			var wg sync.WaitGroup
			for i, w := range c.writes {
				wg.Go(func() {
					err := w(t.Context(), func(tx *tx) error { return tx.row(`SELECT synchronous FROM pragma_synchronous`).Scan(&got[i]) })
					if err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait() // They are queued behind a write, and so share a commit.
			release()
			wg.Wait()
			if slices.ContainsFunc(got, func(l int) bool { return l != c.want }) {
				t.Errorf("%s: the levels were %v, want %d", c.name, got, c.want)
			}
		}
	})
}
