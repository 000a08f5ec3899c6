package sqlite_test

import (
	"bufio"
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
)

// victimEnv holds the path of the database for a child process that records and
// delivers until it is killed.
const victimEnv = "NEWSWATCH_TEST_SQLITE_VICTIM"

var begin = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

const victimFeeds = 6

// TestKill9 kills a process at random instants, reopens its database each time,
// and demands that all is there that was acknowledged, and nothing by halves.
func TestKill9(t *testing.T) {
	if path := os.Getenv(victimEnv); path != "" {
		victim(path)
		return
	}
	path := filepath.Join(t.TempDir(), "newswatch.db")
	kills, deadline := 60, time.Now().Add(45*time.Second)
	if testing.Short() {
		kills = 5
	}
	done, acked := 0, 0
	recorded := make(map[string]int) // how far each feed is, as far as was acknowledged
	for ; done < kills && time.Now().Before(deadline); done++ {
		lines := runVictim(t, path)
		acked += len(lines)
		examine(t, path, lines, recorded)
		if t.Failed() {
			t.Fatalf("after %d kills", done+1)
		}
	}
	t.Logf("%d kills, %d acknowledged writes", done, acked)
	if acked < done {
		t.Fatal("the victim hardly wrote anything")
	}
}

// runVictim starts a child, kills it at a random instant after its first words,
// and returns what it said was done.
func runVictim(t *testing.T, path string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKill9$")
	cmd.Env = append(os.Environ(), victimEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(out)
	var lines []string
	read := func() bool {
		line, err := in.ReadString('\n')
		if err != nil {
			return false // a line that was cut off was not said
		}
		lines = append(lines, strings.TrimSpace(line))
		return true
	}
	if read() {
		kill := time.AfterFunc(time.Duration(rand.IntN(120_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for read() {
		}
		kill.Stop()
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the victim ended by itself: %v: %q", err, lines)
	}
	return lines
}

// victim works on the database as a daemon does, and says on standard output
// what was acknowledged to it. Its clock goes on where the last one's ended.
func victim(path string) {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	var say sync.Mutex
	ack := func(format string, args ...any) {
		say.Lock()
		defer say.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	fail := func(what string, err error) {
		if err != nil {
			ack("%s: %v", what, err)
			os.Exit(1)
		}
	}
	var ids []string
	for i := range victimFeeds {
		ids = append(ids, fmt.Sprintf("feed-%d", i))
	}
	_, err = s.SigningKey(ctx)
	fail("signing key", err)
	fail("sync", s.SyncFeeds(ctx, ids, begin))
	fail("enrol", s.Enrol(ctx, []store.Enrolment{{ID: "desk", Next: begin, Schedule: "x", Since: begin}}, begin))
	for range 4 {
		go func() {
			for {
				// A lease of the process that was killed has run out by this clock.
				cs, err := s.ClaimFeeds(ctx, begin.Add(time.Hour), 1, -time.Hour)
				fail("claim", err)
				for _, c := range cs {
					b := victimBatch(c)
					_, err := s.Record(ctx, b)
					if err != nil && !strings.Contains(err.Error(), "lost") {
						fail("record", err)
					}
					if err == nil {
						ack("recorded %s %d", c.State.FeedID, b.State.Items)
					}
				}
			}
		}()
	}
	go func() {
		for {
			id := store.ReaderPrefix + crand.Text()
			fail("confirm", victimReader(s, id, store.ReaderActive))
			ack("confirmed %s", id)
			if rand.IntN(2) == 0 {
				fail("leave", victimReader(s, id, store.ReaderLeft))
				ack("left %s", id)
			}
		}
	}()
	for {
		turns, err := s.Claim(ctx, begin.Add(time.Hour), 1, -time.Hour)
		fail("claim", err)
		for _, tn := range turns {
			if tn.Subscriber != "desk" {
				continue // a reader's
			}
			d := tn.Pending
			if d == nil {
				if tn.Head == tn.Cursor {
					fail("advance", s.Advance(ctx, tn.Lease, tn.Head, begin, begin))
					continue
				}
				d = victimDigest(tn.Cursor, tn.Head)
				fail("seal", s.Seal(ctx, tn.Lease, *d))
				ack("sealed %s", d.ID)
			}
			fail("ack", s.Ack(ctx, tn.Lease, begin, begin))
			ack("sent %s", d.ID)
		}
	}
}

// victimReader confirms, or leaves. Readers are not due within the hour.
func victimReader(s *sqlite.Store, id string, state store.ReaderState) error {
	_, err := s.AdmitReader(context.Background(), sha256.Sum256([]byte(id)), func(r store.Reader) (store.Amendment, error) {
		r.ID, r.Contact, r.State = id, sha256.Sum256([]byte(id)), state
		if state == store.ReaderLeft {
			r.Address, r.Left = "", begin
			return store.Amendment{Reader: r}, nil
		}
		r.Address, r.Consent.Given = id+"@example.org", begin
		return store.Amendment{Reader: r, Turn: &store.Enrolment{ID: id, Schedule: "x", Since: begin, Next: begin.Add(24 * time.Hour)}}, nil
	})
	return err
}

// victimBatch is the next poll of a feed: its document always lists the last
// five items, of which one is new, and a hit.
func victimBatch(c store.Claim) store.Batch {
	st := c.State
	st.Items++
	st.LastPoll, st.FirstSuccess, st.NextCheck = begin, begin, begin
	b := store.Batch{Lease: c.Lease, State: st}
	for n := max(1, st.Items-4); n <= st.Items; n++ {
		b.Seen = append(b.Seen, store.Sighting{ID: victimItem(st.FeedID, n).ID})
	}
	it := victimItem(st.FeedID, st.Items)
	b.Items = []store.StoredItem{{Item: it, Stored: begin}}
	b.Hits = []classifier.Hit{{Item: it, Found: begin, Rules: []classifier.RuleMatch{{Rule: "r"}}}}
	return b
}

func victimItem(feedID string, n int) feed.Item {
	return feed.Item{ID: feed.NewItemID(feedID, strconv.Itoa(n), "", ""), FeedID: feedID, Title: strconv.Itoa(n)}
}

func victimDigest(from, to int64) *notify.Digest {
	return &notify.Digest{ID: fmt.Sprintf("desk-%d-%d", from, to), Subscriber: "desk", From: from, To: to, Until: begin}
}

// examine looks at what the killed process left.
func examine(t *testing.T, path string, acked []string, recorded map[string]int) {
	t.Helper()
	ctx := t.Context()
	s, err := sqlite.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	states, err := s.States(ctx, store.StateQuery{})
	if err != nil {
		t.Fatal(err)
	}
	items := make(map[string]int)
	for _, st := range states {
		items[st.FeedID] = st.Items
		wholePolls(t, s, st)
	}
	counts, err := s.Counts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Hits != counts.Items || counts.Hits != counts.Seen || int64(counts.Hits) != counts.Head {
		t.Errorf("by halves: %+v", counts)
	}
	log, err := s.Window(ctx, 0, counts.Head)
	if err != nil || len(log) != counts.Hits {
		t.Errorf("%d of %d hits in the log: %v", len(log), counts.Hits, err)
	}
	// Who has a turn is active, and nobody else.
	if wrong, err := store.Check(ctx, s, begin); err != nil || len(wrong) > 0 {
		t.Errorf("not sound: %v %v", wrong, err)
	}
	sent := sentDigests(t, s)
	for _, line := range acked {
		word := strings.Fields(line)
		switch {
		case len(word) == 3 && word[0] == "recorded":
			n, err := strconv.Atoi(word[2])
			if err != nil {
				t.Error(err)
			}
			recorded[word[1]] = max(recorded[word[1]], n)
		case len(word) == 2 && word[0] == "sealed":
			if !sent[word[1]] {
				t.Errorf("%q was acknowledged, and is neither pending nor sent", line)
			}
		case len(word) == 2 && word[0] == "sent":
			if !sent[word[1]] {
				t.Errorf("%q was acknowledged, and is not", line)
			}
		case len(word) == 2 && (word[0] == "confirmed" || word[0] == "left"):
			r, err := s.Reader(ctx, word[1])
			if err != nil || word[0] == "left" && (r.State != store.ReaderLeft || r.Address != "") {
				t.Errorf("%q was acknowledged, and the reader is %s: %v", line, r.State, err)
			}
		default:
			t.Errorf("the victim said %q", line)
		}
	}
	for id, n := range recorded {
		if n > items[id] {
			t.Errorf("poll %d of %s was acknowledged, the feed is at %d", n, id, items[id])
		}
	}
	intact(t, path)
}

// wholePolls demands that a feed's items are seen, stored and hits up to its
// last poll, and not one further.
func wholePolls(t *testing.T, s *sqlite.Store, st fetcher.State) {
	t.Helper()
	for n := max(1, st.Items-5); n <= st.Items+1; n++ {
		id := victimItem(st.FeedID, n).ID
		_, err := s.Hit(t.Context(), id)
		nov, seenErr := s.Unseen(t.Context(), st.FeedID, []store.Sighting{{ID: id}})
		if seenErr != nil {
			t.Fatal(seenErr)
		}
		want := n <= st.Items
		if (err == nil) != want || (nov[0] == store.Known) != want {
			t.Errorf("%s is at %d; item %d: hit %v, novelty %v", st.FeedID, st.Items, n, err, nov[0])
		}
	}
}

// sentDigests are the digests that were sent, once each and without a gap, and
// the one that is pending, as it was sealed.
func sentDigests(t *testing.T, s *sqlite.Store) map[string]bool {
	t.Helper()
	sent := make(map[string]bool)
	ds, err := s.Deliveries(t.Context(), "desk", 1000)
	if err != nil {
		t.Fatal(err)
	}
	cursor := int64(-1)
	for _, d := range ds {
		var from, to int64
		if _, err := fmt.Sscanf(d.Digest, "desk-%d-%d", &from, &to); err != nil {
			t.Fatal(err)
		}
		if sent[d.Digest] || (cursor >= 0 && to != cursor) {
			t.Errorf("%s before %d", d.Digest, cursor)
		}
		sent[d.Digest], cursor = true, from
	}
	standings, err := s.Standings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range standings {
		if st.Pending != "" {
			sent[st.Pending] = true
		}
		if st.Subscriber == "desk" && len(ds) > 0 && !strings.HasSuffix(ds[0].Digest, fmt.Sprint("-", st.Cursor)) {
			t.Errorf("the cursor is %d after %s", st.Cursor, ds[0].Digest)
		}
	}
	return sent
}

// intact asks the engine itself whether the file is sound.
func intact(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
	var orphans int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil || orphans != 0 {
		t.Errorf("%d orphans, %v", orphans, err)
	}
}
