package daemon

import (
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/netguard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/chat"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/notify/file"
	"github.com/newswatch/newswatch/notify/webhook"
)

// keyTimeout bounds the question for the key of VERP's words.
const keyTimeout = 10 * time.Second

// localFrom is the author of digests that are written to files while no mail
// server is configured. The domain is one that nobody can have (RFC 2606).
const localFrom = "newswatch <digest@newswatch.invalid>"

// senders make the Notifier of each subscriber's channel.
type senders interface {
	notifier(c configs.Config, s configs.Subscriber) (notify.Notifier, error)
}

// noSenders is for a plan by which nothing is sent.
type noSenders struct{}

func (noSenders) notifier(configs.Config, configs.Subscriber) (notify.Notifier, error) {
	return nil, nil
}

// channels are the ways out of the program. Every webhook goes through one of two
// guarded transports, so that connections are shared and bounded. Plain HTTP has
// its own, which dials only networks that the operator named: a receiver's name
// may lead anywhere, and a digest must not cross the internet in the clear.
type channels struct {
	webhooks, plainWebhooks *http.Transport
	// gates keep a receiver that hangs from holding up all others.
	gates   *notify.Gates
	version string
	// bounceKey returns the key of VERP's words; nil where none are wanted.
	bounceKey func() ([]byte, error)

	mu sync.Mutex
	// key is what bounceKey returned.
	key []byte
	// mail is the way through the mail server that settings describe. Subscribers
	// share it, and with it its connections; a reload that changes the settings
	// makes another.
	mail     *email.Sender
	settings email.Config
	past     []*email.Sender // those before it, which may still be sending
}

func newChannels(c configs.Config, version string) *channels {
	allow := c.Fetch.AllowNetworks
	return &channels{
		webhooks:      netguard.Policy{Allow: allow}.Transport(),
		plainWebhooks: netguard.Policy{Allow: allow, OnlyAllowed: true}.Transport(),
		gates:         notify.NewGates(),
		version:       version,
	}
}

func (c *channels) close() {
	c.webhooks.CloseIdleConnections()
	c.plainWebhooks.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range append(c.past, c.mail) {
		if m != nil {
			m.Close()
		}
	}
}

// mailer is the way through the configured mail server.
func (c *channels) mailer(cfg configs.Config) (*email.Sender, error) {
	want, err := mailSettings(cfg)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg.SMTP.VERP && c.bounceKey != nil {
		if c.key == nil {
			if c.key, err = c.bounceKey(); err != nil {
				return nil, err
			}
		}
		want.BounceKey = c.key
	}
	if c.mail != nil && reflect.DeepEqual(c.settings, want) {
		return c.mail, nil
	}
	mail, err := email.New(want)
	if err != nil {
		return nil, err
	}
	c.past = append(c.past, c.mail)
	c.mail, c.settings = mail, want
	return mail, nil
}

// transport is the guarded way to webhooks and chat services.
func (c *channels) transport(plain bool) *http.Transport {
	if plain {
		return c.plainWebhooks
	}
	return c.webhooks
}

// notifier makes one subscriber's. An error names the subscriber and never its
// address.
func (c *channels) notifier(cfg configs.Config, s configs.Subscriber) (notify.Notifier, error) {
	n, err := c.open(cfg, s)
	if err != nil {
		return nil, fmt.Errorf("daemon: subscriber %q: %w", s.ID, err)
	}
	return n, nil
}

func (c *channels) open(cfg configs.Config, s configs.Subscriber) (notify.Notifier, error) {
	switch ch := s.Channel.(type) {
	case configs.FileChannel:
		return file.New(file.Config{
			Dir:    ch.Dir,
			EML:    func(d notify.Digest) ([]byte, error) { return Message(cfg, d) },
			Layout: cfg.Digest.Layout,
		})
	case configs.WebhookChannel:
		secrets := make([]string, len(ch.Secrets))
		for i, s := range ch.Secrets {
			secrets[i] = s.Reveal()
		}
		return webhook.New(webhook.Config{
			URL:       ch.URL.Reveal(),
			Secrets:   secrets,
			AllowHTTP: ch.Plain(), // the transport sees to where it goes
			Transport: c.transport(ch.Plain()),
			UserAgent: "newswatch/" + c.version,
			Gates:     c.gates,
		})
	case configs.ChatChannel:
		return chat.New(chat.Config{URL: ch.URL.Reveal(), Transport: c.transport(ch.Plain()), UserAgent: "newswatch/" + c.version, Gates: c.gates})
	case configs.EmailChannel:
		sender, err := c.mailer(cfg)
		if err != nil {
			return nil, err
		}
		return sender.To(ch.Address.Reveal())
	default:
		return nil, fmt.Errorf("the channel %T is not known", ch)
	}
}

// newMailer makes a way of its own to the configured mail server, for one message.
func newMailer(c configs.Config) (*email.Sender, error) {
	settings, err := mailSettings(c)
	if err != nil {
		return nil, err
	}
	return email.New(settings)
}

// mailSettings is the mail server as the sender wants it.
func mailSettings(c configs.Config) (email.Config, error) {
	m := c.SMTP
	out := email.Config{
		Host: m.Host, Port: m.Port, TLS: email.TLS(m.TLS), Username: m.Username, Password: m.Password.Reveal(),
		From: m.From, Sender: m.Sender, ReplyTo: m.ReplyTo, BounceTo: m.BounceTo, Connections: m.Connections,
		Layout: c.Digest.Layout,
	}
	if m.UnsubscribeMailto != "" {
		to, err := email.ParseAddress(m.UnsubscribeMailto)
		if err != nil {
			return out, err
		}
		out.Unsubscribe = []string{"mailto:" + to.Spec() + "?subject=unsubscribe"}
	}
	if m.DKIM.Key.IsZero() {
		return out, nil
	}
	var err error
	out.DKIM, err = email.NewDKIM(m.DKIM.Domain, m.DKIM.Selector, []byte(m.DKIM.Key.Reveal()))
	return out, err
}

// Message renders a digest as the mail that subscribers get, addressed to
// nobody.
func Message(c configs.Config, d notify.Digest) ([]byte, error) {
	from := c.SMTP.From
	if from == "" {
		from = localFrom
	}
	addr, err := email.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("daemon: smtp.from: %w", err)
	}
	return email.Render(d, email.Envelope{From: addr, Layout: c.Digest.Layout})
}
