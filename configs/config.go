package configs

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/chat"
)

// Config is newswatch.yaml with every default filled in. Its paths start at the
// working directory or at the root: those in the file start at the file's own
// folder.
type Config struct {
	// Data is the folder for what newswatch writes when nothing else is said: the
	// SQLite file, and digests as .eml and .html files.
	Data   string
	Store  Store
	HTTP   HTTP
	Fetch  Fetch
	Digest Digest
	SMTP   SMTP
	// Subscriptions is for people who subscribe themselves.
	Subscriptions Subscriptions
	Retention     Retention
	Include       Include
	Log           Log
}

// Engine is a kind of store.
type Engine string

const (
	EngineSQLite        Engine = "sqlite"
	EngineRedis         Engine = "redis"
	EngineRedisSentinel Engine = "redis+sentinel"
	EngineRedisCluster  Engine = "redis+cluster"
)

// Store says where newswatch remembers.
type Store struct {
	Engine Engine
	// Path is the database file of EngineSQLite.
	Path string
	// Addresses are the servers of a Redis engine as host:port: one, or the
	// sentinels, or some nodes of the cluster.
	Addresses []string
	// Master is the name the sentinels know the master by.
	Master   string
	DB       int
	TLS      bool
	Username string
	Password Secret
	// WaitReplicas is how many replicas of Redis must have a write that was
	// promised before it counts.
	WaitReplicas int
	// AllowEviction lets newswatch use a Redis that forgets keys when its memory
	// is short.
	AllowEviction bool
	// URL is the whole as the operator wrote it. It may hold a password.
	URL Secret
}

// HTTP is where the pages, the API, the probes and the metrics are served.
type HTTP struct {
	// Listen is host:port; empty means that nothing is served.
	Listen string
	// PublicURL is how the outside reaches Listen, without a slash at its end;
	// links in digests start with it. Empty means that there are no such links.
	PublicURL string
	// AdminToken guards the API and the operator's pages. Where it is unset they
	// are served to the machine itself only.
	AdminToken Secret
	// ProxyHeader is the header in which an authenticating proxy names the user
	// whom it let through; empty means that there is no such proxy. It counts only
	// in requests that come from ProxyNetworks, and so does X-Forwarded-For.
	ProxyHeader   string
	ProxyNetworks []netip.Prefix
}

// Subscriptions lets people subscribe themselves at /subscribe and through the
// API. They live in the store, beside the subscribers of the configuration.
type Subscriptions struct {
	Enabled bool
}

// Fetch bounds how feeds and articles are read.
type Fetch struct {
	Interval      time.Duration
	MinInterval   time.Duration
	MaxInterval   time.Duration
	Timeout       time.Duration
	MaxBody       int64 // bytes, after decompression
	Concurrency   int
	PerHost       int
	HostSpacing   time.Duration
	Contact       string
	FullText      feed.FullText
	AllowNetworks []netip.Prefix
}

// Digest holds what a subscriber does not say otherwise.
type Digest struct {
	// FirstWindow is how far back a feed that is read for the first time, or a
	// subscriber that is new, reaches.
	FirstWindow time.Duration
	Cap         int
	WhenEmpty   notify.WhenEmpty
	Timezone    *time.Location
	// Lang is one of notify.Languages.
	Lang string
	// Layout is made of the operator's templates, where there are any.
	Layout notify.Layout
	// ChildIdentityGuard withholds what could identify a child, from digests and
	// pages alike.
	ChildIdentityGuard bool
}

// TLSMode says how a connection to the mail server is protected.
type TLSMode string

const (
	StartTLS    TLSMode = "starttls" // and refuse to go on where the server offers none
	ImplicitTLS TLSMode = "implicit"
	NoTLS       TLSMode = "none"
)

// SMTP is the mail server that digests are handed to. It is unset while Host is
// empty; no subscriber then asks for email.
type SMTP struct {
	Host     string
	Port     int
	TLS      TLSMode
	Username string
	Password Secret
	// From is an address, with a display name or without: Name <a@b.example>.
	From string
	// Sender and ReplyTo are headers beside From; either may be empty.
	Sender, ReplyTo string
	// BounceTo is where servers report what could not be delivered; empty is From.
	// VERP adds a word for the recipient to it.
	BounceTo string
	VERP     bool
	// UnsubscribeMailto is an address that reads wishes to leave; it may be empty.
	UnsubscribeMailto string
	// Connections bounds how many the server is given at one time.
	Connections int
	DKIM        DKIM
}

// DKIM is the key that messages are signed with, in PEM. Without one they are not
// signed.
type DKIM struct {
	Domain, Selector string
	Key              Secret
}

// Retention is how long hits, and the text of items that no rule matched, are
// kept.
type Retention struct {
	Hits  time.Duration
	Items time.Duration
	// MaxItems is how many of those items are kept at most.
	MaxItems int
}

// Include lists the files that belong to the configuration, as the patterns
// that the operator wrote.
type Include struct {
	Feeds       []string
	Rules       []string
	Subscribers []string
}

// Log says what is logged to standard error, and how.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of a log line.
type LogFormat string

const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Subscriber is who gets digests, what about, when, and through which Channel.
type Subscriber struct {
	notify.Subscriber
	Channel Channel
}

// Channel is one of EmailChannel, WebhookChannel, ChatChannel and FileChannel.
type Channel interface {
	// Kind is the key that the channel has in the file: email, webhook, chat, file.
	Kind() string
}

// EmailChannel sends mail through SMTP.
type EmailChannel struct {
	Address Secret
}

// WebhookChannel posts to an endpoint.
type WebhookChannel struct {
	// URL often has a token in its path, so it is as secret as the keys.
	URL Secret
	// Secrets sign each message: the first is the current one, those after it
	// are still accepted by the receiver while keys are rotated. None means that
	// messages are not signed.
	Secrets []Secret
}

// ChatChannel posts to a room of a chat or push service.
type ChatChannel struct {
	// URL names the service and the room, with its token: see chat.Parse.
	URL Secret
}

// FileChannel writes each digest as an .eml and an .html file.
type FileChannel struct {
	Dir string
}

// Plain reports whether the endpoint is spoken to in the clear. The loader takes
// such a URL only where fetch.allow_networks is set; whoever dials it must see to
// it that it lies in one of those networks.
func (w WebhookChannel) Plain() bool {
	u, err := url.Parse(w.URL.Reveal())
	return err == nil && u.Scheme == "http"
}

// Plain reports whether the service is spoken to in the clear, see
// WebhookChannel.Plain.
func (c ChatChannel) Plain() bool {
	to, err := chat.Parse(c.URL.Reveal())
	return err == nil && to.Plain()
}

func (EmailChannel) Kind() string   { return "email" }
func (WebhookChannel) Kind() string { return "webhook" }
func (ChatChannel) Kind() string    { return "chat" }
func (FileChannel) Kind() string    { return "file" }

// Reached says where a channel leads, in words that may be printed: of a URL the host
// alone, since its path is often a key, and nothing of a mail address.
func Reached(c Channel) string {
	switch c := c.(type) {
	case EmailChannel:
		return "<address>"
	case WebhookChannel:
		if u, err := url.Parse(c.URL.Reveal()); err == nil {
			return u.Scheme + "://" + u.Host + "/…"
		}
	case ChatChannel:
		if to, err := chat.Parse(c.URL.Reveal()); err == nil {
			return to.Service
		}
	case FileChannel:
		return c.Dir
	}
	return hidden
}

// defaults returns what holds where the file is silent. Paths are relative to
// the file's folder.
func defaults() Config {
	return Config{
		Data: "../data",
		HTTP: HTTP{Listen: "127.0.0.1:8080"},
		Fetch: Fetch{
			Interval:    15 * time.Minute,
			MinInterval: 5 * time.Minute,
			MaxInterval: 24 * time.Hour,
			Timeout:     30 * time.Second,
			MaxBody:     10 << 20,
			Concurrency: 64,
			PerHost:     2,
			HostSpacing: 250 * time.Millisecond,
			FullText:    feed.FullTextAuto,
		},
		Digest: Digest{
			FirstWindow: 24 * time.Hour,
			Cap:         40,
			WhenEmpty:   notify.Skip,
			Timezone:    time.UTC,
			Lang:        "en",

			ChildIdentityGuard: true,
		},
		SMTP:      SMTP{Port: 587, TLS: StartTLS, Connections: 6},
		Retention: Retention{Hits: 365 * day, Items: 14 * day, MaxItems: 200_000},
		Include: Include{
			Feeds:       []string{"feeds.yaml"},
			Rules:       []string{"rules/*.yaml"},
			Subscribers: []string{"subscribers.yaml"},
		},
		Log: Log{Level: slog.LevelInfo, Format: LogText},
	}
}
