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

// TestInterruptedWhileItReads: one Ctrl-C is enough too where nobody has typed yet.
func TestInterruptedWhileItReads(t *testing.T) {
	for _, args := range [][]string{{"match"}, {"feeds", "parse", "-"}} {
		t.Chdir(t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		keyboard, w := io.Pipe()
		var errs bytes.Buffer
		code := run(ctx, args, readCalled{keyboard, cancel}, io.Discard, &errs)
		if code != exitWrong || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%v: exit code %d, %q", args, code, errs.String())
		}
		_ = w.Close() // the read that hangs
	}
}

// readCalled tells that it is read.
type readCalled struct {
	io.Reader
	called func()
}

func (r readCalled) Read(b []byte) (int, error) {
	r.called()
	return r.Reader.Read(b)
}
