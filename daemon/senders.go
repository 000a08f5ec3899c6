package daemon

import (
	"fmt"
	"net/http"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/netguard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/notify/file"
	"github.com/newswatch/newswatch/notify/webhook"
)

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
	version                 string
}

func newChannels(c configs.Config, version string) *channels {
	allow := c.Fetch.AllowNetworks
	return &channels{
		webhooks:      netguard.Policy{Allow: allow}.Transport(),
		plainWebhooks: netguard.Policy{Allow: allow, OnlyAllowed: true}.Transport(),
		version:       version,
	}
}

func (c *channels) close() {
	c.webhooks.CloseIdleConnections()
	c.plainWebhooks.CloseIdleConnections()
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
		transport := c.webhooks
		if ch.Plain() {
			transport = c.plainWebhooks
		}
		return webhook.New(webhook.Config{
			URL:       ch.URL.Reveal(),
			Secrets:   secrets,
			AllowHTTP: ch.Plain(), // the transport sees to where it goes
			Transport: transport,
			UserAgent: "newswatch/" + c.version,
		})
	case configs.EmailChannel:
		sender, err := newMailer(cfg)
		if err != nil {
			return nil, err
		}
		return sender.To(ch.Address.Reveal())
	default:
		return nil, fmt.Errorf("the channel %T is not known", ch)
	}
}

// newMailer makes the way to the configuration's mail server.
func newMailer(c configs.Config) (*email.Sender, error) {
	return email.New(email.Config{
		Host: c.SMTP.Host, Port: c.SMTP.Port, TLS: email.TLS(c.SMTP.TLS),
		Username: c.SMTP.Username, Password: c.SMTP.Password.Reveal(), From: c.SMTP.From,
		Layout: c.Digest.Layout,
	})
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
