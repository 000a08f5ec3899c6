package email

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a mail server that does at each step what a test says. A step is the
// verb of a command, "banner", "tls" for the handshake, "body" for the first line
// of the message, or "dot". An answer is a reply, or:
//
//	cut    the connection is closed
//	half   the connection is closed within a reply
//	hang   nothing more is said until the client is gone
//	flood  a reply that does not end
type script struct {
	steps map[string]string
	// when, if set, says in which session, and after how many messages of it, the
	// steps are done; otherwise all is well.
	when func(session, messages int) bool
	ehlo []string // extensions; STARTTLS is added where there is a certificate
	cert *tls.Certificate

	mu       sync.Mutex
	begun    int      // sessions
	open     int      // of them
	most     int      // that were open at one time
	commands []string // in the order they came, TLS: before what was encrypted
	messages []string
	sessions sync.WaitGroup
}

// start serves on 127.0.0.1 until the test ends, and waits for its sessions.
func (s *script) start(t testing.TB) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.sessions.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); s.sessions.Wait() })
	return l.Addr().(*net.TCPAddr).Port
}

func (s *script) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.commands, "\n")
}

func (s *script) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

func (s *script) note(c string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, c)
}

// talk is one session.
type talk struct {
	*script
	conn            net.Conn
	number, handled int
}

// has reports whether the script has something for a step now.
func (t *talk) has(step string) bool {
	_, ok := t.steps[step]
	return ok && (t.when == nil || t.when(t.number, t.handled))
}

// say does what the script has for a step; false ends the session.
func (t *talk) say(step, usual string) bool {
	conn := t.conn
	answer := usual
	if t.has(step) {
		answer = t.steps[step]
	}
	switch answer {
	case "cut":
		return false
	case "half":
		_, _ = conn.Write([]byte("250-mail.exam"))
		return false
	case "hang":
		_, _ = io.Copy(io.Discard, conn)
		return false
	case "flood":
		for {
			if _, err := conn.Write([]byte("250-" + strings.Repeat("x", 500) + "\r\n")); err != nil {
				return false
			}
		}
	}
	_, err := conn.Write([]byte(strings.ReplaceAll(answer, "\n", "\r\n") + "\r\n"))
	return err == nil
}

func (s *script) serve(conn net.Conn) {
	s.mu.Lock()
	s.begun++
	s.open++
	s.most = max(s.most, s.open)
	t := &talk{script: s, conn: conn, number: s.begun}
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.open--; s.mu.Unlock() }()
	t.serve()
}

func (s *talk) serve() {
	if !s.say("banner", "220 mail.example ESMTP") {
		return
	}
	r := bufio.NewReader(s.conn)
	secure := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.note(secure + line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch verb {
		case "EHLO":
			ext := s.ehlo
			if s.cert != nil && secure == "" {
				ext = append([]string{"STARTTLS"}, ext...)
			}
			usual := "250 mail.example"
			if len(ext) > 0 {
				usual = "250-mail.example\n250-" + strings.Join(ext[:len(ext)-1], "\n250-") + "\n250 " + ext[len(ext)-1]
				usual = strings.Replace(usual, "250-\n", "", 1)
			}
			if !s.say("EHLO", usual) {
				return
			}
		case "STARTTLS":
			if !s.say("STARTTLS", "220 go ahead") {
				return
			}
			if s.has("tls") {
				s.say("tls", "")
				return
			}
			if s.cert == nil {
				continue
			}
			up := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{*s.cert}})
			if up.Handshake() != nil {
				return
			}
			s.conn, secure = up, "TLS:"
			r = bufio.NewReader(up)
		case "AUTH":
			if !s.say("AUTH", "235 2.7.0 ok") {
				return
			}
		case "MAIL", "RCPT":
			if !s.say(verb, "250 2.1.0 ok") {
				return
			}
		case "DATA":
			if !s.say("DATA", "354 go on") {
				return
			}
			if !s.has("DATA") && !s.body(r) {
				return
			}
		case "QUIT":
			s.say("QUIT", "221 2.0.0 bye")
			return
		default:
			if !s.say(verb, "250 2.0.0 ok") {
				return
			}
		}
	}
}

func (s *talk) body(r *bufio.Reader) bool {
	var msg strings.Builder
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if first && s.has("body") {
			return s.say("body", "")
		}
		if line == ".\r\n" {
			break
		}
		msg.WriteString(strings.TrimPrefix(line, "."))
	}
	s.mu.Lock()
	s.messages = append(s.messages, msg.String())
	s.mu.Unlock()
	defer func() { s.handled++ }()
	return s.say("dot", "250 2.0.0 queued")
}

// certificate makes a self-signed one for the names.
func certificate(t testing.TB, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
