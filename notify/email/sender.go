package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/newswatch/newswatch/notify"
)

// TLS says how the connection to the mail server is secured. The words are those
// of the configuration.
type TLS string

const (
	// STARTTLS begins in the clear and must become TLS before anything else is
	// said (RFC 3207). A server that does not offer it gets nothing.
	STARTTLS TLS = "starttls"
	// Implicit is TLS from the first byte (RFC 8314 §3.3), as on port 465.
	Implicit TLS = "implicit"
	// None is for a server on the same machine. A password is then sent only to
	// localhost, or by a mechanism that does not show it.
	None TLS = "none"
)

// Timeouts bound the phases of a delivery. Each is absolute for its phase, so
// that a server that sends a byte now and then cannot hold it open.
type Timeouts struct {
	Connect time.Duration // dialling, and TLS where it is implicit
	Greet   time.Duration // the banner, EHLO, STARTTLS and AUTH, each
	Command time.Duration // MAIL, RCPT and DATA, each
	Data    time.Duration // the message
	Dot     time.Duration // the answer to it
}

// DefaultTimeouts are those of RFC 5321 §4.5.3.2, except that dialling and
// greeting take no five minutes where there is a schedule of retries.
var DefaultTimeouts = Timeouts{
	Connect: 30 * time.Second, Greet: time.Minute, Command: 5 * time.Minute, Data: 3 * time.Minute, Dot: 10 * time.Minute,
}

// Config is a mail server and who writes through it.
type Config struct {
	Host string
	Port int
	// TLS is STARTTLS where it is empty.
	TLS TLS
	// Username and Password log in where Username is not empty.
	Username, Password string
	// From is an address, with a name or without: Name <a@b.example>.
	From string
	// Hello is the name that the server is greeted with; empty is From's domain.
	Hello string
	// Layout sets the two parts of a message.
	Layout notify.Layout
	// Sender and ReplyTo are headers beside From; either may be empty.
	Sender, ReplyTo string
	// BounceTo is where mail servers report that a message could not be delivered
	// (RFC 5321 §4.5.5); empty is From. Where there is a key, VERP adds to it, after
	// a +, a word for the recipient, so that a report names its subscriber by the
	// address that it comes to: see BounceWord.
	BounceTo  string
	BounceKey []byte
	// DKIM signs every message; nil signs none.
	DKIM *DKIM
	// Unsubscribe holds URIs for List-Unsubscribe; it may be empty.
	Unsubscribe []string
	// Connections bounds how many the server is given at one time, and Idle is how
	// long one that is not used is kept open; zero are DefaultConnections and
	// DefaultIdle.
	Connections int
	Idle        time.Duration
	// Timeouts that are zero are the default ones.
	Timeouts Timeouts
	// RootCAs certify the server; nil is the system's.
	RootCAs *x509.CertPool
	// Dial connects; nil is a plain net.Dialer. The operator names the mail server,
	// so it may well be on an inner network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Sender delivers through one mail server. It is safe for concurrent use.
type Sender struct {
	cfg                           Config
	from, sender, replyTo, bounce Address
	pool                          *pool
}

// New checks the configuration; it does not connect.
func New(cfg Config) (*Sender, error) {
	from, err := ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("%w (smtp.from)", err)
	}
	s := &Sender{from: from, bounce: Address{Local: from.Local, Domain: from.Domain}}
	for _, a := range []struct {
		key, text string
		dst       *Address
	}{
		{"sender", cfg.Sender, &s.sender},
		{"reply_to", cfg.ReplyTo, &s.replyTo},
		{"bounce_to", cfg.BounceTo, &s.bounce},
	} {
		if a.text == "" {
			continue
		}
		if *a.dst, err = ParseAddress(a.text); err != nil {
			return nil, fmt.Errorf("%w (smtp.%s)", err, a.key)
		}
		if a.dst.International() {
			return nil, fmt.Errorf("email: smtp.%s is not ASCII, and every message would need SMTPUTF8", a.key)
		}
	}
	if len(cfg.BounceKey) > 0 {
		if err := CheckBounce(s.bounce); err != nil {
			return nil, fmt.Errorf("%w (smtp.bounce_to)", err)
		}
	}
	if cfg.Host == "" || strings.ContainsAny(cfg.Host, " \t\r\n/@") {
		return nil, errors.New("email: smtp.host is not a host name")
	}
	if cfg.Port < 1 || cfg.Port > 65535 {
		return nil, fmt.Errorf("email: smtp.port is %d", cfg.Port)
	}
	switch cfg.TLS {
	case STARTTLS, Implicit, None:
	case "":
		cfg.TLS = STARTTLS
	default:
		return nil, fmt.Errorf("email: smtp.tls is %q: want %s, %s or %s", cfg.TLS, STARTTLS, Implicit, None)
	}
	if cfg.Hello == "" {
		cfg.Hello = from.Domain
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	def := DefaultTimeouts
	for _, t := range []struct{ at, def *time.Duration }{
		{&cfg.Timeouts.Connect, &def.Connect},
		{&cfg.Timeouts.Greet, &def.Greet},
		{&cfg.Timeouts.Command, &def.Command},
		{&cfg.Timeouts.Data, &def.Data},
		{&cfg.Timeouts.Dot, &def.Dot},
	} {
		if *t.at <= 0 {
			*t.at = *t.def
		}
	}
	if cfg.Connections <= 0 {
		cfg.Connections = DefaultConnections
	}
	if cfg.Idle <= 0 {
		cfg.Idle = DefaultIdle
	}
	s.cfg, s.pool = cfg, newPool(cfg.Connections, cfg.Idle)
	return s, nil
}

// Close ends the connections that are kept open. What is being sent may end; its
// connection is then not kept.
func (s *Sender) Close() { s.pool.close() }

// To returns the notifier of one address. A name beside the address is refused:
// nothing would show it.
func (s *Sender) To(address string) (*Mailbox, error) {
	to, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if to.Name != "" {
		return nil, errors.New("email: want the bare address, without a name")
	}
	return &Mailbox{sender: s, to: to}, nil
}

// Mailbox is one recipient.
type Mailbox struct {
	sender *Sender
	to     Address
}

var _ notify.Notifier = (*Mailbox)(nil)

// Render returns the message that Notify would send.
func (m *Mailbox) Render(d notify.Digest) ([]byte, error) {
	raw, err := m.unsigned(d)
	if err != nil {
		return nil, err
	}
	return m.sender.signed(raw)
}

func (m *Mailbox) unsigned(d notify.Digest) ([]byte, error) {
	s := m.sender
	return Render(d, Envelope{From: s.from, To: m.to, Layout: s.cfg.Layout, Sender: s.sender, ReplyTo: s.replyTo, Unsubscribe: s.cfg.Unsubscribe})
}

func (s *Sender) signed(raw []byte) ([]byte, error) {
	if s.cfg.DKIM == nil {
		return raw, nil
	}
	return s.cfg.DKIM.sign(raw)
}

// returnPath is the address in MAIL FROM.
func (s *Sender) returnPath(to Address) Address {
	a := s.bounce
	if len(s.cfg.BounceKey) > 0 {
		a.Local += "+" + BounceWord(s.cfg.BounceKey, to)
	}
	return a
}

// Notify sends the digest. The server has it when Notify returns nil. When the
// answer to the whole message was lost, the server may have it as well; the next
// try brings the same message with the same Message-ID.
func (m *Mailbox) Notify(ctx context.Context, d notify.Digest) error {
	raw, err := m.unsigned(d)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return m.sender.deliver(ctx, m.to, raw)
}

func (s *Sender) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.cfg.Host, RootCAs: s.cfg.RootCAs, MinVersion: tls.VersionTLS12}
}
