package email

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// quitTimeout bounds the good-bye, which changes nothing any more.
const quitTimeout = 5 * time.Second

// maxReplies bounds what a server may say in one session, in bytes. An SMTP reply
// has no end of its own: a server could go on with it until memory runs out.
const maxReplies = 256 << 10

// deliver is one SMTP session for one message to one recipient.
//
// The phases are driven here, on the protocol part of go-mail, because its own
// client knows one deadline for all of them, and prints recipients and replies in
// its errors.
func (s *Sender) deliver(ctx context.Context, to Address, raw []byte) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Closing the connection ends whatever waits on it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	ses := session{Sender: s, ctx: ctx, conn: conn}
	if err := ses.greet(); err != nil {
		return err
	}
	if err := ses.authenticate(); err != nil {
		return err
	}
	if err := ses.transfer(to, raw); err != nil {
		return err
	}
	// The message is accepted; a server that hangs up now took it all the same.
	if conn.SetDeadline(time.Now().Add(quitTimeout)) == nil {
		_ = ses.client.Quit()
	}
	return nil
}

func (s *Sender) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeouts.Connect)
	defer cancel()
	conn, err := s.cfg.Dial(ctx, "tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return nil, failed(phaseConnect, err)
	}
	if s.cfg.TLS != Implicit {
		return &boundedConn{Conn: conn, left: maxReplies}, nil
	}
	secure := tls.Client(&boundedConn{Conn: conn, left: maxReplies}, s.tlsConfig())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, failed(phaseTLS, err)
	}
	return secure, nil
}

type session struct {
	*Sender
	ctx    context.Context
	conn   net.Conn
	client *smtp.Client
}

// do runs one phase under its deadline.
func (s *session) do(p phase, limit time.Duration, f func() error) error {
	if err := s.ctx.Err(); err != nil {
		return failed(p, err)
	}
	if err := s.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return failed(p, err)
	}
	if err := f(); err != nil {
		if cause := s.ctx.Err(); cause != nil {
			err = cause // the connection was closed because of it
		}
		return failed(p, err)
	}
	return nil
}

func (s *session) greet() error {
	err := s.do(phaseBanner, s.cfg.Timeouts.Greet, func() (err error) {
		s.client, err = smtp.NewClient(s.conn, s.cfg.Host)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.do(phaseHello, s.cfg.Timeouts.Greet, func() error { return s.client.Hello(s.cfg.Hello) }); err != nil {
		return err
	}
	if s.cfg.TLS != STARTTLS {
		return nil
	}
	if ok, _ := s.client.Extension("STARTTLS"); !ok {
		return failed(phaseTLS, errNoSTARTTLS)
	}
	return s.do(phaseTLS, s.cfg.Timeouts.Greet, func() error { return s.client.StartTLS(s.tlsConfig()) })
}

var (
	errNoSTARTTLS = errors.New("the server does not offer STARTTLS, and nothing is sent in the clear")
	errNoAuth     = errors.New("the server offers no way to log in that keeps the password secret")
	errNoUTF8     = errors.New("the address is not ASCII and the server does not speak SMTPUTF8")
)

func (s *session) authenticate() error {
	if s.cfg.Username == "" {
		return nil
	}
	_, offered := s.client.Extension("AUTH")
	auth := s.mechanism(strings.Fields(strings.ToUpper(offered)))
	if auth == nil {
		return failed(phaseAuth, errNoAuth)
	}
	return s.do(phaseAuth, s.cfg.Timeouts.Greet, func() error { return s.client.Auth(auth) })
}

// mechanism picks the best that the server offers: one that proves the password
// without showing it, then, where the connection is secure or does not leave the
// machine, one that shows it.
func (s *session) mechanism(offered []string) smtp.Auth {
	has := make(map[string]bool)
	for _, m := range offered {
		has[m] = true
	}
	user, pass, host := s.cfg.Username, s.cfg.Password, s.cfg.Host
	inClear := s.cfg.TLS == None && !isLocal(host)
	switch {
	case has["SCRAM-SHA-256"]:
		return smtp.ScramSHA256Auth(user, pass)
	case has["PLAIN"] && !inClear:
		return smtp.PlainAuth("", user, pass, host, s.cfg.TLS == None)
	case has["LOGIN"] && !inClear:
		return smtp.LoginAuth(user, pass, host, s.cfg.TLS == None)
	case has["CRAM-MD5"]:
		return smtp.CRAMMD5Auth(user, pass)
	}
	return nil
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (s *session) transfer(to Address, raw []byte) error {
	utf8 := to.International() || s.from.International()
	if ok, _ := s.client.Extension("SMTPUTF8"); utf8 && !ok {
		return failed(phaseRcpt, errNoUTF8)
	}
	s.client.SkipSMTPUTF8(!utf8)
	limits := s.cfg.Timeouts
	if err := s.do(phaseMail, limits.Command, func() error { return s.client.Mail("<" + s.from.Spec() + ">") }); err != nil {
		return err
	}
	if err := s.do(phaseRcpt, limits.Command, func() error { return s.client.Rcpt("<" + to.Spec() + ">") }); err != nil {
		return err
	}
	return s.data(raw)
}

func (s *session) data(raw []byte) error {
	limits := s.cfg.Timeouts
	if err := s.do(phaseData, limits.Command, func() error { return s.command354() }); err != nil {
		return err
	}
	w := s.client.Text.DotWriter()
	// A failure here leaves the message without its dot, so the server drops it.
	if err := s.do(phaseBody, limits.Data, func() error {
		if _, err := w.Write(raw); err != nil {
			return err
		}
		return s.client.Text.W.Flush()
	}); err != nil {
		return err
	}
	return s.do(phaseDot, limits.Dot, func() error {
		if err := w.Close(); err != nil {
			return err
		}
		_, _, err := s.client.Text.ReadResponse(250)
		return err
	})
}

// command354 asks to send the message.
func (s *session) command354() error {
	id, err := s.client.Text.Cmd("DATA")
	if err != nil {
		return err
	}
	s.client.Text.StartResponse(id)
	defer s.client.Text.EndResponse(id)
	_, _, err = s.client.Text.ReadResponse(354)
	return err
}

// errTooMuch ends a session with a server that does not come to the point.
var errTooMuch = errors.New("the server's replies are too long")

// boundedConn gives up after it has read so many bytes.
type boundedConn struct {
	net.Conn
	left int
}

func (c *boundedConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}
