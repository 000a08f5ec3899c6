package email

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/realpart"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// TestWithOpenSMTPD hands messages to a real mail server and reads them out of
// the maildir that it delivers to. It runs without TLS: what Debian 12 ships of
// OpenSMTPD fails in its own key process with OpenSSL 3, for any client.
func TestWithOpenSMTPD(t *testing.T) {
	smtpd := realpart.Require(t, "opensmtpd", "smtpd")
	if os.Geteuid() != 0 {
		if realpart.InCI() {
			t.Fatal("OpenSMTPD starts only as root")
		}
		t.Skip("OpenSMTPD starts only as root")
	}
	dir, err := os.MkdirTemp("", "newswatch-smtpd-") // the mailbox's owner must be able to enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	boxes := filepath.Join(dir, "mail")
	if err := os.Mkdir(boxes, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, boxes} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	port := startSMTPD(t, smtpd, dir, fmt.Sprintf(`
table users { "@" = "nobody" }
listen on 127.0.0.1 port %%d hostname mail.example
action "in" maildir "%s/%%%%{rcpt.user}" virtual <users>
match from any for domain "reader.example" action "in"
`, boxes))

	cfg := Config{Host: "127.0.0.1", Port: port, TLS: None, From: "newswatch <newswatch@example.org>"}
	m := mailbox(t, cfg, "desk@reader.example")
	d := notifytest.Digest()
	if err := m.Notify(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	got := waitForMail(t, filepath.Join(boxes, "desk", "new"))
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
		got := waitForMail(t, filepath.Join(boxes, name, "new"))
		if err := verify(t, bytes.ReplaceAll(got, []byte("\n"), []byte("\r\n")), record); err != nil {
			t.Errorf("the signature of the message to %s: %v", name, err)
		}
	}

	err = mailbox(t, cfg, reader).Notify(t.Context(), d)
	notifytest.Failed(t, err, notify.FailureRejected, true, secrets...)
}

// startSMTPD runs the server until the test ends.
func startSMTPD(t *testing.T, smtpd, dir, config string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	conf := filepath.Join(dir, "smtpd.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, config, port), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, smtpd, "-d", "-f", conf)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its children
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("smtpd said:\n%s", out.String())
		}
	})
	poll(t, "smtpd to listen", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return port
}

func waitForMail(t *testing.T, dir string) (content []byte) {
	t.Helper()
	poll(t, "a message in the maildir", func() bool {
		names, _ := os.ReadDir(dir)
		if len(names) == 0 {
			return false
		}
		var err error
		content, err = os.ReadFile(filepath.Join(dir, names[0].Name()))
		return err == nil && len(content) > 0
	})
	return content
}

// poll waits for another process, which no clock of ours can hurry.
func poll(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
