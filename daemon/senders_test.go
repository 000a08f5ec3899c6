package daemon

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify"
)

// TestReceiversAreGuarded: a receiver of plain HTTP gets its digest inside a
// network that was named; one whose address is elsewhere gets nothing, public or
// not. (What the guard refuses is netguard's test; this is that it is asked.)
func TestReceiversAreGuarded(t *testing.T) {
	arrived := 0
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived++
	}))
	defer s.Close()
	room := func(url string) configs.Channel {
		return configs.ChatChannel{URL: configs.NewSecret(strings.Replace(url, "http://", "generic://", 1) + "/?disabletls=yes")}
	}
	hook := func(url string) configs.Channel { return configs.WebhookChannel{URL: configs.NewSecret(url)} }
	// Public, and nobody's: if the guard were not asked, no host would answer.
	const public = "http://[2e00::1]:8080"
	for _, tt := range []struct {
		name      string
		channel   configs.Channel
		delivered bool
	}{
		{"webhook inside", hook(s.URL), true},
		{"webhook public", hook(public), false},
		{"chat inside", room(s.URL), true},
		{"chat public", room(public), false},
		{"chat over TLS at a private address", configs.ChatChannel{URL: configs.NewSecret("gotify://10.0.0.1/token")}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arrived = 0
			var cfg configs.Config
			cfg.Fetch.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			c := newChannels(cfg, "test")
			defer c.close()
			n, err := c.notifier(cfg, configs.Subscriber{
				Subscriber: notify.Subscriber{ID: "cases"},
				Channel:    tt.channel,
			})
			if err != nil {
				t.Fatal(err)
			}
			err = n.Notify(t.Context(), notify.Digest{ID: "0123456789abcdef0123456789abcdef"})
			if (err == nil) != tt.delivered || (arrived > 0) != tt.delivered {
				t.Errorf("delivered %d times, %v", arrived, err)
			}
			if err != nil && !strings.Contains(err.Error(), "refused") {
				t.Errorf("not for the guard: %v", err)
			}
		})
	}
}

// Subscribers share the way through the mail server, and with it its connections,
// until the settings change.
func TestMailersAreShared(t *testing.T) {
	c := newChannels(configs.Config{}, "test")
	defer c.close()
	key, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	settings := configs.SMTP{
		Host: "mail.example.org", Port: 587, From: "news@example.org", UnsubscribeMailto: "leave@bücher.example", Connections: 2,
		DKIM: configs.DKIM{Domain: "example.org", Selector: "watch", Key: configs.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))},
	}
	one, err := c.mailer(configs.Config{SMTP: settings})
	if err != nil {
		t.Fatal(err)
	}
	two, err := c.mailer(configs.Config{SMTP: settings})
	if err != nil || one != two {
		t.Errorf("the same settings gave two: %v", err)
	}
	settings.Password = configs.NewSecret("another")
	if three, err := c.mailer(configs.Config{SMTP: settings}); err != nil || three == one {
		t.Errorf("other settings gave the same: %v", err)
	}
	box, err := one.To("desk@example.org")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := box.Render(notify.Digest{ID: "0123456789abcdef0123456789abcdef", Subscriber: "desk"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"DKIM-Signature: v=1; a=ed25519-sha256;", "<mailto:leave@xn--bcher-kva.example?subject=unsubscribe>"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("no %q in\n%s", want, raw)
		}
	}
}
