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

	"github.com/newswatch/newswatch/notify"
)

// quitTimeout bounds the good-bye, which changes nothing any more.
const quitTimeout = 5 * time.Second

// resetTimeout bounds the question whether a connection that was idle still
// works: a new one is at hand.
const resetTimeout = 10 * time.Second

// maxReplies bounds what a server may say in one session, in bytes. An SMTP reply
// has no end of its own: a server could go on with it until memory runs out.
const maxReplies = 256 << 10

// deliver signs a message and hands it over for one recipient, on a connection
// that is open already or on a new one.
//
// The phases are driven here, on the protocol part of go-mail, because its own
// client knows one deadline for all of them, and prints recipients and replies in
// its errors.
func (s *Sender) deliver(ctx context.Context, to Address, raw []byte) error {
	raw, err := s.signed(raw)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	if err := s.pool.enter(ctx); err != nil {
		return err
	}
	defer s.pool.leave()
	for {
		ses := s.pool.take()
		if ses == nil {
			break
		}
		stale, err := ses.again(ctx, to, raw)
		if !stale {
			return err
		}
		// The server gave up on it while it was idle, before it had the message.
	}
	ses, err := s.open(ctx)
	if err != nil {
		return err
	}
	return ses.use(ctx, func() error { return ses.transfer(to, raw) })
}

// open connects and logs in.
func (s *Sender) open(ctx context.Context) (*session, error) {
	conn, counted, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	ses := &session{Sender: s, ctx: ctx, conn: conn, counted: counted}
	// Closing the connection ends whatever waits on it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = ses.greet()
	if err == nil {
		err = ses.authenticate()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return ses, nil
}

func (s *Sender) connect(ctx context.Context) (net.Conn, *boundedConn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeouts.Connect)
	defer cancel()
	conn, err := s.cfg.Dial(ctx, "tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return nil, nil, failed(phaseConnect, err)
	}
	counted := &boundedConn{Conn: conn, left: maxReplies}
	if s.cfg.TLS != Implicit {
		return counted, counted, nil
	}
	secure := tls.Client(counted, s.tlsConfig())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, nil, failed(phaseTLS, err)
	}
	return secure, counted, nil
}

// session is one connection, used by one delivery at a time.
type session struct {
	*Sender
	ctx     context.Context // of the delivery
	conn    net.Conn
	counted *boundedConn
	client  *smtp.Client
	sent    int  // messages that were tried on it
	over    bool // nothing more can be said on it
	given   bool // the server may have this message
}

// use does one delivery, and keeps the connection for the next one where it can
// still be used.
func (s *session) use(ctx context.Context, f func() error) error {
	s.ctx, s.counted.left, s.given = ctx, maxReplies, false
	s.sent++
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	err := f()
	if !stop() {
		s.over = true // it was closed, or is being so
	}
	s.pool.put(s)
	return err
}

// again uses a connection that was idle. stale is true when the server had given
// it up, or takes no more messages on it, and cannot have this one: that says
// nothing about the message, and is no try.
func (s *session) again(ctx context.Context, to Address, raw []byte) (stale bool, err error) {
	err = s.use(ctx, func() error {
		err := s.do(phaseReset, min(resetTimeout, s.cfg.Timeouts.Command), s.client.Reset)
		if err != nil {
			s.over, stale = true, ctx.Err() == nil
			return err
		}
		err = s.transfer(to, raw)
		// Some servers take so many messages and then hang up, or say 421.
		stale = err != nil && s.over && !s.given && ctx.Err() == nil
		return err
	})
	return stale, err
}

// quit says good-bye. The message before it is accepted; a server that hangs up
// now took it all the same.
func (s *session) quit() {
	if !s.over && s.conn.SetDeadline(time.Now().Add(quitTimeout)) == nil {
		_ = s.client.Quit()
	}
	_ = s.conn.Close()
}

// do runs one phase under its deadline.
func (s *session) do(p phase, limit time.Duration, f func() error) error {
	if err := s.ctx.Err(); err != nil {
		return failed(p, err)
	}
	if err := s.conn.SetDeadline(time.Now().Add(limit)); err != nil {
		s.over = true
		return failed(p, err)
	}
	if err := f(); err != nil {
		s.over = s.over || ended(err)
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
	from := s.returnPath(to)
	utf8 := to.International() || s.from.International() || from.International()
	if ok, _ := s.client.Extension("SMTPUTF8"); utf8 && !ok {
		return failed(phaseRcpt, errNoUTF8)
	}
	s.client.SkipSMTPUTF8(!utf8)
	limits := s.cfg.Timeouts
	if err := s.do(phaseMail, limits.Command, func() error { return s.client.Mail("<" + from.Spec() + ">") }); err != nil {
		return err
	}
	if err := s.do(phaseRcpt, limits.Command, func() error { return s.client.Rcpt("<" + to.Spec() + ">") }); err != nil {
		return err
	}
	return s.data(raw)
}

func (s *session) data(raw []byte) error {
	limits := s.cfg.Timeouts
	s.given = true
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
