package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	reader   = "reader.desk@secret-domain.example"
	username = "smtp-user"
	password = "correct-horse-battery"
)

var secrets = []string{reader, "reader.desk", "secret-domain", username, password}

func mailbox(t testing.TB, cfg Config, to string) *Mailbox {
	t.Helper()
	if cfg.From == "" {
		cfg.From = "newswatch <newswatch@example.org>"
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	m, err := s.To(to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// dialTo sends every connection to a port of this machine, so that a test server
// can have any name.
func dialTo(port int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
}

// TestFaults breaks the dialogue at each step. The rows tell what a failure means
// for the digest: whether it is tried again, and under which name it is counted.
func TestFaults(t *testing.T) {
	const leak = " <" + reader + ">: " + username + " " + password
	for _, tt := range []struct {
		name      string
		steps     map[string]string
		auth      string // what EHLO offers after AUTH
		noTLS     bool   // the server offers none
		badCert   bool
		want      notify.Failure
		permanent bool
	}{
		{name: "banner 554 (RFC 5321 §3.1)", steps: map[string]string{"banner": "554 no service" + leak}, want: notify.FailureRejected},
		{name: "banner 421", steps: map[string]string{"banner": "421 busy" + leak}, want: notify.FailureDeferred},
		{name: "banner cut", steps: map[string]string{"banner": "cut"}, want: notify.FailureConnect},
		{name: "banner hang", steps: map[string]string{"banner": "hang"}, want: notify.FailureTimeout},
		{name: "banner is HTTP", steps: map[string]string{"banner": "HTTP/1.1 400 Bad Request" + leak}, want: notify.FailureConnect},
		{name: "banner without end", steps: map[string]string{"banner": "flood"}, want: notify.FailureConnect},
		{name: "EHLO 421", steps: map[string]string{"EHLO": "421 4.3.2 closing", "HELO": "421 4.3.2 closing"}, want: notify.FailureDeferred},
		{name: "EHLO 550", steps: map[string]string{"EHLO": "550 5.7.1 who are you", "HELO": "550 no"}, want: notify.FailureRejected},
		{name: "EHLO not known", steps: map[string]string{"EHLO": "502 5.5.1 no"}, want: notify.FailureTLS},
		{name: "EHLO cut", steps: map[string]string{"EHLO": "cut"}, want: notify.FailureConnect},
		{name: "EHLO hang", steps: map[string]string{"EHLO": "hang"}, want: notify.FailureTimeout},
		{name: "EHLO without end", steps: map[string]string{"EHLO": "flood"}, want: notify.FailureConnect},
		{name: "STARTTLS stripped", noTLS: true, want: notify.FailureTLS},
		{name: "STARTTLS 454 (RFC 3207 §4)", steps: map[string]string{"STARTTLS": "454 TLS not available"}, want: notify.FailureTLS},
		{name: "STARTTLS 501", steps: map[string]string{"STARTTLS": "501 no"}, want: notify.FailureTLS},
		{name: "STARTTLS cut", steps: map[string]string{"STARTTLS": "cut"}, want: notify.FailureTLS},
		{name: "STARTTLS, then text", steps: map[string]string{"tls": "250 ok\n250 ok\n250 ok"}, want: notify.FailureTLS},
		{name: "STARTTLS, then nothing", steps: map[string]string{"tls": "hang"}, want: notify.FailureTimeout},
		{name: "certificate of nobody known", badCert: true, want: notify.FailureTLS},
		{name: "AUTH not offered", want: notify.FailureAuth, auth: "-"},
		{name: "AUTH offers nothing we speak", auth: "GSSAPI", want: notify.FailureAuth},
		{name: "AUTH 535 (RFC 4954 §6)", auth: "PLAIN", steps: map[string]string{"AUTH": "535 5.7.8 bad login" + leak}, want: notify.FailureAuth},
		{name: "AUTH 454", auth: "PLAIN", steps: map[string]string{"AUTH": "454 4.7.0 later" + leak}, want: notify.FailureDeferred},
		{name: "AUTH challenge that is not base64", auth: "LOGIN", steps: map[string]string{"AUTH": "334 !" + password}, want: notify.FailureAuth},
		{name: "AUTH challenge after all was said", auth: "PLAIN", steps: map[string]string{"AUTH": "334 " + "cGFzcw=="}, want: notify.FailureAuth},
		{name: "AUTH challenge that repeats secrets", auth: "SCRAM-SHA-256", steps: map[string]string{
			"AUTH": "334 " + base64.StdEncoding.EncodeToString([]byte("e="+username+password)),
		}, want: notify.FailureAuth},
		{name: "AUTH cut", auth: "PLAIN", steps: map[string]string{"AUTH": "cut"}, want: notify.FailureConnect},
		{name: "AUTH hang", auth: "PLAIN", steps: map[string]string{"AUTH": "hang"}, want: notify.FailureTimeout},
		{name: "MAIL 451", steps: map[string]string{"MAIL": "451 4.3.0 later" + leak}, want: notify.FailureDeferred},
		{name: "MAIL 530", steps: map[string]string{"MAIL": "530 5.7.0 log in first"}, want: notify.FailureAuth},
		{name: "MAIL 550: our sender, not this reader", steps: map[string]string{"MAIL": "550 5.1.8 bad sender"}, want: notify.FailureRejected},
		{name: "MAIL cut", steps: map[string]string{"MAIL": "cut"}, want: notify.FailureConnect},
		{name: "RCPT 450 greylisted", steps: map[string]string{"RCPT": "450 4.2.0" + leak}, want: notify.FailureDeferred},
		{name: "RCPT 451", steps: map[string]string{"RCPT": "451 try later"}, want: notify.FailureDeferred},
		{name: "RCPT 452", steps: map[string]string{"RCPT": "452 4.2.2 full"}, want: notify.FailureDeferred},
		{name: "RCPT 421", steps: map[string]string{"RCPT": "421 4.7.0 too many"}, want: notify.FailureDeferred},
		{name: "RCPT 550", steps: map[string]string{"RCPT": "550 5.1.1" + leak}, want: notify.FailureRejected, permanent: true},
		{name: "RCPT 550 on many lines", steps: map[string]string{"RCPT": "550-5.1.1 no" + leak + "\n550 5.1.1" + leak}, want: notify.FailureRejected, permanent: true},
		{name: "RCPT 553", steps: map[string]string{"RCPT": "553 no" + leak}, want: notify.FailureRejected, permanent: true},
		{name: "RCPT 554: relay denied is ours to mend", steps: map[string]string{"RCPT": "554 5.7.1 relay denied" + leak}, want: notify.FailureRejected},
		{name: "RCPT hang", steps: map[string]string{"RCPT": "hang"}, want: notify.FailureTimeout},
		{name: "RCPT answers nonsense", steps: map[string]string{"RCPT": "what?" + leak}, want: notify.FailureConnect},
		{name: "DATA 451", steps: map[string]string{"DATA": "451 later"}, want: notify.FailureDeferred},
		{name: "DATA 554", steps: map[string]string{"DATA": "554 5.5.1 no"}, want: notify.FailureRejected, permanent: true},
		{name: "DATA cut", steps: map[string]string{"DATA": "cut"}, want: notify.FailureConnect},
		{name: "cut within the message", steps: map[string]string{"body": "cut"}, want: notify.FailureConnect},
		{name: "hang within the message", steps: map[string]string{"body": "hang"}, want: notify.FailureTimeout},
		{name: "dot 451", steps: map[string]string{"dot": "451 4.3.0 later" + leak}, want: notify.FailureDeferred},
		{name: "dot 552 too big", steps: map[string]string{"dot": "552 5.3.4 too big"}, want: notify.FailureRejected, permanent: true},
		{name: "dot 554 spam", steps: map[string]string{"dot": "554 5.7.1 spam" + leak}, want: notify.FailureRejected, permanent: true},
		{name: "dot cut", steps: map[string]string{"dot": "cut"}, want: notify.FailureConnect},
		{name: "dot hang", steps: map[string]string{"dot": "hang"}, want: notify.FailureTimeout},
		{name: "dot without end", steps: map[string]string{"dot": "flood"}, want: notify.FailureConnect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, roots := certificate(t, "mail.example")
			srv := &script{steps: tt.steps, ehlo: []string{"8BITMIME", "SIZE 10000000"}}
			if !tt.noTLS {
				srv.cert = &cert
			}
			short := 150 * time.Millisecond
			cfg := Config{
				Host: "mail.example", Port: 587, RootCAs: roots,
				Timeouts: Timeouts{Connect: 5 * time.Second, Greet: 5 * time.Second, Command: 5 * time.Second, Data: 5 * time.Second, Dot: 5 * time.Second},
			}
			if strings.Contains(tt.name, "hang") || strings.Contains(tt.name, "then nothing") {
				cfg.Timeouts = Timeouts{Connect: short, Greet: short, Command: short, Data: short, Dot: short}
			}
			if tt.badCert {
				_, cfg.RootCAs = certificate(t, "mail.example")
			}
			if tt.auth != "" {
				cfg.Username, cfg.Password = username, password
				if tt.auth != "-" {
					srv.ehlo = append(srv.ehlo, "AUTH "+tt.auth)
				}
			}
			cfg.Dial = dialTo(srv.start(t))
			err := mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest())
			notifytest.Failed(t, err, tt.want, tt.permanent, secrets...)
			for line := range strings.SplitSeq(srv.seen(), "\n") {
				if verb, _, _ := strings.Cut(line, " "); verb != "EHLO" && verb != "HELO" && verb != "STARTTLS" && verb != "" && !strings.HasPrefix(line, "TLS:") && !strings.HasPrefix(line, "\x16") {
					t.Errorf("sent in the clear: %q", line)
				}
			}
			t.Log(err)
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	err = mailbox(t, Config{Host: "127.0.0.1", Port: port, TLS: None}, reader).Notify(t.Context(), notifytest.Digest())
	notifytest.Failed(t, err, notify.FailureConnect, false, secrets...)
	err = mailbox(t, Config{Host: "127.0.0.1", Port: port, TLS: Implicit}, reader).Notify(t.Context(), notifytest.Digest())
	notifytest.Failed(t, err, notify.FailureConnect, false, secrets...)
}

// The wrong name in a good certificate is as bad as a bad one.
func TestImplicitTLS(t *testing.T) {
	cert, roots := certificate(t, "mail.example")
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	srv := &script{}
	srv.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			srv.sessions.Go(func() { srv.serve(conn); conn.Close() })
		}
	})
	t.Cleanup(func() { l.Close(); srv.sessions.Wait() })
	cfg := Config{Host: "mail.example", Port: 465, TLS: Implicit, RootCAs: roots, Dial: dialTo(l.Addr().(*net.TCPAddr).Port)}
	if err := mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest()); err != nil {
		t.Error(err)
	}
	if len(srv.received()) != 1 || strings.Contains(srv.seen(), "STARTTLS") {
		t.Errorf("%d messages after\n%s", len(srv.received()), srv.seen())
	}
	cfg.Host = "other.example"
	notifytest.Failed(t, mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest()), notify.FailureTLS, false, secrets...)
}

// A server that hangs up instead of saying good-bye has the message all the same:
// a failure here would send it twice.
func TestAcceptedThenCut(t *testing.T) {
	for _, quit := range []string{"cut", "554 no", "nonsense"} {
		srv := &script{steps: map[string]string{"QUIT": quit}}
		cfg := Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}
		if err := mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest()); err != nil {
			t.Errorf("QUIT %s: %v", quit, err)
		}
	}
}

// After a lost answer the server gets the same message again, byte for byte.
func TestRetryIsTheSame(t *testing.T) {
	srv := &script{steps: map[string]string{"dot": "cut"}}
	cfg := Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}
	m := mailbox(t, cfg, reader)
	for range 2 {
		notifytest.Failed(t, m.Notify(t.Context(), notifytest.Digest()), notify.FailureConnect, false, secrets...)
	}
	if got := srv.received(); len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], "Message-ID: <0123") {
		t.Errorf("the two tries are not the same: %q", got)
	}
}

func TestCancel(t *testing.T) {
	srv := &script{steps: map[string]string{"RCPT": "hang"}}
	cfg := Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	notifytest.Failed(t, mailbox(t, cfg, reader).Notify(ctx, notifytest.Digest()), notify.FailureTimeout, false, secrets...)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %s to stop", took)
	}
}

func TestEnvelopeOnTheWire(t *testing.T) {
	srv := &script{ehlo: []string{"SMTPUTF8", "8BITMIME", "DSN"}}
	cfg := Config{Host: "127.0.0.1", Port: srv.start(t), TLS: None, Hello: "watch.example.org"}
	for _, to := range []string{"desk@reader.example", "വാർത്ത@reader.example"} {
		m := mailbox(t, cfg, to)
		if err := m.Notify(t.Context(), notifytest.Digest()); err != nil {
			t.Fatal(err)
		}
		m.sender.Close()
	}
	want := `EHLO watch.example.org
MAIL FROM:<newswatch@example.org> BODY=8BITMIME
RCPT TO:<desk@reader.example>
DATA
QUIT
EHLO watch.example.org
MAIL FROM:<newswatch@example.org> BODY=8BITMIME SMTPUTF8
RCPT TO:<വാർത്ത@reader.example>
DATA
QUIT`
	if got := srv.seen(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain := &script{}
	cfg.Port = plain.start(t)
	err := mailbox(t, cfg, "വാർത്ത@reader.example").Notify(t.Context(), notifytest.Digest())
	notifytest.Failed(t, err, notify.FailureRejected, true, "വാർത്ത")
	if strings.Contains(plain.seen(), "RCPT") {
		t.Errorf("a server without SMTPUTF8 was sent\n%s", plain.seen())
	}
}

// A password is never sent in the clear to another machine.
func TestPasswordInTheClear(t *testing.T) {
	srv := &script{ehlo: []string{"AUTH PLAIN LOGIN"}}
	cfg := Config{Host: "mail.example", Port: 25, TLS: None, Username: username, Password: password, Dial: dialTo(srv.start(t))}
	notifytest.Failed(t, mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest()), notify.FailureAuth, false, secrets...)
	if strings.Contains(srv.seen(), "AUTH") {
		t.Errorf("sent\n%s", srv.seen())
	}
	cfg.Host = "localhost"
	if err := mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest()); err != nil {
		t.Error(err)
	}
}

// backend is go-smtp's server: an implementation that is not ours of what ours
// has to speak to.
type backend struct {
	mechanism string
	got       chan [3]string
}

type inbox struct {
	*backend
	from, to string
}

func (b *backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &inbox{backend: b}, nil }
func (s *inbox) AuthMechanisms() []string                      { return []string{s.mechanism} }
func (s *inbox) Reset()                                        {}
func (s *inbox) Logout() error                                 { return nil }
func (s *inbox) Mail(from string, _ *smtp.MailOptions) error   { s.from = from; return nil }
func (s *inbox) Rcpt(to string, _ *smtp.RcptOptions) error     { s.to = to; return nil }
func (s *inbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.got <- [3]string{s.from, s.to, string(b)}
	return err
}

func (s *inbox) Auth(mech string) (sasl.Server, error) {
	check := func(user, pass string) error {
		if user != username || pass != password {
			return smtp.ErrAuthFailed
		}
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error { return check(user, pass) }), nil
}

// loginServer is the server's side of LOGIN, which go-sasl no longer has.
type loginServer struct {
	check func(user, pass string) error
	said  []string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		l.said = append(l.said, string(response))
	}
	switch len(l.said) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.said[0], l.said[1])
}

func TestWithGoSMTP(t *testing.T) {
	for _, mech := range []string{sasl.Plain, sasl.Login} {
		t.Run(mech, func(t *testing.T) {
			cert, roots := certificate(t, "mail.example")
			b := &backend{mechanism: mech, got: make(chan [3]string, 1)}
			srv := smtp.NewServer(b)
			srv.Domain, srv.TLSConfig = "mail.example", &tls.Config{Certificates: []tls.Certificate{cert}}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(l) }()
			defer func() { srv.Close(); <-done }()
			cfg := Config{
				Host: "mail.example", Port: 587, Username: username, Password: password, RootCAs: roots,
				Dial: dialTo(l.Addr().(*net.TCPAddr).Port),
			}
			m := mailbox(t, cfg, "desk@reader.example")
			if err := m.Notify(t.Context(), notifytest.Digest()); err != nil {
				t.Fatal(err)
			}
			want, err := m.Render(notifytest.Digest())
			if err != nil {
				t.Fatal(err)
			}
			if got := <-b.got; got[0] != "newswatch@example.org" || got[1] != "desk@reader.example" || got[2] != string(want) {
				t.Errorf("from %s to %s, as rendered: %t", got[0], got[1], got[2] == string(want))
			}
			cfg.Password = "tr0ub4dor"
			err = mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest())
			notifytest.Failed(t, err, notify.FailureAuth, false, append(secrets, "tr0ub4dor")...)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Host: "mail.example", Port: 587, From: "a@example.org"}
	for name, bad := range map[string]func(*Config){
		"no host":                    func(c *Config) { c.Host = "" },
		"URL as host":                func(c *Config) { c.Host = "smtp://mail.example" },
		"no port":                    func(c *Config) { c.Port = 0 },
		"big port":                   func(c *Config) { c.Port = 70000 },
		"TLS word":                   func(c *Config) { c.TLS = "ssl" },
		"no sender":                  func(c *Config) { c.From = "" },
		"bad Reply-To":               func(c *Config) { c.ReplyTo = "x" },
		"bad Sender":                 func(c *Config) { c.Sender = "a@b@c" },
		"bad bounces":                func(c *Config) { c.BounceTo = "a@x> NOTIFY=NEVER" },
		"bounces that need SMTPUTF8": func(c *Config) { c.BounceTo = "വാർത്ത@example.org" },
		"bounces too long for VERP":  func(c *Config) { c.BounceTo, c.BounceKey = strings.Repeat("b", 48)+"@example.org", []byte("key") },
		"domain too long for VERP": func(c *Config) {
			c.BounceTo, c.BounceKey = "b@"+strings.Repeat(strings.Repeat("d", 46)+".", 5)+"example", []byte("key")
		},
	} {
		cfg := good
		bad(&cfg)
		if _, err := New(cfg); err == nil || !strings.HasPrefix(err.Error(), "email: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.To("x <a@example.org>"); err == nil {
		t.Error("a name beside a recipient was taken")
	}
}

func TestReturnPath(t *testing.T) {
	srv := &script{}
	cfg := Config{
		Host: "127.0.0.1", Port: srv.start(t), TLS: None, BounceTo: "bounces@lists.example.org", BounceKey: []byte("key"),
		ReplyTo: "The desk, née ഡെസ്ക് <desk@example.org>", Sender: "robot@example.org",
	}
	for _, to := range []string{"desk@reader.example", "Desk@reader.example"} {
		if err := mailbox(t, cfg, to).Notify(t.Context(), notifytest.Digest()); err != nil {
			t.Fatal(err)
		}
	}
	to, err := ParseAddress("desk@reader.example")
	if err != nil {
		t.Fatal(err)
	}
	if want := "MAIL FROM:<bounces+" + BounceWord([]byte("key"), to) + "@lists.example.org>"; strings.Count(srv.seen(), want) != 2 {
		t.Errorf("want %s twice in\n%s", want, srv.seen())
	}
	// The longest that check lets pass is within what a server must take.
	cfg.From, cfg.BounceTo = "newswatch@example.org", strings.Repeat("b", 47)+"@lists.example.org"
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := s.returnPath(to); len(got.Local) != 64 || !bounceAddress.MatchString(got.Spec()) {
		t.Errorf("%d octets before the @: %s", len(got.Local), got.Spec())
	}
	h, _ := read(t, []byte(srv.received()[0]))
	if got, err := mail.ParseAddress(h.Get("Reply-To")); err != nil || got.Name != "The desk, née ഡെസ്ക്" || got.Address != "desk@example.org" || h.Get("Sender") != "<robot@example.org>" {
		t.Errorf("Reply-To %q, Sender %q, %v", h.Get("Reply-To"), h.Get("Sender"), err)
	}
}
