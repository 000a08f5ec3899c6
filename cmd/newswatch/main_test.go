package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
)

// TestInterrupted: who presses Ctrl-C is told that it was that, in words.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs bytes.Buffer
	code := run(ctx, []string{"feeds", "parse", "https://feed.example/rss"}, strings.NewReader(""), io.Discard, &errs)
	if code != exitWrong || errs.String() != "newswatch: interrupted\n" {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}
