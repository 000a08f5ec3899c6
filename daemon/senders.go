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

// channels are the ways out of the program. Every webhook goes through one
// guarded transport, so that connections are shared and bounded.
type channels struct {
	webhooks *http.Transport
	version  string
}

func newChannels(c configs.Config, version string) *channels {
	return &channels{
		webhooks: netguard.Policy{Allow: c.Fetch.AllowNetworks}.Transport(),
		version:  version,
	}
}

func (c *channels) close() { c.webhooks.CloseIdleConnections() }

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
			Dir: ch.Dir,
			EML: func(d notify.Digest) ([]byte, error) { return Message(cfg, d) },
		})
	case configs.WebhookChannel:
		secrets := make([]string, len(ch.Secrets))
		for i, s := range ch.Secrets {
			secrets[i] = s.Reveal()
		}
		return webhook.New(webhook.Config{
			URL:     ch.URL.Reveal(),
			Secrets: secrets,
			// http is for a receiver of the operator's own, inside a network that
			// the operator has named.
			AllowHTTP: len(cfg.Fetch.AllowNetworks) > 0,
			Transport: c.webhooks,
			UserAgent: "newswatch/" + c.version,
		})
	case configs.EmailChannel:
		sender, err := email.New(email.Config{
			Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, TLS: email.TLS(cfg.SMTP.TLS),
			Username: cfg.SMTP.Username, Password: cfg.SMTP.Password.Reveal(), From: cfg.SMTP.From,
		})
		if err != nil {
			return nil, err
		}
		return sender.To(ch.Address.Reveal())
	default:
		return nil, fmt.Errorf("the channel %T is not known", ch)
	}
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
	return email.Render(d, email.Envelope{From: addr})
}
