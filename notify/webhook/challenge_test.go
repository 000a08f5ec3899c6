package webhook

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// An endpoint is subscribed only by the very echo, in a 2xx.
func TestChallenge(t *testing.T) {
	const echo = "reader.0.MwCQ4OLK5RHRFwmBcYGnXtmYsNcbUB4WxbHyyrR-ofw"
	verify, err := standardwebhooks.NewWebhook(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status    int
		answer    func(asked string) string
		want      notify.Failure // empty: accepted
		permanent bool
	}{
		"as JSON":          {200, func(s string) string { return `{"challenge": "` + s + `"}` }, "", false},
		"as text":          {201, func(s string) string { return s + "\n" }, "", false},
		"another":          {200, func(string) string { return `{"challenge":"x"}` }, notify.FailureRejected, true},
		"nothing":          {204, func(string) string { return "" }, notify.FailureRejected, true},
		"a part":           {200, func(s string) string { return s[:len(s)-1] }, notify.FailureRejected, true},
		"and more":         {200, func(s string) string { return s + s }, notify.FailureRejected, true},
		"all in a page":    {200, func(s string) string { return "<html>" + s + "</html>" }, notify.FailureRejected, true},
		"behind much":      {200, func(s string) string { return strings.Repeat(" ", maxEcho) + s }, notify.FailureRejected, true},
		"a refusal":        {403, func(s string) string { return s }, notify.FailureAuth, false},
		"a redirect":       {307, func(s string) string { return s }, notify.FailureRejected, false},
		"gone":             {410, func(s string) string { return s }, notify.FailureGone, true},
		"out of order now": {503, func(s string) string { return s }, notify.FailureDeferred, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := hook(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := verify.Verify(body, r.Header); err != nil {
					t.Error(err)
				}
				var asked struct{ Type, Challenge string }
				if err := json.Unmarshal(body, &asked); err != nil || asked.Type != "challenge" {
					t.Errorf("%s: %v", body, err)
				}
				if c.status == 307 {
					w.Header().Set("Location", "/elsewhere")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer(asked.Challenge))
			})
			err := h.Challenge(t.Context(), "id-1", echo)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			notifytest.Failed(t, err, c.want, c.permanent, append(secrets, echo)...)
		})
	}
	slow := hook(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	}, func(c *Config) { c.Timeout = 50 * time.Millisecond })
	notifytest.Failed(t, slow.Challenge(t.Context(), "id-1", echo), notify.FailureTimeout, false, append(secrets, echo)...)
}

func TestSecretLength(t *testing.T) {
	for s, want := range map[string]int{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": 24, "plain": 5, "whsec_%": -1, "": -1} {
		n, err := SecretLength(s)
		if err != nil {
			n = -1
		}
		if n != want || err != nil && s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %d, %v", s, n, err)
		}
	}
}
