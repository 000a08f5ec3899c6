package subscription

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func TestALetterIsTriedAgain(t *testing.T) {
	b := newBench(t)
	// Another is owed to one who is subscribed already, whose link runs out.
	b.join("known@example.org")
	b.at = b.at.Add(time.Hour)
	b.ask("known@example.org")
	b.ask("ann@example.org")
	asked := b.at
	b.fail = &notify.DeliveryError{Failure: notify.FailureDeferred, Err: errors.New("450")}
	tries := map[string][]sent{} // by address
	try := func() {
		for _, s := range b.deliver() {
			tries[s.to] = append(tries[s.to], s)
		}
	}
	for range 4 {
		try()
		b.at = b.at.Add(time.Minute)
	}
	b.fail = nil
	b.at = b.at.Add(time.Hour)
	try()
	for address, tried := range tries {
		if len(tried) != 4 {
			t.Errorf("%s: %d tries", address, len(tried))
		}
		for _, s := range tried {
			// The same letter to the byte: its id, its date, its links.
			if s != tried[0] || !s.Date.Equal(asked) {
				t.Errorf("%s: the first try %+v, another %+v", address, tried[0], s)
			}
		}
	}
	if len(tries) != 2 {
		t.Errorf("letters to %d", len(tries))
	}
	b.at = b.at.Add(24 * time.Hour)
	if n := len(b.deliver()); n != 0 {
		t.Error("sent after it was accepted")
	}
	b.ask("ben@example.org")
	b.fail = &notify.DeliveryError{Failure: notify.FailureRejected, Permanent: true, Err: errors.New("550")}
	b.deliver()
	b.at = b.at.Add(24 * time.Hour)
	if n := len(b.deliver()); n != 0 {
		t.Error("tried again after a refusal for good")
	}
	for _, s := range b.told {
		if strings.Contains(fmt.Sprintf("%+v", s), "@") {
			t.Errorf("told %+v", s)
		}
	}
}

// A process that dies between the sending and the note of it leaves the letter to
// the next, which sends the same one.
func TestALetterOutlivesItsSender(t *testing.T) {
	b := newBench(t)
	b.ask("ann@example.org")
	died, err := b.st.ClaimLetters(t.Context(), b.at, 10, b.at.Add(letterHold))
	b.ok(err)
	if len(died) != 1 || len(b.deliver()) != 0 {
		t.Fatal("the letter is not held")
	}
	b.at = b.at.Add(letterHold)
	if n := len(b.deliver()); n != 1 {
		t.Errorf("%d letters after the sender died", n)
	}
}

func TestAWebhookProvesItselfByItsEcho(t *testing.T) {
	b := newBench(t)
	q, faults := Check(Request{
		Channel: Webhook, Address: "https://example.org/hook", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Agreed: true, Method: "api",
	}, catalogue)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	b.ok(b.Ask(t.Context(), q))
	b.fail = &notify.DeliveryError{Failure: notify.FailureRejected, Permanent: true, Err: errors.New("no echo")}
	b.deliver()
	if r := b.reader("https://example.org/hook"); r.State != store.ReaderPending {
		t.Fatalf("without an echo it is %s", r.State)
	}
	b.fail = nil
	b.ok(b.Ask(t.Context(), q))
	posted := b.deliver()
	if len(posted) != 1 || posted[0].secret != q.Secret || len(posted[0].echo) < 43 || strings.ContainsAny(posted[0].ID, ". :") {
		t.Fatalf("posted %+v", posted)
	}
	r := b.reader("https://example.org/hook")
	if r.State != store.ReaderActive {
		t.Fatalf("with its echo it is %s", r.State)
	}
	b.ok(b.Ask(t.Context(), q))
	if n := len(b.deliver()); n != 0 {
		t.Errorf("%d challenges to one that is subscribed", n)
	}
	held, err := b.All(t.Context(), r.ID)
	b.ok(err)
	if held.Reader.Secret != "" {
		t.Error("the secret is exported")
	}
}

// A request that comes while a letter is being sent has a letter of its own.
func TestALetterThatIsAskedForMeanwhileIsSentToo(t *testing.T) {
	b := newBench(t)
	b.ask("ann@example.org")
	b.during = func() {
		b.during = nil
		b.at = b.at.Add(time.Second)
		b.ask("ann@example.org")
	}
	b.deliver()
	if n := len(b.deliver()); n != 1 {
		t.Errorf("%d letters for the second request", n)
	}
	// And one that has left meanwhile is not called back.
	b.ask("ben@example.org")
	first := b.deliver()[0]
	b.at = b.at.Add(time.Second)
	b.ask("ben@example.org")
	b.during = func() { b.ok(b.Leave(t.Context(), linkIn(t, first.Text, "unsubscribe"), false)) }
	b.deliver()
	if r := b.reader("ben@example.org"); r.State != store.ReaderLeft || r.Letter != nil {
		t.Errorf("%s, and a letter is owed: %t", r.State, r.Letter != nil)
	}
}
