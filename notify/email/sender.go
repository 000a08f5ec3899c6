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
	// Unsubscribe holds URIs for List-Unsubscribe; it may be empty.
	Unsubscribe []string
	// Timeouts that are zero are the default ones.
	Timeouts Timeouts
	// RootCAs certify the server; nil is the system's.
	RootCAs *x509.CertPool
	// Dial connects; nil is a plain net.Dialer. The operator names the mail server,
	// so it may well be on an inner network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Sender delivers through one mail server. It is safe for concurrent use; every
// message takes a connection of its own.
type Sender struct {
	cfg  Config
	from Address
}

// New checks the configuration; it does not connect.
func New(cfg Config) (*Sender, error) {
	from, err := ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("%w (smtp.from)", err)
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
	return &Sender{cfg: cfg, from: from}, nil
}

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
	return Render(d, Envelope{From: m.sender.from, To: m.to, Layout: m.sender.cfg.Layout, Unsubscribe: m.sender.cfg.Unsubscribe})
}

// Notify sends the digest. The server has it when Notify returns nil. When the
// answer to the whole message was lost, the server may have it as well; the next
// try brings the same message with the same Message-ID.
func (m *Mailbox) Notify(ctx context.Context, d notify.Digest) error {
	raw, err := m.Render(d)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return m.sender.deliver(ctx, m.to, raw)
}

func (s *Sender) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.cfg.Host, RootCAs: s.cfg.RootCAs, MinVersion: tls.VersionTLS12}
}
