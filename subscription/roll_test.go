package subscription

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sent is a letter or a challenge that the bench's post was handed.
type sent struct {
	to string
	email.Letter
	secret, echo string
}

// bench is a roll on a real store, with a clock and a post in the test's hand.
type bench struct {
	*testing.T
	*Roll
	st   *sqlite.Store
	at   time.Time
	fail error
	// during is called while a letter is being sent.
	during func()

	mu   sync.Mutex
	sent []sent
	told []Sent
}

func newBench(t *testing.T) *bench {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "newswatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // one test closes it before
	b := &bench{T: t, st: st, at: noon}
	b.Roll = &Roll{
		Store: st, PublicURL: "https://news.example.org", FirstWindow: func() time.Duration { return 24 * time.Hour },
		Now: func() time.Time { return b.at },
	}
	return b
}

func (b *bench) Write(_ context.Context, address string, l email.Letter) error {
	if b.during != nil {
		b.during()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, sent{to: address, Letter: l})
	return b.fail
}

func (b *bench) Challenge(_ context.Context, url, secret, id, echo string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, sent{to: url, secret: secret, echo: echo, Letter: email.Letter{ID: id}})
	return b.fail
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// deliver sends what is due and returns it.
func (b *bench) deliver() []sent {
	b.Helper()
	b.sent = nil
	_, err := b.Deliver(b.Context(), b, func(s Sent) { b.mu.Lock(); b.told = append(b.told, s); b.mu.Unlock() })
	b.ok(err)
	return b.sent
}

func (b *bench) ask(address string) {
	b.Helper()
	q, faults := Check(Request{
		Channel: Email, Address: address, Agreed: true, Method: "page", Wishes: store.Wishes{Rules: []string{"p-hunt"}, Schedule: "0 7 * * *"},
	}, catalogue)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	b.ok(b.Ask(b.Context(), q))
}

// join has an address ask and confirm, and returns its reader and the token to
// leave.
func (b *bench) join(address string) (r store.Reader, leave string) {
	b.Helper()
	b.ask(address)
	letter := b.deliver()[0]
	r, err := b.Confirm(b.Context(), linkIn(b.T, letter.Text, "confirm"))
	b.ok(err)
	return r, linkIn(b.T, letter.Text, "unsubscribe")
}

func linkIn(t *testing.T, text, page string) string {
	t.Helper()
	m := regexp.MustCompile(`https://news\.example\.org/` + page + `/(\S+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no link to %s in %q", page, text)
	}
	return m[1]
}

func (b *bench) reader(address string) store.Reader {
	b.Helper()
	r, err := b.Find(b.Context(), address)
	b.ok(err)
	return r
}

func TestAskConfirmChangeLeave(t *testing.T) {
	b := newBench(t)
	b.ask("Ann@Example.org")
	letters := b.deliver()
	if len(letters) != 1 || letters[0].to != "Ann@example.org" || strings.Contains(letters[0].Text, "p-hunt") {
		t.Fatalf("letters %+v", letters)
	}
	if again := b.deliver(); len(again) != 0 {
		t.Fatalf("sent twice: %+v", again)
	}
	tok := linkIn(t, letters[0].Text, "confirm")
	// A scanner opens the link as often as it likes.
	for range 3 {
		r, err := b.Read(t.Context(), ToConfirm, tok)
		b.ok(err)
		if r.State != store.ReaderPending {
			t.Fatalf("opening the link made it %s", r.State)
		}
	}
	b.at = b.at.Add(time.Hour)
	for range 2 {
		r, err := b.Confirm(t.Context(), tok)
		b.ok(err)
		if r.State != store.ReaderActive || !r.Consent.Given.Equal(b.at) || r.Consent.Text != Consent {
			t.Fatalf("%s: %+v", r.State, r.Consent)
		}
	}
	r := b.reader("ann@example.org")
	standings, err := b.st.Standings(t.Context())
	b.ok(err)
	// 7:00 in Kolkata is 1:30 UTC.
	if len(standings) != 1 || !standings[0].Next.Equal(time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)) || !standings[0].Since.Equal(b.at.Add(-24*time.Hour)) {
		t.Fatalf("standings %+v", standings)
	}

	links, err := b.Links(t.Context(), r, b.at)
	b.ok(err)
	change := strings.TrimPrefix(links.Change, "https://news.example.org/preferences/")
	w := r.Wishes
	w.Schedule = "@hourly"
	_, err = b.Change(t.Context(), change, w)
	b.ok(err)
	standings, err = b.st.Standings(t.Context())
	b.ok(err)
	if !standings[0].Next.Equal(time.Date(2026, 11, 23, 13, 30, 0, 0, time.UTC)) { // full hours of Kolkata
		t.Errorf("after another schedule, the next turn is %v", standings[0].Next)
	}
	held, err := b.Export(t.Context(), change)
	b.ok(err)
	out, err := json.Marshal(held)
	b.ok(err)
	if !strings.Contains(string(out), "Ann@example.org") || held.Standing == nil {
		t.Errorf("exported %s", out)
	}

	leave := strings.TrimPrefix(links.Leave, "https://news.example.org/unsubscribe/")
	interrupted := ""
	b.Interrupt = func(_ context.Context, id string) { interrupted = id }
	for range 2 {
		b.ok(b.Leave(t.Context(), leave, false))
	}
	if interrupted != r.ID {
		t.Error("what is being sent is not broken off")
	}
	r = b.reader("ann@example.org")
	if r.State != store.ReaderLeft || r.Address != "" || r.Wishes.Rules != nil || r.Blocked {
		t.Errorf("after leaving, what is held is %+v, %+v", r.State, r.Wishes)
	}
	for _, c := range []struct {
		what string
		err  error
	}{
		{"confirm", second(b.Confirm(t.Context(), tok))},
		{"change", second(b.Change(t.Context(), change, w))},
		{"export", second(b.Export(t.Context(), change))},
		{"erase", b.Erase(t.Context(), change)},
	} {
		if !errors.Is(c.err, ErrLink) {
			t.Errorf("%s after leaving: %v", c.what, c.err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestConfirmingIsTooLateAfter48Hours(t *testing.T) {
	b := newBench(t)
	b.ask("ann@example.org")
	tok := linkIn(t, b.deliver()[0].Text, "confirm")
	b.at = noon.Add(store.PendingFor)
	if _, err := b.Confirm(t.Context(), tok); !errors.Is(err, ErrLink) {
		t.Errorf("confirmed: %v", err)
	}
	_, err := b.st.Sweep(t.Context(), b.at, store.Retention{})
	b.ok(err)
	if _, err := b.Find(t.Context(), "ann@example.org"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}

func TestNobodyIsWrittenToMoreThanThreeTimesADay(t *testing.T) {
	b := newBench(t)
	letters := 0
	for i := range 10 {
		b.ask([]string{"ann@example.org", "ANN@example.org", "Ann@EXAMPLE.org"}[i%3])
		letters += len(b.deliver())
		b.at = b.at.Add(time.Minute)
	}
	if letters != 3 {
		t.Errorf("%d letters", letters)
	}
	b.at = noon.Add(24*time.Hour + time.Minute)
	b.ask("ann@example.org")
	if n := len(b.deliver()); n != 1 {
		t.Errorf("%d letters the next day", n)
	}
	// Nor is one who is subscribed, or left.
	_, leave := b.join("ben@example.org")
	for range 5 {
		b.ask("ben@example.org")
		letters = len(b.deliver())
	}
	if letters != 0 {
		t.Errorf("a sixth letter to a subscriber")
	}
	b.ok(b.Leave(t.Context(), leave, false))
	b.ask("ben@example.org")
	if n := len(b.deliver()); n != 0 {
		t.Errorf("%d letters to one who left, the same day", n)
	}
}

// Every request is a write: one that changed nothing would be answered sooner.
func TestEveryRequestIsWritten(t *testing.T) {
	b := newBench(t)
	b.join("active@example.org")
	b.ask("pending@example.org")
	_, leave := b.join("blocked@example.org")
	b.ok(b.Leave(t.Context(), leave, true))
	for _, who := range []string{"active", "pending", "blocked"} {
		for range 5 {
			before := b.reader(who + "@example.org").Asks
			b.ask(who + "@example.org")
			if after := b.reader(who + "@example.org").Asks; after != before+1 {
				t.Errorf("%s: %d requests after %d", who, after, before)
			}
		}
	}
}

// A request for an address that is subscribed changes nothing of what it is sent,
// and hands nobody but the address a link.
func TestARequestForASubscriberChangesNothing(t *testing.T) {
	b := newBench(t)
	before, _ := b.join("ann@example.org")
	q, _ := Check(Request{Channel: Email, Address: "ann@example.org", Agreed: true, Method: "api", Wishes: store.Wishes{Schedule: "immediate"}}, catalogue)
	b.ok(b.Ask(t.Context(), q))
	letters := b.deliver()
	if len(letters) != 1 || strings.Contains(letters[0].Text, "/confirm/") {
		t.Fatalf("letters %+v", letters)
	}
	if _, err := b.Read(t.Context(), ToChange, linkIn(t, letters[0].Text, "preferences")); err != nil {
		t.Error(err)
	}
	after := b.reader("ann@example.org")
	after.Letters, before.Letters = nil, nil
	if fmt.Sprint(after.Wishes, after.Consent, after.Salt) != fmt.Sprint(before.Wishes, before.Consent, before.Salt) {
		t.Errorf("%v became %v", before.Wishes, after.Wishes)
	}
}

func TestWhoDidNotAskIsNeverWrittenToAgain(t *testing.T) {
	b := newBench(t)
	b.ask("ann@example.org")
	letter := b.deliver()[0]
	b.ok(b.Leave(t.Context(), linkIn(t, letter.Text, "unsubscribe"), false))
	r := b.reader("ann@example.org")
	if r.Address != "" || !r.Blocked {
		t.Errorf("held: %q, blocked %t", r.Address, r.Blocked)
	}
	b.at = b.at.Add(30 * 24 * time.Hour)
	b.ask("ann@example.org")
	if n := len(b.deliver()); n != 0 {
		t.Errorf("%d letters", n)
	}
	if _, err := b.Confirm(t.Context(), linkIn(t, letter.Text, "confirm")); !errors.Is(err, ErrLink) {
		t.Errorf("confirmed: %v", err)
	}
}

func TestOneWhoLeftCanComeBack(t *testing.T) {
	b := newBench(t)
	first, leave := b.join("ann@example.org")
	old, err := b.Links(t.Context(), first, b.at)
	b.ok(err)
	b.ok(b.Leave(t.Context(), leave, false))
	b.at = b.at.Add(time.Hour)
	second, _ := b.join("ann@example.org")
	if second.State != store.ReaderActive || second.Address != "ann@example.org" {
		t.Fatalf("%s", second.State)
	}
	if _, err := b.Read(t.Context(), ToChange, old.Change[strings.LastIndex(old.Change, "/")+1:]); !errors.Is(err, ErrLink) {
		t.Errorf("a link of before opens what is held now: %v", err)
	}
	// But an old digest still serves to leave.
	b.ok(b.Leave(t.Context(), leave, true))
	if r := b.reader("ann@example.org"); r.State != store.ReaderLeft || !r.Blocked {
		t.Errorf("%s", r.State)
	}
}

func TestErase(t *testing.T) {
	b := newBench(t)
	r, leave := b.join("ann@example.org")
	links, err := b.Links(t.Context(), r, b.at)
	b.ok(err)
	change := links.Change[strings.LastIndex(links.Change, "/")+1:]
	b.ok(b.Erase(t.Context(), change))
	held, err := b.All(t.Context(), r.ID)
	b.ok(err)
	if !held.Empty() {
		t.Errorf("held: %+v", held)
	}
	if err := b.Leave(t.Context(), leave, false); !errors.Is(err, ErrLink) {
		t.Errorf("leaving after all was erased: %v", err)
	}
}

func TestAStoreThatFailsPromisesNothing(t *testing.T) {
	b := newBench(t)
	_, leave := b.join("ann@example.org")
	b.ok(b.st.Close())
	q, _ := Check(Request{Channel: Email, Address: "ben@example.org", Agreed: true}, catalogue)
	for what, err := range map[string]error{"ask": b.Ask(t.Context(), q), "leave": b.Leave(t.Context(), leave, false)} {
		if err == nil || errors.Is(err, ErrLink) || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
