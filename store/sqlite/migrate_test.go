package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/store"
)

// TestLeasesSurviveTheirMove: who polls while the file is brought up to date may still
// record, and what a dead reader left behind is still laid to its feed.
func TestLeasesSurviveTheirMove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "newswatch.db")
	old(t, path, 3,
		`UPDATE meta SET value = 7 WHERE key = 'token'`,
		feedOf3("polled", fmt.Sprintf("until = %d, token = 7, recorded = 5", t0.Add(time.Minute).UnixMilli())),
		feedOf3("deadly", fmt.Sprintf("until = %d, token = 6, marked = 1, poisoned = 1", t0.UnixMilli())),
		feedOf3("free", "token = 4, recorded = 4"),
	)
	s := mustOpen(t, path)
	l := lease.Lease{Key: store.FeedKey("polled"), Token: 7}
	if _, err := s.Record(t.Context(), store.Batch{Lease: l, State: fetcher.State{FeedID: "polled", LastPoll: t0, NextCheck: t0.Add(time.Hour)}}); err != nil {
		t.Errorf("the lease is not held any more: %v", err)
	}
	claims, err := s.ClaimFeeds(t.Context(), t0.Add(time.Second), 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, c := range claims {
		got[c.State.FeedID] = c.State.Poisoned
		if c.Lease.Token <= 7 {
			t.Errorf("%s was given the token %d, which is not a new one", c.State.FeedID, c.Lease.Token)
		}
	}
	if len(got) != 2 || got["deadly"] != 2 || got["free"] != 0 {
		t.Errorf("claimed, by how often their reader died: %v; want deadly 2, free 0", got)
	}
	late := lease.Lease{Key: store.FeedKey("deadly"), Token: 6}
	if err := s.MarkParsing(t.Context(), late, true); !errors.Is(err, lease.ErrLost) {
		t.Errorf("a holder whose lease was taken may still mark: %v", err)
	}
	if wrong, err := s.Inspect(t.Context()); err != nil || len(wrong) > 0 {
		t.Errorf("%v %v", wrong, err)
	}
}

// old makes a file as the given version of the schema has it.
func old(t *testing.T, path string, version int, stmts ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := append(append([]string{}, migrations[:version]...), fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	for _, q := range append(all, stmts...) {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// feedOf3 is a feed of version 3 that has been due since t0, and more of it.
func feedOf3(id, set string) string {
	state, err := store.EncodeState(&fetcher.State{FeedID: id})
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("INSERT INTO feeds (id, next, state) VALUES ('%s', %d, x'%x'); UPDATE feeds SET %s WHERE id = '%s'", id, t0.UnixMilli(), state, set, id)
}
