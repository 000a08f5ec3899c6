package daemon

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify"
)

// TestPlainWebhookStaysInside: a receiver of plain HTTP gets its digest inside a
// network that was named; one whose address is elsewhere gets nothing, public or
// not. (What the guard refuses is netguard's test; this is that it is asked.)
func TestPlainWebhookStaysInside(t *testing.T) {
	arrived := 0
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		arrived++
	}))
	defer s.Close()
	for _, tt := range []struct {
		name, url string
		delivered bool
	}{
		{"inside", s.URL, true},
		// Public, and nobody's: if the guard were not asked, no host would answer.
		{"public", "http://[2e00::1]:8080/hook", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arrived = 0
			var cfg configs.Config
			cfg.Fetch.AllowNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			c := newChannels(cfg, "test")
			defer c.close()
			n, err := c.notifier(cfg, configs.Subscriber{
				Subscriber: notify.Subscriber{ID: "cases"},
				Channel:    configs.WebhookChannel{URL: configs.NewSecret(tt.url)},
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
