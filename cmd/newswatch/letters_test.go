package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/newswatch/newswatch/notify"
)

// TestDeadLetterIsListedAndSentAgain lets a receiver refuse a digest for good:
// it becomes a dead letter that names no address, what follows is not held up,
// and the operator sends it again, the same to the byte.
func TestDeadLetterIsListedAndSentAgain(t *testing.T) {
	var mu sync.Mutex
	gone := true
	sent := map[string][]string{} // bodies by webhook-id
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		sent[r.Header.Get("webhook-id")] = append(sent[r.Header.Get("webhook-id")], string(body))
		if gone {
			w.WriteHeader(http.StatusGone)
		}
	})
	p := &press{printed: map[string]int{}, planted: map[string]bool{}}
	mux.HandleFunc("/", p.feed)
	server := httptest.NewServer(mux)
	defer server.Close()
	conf := pressConfig(t, server.URL, 1)

	out, err := newswatch(t.Context(), conf, "once").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not accepted") {
		t.Fatalf("a pass whose digest was refused: %v\n%s", err, out)
	}
	letters := func() (all []notify.DeadLetter) {
		t.Helper()
		out, err := newswatch(t.Context(), conf, "deadletters", "--json").Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			var l notify.DeadLetter
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
		return all
	}
	dead := letters()
	if len(dead) != 1 || dead[0].Digest.Subscriber != "hook" {
		t.Fatalf("dead letters: %+v", dead)
	}
	if strings.Contains(dead[0].Reason, "/hook") {
		t.Errorf("the reason shows the receiver's address: %s", dead[0].Reason)
	}

	mu.Lock()
	gone = false
	mu.Unlock()
	// A receiver that is gone pauses its subscriber, and the operator is told so.
	if out, err := newswatch(t.Context(), conf, "notices").Output(); err != nil || strings.Count(string(out), "The subscriber hook is paused") != 1 {
		t.Errorf("notices: %v\n%s", err, out)
	}
	out, err = newswatch(t.Context(), conf, "deadletters", "resend", dead[0].Digest.ID).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "newswatch subscribers resume hook") {
		t.Fatalf("resend: %v\n%s", err, out)
	}
	if out, err := newswatch(t.Context(), conf, "subscribers", "resume", "hook").CombinedOutput(); err != nil {
		t.Fatalf("resume: %v\n%s", err, out)
	}
	if out, err := newswatch(t.Context(), conf, "once").CombinedOutput(); err != nil {
		t.Fatalf("the pass after it: %v\n%s", err, out)
	}
	if left := letters(); len(left) != 0 {
		t.Errorf("after it was sent again, dead letters: %+v", left)
	}
	mu.Lock()
	defer mu.Unlock()
	tries := sent[dead[0].Digest.ID]
	if len(tries) != 2 || tries[0] != tries[1] {
		t.Errorf("the digest was sent %d times, the same: %v", len(tries), len(tries) == 2 && tries[0] == tries[1])
	}
}
