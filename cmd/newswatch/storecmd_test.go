package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/internal/redistest"
)

// newswatchIn runs the program and returns its exit code and what it printed.
func newswatchIn(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// TestStoreCopyAndCheck moves a store with hits from SQLite to Redis and back, as
// an operator would.
func TestStoreCopyAndCheck(t *testing.T) {
	p := &press{printed: map[string]int{}, planted: map[string]bool{}, digests: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/hook", p.hook)
	mux.HandleFunc("/", p.feed)
	server := httptest.NewServer(mux)
	defer server.Close()
	conf := pressConfig(t, server.URL, 5)
	// The receiver may have said "not now"; then the digest is pending, and moves too.
	if _, out, errs := newswatchIn(t, "once", "--send", "--config", conf); !strings.Contains(out, "5 hits") {
		t.Fatalf("once: %s %s", out, errs)
	}
	db := redistest.Start(t)

	code, out, errs := newswatchIn(t, "store", "copy", "--json", "--config", conf, "--to", db.URL)
	var first struct {
		Counts        map[string]int
		Rows, Written int
		Hash          string
	}
	if err := json.Unmarshal([]byte(out), &first); code != 0 || err != nil || first.Counts["hits"] != 5 || first.Written != first.Rows {
		t.Fatalf("copy to Redis: %d %s %s", code, out, errs)
	}
	code, out, errs = newswatchIn(t, "store", "copy", "--config", conf, "--to", db.URL)
	if code != 0 || !strings.Contains(out, "0 rows written") || !strings.Contains(out, first.Hash) {
		t.Errorf("copied once more: %d %s %s", code, out, errs)
	}
	back := "sqlite:" + filepath.Join(t.TempDir(), "back.db")
	if code, out, errs = newswatchIn(t, "store", "copy", "--from", db.URL, "--to", back); code != 0 || !strings.Contains(out, first.Hash) {
		t.Errorf("back again: %d %s %s", code, out, errs)
	}
	for _, url := range []string{db.URL, back} {
		if code, out, errs = newswatchIn(t, "store", "check", "--url", url); code != 0 || !strings.Contains(out, "sound") {
			t.Errorf("check: %d %s %s", code, out, errs)
		}
	}

	// What is broken is told, and by the exit code too.
	db.Do("HSET newswatch:1:{nw}:totals head 2")
	code, out, _ = newswatchIn(t, "store", "check", "--json", "--url", db.URL)
	var told struct {
		Sound bool
		Wrong []string
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != exitWrong || told.Sound || !strings.Contains(out, "which ends at 2") {
		t.Errorf("check of a log that lost its head: %d %s", code, out)
	}

	// Mistakes make nothing.
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, c := range []struct {
		code int
		args []string
	}{
		{exitUsage, []string{"store", "copy"}},
		{exitWrong, []string{"store", "copy", "--from", "sqlite:" + missing, "--to", back}},
		{exitWrong, []string{"store", "check", "--url", "sqlite:" + missing}},
		{exitWrong, []string{"store", "check", "--url", "redis://u:sesame@h:port"}},
	} {
		code, out, errs := newswatchIn(t, append(c.args, "--config", conf)...)
		if code != c.code || strings.Contains(out+errs, "sesame") {
			t.Errorf("%v: %d %s %s", c.args, code, out, errs)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a misspelt path became an empty store")
	}
}

// TestStoreCopyOntoItself: a copy of a store onto itself, by another name of it, moves
// nothing and says so.
func TestStoreCopyOntoItself(t *testing.T) {
	dir := t.TempDir()
	conf := pressConfig(t, "http://127.0.0.1:1", 1)
	file := filepath.Join(filepath.Dir(conf), "data", "newswatch.db")
	if code, _, errs := newswatchIn(t, "once", "--config", conf); code != 0 {
		t.Fatal(errs)
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"sqlite:" + file, "sqlite:" + filepath.Dir(file) + "/../data/newswatch.db", "sqlite:" + link} {
		if code, out, errs := newswatchIn(t, "store", "copy", "--config", conf, "--to", to); code != exitWrong || out != "" || !strings.Contains(errs, "--to is the store to copy") {
			t.Errorf("onto %s: %d %s %s", to, code, out, errs)
		}
	}
	code, out, errs := newswatchIn(t, "store", "copy", "--config", conf, "--to", "sqlite:"+filepath.Join(dir, "other.db"))
	if code != 0 || !strings.Contains(out, "1 subscriber\n") || !strings.Contains(out, "0 deliveries\n") {
		t.Errorf("onto another: %d %s %s", code, out, errs)
	}
}

// TestAllowEviction opens a Redis that is set to evict only when it is told to,
// by whichever way a command comes to its store.
func TestAllowEviction(t *testing.T) {
	db := redistest.Start(t, "--maxmemory-policy", "allkeys-lru")
	p := &press{printed: map[string]int{}, planted: map[string]bool{}}
	polled, stop := context.WithCancel(t.Context())
	feeds := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.feed(w, r)
		stop()
	}))
	defer feeds.Close()
	conf := pressConfig(t, feeds.URL, 1)
	extend(t, conf, "subscribers: []\n", "store: {url: \""+db.URL+"\"}\n")
	commands := [][]string{
		{"run", "--config", conf},
		{"hits", "--config", conf},
		{"once", "--config", conf},
		{"store", "check", "--url", db.URL},
	}
	for _, args := range commands {
		code, _, errs := newswatchIn(t, args...)
		if code == 0 || !strings.Contains(errs, "maxmemory-policy is allkeys-lru") || !strings.Contains(errs, "--allow-eviction") {
			t.Errorf("%v: exit code %d, %s; want a refusal that says why, and names the flag", args, code, errs)
		}
	}
	if keys := db.Do("DBSIZE"); keys != ":0\r\n" {
		t.Errorf("the server was refused, and something was written to it: %s", keys)
	}

	for _, args := range commands {
		// "run" is stopped as soon as it polls, and ends that poll. What is stored then
		// is for the others to read.
		ctx := t.Context()
		if args[0] == "run" {
			ctx = polled
		}
		var out, errs bytes.Buffer
		code := run(ctx, append(args, "--allow-eviction"), strings.NewReader(""), &out, &errs)
		if code != 0 {
			t.Errorf("%v --allow-eviction: exit code %d, %s", args, code, &errs)
		}
		if args[0] == "hits" && !strings.Contains(out.String(), "Operation P-Hunt") {
			t.Errorf("a run on a server that may evict stored nothing: %s", &out)
		}
	}
}
