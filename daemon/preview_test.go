package daemon_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// mailbox is what a mail server was given: recipients and messages.
type mailbox struct{ to, messages chan string }

func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }

type mailSession struct{ mailbox }

func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (s mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to <- to
	return nil
}

func (s mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.messages <- string(b)
	return err
}

// serveMail starts a mail server on loopback that takes everything.
func serveMail(t *testing.T) (mailbox, int) {
	t.Helper()
	box := mailbox{make(chan string, 16), make(chan string, 16)}
	s := smtp.NewServer(box)
	s.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return box, l.Addr().(*net.TCPAddr).Port
}

// TestSendTest: the digest goes to the address that was given, in its layout, and
// under an id that is not the subscriber's: else the server would drop the real
// one as a copy.
func TestSendTest(t *testing.T) {
	box, port := serveMail(t)
	loaded := loopbackConfig(t)
	loaded.SMTP = configs.SMTP{Host: "127.0.0.1", Port: port, TLS: configs.NoTLS, From: "Newswatch <watch@example.org>"}
	d := notifytest.Digest()
	d.Lang = "hi"
	if err := daemon.SendTest(t.Context(), loaded.Config, d, "me@example.org"); err != nil {
		t.Fatal(err)
	}
	if to := <-box.to; to != "me@example.org" {
		t.Errorf("it went to %s", to)
	}
	msg := <-box.messages
	if !strings.Contains(msg, "Message-ID: <") || strings.Contains(msg, d.ID) {
		t.Errorf("the real digest's id is in it, or none:\n%s", msg)
	}
	if !strings.Contains(msg, `<html lang=3D"hi">`) && !strings.Contains(msg, "base64") {
		t.Errorf("not in the digest's language:\n%s", msg)
	}
}
