package configs

import (
	"net/netip"
	"strconv"
	"strings"
)

// Setting is one key of newswatch.yaml, as "fetch.timeout", and the value that is
// in force. A secret's value says only whether it is set.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Settings lists every key with its value, those that the file does not name with
// their defaults.
func (c Config) Settings() []Setting {
	number := strconv.Itoa
	set := func(s Secret) string {
		if s.IsZero() {
			return "not set"
		}
		return "set"
	}
	list := func(l []string) string { return strings.Join(l, ", ") }
	storeURL := string(c.Store.Engine) + ":" + c.Store.Path
	if c.Store.Engine != EngineSQLite {
		storeURL = string(c.Store.Engine) + "://" + list(c.Store.Addresses)
	}
	return []Setting{
		{"data", c.Data},
		{"store.url", storeURL},
		{"store.wait_replicas", number(c.Store.WaitReplicas)},
		{"store.allow_eviction", strconv.FormatBool(c.Store.AllowEviction)},
		{"http.listen", c.HTTP.Listen},
		{"http.public_url", c.HTTP.PublicURL},
		{"http.admin_token", set(c.HTTP.AdminToken)},
		{"http.proxy_header", c.HTTP.ProxyHeader},
		{"http.proxy_networks", list(prefixes(c.HTTP.ProxyNetworks))},
		{"fetch.interval", formatDuration(c.Fetch.Interval)},
		{"fetch.min_interval", formatDuration(c.Fetch.MinInterval)},
		{"fetch.max_interval", formatDuration(c.Fetch.MaxInterval)},
		{"fetch.timeout", formatDuration(c.Fetch.Timeout)},
		{"fetch.max_body", strconv.FormatInt(c.Fetch.MaxBody, 10) + " bytes"},
		{"fetch.concurrency", number(c.Fetch.Concurrency)},
		{"fetch.per_host", number(c.Fetch.PerHost)},
		{"fetch.host_spacing", formatDuration(c.Fetch.HostSpacing)},
		{"fetch.contact", c.Fetch.Contact},
		{"fetch.full_text", string(c.Fetch.FullText)},
		{"fetch.allow_networks", list(prefixes(c.Fetch.AllowNetworks))},
		{"digest.first_window", formatDuration(c.Digest.FirstWindow)},
		{"digest.cap", number(c.Digest.Cap)},
		{"digest.when_empty", string(c.Digest.WhenEmpty)},
		{"digest.timezone", c.Digest.Timezone.String()},
		{"digest.lang", c.Digest.Lang},
		{"digest.child_identity_guard", strconv.FormatBool(c.Digest.ChildIdentityGuard)},
		{"smtp.host", c.SMTP.Host},
		{"smtp.port", number(c.SMTP.Port)},
		{"smtp.tls", string(c.SMTP.TLS)},
		{"smtp.username", c.SMTP.Username},
		{"smtp.password", set(c.SMTP.Password)},
		{"smtp.from", c.SMTP.From},
		{"smtp.sender", c.SMTP.Sender},
		{"smtp.reply_to", c.SMTP.ReplyTo},
		{"smtp.bounce_to", c.SMTP.BounceTo},
		{"smtp.verp", strconv.FormatBool(c.SMTP.VERP)},
		{"smtp.unsubscribe_mailto", c.SMTP.UnsubscribeMailto},
		{"smtp.connections", number(c.SMTP.Connections)},
		{"smtp.dkim.domain", c.SMTP.DKIM.Domain},
		{"smtp.dkim.selector", c.SMTP.DKIM.Selector},
		{"subscriptions.enabled", strconv.FormatBool(c.Subscriptions.Enabled)},
		{"retention.hits", formatDuration(c.Retention.Hits)},
		{"retention.items", formatDuration(c.Retention.Items)},
		{"retention.max_items", strconv.Itoa(c.Retention.MaxItems)},
		{"include.feeds", list(c.Include.Feeds)},
		{"include.rules", list(c.Include.Rules)},
		{"include.subscribers", list(c.Include.Subscribers)},
		{"log.level", strings.ToLower(c.Log.Level.String())},
		{"log.format", string(c.Log.Format)},
	}
}

func prefixes(nets []netip.Prefix) []string {
	out := make([]string, len(nets))
	for i, p := range nets {
		out[i] = p.String()
	}
	return out
}
