package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listen starts Serve on a loopback port. stop ends it, and returns what Serve
// returned.
func listen(t *testing.T, h http.Handler, grace time.Duration) (addr string, stop func() error) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h, grace) }()
	return l.Addr().String(), func() error { cancel(); return <-done }
}

// TestServeLetsRequestsFinish: a request that has begun is answered whole after
// the stop, and none is taken after it.
func TestServeLetsRequestsFinish(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	addr, stop := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		if r.Context().Err() != nil {
			t.Error("the request was cancelled within the grace")
		}
		io.WriteString(w, "whole")
	}), time.Minute)

	answer := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		resp, err := client.Get("http://" + addr)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	// The listener closes at once: a refused dial tells that the stop has begun.
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
	}
	close(finish)
	if got := <-answer; got != "whole" {
		t.Errorf("answered %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestServeCutsWhatOutlivesTheGrace: a handler that waits for its context is
// freed, and Serve says that something was cut.
func TestServeCutsWhatOutlivesTheGrace(t *testing.T) {
	begun, freed := make(chan struct{}), make(chan struct{})
	addr, stop := listen(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(freed)
	}), 20*time.Millisecond)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	<-begun
	if err := stop(); err == nil || !strings.HasPrefix(err.Error(), "web: ") {
		t.Errorf("Serve: %v", err)
	}
	<-freed
}

// TestServeRefusesTooMuch: headers are bounded.
func TestServeRefusesTooMuch(t *testing.T) {
	addr, stop := listen(t, http.NotFoundHandler(), time.Minute)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes))
	b := make([]byte, 12)
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 431" {
		t.Errorf("answered %q, %v", b, err)
	}
	if err := stop(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestServeTellsOfALostListener: a listener that fails ends Serve with an error.
func TestServeTellsOfALostListener(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, http.NotFoundHandler(), time.Second); err == nil {
		t.Error("Serve returned nil without a stop")
	}
}

// pipes is a listener whose connections are in memory, so that a test can wait
// for the server's limits by the bubble's clock.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestServeBoundsTime: a client that is slow on purpose holds a connection for a
// while and no longer, whatever it is slow at.
func TestServeBoundsTime(t *testing.T) {
	for _, tt := range []struct {
		name string
		send string
		read bool
		want time.Duration
	}{
		{"headers that never end", "GET / HTTP/1.1\r\nHost: localhost\r\n", true, readHeaderTimeout},
		{"a body that never comes", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", true, readTimeout},
		{"nothing after the answer", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", true, idleTimeout},
		{"an answer that is not read", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false, writeTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				ended := make(chan struct{})
				go func() {
					done <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						io.Copy(io.Discard, r.Body)
						w.Write(make([]byte, 64<<10))
					}), time.Second)
				}()
				client, server := net.Pipe()
				l.conns <- &told{Conn: server, closed: ended}
				start := time.Now()
				fmt.Fprint(client, tt.send)
				if tt.read {
					go io.Copy(io.Discard, client)
				}
				<-ended
				if took := time.Since(start); took < tt.want || took > tt.want+5*time.Second {
					t.Errorf("held for %s, want about %s", took, tt.want)
				}
				client.Close()
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// told is a connection that tells when it is closed.
type told struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *told) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// TestStreamOutlivesLimits: a stream lasts, though the server bounds every other
// answer.
func TestStreamOutlivesLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Serve(ctx, l, serverOf(kept()), time.Second) }()
		client, server := net.Pipe()
		l.conns <- server
		begun, lines := time.Now(), bufio.NewScanner(client)
		fmt.Fprint(client, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		for time.Since(begun) < 2*writeTimeout {
			if !lines.Scan() {
				t.Fatalf("the stream broke after %s: %v", time.Since(begun), lines.Err())
			}
		}
		client.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
