package email

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

// faults are what each step of the dialogue is met with in TestEveryStep.
var faults = []struct{ name, answer string }{
	{"cut", "cut"},
	{"half", "half"},
	{"hang", "hang"},
	{"flood", "flood"},
	{"nonsense", "\x00\xff what? <" + reader + ">"},
	{"a line that does not end", strings.Repeat("2", 1<<18)},
	{"421", "421 4.3.2 closing <" + reader + ">"},
	{"450", "450 4.2.0 later <" + reader + ">"},
	{"503", "503 5.5.1 not now <" + reader + ">"},
	{"550", "550 5.1.1 <" + reader + "> " + base64.StdEncoding.EncodeToString([]byte(password))},
	{"an answer to another question", "221 2.0.0 bye <" + reader + ">"},
}

// TestEveryStep meets every step of a dialogue that has all of them, each on a
// connection of its own, with every fault. A word says how the failure is counted;
// ! is for what ends the digest, and a number for after how many the subscriber is
// paused.
func TestEveryStep(t *testing.T) {
	const (
		c, to, r, d, tls, a = notify.FailureConnect, notify.FailureTimeout, notify.FailureRejected, notify.FailureDeferred, notify.FailureTLS, notify.FailureAuth
	)
	type end struct {
		failure notify.Failure
		pause   int // -1: the digest is tried again
	}
	again := func(fs ...notify.Failure) (out []end) {
		for _, f := range fs {
			out = append(out, end{f, -1})
		}
		return out
	}
	cases := 0
	for _, step := range []struct {
		name string
		want []end
	}{
		//                cut  half hang flood nonsense endless 421 450 503 550 another
		{"banner", again(c, c, to, c, c, c, d, d, r, r, d)},
		{"EHLO", again(c, c, to, c, tls, c, tls, tls, tls, tls, tls)}, // then HELO is said, and nothing but TLS goes on
		{"STARTTLS", again(tls, tls, to, tls, tls, tls, tls, tls, tls, tls, tls)},
		{"AUTH", again(c, c, to, c, a, a, d, d, a, a, a)},
		{"MAIL", again(c, c, to, c, c, c, d, d, r, r, d)},
		{"RCPT", append(again(c, c, to, c, c, c, d, d), end{r, 3}, end{r, 1}, end{d, -1})},
		{"DATA", append(again(c, c, to, c, c, c, d, d), end{r, 0}, end{r, 1}, end{d, -1})},
		{"dot", append(again(c, c, to, c, c, c, d, d), end{r, 0}, end{r, 1}, end{d, -1})},
	} {
		for i, fault := range faults {
			cases++
			want := step.want[i]
			t.Run(step.name+" "+fault.name, func(t *testing.T) {
				t.Parallel()
				cert, roots := certificate(t, "mail.example")
				srv := &script{steps: map[string]string{step.name: fault.answer}, ehlo: []string{"AUTH PLAIN", "8BITMIME"}, cert: &cert}
				limit := 10 * time.Second
				if fault.answer == "hang" {
					limit = 100 * time.Millisecond
				}
				cfg := Config{
					Host: "mail.example", Port: 587, RootCAs: roots, Username: username, Password: password,
					Timeouts: Timeouts{Connect: 10 * time.Second, Greet: 10 * time.Second, Command: limit, Data: limit, Dot: limit},
				}
				if step.name == "banner" || step.name == "EHLO" || step.name == "STARTTLS" || step.name == "AUTH" {
					cfg.Timeouts.Greet = limit
				}
				cfg.Dial = dialTo(srv.start(t))
				err := mailbox(t, cfg, reader).Notify(t.Context(), notifytest.Digest())
				notifytest.Failed(t, err, want.failure, want.pause >= 0, secrets...)
				if de := notify.AsDeliveryError(err); de.PauseAfter != max(want.pause, 0) {
					t.Errorf("the subscriber is paused after %d: %v", de.PauseAfter, err)
				}
				if sent := srv.received(); len(sent) > 0 != (step.name == "dot") {
					t.Errorf("%d messages were sent", len(sent))
				}
			})
		}
	}
	if cases < 80 {
		t.Errorf("only %d cases", cases)
	}
}
