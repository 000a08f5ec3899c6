package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

// hold occupies the writer until release is called, so that what comes after it
// is queued.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	began, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- s.w.do(t.Context(), func(*tx) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestOneWriteThatFailsTakesNothingOfTheOthers queues writes of which every
// third fails after it has written.
func TestOneWriteThatFailsTakesNothingOfTheOthers(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "newswatch.db"))
	release := hold(t, s)
	bad := errors.New("bad")
	errs := make([]error, 300)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.w.do(t.Context(), func(tx *tx) error {
				if _, err := tx.exec(`INSERT INTO meta VALUES (?, 1)`, fmt.Sprintf("w%d", i)); err != nil {
					return err
				}
				if i%3 == 0 {
					return bad
				}
				return nil
			})
		})
	}
	release()
	wg.Wait()
	for i, err := range errs {
		var there int
		if rerr := s.read.QueryRow(`SELECT count(*) FROM meta WHERE key = ?`, fmt.Sprintf("w%d", i)).Scan(&there); rerr != nil {
			t.Fatal(rerr)
		}
		if fails := i%3 == 0; fails != errors.Is(err, bad) || fails != (err != nil) || fails != (there == 0) {
			t.Errorf("write %d: %v, %d rows", i, err, there)
		}
	}
}

// TestWhatTheEngineUndoesIsToldToAll has a write in whose midst the engine
// undoes the transaction, as on a full disk: neither what came before it nor what
// comes after may be said to be written, or be written.
func TestWhatTheEngineUndoesIsToldToAll(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "newswatch.db"))
	undone := errors.New("undone")
	write := func(key string) func(*tx) error {
		return func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO meta VALUES (?, 1)`, key)
			return err
		}
	}
	group := []*op{
		{run: write("w0")},
		{run: write("w1")},
		{run: func(tx *tx) error { return errors.Join(undone, tx.script("ROLLBACK")) }},
		{run: write("w3")},
		{run: write("w4")},
	}
	for _, o := range group {
		o.done = make(chan struct{})
	}
	s.w.group(group)
	for i, o := range group {
		if !errors.Is(o.err, undone) {
			t.Errorf("write %d: %v", i, o.err)
		}
	}
	var there int
	if err := s.read.QueryRow(`SELECT count(*) FROM meta WHERE key LIKE 'w%'`).Scan(&there); err != nil || there != 0 {
		t.Errorf("%d rows, %v", there, err)
	}
	if err := insert(s, 0); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

// TestARefusalIsNoFault: what is refused before it has written, as with a lost
// lease, has the others neither undone nor run again.
func TestARefusalIsNoFault(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "newswatch.db"))
	release := hold(t, s)
	errs, runs := make([]error, 30), make([]int, 30)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.w.do(t.Context(), func(tx *tx) error {
				runs[i]++
				if _, err := tx.head(); err != nil {
					return err
				}
				if i%3 == 0 {
					return lease.ErrLost
				}
				_, err := tx.exec(`INSERT INTO meta VALUES (?, 1)`, fmt.Sprintf("w%d", i))
				return err
			})
		})
	}
	release()
	wg.Wait()
	var there int
	if err := s.read.QueryRow(`SELECT count(*) FROM meta WHERE key LIKE 'w%'`).Scan(&there); err != nil || there != 20 {
		t.Errorf("%d rows, %v", there, err)
	}
	for i, err := range errs {
		if refused := i%3 == 0; refused != errors.Is(err, lease.ErrLost) || refused != (err != nil) || runs[i] != 1 {
			t.Errorf("write %d: %v, run %d times", i, err, runs[i])
		}
	}
}

// TestCloseWritesWhatIsQueued also shows that a caller whose context ends before
// its turn is let go, and that nothing of its write happens.
func TestCloseWritesWhatIsQueued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "newswatch.db")
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		gone <- s.w.do(ctx, func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO meta VALUES ('gone', 1)`)
			return err
		})
	}()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	release()

	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() { errs[i] = insert(s, i) })
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	wg.Wait()
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, path)
	for i, err := range errs {
		var there int
		if rerr := again.read.QueryRow(`SELECT count(*) FROM meta WHERE key = ?`, fmt.Sprintf("q%d", i)).Scan(&there); rerr != nil {
			t.Fatal(rerr)
		}
		if (err == nil) != (there == 1) || (err != nil && !errors.Is(err, store.ErrUnavailable)) {
			t.Errorf("write %d: %v, %d rows", i, err, there)
		}
	}
	var there int
	if err := again.read.QueryRow(`SELECT count(*) FROM meta WHERE key = 'gone'`).Scan(&there); err != nil || there != 0 {
		t.Errorf("the write that was given up: %d rows, %v", there, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if err := again.Ping(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

func insert(s *Store, n int) error {
	return s.w.do(context.Background(), func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO meta VALUES (?, 1)`, fmt.Sprintf("q%d", n))
		return err
	})
}
