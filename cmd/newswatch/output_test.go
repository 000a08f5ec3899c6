package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestStandardOutputIsFull: what could not be written is an error of every command,
// whether it looked at its prints or not.
func TestStandardOutputIsFull(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	newswatchIn(t, "hits") // makes the store, which is told of once
	for _, args := range []string{
		"--help", "help once", "version", "version --json", "schema rules", "completion bash", "check", "check --json", "feeds list",
		"feeds export", "feeds export --format urls", "feeds", "hits", "hits --format csv", "demo", "demo --json", "deadletters", "notices", "subscribers", "store check",
		"explain --title police",
	} {
		var errs bytes.Buffer
		code := run(t.Context(), strings.Fields(args), strings.NewReader(""), fullDisk{}, &errs)
		if code != exitWrong || errs.String() != "newswatch: standard output: no space left on device\n" {
			t.Errorf("%s: exit code %d, %q", args, code, &errs)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestReaderHasSeenEnough: a reader that goes away, as head does, ends a command
// without a word, and with its temporary folder cleared.
func TestReaderHasSeenEnough(t *testing.T) {
	temp := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "newswatch", "demo")
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "TMPDIR="+temp)
	cmd.Stdout, cmd.Stderr = w, &errs
	if err := errors.Join(r.Close(), cmd.Start(), w.Close()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the exit code says it
	if code := cmd.ProcessState.ExitCode(); code != exitPipe || errs.Len() > 0 {
		t.Errorf("%s, %q", cmd.ProcessState, &errs)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestAskedTwice: the second Ctrl-C does not wait for what is in flight.
func TestAskedTwice(t *testing.T) {
	asked := make(chan struct{}, 1)
	feeds := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer feeds.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := newswatch(ctx, pressConfig(t, feeds.URL, 1), "run", "--grace", "10m")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // ProcessState says how it ended
		close(ended)
	}()
	select {
	case <-asked:
	case <-ended:
	}
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for signals := 0; ; {
		select {
		case <-again.C:
			_ = cmd.Process.Signal(os.Interrupt) // it may have ended by now
			signals++
		case <-ended:
			if how, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || how.Signal() != syscall.SIGINT || signals < 2 {
				t.Errorf("asked %d times, it ended with: %s", signals, cmd.ProcessState)
			}
			return
		}
	}
}
