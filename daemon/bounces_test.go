package daemon_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
)

// returned is the report, of some days ago, that a message was given up whose
// sender was from.
func returned(t *testing.T, from, code string, ago int) email.Report {
	t.Helper()
	r, err := email.ReadReport(strings.NewReader(fmt.Sprintf("To: %s\r\nDate: %s\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nAction: failed\r\nStatus: %s\r\n\r\n--b--\r\n",
		from, time.Now().AddDate(0, 0, -ago).Format(time.RFC1123Z), code)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMailThatComesBack: the address that a digest was sent from tells whose a
// report is, and what comes back day after day pauses a reader, as refusals do.
func TestMailThatComesBack(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTownWith(t, ", bounce_to: bounces@example.org, verp: true")
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.sendNow()
	tn.eventually("the digest arrives", func() bool { return len(tn.sink.to(ann)) == 2 })
	from := tn.sink.to(ann)[1].from
	if !regexp.MustCompile(`^bounces\+[0-9a-f]{16}@example\.org$`).MatchString(from) {
		t.Fatalf("the sender is %q", from)
	}
	tn.end()
	loaded, _, err := configs.Load(filepath.Join(tn.dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	st := openStore(t, loaded)
	b, err := daemon.NewBounces(t.Context(), loaded, st)
	if err != nil {
		t.Fatal(err)
	}
	reader := tn.reader().ID
	pause := func() *notify.Pause {
		t.Helper()
		standings, err := st.Standings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range standings {
			if at.Subscriber == reader {
				return at.Paused
			}
		}
		t.Fatal("the reader is not in the queue")
		return nil
	}
	took := func(from, code string, ago int) daemon.Bounced {
		t.Helper()
		out, err := b.Take(t.Context(), returned(t, from, code, ago))
		if err != nil || len(out) != 1 || out[0].Subscriber != reader {
			t.Fatalf("%+v, %v", out, err)
		}
		if p := pause(); (p != nil) != out[0].Paused {
			t.Errorf("%+v, and the pause is %v", out[0], p)
		}
		return out[0]
	}
	for _, forged := range []string{"bounces@example.org", "bounces+0123456789abcdef@example.org", ann} {
		if out, err := b.Take(t.Context(), returned(t, forged, "5.1.1", 0)); err != nil || len(out) != 0 || pause() != nil {
			t.Errorf("to %s: %+v, %v", forged, out, err)
		}
	}
	took(from, "5.7.1", 2)
	took(from, "5.1.1", 20)
	for i, want := range []int{1, 1, 2} {
		if got := took(from, "5.2.2", 3-i/2); got.Days != want || got.After != 3 || got.Paused {
			t.Errorf("report %d: %+v", i, got)
		}
	}
	if got := took(strings.ToUpper(from), "5.2.2", 1); !got.Paused {
		t.Fatalf("the third day: %+v", got)
	}
	if p := pause(); p.By != notify.ByReceiver || !strings.Contains(p.Why, "5.2.2 (the mailbox is full)") {
		t.Errorf("%+v", p)
	}
	notices, err := st.LatestNotices(t.Context(), 0, 0)
	if err != nil || len(notices) != 4 || notices[0].Kind != notify.SubscriberPaused || notices[1].Kind != notify.MailReturned {
		t.Errorf("notices %+v, %v", notices, err)
	}
	for _, n := range notices {
		if strings.Contains(n.Text, "ann") || n.Subject != reader {
			t.Errorf("%+v", n)
		}
	}

	// The same reports again are no news after somebody has looked; one of another
	// day is, and where there is no mailbox it is enough.
	if err := st.Resume(t.Context(), reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	for ago := 3; ago > 0; ago-- {
		if got := took(from, "5.2.2", ago); got.Paused || got.Days != 0 {
			t.Errorf("again: %+v", got)
		}
	}
	if got := took(from, "5.1.1", 0); !got.Paused {
		t.Errorf("no such mailbox: %+v", got)
	}

	loaded.SMTP.VERP = false
	if _, err := daemon.NewBounces(t.Context(), loaded, st); err == nil || !strings.Contains(err.Error(), "smtp.verp") {
		t.Errorf("without VERP: %v", err)
	}
}
