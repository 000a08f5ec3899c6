package email

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// digests makes digests that differ.
func digests(n int) []notify.Digest {
	out := make([]notify.Digest, n)
	for i := range out {
		out[i] = notifytest.Digest()
		out[i].ID = fmt.Sprintf("%032x", i)
	}
	return out
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	srv := &script{}
	m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}, reader)
	ds := digests(maxMessages + 1)
	for _, d := range ds {
		if err := m.Notify(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	m.sender.Close()
	seen := srv.seen()
	if got := srv.received(); len(got) != len(ds) || srv.begun != 2 || strings.Count(seen, "RSET") != maxMessages-1 || strings.Count(seen, "QUIT") != 2 {
		t.Errorf("%d messages in %d sessions, %d RSET, %d QUIT", len(got), srv.begun, strings.Count(seen, "RSET"), strings.Count(seen, "QUIT"))
	}
}

// What a server may say is bounded for each message, not for the connection: one
// with much to say is heard fifty times.
func TestATalkativeServerKeepsItsConnection(t *testing.T) {
	srv := &script{steps: map[string]string{"RCPT": strings.Repeat("250-"+strings.Repeat("welcome ", 60)+"\n", 40) + "250 ok"}}
	m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}, reader)
	for _, d := range digests(30) {
		if err := m.Notify(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if srv.begun != 1 {
		t.Errorf("%d sessions", srv.begun)
	}
}

// A mailbox that is refused, or a message, costs the others no connection.
func TestARefusalKeepsTheConnection(t *testing.T) {
	for step, answer := range map[string]string{"RCPT": "550 5.1.1 no", "MAIL": "451 later", "DATA": "554 no", "dot": "554 spam"} {
		srv := &script{steps: map[string]string{step: answer}}
		m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}, reader)
		for _, d := range digests(3) {
			if m.Notify(t.Context(), d) == nil {
				t.Fatal("it was accepted")
			}
		}
		m.sender.Close()
		if srv.begun != 1 {
			t.Errorf("%s: %d sessions", step, srv.begun)
		}
	}
}

// What ends an idle connection says nothing about the next message: it goes over a
// new one, in the same try, and once.
func TestADeadConnectionIsNoTry(t *testing.T) {
	for _, step := range []string{"RSET", "MAIL", "RCPT"} {
		for _, fault := range []string{"cut", "half", "flood", "hang", "nonsense", "421 4.4.2 idle for too long", "421 4.7.0 enough messages"} {
			t.Run(step+" "+fault, func(t *testing.T) {
				t.Parallel()
				srv := &script{
					steps: map[string]string{step: fault},
					when:  func(session, messages int) bool { return session == 1 && messages == 1 },
				}
				limit := 10 * time.Second
				if fault == "hang" {
					limit = 150 * time.Millisecond
				}
				m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None, Timeouts: Timeouts{Command: limit}}, reader)
				for i, d := range digests(3) {
					if err := m.Notify(t.Context(), d); err != nil {
						t.Fatalf("digest %d: %v", i, err)
					}
				}
				if got := srv.received(); len(got) != 3 || srv.begun != 2 {
					t.Errorf("%d messages in %d sessions", len(got), srv.begun)
				}
			})
		}
	}
	// From DATA on the server may have the message: that is a try.
	for _, step := range []string{"DATA", "body", "dot"} {
		srv := &script{steps: map[string]string{step: "cut"}, when: func(session, messages int) bool { return messages == 1 }}
		m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}, reader)
		ds := digests(2)
		if err := m.Notify(t.Context(), ds[0]); err != nil {
			t.Fatal(err)
		}
		notifytest.Failed(t, m.Notify(t.Context(), ds[1]), notify.FailureConnect, false, secrets...)
		if srv.begun != 1 || len(m.sender.pool.waiting) != 0 {
			t.Errorf("%s: %d sessions, %d kept", step, srv.begun, len(m.sender.pool.waiting))
		}
	}
	// A refusal that is not of the connection counts, on an old one as on a new.
	srv := &script{steps: map[string]string{"RCPT": "550 5.1.1 no"}, when: func(_, messages int) bool { return messages == 1 }}
	m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}, reader)
	ds := digests(2)
	if err := m.Notify(t.Context(), ds[0]); err != nil {
		t.Fatal(err)
	}
	notifytest.Failed(t, m.Notify(t.Context(), ds[1]), notify.FailureRejected, true, secrets...)
}

func TestConnectionsAreBounded(t *testing.T) {
	srv := &script{}
	m := mailbox(t, Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None, Connections: 3}, reader)
	var wg sync.WaitGroup
	for _, d := range digests(40) {
		wg.Go(func() {
			if err := m.Notify(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	m.sender.Close()
	if got := srv.received(); len(got) != 40 || srv.most > 3 {
		t.Errorf("%d messages over up to %d connections", len(got), srv.most)
	}
}

// Who waits for a connection can be told to stop.
func TestWaitingForAConnectionEnds(t *testing.T) {
	p := newPool(1, time.Minute)
	if err := p.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	notifytest.Failed(t, p.enter(ctx), notify.FailureConnect, false, secrets...)
	p.leave()
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1, time.Minute)
		if err := p.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		err := p.enter(t.Context())
		if de := notify.AsDeliveryError(err); !de.Untried || de.RetryAfter <= 0 || time.Since(begun) != patience {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

func TestAnIdleConnectionIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
		srv := &script{}
		srv.sessions.Go(func() { defer server.Close(); srv.serve(server) })
		m := mailbox(t, Config{Host: "127.0.0.1", Port: 25, TLS: None, Idle: time.Minute, Dial: dial}, reader)
		if err := m.Notify(t.Context(), notifytest.Digest()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if strings.Contains(srv.seen(), "QUIT") {
			t.Error("ended too early")
		}
		time.Sleep(2 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if !strings.HasSuffix(srv.seen(), "QUIT") {
			t.Errorf("still open after\n%s", srv.seen())
		}
		srv.sessions.Wait()
	})
}

// BenchmarkNotify compares messages over a connection that is used again with
// messages over one each, with STARTTLS and a login.
func BenchmarkNotify(b *testing.B) {
	for _, again := range []bool{true, false} {
		b.Run(fmt.Sprintf("again=%t", again), func(b *testing.B) {
			cert, roots := certificate(b, "mail.example")
			srv := &script{ehlo: []string{"AUTH PLAIN"}, cert: &cert}
			m := mailbox(b, Config{
				Host: "mail.example", Port: 587, RootCAs: roots, Username: username, Password: password, Dial: dialTo(srv.start(b)),
			}, reader)
			if !again {
				m.sender.Close() // what is sent from now on keeps no connection
			}
			d := notifytest.Digest()
			for b.Loop() {
				if err := m.Notify(b.Context(), d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
