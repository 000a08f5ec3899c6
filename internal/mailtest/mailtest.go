// Package mailtest runs a real mail server for tests: OpenSMTPD, which takes
// messages by SMTP and delivers them into maildirs.
package mailtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/realpart"
)

// Domain is the one for whose addresses the server takes messages. Any part before
// the @ has a mailbox.
const Domain = "reader.example"

// Server is an OpenSMTPD of the test's own, on a free port of 127.0.0.1.
type Server struct {
	Port int

	t     testing.TB
	boxes string
}

// Start runs a server until the test ends. It runs without TLS: what Debian 12
// ships of OpenSMTPD fails in its own key process with OpenSSL 3, for any client.
func Start(t testing.TB) *Server {
	t.Helper()
	smtpd := realpart.Require(t, "opensmtpd", "smtpd")
	if os.Geteuid() != 0 {
		if realpart.InCI() {
			t.Fatal("OpenSMTPD starts only as root")
		}
		t.Skip("OpenSMTPD starts only as root")
	}
	alone(t)
	dir, err := os.MkdirTemp("", "newswatch-smtpd-") // the mailbox's owner must be able to enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{Port: realpart.Port(t), t: t, boxes: filepath.Join(dir, "mail")}
	if err := os.Mkdir(s.boxes, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, s.boxes} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	// What a server that was killed has left in the machine's one queue waits for an
	// action by its name, so each server's has its own.
	action := filepath.Base(dir)
	conf := filepath.Join(dir, "smtpd.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, `
table users { "@" = "nobody" }
listen on 127.0.0.1 port %d hostname mail.example
action "%s" maildir "%s/%%{rcpt.user}" virtual <users>
match from any for domain "%s" action "%s"
`, s.Port, action, s.boxes, Domain, action), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(smtpd, conf)
	return s
}

func (s *Server) run(smtpd, conf string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, smtpd, "-d", "-f", conf)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its children
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("smtpd said:\n%s", out.String())
		}
	})
	poll(s.t, time.Minute, "smtpd to listen", func() bool {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(s.Port)))
		return err == nil && conn.Close() == nil
	})
}

// Mail returns the messages in the mailbox of user@Domain, the oldest first. The
// server adds its own lines above a message, and ends lines with \n.
func (s *Server) Mail(user string) [][]byte {
	s.t.Helper()
	type file struct {
		arrived time.Time
		text    []byte
	}
	var files []file
	dir := filepath.Join(s.boxes, user, "new")
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			s.t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			s.t.Fatal(err)
		}
		files = append(files, file{info.ModTime(), text})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.arrived.UnixNano(), b.arrived.UnixNano()) })
	mail := make([][]byte, len(files))
	for i, f := range files {
		mail[i] = f.text
	}
	return mail
}

// Await waits for the nth message to user@Domain, and returns it.
func (s *Server) Await(user string, n int) []byte {
	s.t.Helper()
	var mail [][]byte
	poll(s.t, time.Minute, fmt.Sprintf("message %d in the maildir of %s", n, user), func() bool {
		mail = s.Mail(user)
		return len(mail) >= n
	})
	return mail[n-1]
}

// alone waits for the test of another package to end: OpenSMTPD has one control
// socket and one queue on a machine, and does not start beside another.
func alone(t testing.TB) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(os.TempDir(), "newswatch-smtpd.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	// It may have a browser to wait for, on a machine that is busy.
	poll(t, 5*time.Minute, "another test's smtpd to end", func() bool {
		return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	})
}

// poll waits for another process, which no clock of ours can hurry.
func poll(t testing.TB, patience time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
