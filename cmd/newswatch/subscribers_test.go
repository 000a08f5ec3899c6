package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

// TestSubscribersOfThePage lists, shows, pauses, exports and erases one who
// subscribed itself, found by its address.
func TestSubscribersOfThePage(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "newswatch.yaml")
	for name, text := range map[string]string{
		"newswatch.yaml": "data: data\n", "feeds.yaml": "feeds: []\n", "subscribers.yaml": "subscribers: []\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const ann, secret = "ann@example.org", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	seed(t, conf, subscription.Request{Channel: subscription.Email, Address: ann, Agreed: true, Method: "page"})
	seed(t, conf, subscription.Request{Channel: subscription.Webhook, Address: "https://example.org/hook", Secret: secret, Agreed: true, Method: "api"})

	command := func(want int, stdin string, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, log bytes.Buffer
		if code := run(t.Context(), append(args, "-c", conf), strings.NewReader(stdin), &out, &log); code != want {
			t.Fatalf("%q ends with %d, want %d: %s", args, code, want, log.String())
		}
		return out.String(), log.String()
	}
	list, _ := command(0, "", "subscribers", "list")
	if strings.Count(list, "r:") != 2 || strings.Contains(list, "example.org") {
		t.Errorf("the list:\n%s", list)
	}
	shown, _ := command(0, "", "subscribers", "show", "ANN@example.org")
	if !strings.Contains(shown, ann) || !strings.Contains(shown, "state active") {
		t.Errorf("shown:\n%s", shown)
	}
	_, said := command(0, "", "subscribers", "pause", ann, "--why", "asked by telephone")
	if strings.Contains(said, "@") {
		t.Errorf("said: %s", said)
	}
	list, _ = command(0, "", "subscribers", "list", "--json")
	if !strings.Contains(list, `"state":"paused by operator"`) {
		t.Errorf("the list:\n%s", list)
	}
	exported, _ := command(0, "", "subscribers", "export", "https://example.org/hook")
	var held subscription.Held
	if err := json.Unmarshal([]byte(exported), &held); err != nil || held.Reader.Address != "https://example.org/hook" || strings.Contains(exported, secret) {
		t.Errorf("exported %s: %v", exported, err)
	}
	_, said = command(1, "n\n", "subscribers", "erase", ann)
	if !strings.Contains(said, "the active subscription by email of "+ann) {
		t.Errorf("said: %s", said)
	}
	command(0, "", "subscribers", "show", ann)
	out, _ := command(0, "", "subscribers", "erase", ann, "--yes", "--json")
	if !strings.Contains(out, `"erased":"r:`) {
		t.Errorf("printed %s", out)
	}
	command(1, "", "subscribers", "show", ann)
	if list, _ = command(0, "", "subscribers", "list"); strings.Count(list, "r:") != 1 {
		t.Errorf("the list:\n%s", list)
	}
}

// seed has one subscribe and confirm.
func seed(t *testing.T, conf string, q subscription.Request) {
	t.Helper()
	loaded, _, err := configs.Load(conf)
	if err != nil {
		t.Fatal(err)
	}
	st, err := daemon.OpenStore(t.Context(), loaded.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	q, faults := subscription.Check(q, subscription.Catalogue{Timezone: "UTC"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	roll := daemon.NewRoll(loaded.Config, st)
	if err := roll.Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	confirm(t.Context(), t, st, roll, q.Address)
}

func confirm(ctx context.Context, t *testing.T, st store.Store, roll *subscription.Roll, address string) {
	t.Helper()
	r, err := roll.Find(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.AmendReader(ctx, r.ID, func(r store.Reader) (store.Amendment, error) {
		now := time.Now()
		r.State, r.Consent.Given, r.Letter = store.ReaderActive, now, nil
		return store.Amendment{Reader: r, Turn: &store.Enrolment{ID: r.ID, Next: now.Add(time.Hour), Schedule: r.Wishes.Schedule, Since: now}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
