package daemon

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/notify/webhook"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
	"github.com/newswatch/newswatch/web"
)

// NewRoll makes the roll of those who subscribed themselves.
func NewRoll(c configs.Config, st store.Store) *subscription.Roll {
	return &subscription.Roll{
		Store: st, PublicURL: c.HTTP.PublicURL,
		FirstWindow: func() time.Duration { return c.Digest.FirstWindow },
	}
}

// readers makes the daemon's roll; nil where nobody can subscribe.
func (d *Daemon) readers(c configs.Config) *subscription.Roll {
	if !c.Subscriptions.Enabled {
		return nil
	}
	roll := NewRoll(c, d.store)
	roll.FirstWindow = func() time.Duration { return d.plan.Load().config.Digest.FirstWindow }
	roll.Interrupt = func(ctx context.Context, id string) { d.turns.interrupt(ctx, store.SubscriberKey(id)) }
	roll.Now = d.now
	return roll
}

// recipient finds a subscriber, and the way to it, in the configuration or on the
// roll. Where people cannot subscribe any more those who did are sent nothing:
// they could not leave.
func (d *Daemon) recipient(ctx context.Context, id string) (notify.Recipient, bool, error) {
	pl := d.plan.Load()
	if !store.IsReader(id) {
		r, ok := pl.subscribers[id]
		return r, ok, nil
	}
	if d.roll == nil {
		return notify.Recipient{}, false, nil
	}
	r, err := d.store.Reader(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.State != store.ReaderActive {
		return notify.Recipient{}, false, nil
	}
	if err != nil {
		return notify.Recipient{}, false, err
	}
	sub, err := subscription.Subscriber(r)
	if err != nil {
		return notify.Recipient{}, false, err
	}
	// What strangers are sent is always guarded, whatever the operator reads.
	sub.Cap, sub.Lang = pl.config.Digest.Cap, cmp.Or(sub.Lang, pl.config.Digest.Lang)
	n, err := d.senders.notifier(pl.config, configs.Subscriber{Subscriber: sub, Channel: channelOf(r)})
	if err != nil {
		return notify.Recipient{}, false, err
	}
	return notify.Recipient{Subscriber: sub, Notifier: linked{n, d.roll, r}}, true, nil
}

// channelOf is the way to a reader, as the configuration would have it.
func channelOf(r store.Reader) configs.Channel {
	if r.Channel == subscription.Webhook {
		return configs.WebhookChannel{URL: configs.NewSecret(r.Address), Secrets: []configs.Secret{configs.NewSecret(r.Secret)}}
	}
	return configs.EmailChannel{Address: configs.NewSecret(r.Address)}
}

// linked puts into each digest the links by which its reader changes it and
// leaves.
type linked struct {
	notify.Notifier
	roll   *subscription.Roll
	reader store.Reader
}

func (n linked) Notify(ctx context.Context, d notify.Digest) error {
	links, err := n.roll.Links(ctx, n.reader, d.Sealed)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	d.LeaveURL, d.ChangeURL = links.Leave, links.Change
	d.MoreURL = "" // it leads to the operator's pages
	return n.Notifier.Notify(ctx, d)
}

// letters sends what is owed to readers beside their digests, until ctx ends.
func (d *Daemon) letters(ctx context.Context) {
	if d.roll == nil {
		return
	}
	said := false
	for pause := idleWait; ; {
		n, err := d.roll.Deliver(ctx, post{d}, d.letterSent)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !said {
				d.log.Error("letters wait: the store failed", "err", err)
			}
			said, pause = true, min(2*pause, 30*time.Second)
		default:
			said, pause = false, idleWait
		}
		if n > 0 && err == nil {
			continue
		}
		if !wait(ctx, nil, pause) {
			return
		}
	}
}

// owedLetters sends those that are due now.
func (d *Daemon) owedLetters(ctx context.Context) error {
	if d.roll == nil {
		return nil
	}
	for {
		// One that was not accepted is not due again before half a minute.
		if n, err := d.roll.Deliver(ctx, post{d}, d.letterSent); err != nil || n == 0 {
			return err
		}
	}
}

// letterSent logs and counts the end of one try.
func (d *Daemon) letterSent(s subscription.Sent) {
	switch {
	case s.Failure == "":
		d.log.Info("letter sent", "reader", s.Reader, "kind", s.Kind)
	case s.Again:
		d.log.Warn("letter not accepted; it will be tried again", "reader", s.Reader, "kind", s.Kind, "failure", s.Failure, "reason", s.Reason)
	default:
		d.log.Warn("letter given up", "reader", s.Reader, "kind", s.Kind, "failure", s.Failure, "reason", s.Reason)
	}
	d.metrics.letters.WithLabelValues(s.Kind, string(s.Failure)).Inc()
}

// post sends letters by the mail server of the configuration in force, and
// challenges through the guard of every webhook.
type post struct{ d *Daemon }

func (p post) Write(ctx context.Context, address string, l email.Letter) error {
	mailer, err := p.d.senders.mailer(p.d.plan.Load().config)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	box, err := mailer.To(address)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return box.Write(ctx, l)
}

func (p post) Challenge(ctx context.Context, url, secret, id, echo string) error {
	hook, err := webhook.New(webhook.Config{
		URL: url, Secrets: []string{secret}, Transport: p.d.senders.webhooks, UserAgent: "newswatch/" + p.d.opt.Version, Now: p.d.now,
	})
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Permanent: true, Err: err}
	}
	return hook.Challenge(ctx, id, echo)
}

// subscriptions is what the pages need for people to subscribe; nil where they
// cannot.
func (d *Daemon) subscriptions() *web.Subscriptions {
	if d.roll == nil {
		return nil
	}
	return &web.Subscriptions{Roll: d.roll, Catalogue: d.catalogue}
}

// catalogue is what can be chosen under the configuration in force.
func (d *Daemon) catalogue() subscription.Catalogue {
	pl := d.plan.Load()
	cat := subscription.Catalogue{Timezone: pl.config.Digest.Timezone.String()}
	tags, langs := make(map[string]bool), make(map[string]bool)
	for _, r := range pl.rules.Rules() {
		cat.Rules = append(cat.Rules, subscription.Choice{ID: r.ID, Name: r.Name})
		for _, t := range r.Tags {
			tags[t] = true
		}
	}
	for _, f := range pl.feeds {
		for _, t := range f.Tags {
			tags[t] = true
		}
		if lang, _, _ := strings.Cut(f.Lang, "-"); lang != "" {
			langs[lang] = true
		}
	}
	cat.Tags, cat.Languages = slices.Sorted(maps.Keys(tags)), slices.Sorted(maps.Keys(langs))
	return cat
}
