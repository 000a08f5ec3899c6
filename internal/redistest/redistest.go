// Package redistest starts real Redis servers for tests, and does to them what
// happens to servers.
package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/realpart"
)

// Server is a redis-server of the test's own, on a free port of 127.0.0.1. It is
// for one goroutine.
type Server struct {
	// Addr is host:port, and URL redis://Addr/0.
	Addr, URL string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
}

// Start runs a server until the test ends. It keeps nothing on the disk unless
// the arguments say so; its folder survives a Restart.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	port := strconv.Itoa(realpart.Port(t))
	args = append([]string{"--save", "", "--appendonly", "no"}, args...)
	return Launch(t, port, append(args, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir())...)
}

// Launch runs redis-server with these arguments alone; port is where it answers.
func Launch(t testing.TB, port string, args ...string) *Server {
	t.Helper()
	addr := net.JoinHostPort("127.0.0.1", port)
	s := &Server{Addr: addr, URL: "redis://" + addr + "/0", t: t, args: args}
	s.run()
	t.Cleanup(s.Kill)
	return s
}

func (s *Server) run() {
	s.t.Helper()
	s.cmd = exec.Command(realpart.Require(s.t, "redis-server", "redis-server"), s.args...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		// Any answer but LOADING will do: one that wants a password is up.
		answer, err := Ask(s.Addr, "PING")
		if err == nil && !strings.HasPrefix(answer, "-LOADING") {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server did not come up: %v", err)
		}
		<-tick.C
	}
}

// Ask sends one command in the inline form and returns the first line of the
// answer, or the text of an answer of several lines.
func Ask(addr, command string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, command+"\r\n"); err != nil {
		return "", err
	}
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil || line[0] != '$' {
		return line, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	if err != nil || n < 0 {
		return line, err
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r, text)
	return string(text), err
}

// Do sends a command to the server and returns its answer. The test fails when
// it is refused.
func (s *Server) Do(command string) string {
	s.t.Helper()
	answer, err := Ask(s.Addr, command)
	if err != nil || strings.HasPrefix(answer, "-") {
		s.t.Fatalf("%s: %s %v", command, answer, err)
	}
	return answer
}

// Kill is kill -9. A server that is dead already is left in peace.
func (s *Server) Kill() {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it says that it was killed
}

// Restart runs a killed server again, with the same port and folder.
func (s *Server) Restart() {
	s.t.Helper()
	s.run()
}

// Freeze stops the process without ending it: it takes connections, and answers
// nothing.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(fmt.Errorf("redis-server: %w", err))
	}
}
