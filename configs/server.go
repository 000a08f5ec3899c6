package configs

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify/email"
)

// server reads newswatch.yaml into cfg, which holds the defaults.
func (l *loader) server(doc *document, cfg *Config) {
	root := l.open(doc, doc.root, "",
		"data", "store", "http", "fetch", "digest", "smtp", "subscriptions", "retention", "include", "log")
	cfg.Data = doc.path(cfg.Data)
	if data := ""; root.text("data", &data) {
		if data == "" {
			root.fail("data", "want a folder", "write ../data")
		} else {
			cfg.Data = doc.path(data)
		}
	}
	cfg.Store = Store{Engine: EngineSQLite, Path: filepath.Join(cfg.Data, "newswatch.db")}
	l.store(root.sub("store", "url", "url_file", "wait_replicas", "allow_eviction"), &cfg.Store)
	l.http(root.sub("http", "listen", "public_url", "admin_token", "admin_token_file",
		"proxy_header", "proxy_networks"), &cfg.HTTP)
	l.fetch(root.sub("fetch", "interval", "min_interval", "max_interval", "timeout", "max_body", "concurrency",
		"per_host", "host_spacing", "contact", "full_text", "allow_networks"), &cfg.Fetch)

	l.digest(root.sub("digest", "first_window", "cap", "when_empty", "timezone", "lang", "text_template", "html_template",
		"child_identity_guard"), &cfg.Digest)

	l.smtp(root.sub("smtp", "host", "port", "tls", "username", "password", "password_file", "from", "sender", "reply_to", "bounce_to", "verp",
		"unsubscribe_mailto", "connections", "dkim"), &cfg.SMTP)

	l.subscriptions(root.sub("subscriptions", "enabled"), cfg)

	keep := root.sub("retention", "hits", "items", "max_items")
	keep.duration("hits", &cfg.Retention.Hits, time.Hour, 100*365*day)
	keep.duration("items", &cfg.Retention.Items, 0, 100*365*day)
	keep.integer("max_items", &cfg.Retention.MaxItems, 100_000_000)

	inc := root.sub("include", "feeds", "rules", "subscribers")
	l.patterns(inc, "feeds", &cfg.Include.Feeds)
	l.patterns(inc, "rules", &cfg.Include.Rules)
	l.patterns(inc, "subscribers", &cfg.Include.Subscribers)
	l.include = inc

	log := root.sub("log", "level", "format")
	parsed(log, "level", &cfg.Log.Level, parseLevel)
	choice(log, "format", &cfg.Log.Format, LogText, LogJSON)
}

// sub opens a mapping below s; an absent one reads as empty.
func (s *section) sub(key string, known ...string) *section {
	return s.l.open(s.doc, s.values[key], s.path+key+".", known...)
}

func (l *loader) http(s *section, h *HTTP) {
	if s.text("listen", &h.Listen) && h.Listen != "" {
		host, port, err := net.SplitHostPort(h.Listen)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
			s.fail("listen", fmt.Sprintf("%q is not host:port", clip(h.Listen)), "write 127.0.0.1:8080, or :8080 for every address")
		} else if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHost(host) {
			s.fail("listen", fmt.Sprintf("%q is not a host", clip(host)), "write 127.0.0.1:8080, or :8080 for every address")
		}
	}
	parsed(s, "public_url", &h.PublicURL, func(t string) (string, *valueError) {
		if t == "" {
			return "", nil
		}
		u, err := parseURL(t)
		if err != nil {
			return "", err
		}
		if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return "", &valueError{Message: "want a URL without a query or a name in it", Hint: "write https://news.example.org"}
		}
		return strings.TrimRight(u.String(), "/"), nil
	})
	s.secret("admin_token", &h.AdminToken)
	const shortest = 16
	if n := len(h.AdminToken.Reveal()); n > 0 && n < shortest {
		s.warn(s.secretKey("admin_token"), fmt.Sprintf("shorter than %d characters, so it can be guessed", shortest), "use the output of: openssl rand -hex 32")
	}
	if s.text("proxy_header", &h.ProxyHeader) && strings.ContainsFunc(h.ProxyHeader, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		s.fail("proxy_header", fmt.Sprintf("%q is not the name of a header", clip(h.ProxyHeader)), "write Remote-User, or what your proxy sets")
	}
	l.networks(s, "proxy_networks", &h.ProxyNetworks)
	if h.ProxyHeader != "" && len(h.ProxyNetworks) == 0 {
		s.fail("proxy_header", "anyone could send it: http.proxy_networks does not say where the proxy is", "add proxy_networks: [127.0.0.1/32]")
	}
}

func (l *loader) fetch(s *section, f *Fetch) {
	const longest = 366 * day
	s.duration("interval", &f.Interval, time.Millisecond, longest)
	s.duration("min_interval", &f.MinInterval, time.Millisecond, longest)
	s.duration("max_interval", &f.MaxInterval, time.Millisecond, longest)
	s.duration("timeout", &f.Timeout, time.Millisecond, time.Hour)
	s.size("max_body", &f.MaxBody, 1<<10, 1<<30)
	s.integer("concurrency", &f.Concurrency, 10_000)
	s.integer("per_host", &f.PerHost, 1000)
	s.duration("host_spacing", &f.HostSpacing, 0, time.Minute)
	if s.text("contact", &f.Contact) && (len(f.Contact) > 200 || strings.ContainsFunc(f.Contact, func(r rune) bool { return r < ' ' || r > '~' })) {
		s.fail("contact", "goes into an HTTP header, so at most 200 plain ASCII characters", "write an address or a URL, such as https://example.org/bot")
	}
	choice(s, "full_text", &f.FullText, feed.FullTextAuto, feed.FullTextAlways, feed.FullTextNever)
	if f.MinInterval > f.MaxInterval {
		s.fail("max_interval", fmt.Sprintf("%s is below min_interval, %s", formatDuration(f.MaxInterval), formatDuration(f.MinInterval)),
			"the least must not be above the most")
	} else if f.Interval < f.MinInterval || f.Interval > f.MaxInterval {
		// Only what the operator wrote is worth a word; a default gives way.
		if s.has("interval") {
			s.warn("interval", fmt.Sprintf("%s is not between min_interval, %s, and max_interval, %s", formatDuration(f.Interval),
				formatDuration(f.MinInterval), formatDuration(f.MaxInterval)), "the nearer of the two is used")
		}
		f.Interval = min(max(f.Interval, f.MinInterval), f.MaxInterval)
	}
	l.networks(s, "allow_networks", &f.AllowNetworks)
}

// networks reads a list of networks.
func (l *loader) networks(s *section, key string, dst *[]netip.Prefix) {
	nets, _ := s.list(key)
	for _, e := range nets {
		p, err := netip.ParsePrefix(e.text)
		if err != nil {
			hint := "write it as 127.0.0.0/8"
			if a, aerr := netip.ParseAddr(e.text); aerr == nil {
				hint = fmt.Sprintf("write %s/%d", a, a.BitLen())
			}
			l.failNode(s.doc, e.node, fmt.Sprintf("%s%s: %q is not a network", s.path, key, clip(e.text)), hint)
			continue
		}
		if p.Bits() == 0 {
			l.warn(s.doc, e.node, fmt.Sprintf("%s%s: %s is every address, cloud metadata services too", s.path, key, p), "name only the networks that you mean")
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		*dst = append(*dst, p.Masked())
	}
}

// subscriptions is read when http and smtp are: without them nobody could
// confirm, and nobody leave.
func (l *loader) subscriptions(s *section, cfg *Config) {
	s.truth("enabled", &cfg.Subscriptions.Enabled)
	if !cfg.Subscriptions.Enabled {
		return
	}
	var missing, write []string
	for _, need := range []struct {
		absent    bool
		key, hint string
	}{
		{cfg.HTTP.Listen == "", "http.listen", "http.listen to 127.0.0.1:8080 or where your reverse proxy reaches it"},
		{cfg.HTTP.PublicURL == "", "http.public_url", "http.public_url to how people reach the pages, such as https://news.example.org"},
		// Through the same proxy come the operator's pages, and to the host of
		// public_url they are served without a token where none is set.
		{
			cfg.HTTP.AdminToken.IsZero() && cfg.HTTP.ProxyHeader == "", "http.admin_token_file",
			"http.admin_token_file to a file with a long random token (openssl rand -hex 32), since whoever subscribes could open the operator's pages",
		},
		{cfg.SMTP.Host == "", "smtp.host", "smtp.host and smtp.from to the mail server that sends the letters"},
	} {
		if need.absent {
			missing, write = append(missing, need.key), append(write, need.hint)
		}
	}
	switch {
	case len(missing) > 0:
		s.fail("enabled", "people cannot subscribe without "+strings.Join(missing, ", "), "set "+strings.Join(write, ", and "))
	case !strings.HasPrefix(cfg.HTTP.PublicURL, "https://"):
		// RFC 8058 §3.1 asks for https, and a link is all that is needed to leave.
		s.warn("enabled", "http.public_url is not https, so the links of subscribers can be read on the way, and mail providers show no button to leave",
			"put a reverse proxy with TLS before newswatch")
	}
}

func (l *loader) smtp(s *section, m *SMTP) {
	if s.text("host", &m.Host) && m.Host != "" && !isHost(m.Host) {
		if _, err := netip.ParseAddr(m.Host); err != nil {
			s.fail("host", fmt.Sprintf("%q is not the name of a host", clip(m.Host)), "the port goes into smtp.port: write mail.example.org")
		}
	}
	s.integer("port", &m.Port, 65535)
	choice(s, "tls", &m.TLS, StartTLS, ImplicitTLS, NoTLS)
	if m.Port == 465 && m.TLS == StartTLS && !s.has("tls") {
		s.warn("port", "465 is the port of implicit TLS", "add tls: implicit")
	}
	s.text("username", &m.Username)
	s.secret("password", &m.Password)
	if m.Username != "" && m.TLS == NoTLS && m.Host != "localhost" && !strings.HasPrefix(m.Host, "127.") {
		s.warn("tls", "the password goes over the network in the clear", "write starttls or implicit")
	}
	if s.text("from", &m.From) && m.From != "" {
		if err := checkMailbox(m.From); err != nil {
			s.fail("from", err.Message, "write newswatch@example.org or Newswatch <newswatch@example.org>")
		}
	}
	if m.Host != "" && m.From == "" && s.values["from"] == nil {
		s.fail("host", "smtp.from is not set", "add from: newswatch@example.org, an address that this server may send for")
	}
	for _, a := range []struct {
		key   string
		dst   *string
		check func(string) *valueError
	}{
		{"sender", &m.Sender, checkMailbox},
		{"reply_to", &m.ReplyTo, checkMailbox},
		{"bounce_to", &m.BounceTo, checkAddress},
		{"unsubscribe_mailto", &m.UnsubscribeMailto, checkAddress},
	} {
		if !s.text(a.key, a.dst) || *a.dst == "" {
			continue
		}
		if err := a.check(*a.dst); err != nil {
			s.fail(a.key, err.Message, err.Hint)
		} else if addr, err := email.ParseAddress(*a.dst); err != nil || addr.International() {
			s.fail(a.key, "not ASCII, and every message would need a server that speaks SMTPUTF8", "write an address in ASCII")
		}
	}
	if s.truth("verp", &m.VERP); m.VERP {
		key := "bounce_to"
		if m.BounceTo == "" {
			key = "from" // reports come there
		}
		if a, err := email.ParseAddress(cmp.Or(m.BounceTo, m.From)); err == nil {
			if err := email.CheckBounce(a); err != nil {
				s.fail(key, strings.TrimPrefix(err.Error(), "email: "), "set smtp.bounce_to to a short address of the same domain, such as bounces@example.org")
			}
		}
	}
	s.integer("connections", &m.Connections, 100)
	l.dkim(s.sub("dkim", "domain", "selector", "key_file"), m)
}

// dkim reads the signing key. A key that does not work is found here and not at
// seven in the morning.
func (l *loader) dkim(s *section, m *SMTP) {
	d := &m.DKIM
	s.text("domain", &d.Domain)
	s.text("selector", &d.Selector)
	name := ""
	if !s.text("key_file", &name) || name == "" {
		if d.Domain+d.Selector != "" && !s.broken {
			s.fail("", "a signature without a key", "add key_file: dkim.pem, made with: openssl genrsa -out dkim.pem 2048")
		}
		return
	}
	key, ok := l.keyFile(s.doc, s.values["key_file"], s.path+"key_file", name)
	if !ok {
		return
	}
	if d.Domain == "" || d.Selector == "" {
		s.fail("", "domain or selector is missing", "the public key is at SELECTOR._domainkey.DOMAIN in the DNS")
		return
	}
	if _, err := email.NewDKIM(d.Domain, d.Selector, []byte(key.Reveal())); err != nil {
		s.fail("", strings.TrimPrefix(err.Error(), "email: "), "")
		return
	}
	d.Key = key
	from := strings.ToLower(strings.TrimSuffix(m.From[strings.LastIndexByte(m.From, '@')+1:], ">"))
	if dom := strings.ToLower(d.Domain); from != "" && from != dom && !strings.HasSuffix(from, "."+dom) {
		s.warn("domain", "not the domain of smtp.from, so receivers do not count the signature for DMARC", "sign for "+from)
	}
}

// patterns reads the file names and globs of one include.
func (l *loader) patterns(s *section, key string, dst *[]string) {
	if es, given := s.list(key); given {
		*dst = texts(es)
	}
}

func parseLevel(t string) (slog.Level, *valueError) {
	names := []string{"debug", "info", "warn", "error"}
	for i, lv := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if t == names[i] {
			return lv, nil
		}
	}
	return 0, &valueError{Message: fmt.Sprintf("%q is not a level", clip(t)), Hint: didYouMean(t, names)}
}

// parseURL reads an absolute http or https URL.
func parseURL(t string) (*url.URL, *valueError) {
	u, err := url.Parse(t)
	switch {
	case err != nil:
		return nil, &valueError{Message: "not a URL", Hint: "write https://example.org/path"}
	case u.Scheme == "feed" || u.Scheme == "itpc" || u.Scheme == "webcal":
		return nil, &valueError{Message: fmt.Sprintf("%s: is not fetched", u.Scheme), Hint: "write https:// instead of " + u.Scheme + "://"}
	case u.Scheme == "" || u.Opaque != "" && u.Scheme != "http" && u.Scheme != "https":
		return nil, &valueError{Message: "a URL begins with https:// or http://", Hint: "write https:// before it"}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &valueError{Message: fmt.Sprintf("%s: is not fetched, only http: and https:", clip(u.Scheme)), Hint: didYouMean(u.Scheme, []string{"http", "https"})}
	case u.Hostname() == "":
		return nil, &valueError{Message: "a URL without a host", Hint: "write https://example.org/path"}
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err != nil && !isHost(host) && !hasUnicode(host) {
		return nil, &valueError{Message: fmt.Sprintf("%q is not a host", clip(host)), Hint: "write https://example.org/path"}
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return nil, &valueError{Message: fmt.Sprintf("%q is not a port", clip(p)), Hint: "want 1 to 65535"}
		}
	}
	return u, nil
}

// isHost reports whether s is a host name by RFC 1123 §2.1: labels of letters,
// digits and hyphens. The underscore is let through: container networks use it.
func isHost(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

func hasUnicode(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
