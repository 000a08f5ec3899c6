package email

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/internal/mailtest"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// TestWithOpenSMTPD hands messages to a real mail server and reads them out of
// the maildir that it delivers to.
func TestWithOpenSMTPD(t *testing.T) {
	srv := mailtest.Start(t)
	cfg := Config{Host: "127.0.0.1", Port: srv.Port, TLS: None, From: "newswatch <newswatch@example.org>"}
	m := mailbox(t, cfg, "desk@reader.example")
	d := notifytest.Digest()
	if err := m.Notify(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	got := srv.Await("desk", 1)
	// The server adds its own lines above ours, and keeps lines with \n.
	raw, err := m.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")); !bytes.HasSuffix(got, want) {
		t.Errorf("delivered\n%s\nwant it to end with\n%s", got, want)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(got))
	if err != nil || len(msg.Header["Message-Id"]) != 1 || len(msg.Header["Date"]) != 1 {
		t.Errorf("header %v, %v", msg.Header, err)
	}
	_, parts := read(t, got)
	if text := parts["text/plain"]; strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) != strings.TrimSpace(notify.Text(d)) {
		t.Errorf("the text part is\n%s", text)
	}

	// Three more on one connection, one of them refused, and signed: the server's
	// lines above it, and what it does to the message, leave the signature good.
	key, record := dkimKey(t, "rsa")
	if cfg.DKIM, err = NewDKIM("example.org", "watch", key); err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, to := range []string{"one@reader.example", reader, "two@reader.example"} {
		m, err := s.To(to)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Notify(t.Context(), digests(3)[i]); (err != nil) != (to == reader) {
			t.Errorf("%s: %v", to, err)
		}
	}
	for _, name := range []string{"one", "two"} {
		got := srv.Await(name, 1)
		if err := verify(t, bytes.ReplaceAll(got, []byte("\n"), []byte("\r\n")), record); err != nil {
			t.Errorf("the signature of the message to %s: %v", name, err)
		}
	}

	err = mailbox(t, cfg, reader).Notify(t.Context(), d)
	notifytest.Failed(t, err, notify.FailureRejected, true, secrets...)
}
