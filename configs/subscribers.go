package configs

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/chat"
)

// maxSubscribers bounds the list in a file; who subscribes on the page is in
// the store.
const maxSubscribers = 100_000

// defaultSchedule is a subscriber's that names none.
const defaultSchedule = "@hourly"

// known is what subscribers may ask for.
type known struct {
	rules, tags []string
	// Where a file of rules or of feeds could not be read, a name that is not
	// known may be in it, and a second error about it would mislead.
	allRules, allTags bool
}

// subscriberFile reads the subscribers of one file.
func (l *loader) subscriberFile(doc *document, cfg *Config, k known) []Subscriber {
	var out []Subscriber
	root := l.open(doc, doc.root, "", "subscribers")
	for i, n := range l.elements(root, "subscribers", maxSubscribers) {
		if s, ok := l.subscriber(doc, n, fmt.Sprintf("subscribers[%d].", i), cfg, k); ok {
			out = append(out, s)
		}
	}
	return out
}

func (l *loader) subscriber(doc *document, n *yaml.Node, path string, cfg *Config, k known) (Subscriber, bool) {
	before := len(l.problems) + l.more
	s := l.open(doc, n, path, "id", "email", "webhook", "file", "chat", "chat_file", "rules", "tags", "severity", "languages",
		"schedule", "timezone", "lang", "when_empty", "cap", "operator")
	out := Subscriber{Subscriber: notify.Subscriber{
		Timezone: cfg.Digest.Timezone, Lang: cfg.Digest.Lang, WhenEmpty: cfg.Digest.WhenEmpty, Cap: cfg.Digest.Cap,
		Unguarded: !cfg.Digest.ChildIdentityGuard,
	}}
	if t, ok := l.resolve(doc, n); ok && isNull(t) {
		s.broken = true
		s.fail("", "is empty", "write - {id: desk, email: desk@example.org}, or take the hyphen out")
	}
	parsed(s, "id", &out.ID, parseID)
	out.Channel = l.channel(s, cfg)
	out.Selection.Rules = l.names(s, "rules", "rule", k.rules, k.allRules)
	out.Selection.Tags = l.names(s, "tags", "tag", k.tags, k.allTags)
	parsed(s, "severity", &out.Selection.Severity, parseSeverity)
	langs, _ := s.list("languages")
	for _, e := range langs {
		lang, err := parseLang(e.text)
		if lang == "" && err == nil {
			err = &valueError{Message: "an empty entry", Hint: "take it out; without languages all are wanted"}
		}
		if err != nil {
			l.failNode(doc, e.node, path+"languages: "+err.Message, err.Hint)
			continue
		}
		out.Selection.Languages = append(out.Selection.Languages, lang)
	}
	parsed(s, "timezone", &out.Timezone, parseZone)
	choice(s, "lang", &out.Lang, notify.Languages()...)
	choice(s, "when_empty", &out.WhenEmpty, notify.Skip, notify.Send)
	s.integer("cap", &out.Cap, 1000)
	s.truth("operator", &out.Operator)
	out.Schedule = l.schedule(s, out.Timezone)

	if len(l.problems)+l.more > before {
		return out, false
	}
	if out.ID == "" {
		out.ID = channelID(out.Channel)
	}
	at := s.values["id"]
	if at == nil {
		at = n
	}
	if first, dup := l.once("subscriber", out.ID, doc, at); dup {
		l.failNode(doc, at, fmt.Sprintf("%sid: %s is the id of another subscriber, see %s", path, out.ID, first), "give each subscriber an id of its own")
		return out, false
	}
	return out, true
}

func (l *loader) schedule(s *section, zone *time.Location) notify.Schedule {
	spec := defaultSchedule
	if s.has("schedule") && !s.text("schedule", &spec) {
		return nil
	}
	sched, err := notify.ParseSchedule(spec, zone)
	if err != nil {
		s.fail("schedule", strings.TrimPrefix(err.Error(), "notify: "), `write "0 7 * * *" (daily at 7:00), "@hourly" or immediate`)
	}
	return sched
}

// parseSeverity reads a subscriber's least severity; unlike a rule's it has no
// empty form.
func parseSeverity(t string) (classifier.Severity, *valueError) {
	words := []string{"low", "medium", "high", "critical"}
	sev, err := classifier.ParseSeverity(t)
	if err != nil || t == "" {
		return sev, &valueError{Message: fmt.Sprintf("%q is not a severity", clip(t)), Hint: didYouMean(t, words)}
	}
	return sev, nil
}

// names reads a list of things that must exist.
func (l *loader) names(s *section, key, what string, existing []string, all bool) []string {
	es, _ := s.list(key)
	var out []string
	for _, e := range es {
		if all && !slices.Contains(existing, e.text) {
			l.failNode(s.doc, e.node, fmt.Sprintf("%s%s: there is no %s %q", s.path, key, what, clip(e.text)), didYouMean(e.text, existing))
			continue
		}
		out = append(out, e.text)
	}
	return out
}

// channel reads the one way in which a subscriber is reached.
func (l *loader) channel(s *section, cfg *Config) Channel {
	var given []string
	for _, k := range []string{"email", "webhook", "file", "chat", "chat_file"} {
		if s.has(k) {
			given = append(given, k)
		}
	}
	const hint = "write one of email: desk@example.org, webhook: {url: https://…}, chat: slack://… and file: {}"
	switch {
	case len(given) == 0:
		if !s.broken {
			s.fail("", "no channel: nothing says where its digests go", hint)
		}
		return nil
	case len(given) > 1:
		s.fail(given[1], "a second channel beside "+given[0], "make two subscribers of it")
		return nil
	}
	switch given[0] {
	case "email":
		return l.email(s, cfg)
	case "webhook":
		return l.webhook(s.sub("webhook", "url", "url_file", "secret", "secret_file"), cfg)
	case "file":
		f := FileChannel{Dir: filepath.Join(cfg.Data, "digests")}
		sub := s.sub("file", "dir")
		if dir := ""; sub.text("dir", &dir) {
			if dir == "" {
				sub.fail("dir", "want a folder", "take it out for "+f.Dir)
			}
			f.Dir = s.doc.path(dir)
		}
		return f
	}
	return l.chat(s, cfg)
}

func (l *loader) chat(s *section, cfg *Config) Channel {
	var c ChatChannel
	if !s.secret("chat", &c.URL) {
		if s.has("chat") {
			s.fail("chat", "want the URL of a room", "write "+chatForms)
		}
		return nil
	}
	to, err := chat.Parse(c.URL.Reveal())
	switch {
	case err != nil:
		s.fail(s.secretKey("chat"), strings.TrimPrefix(err.Error(), "chat: "), "docs/chat.md has the forms: "+chatForms)
	case to.Plain() && !mayBePlain(to.Host(), cfg.Fetch.AllowNetworks):
		s.fail(s.secretKey("chat"), "digests would go over the network in the clear", "take disabletls out, or list the service's network in fetch.allow_networks")
	}
	return c
}

// chatForms are some of the forms, for a hint.
const chatForms = "slack://hook:A-B-C@webhook, discord://TOKEN@ID, telegram://TOKEN@telegram?chats=CHAT, ntfy://HOST/TOPIC"

func (l *loader) email(s *section, cfg *Config) Channel {
	addr, ok := s.scalar("email")
	if !ok {
		return nil
	}
	if err := checkAddress(addr); err != nil {
		s.fail("email", err.Message, err.Hint)
		return nil
	}
	if cfg.SMTP.Host == "" {
		s.fail("email", "no mail server is set", "set smtp.host and smtp.from in newswatch.yaml, or write file: {} instead")
		return nil
	}
	return EmailChannel{Address: NewSecret(addr)}
}

func (l *loader) webhook(s *section, cfg *Config) Channel {
	var w WebhookChannel
	if !s.has("url") && !s.has("url_file") {
		if !s.broken {
			s.fail("", "a webhook without a url", "add url: https://…")
		}
		return nil
	}
	if s.secret("url", &w.URL) {
		if u, err := parseURL(w.URL.Reveal()); err != nil {
			// The message must not quote any of it: a token may stand anywhere.
			s.fail(s.secretKey("url"), "not an http or https URL", "write https://host/path")
		} else if u.Scheme == "http" && !mayBePlain(u.Hostname(), cfg.Fetch.AllowNetworks) {
			s.fail(s.secretKey("url"), "digests would go over the network in the clear", "write https://, or list the receiver's network in fetch.allow_networks")
		}
	} else if s.has("url") && !isNull(s.values["url"]) {
		s.fail("url", "want a URL", "write https://host/path")
	}
	w.Secrets = s.secrets("secret")
	for _, sec := range w.Secrets {
		text := sec.Reveal()
		if enc, ok := strings.CutPrefix(text, "whsec_"); ok {
			if _, err := base64.StdEncoding.DecodeString(enc); err != nil {
				s.fail(s.secretKey("secret"), "what follows whsec_ is not base64", "make one with: echo whsec_$(openssl rand -base64 32)")
			}
			continue
		}
		// Standard Webhooks asks for 24 to 64 bytes.
		const shortest = 16
		if len(text) < shortest {
			s.warn(s.secretKey("secret"), fmt.Sprintf("shorter than %d characters, so it can be guessed", shortest), "make one with: echo whsec_$(openssl rand -base64 32)")
		}
	}
	return w
}

// mayBePlain reports whether a receiver of plain http can be inside the networks
// that the operator opened. Where a name leads is seen when it is dialled.
func mayBePlain(host string, nets []netip.Prefix) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return len(nets) > 0
	}
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// channelID is the id of a subscriber that was given none: the same at every
// start, and without a word of an address in it.
func channelID(c Channel) string {
	switch c := c.(type) {
	case EmailChannel:
		return "email-" + shortHash(strings.ToLower(c.Address.Reveal()))
	case ChatChannel:
		return "chat-" + shortHash(c.URL.Reveal())
	case WebhookChannel:
		return "webhook-" + shortHash(c.URL.Reveal())
	}
	return "file"
}
