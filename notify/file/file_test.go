package file

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/realpart"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func folder(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := New(Config{Dir: dir, EML: func(d notify.Digest) ([]byte, error) { return []byte("mail " + d.ID + "\r\n"), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestNotify(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "digests")
	f := folder(t, dir)
	d := notifytest.Digest()
	for range 2 { // a retry replaces what the first try wrote
		if err := f.Notify(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"20261123T0130Z-desk-01234567.eml":  "mail " + d.ID + "\r\n",
		"20261123T0130Z-desk-01234567.html": notify.HTML(d),
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", name, st.Mode().Perm())
		}
	}
	if names, _ := os.ReadDir(dir); len(names) != 2 {
		t.Errorf("the folder holds %v", names)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", st.Mode(), err)
	}
}

// TestLeftovers: what a process that was killed left half-written goes with a later
// digest, and nothing else does.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir)
	begun := time.Now()
	f.now = func() time.Time { return begun }
	make := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("half a mail"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, begun.Add(-age), begun.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	make(".newswatch-123456789", 2*time.Hour)
	make(".newswatch-987", time.Minute) // may be another process' at work
	kept := []string{".newswatch-notes", ".newswatch-1.eml", "newswatch-1", ".newswatch-", "20250101T0000Z-desk-01234567.eml"}
	for _, name := range kept {
		make(name, 1000*time.Hour)
	}
	if err := os.Mkdir(filepath.Join(dir, ".newswatch-5"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, ".newswatch-5"), begun.Add(-99*time.Hour), begun.Add(-99*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, kept[0]), filepath.Join(dir, ".newswatch-6")); err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	if err := f.Notify(t.Context(), notifytest.Digest()); err != nil {
		t.Fatal(err)
	}
	if there(".newswatch-123456789") || !there(".newswatch-987") {
		t.Error("the old one is there, or the young one is not")
	}
	begun = begun.Add(2 * time.Hour)
	if err := f.Notify(t.Context(), notifytest.Digest()); err != nil {
		t.Fatal(err)
	}
	if there(".newswatch-987") {
		t.Error("what was young then is still there")
	}
	for _, name := range append(kept, ".newswatch-5", ".newswatch-6") {
		if !there(name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// A subscriber's id is checked by the configuration; this is the second door.
func TestName(t *testing.T) {
	d := notifytest.Digest()
	for _, id := range []string{"../../etc/passwd", "a/b", `a\b`, "nul\x00", "വാർത്ത", strings.Repeat("x", 300), ".", "-rf"} {
		d.Subscriber, d.ID = id, id
		name := Name(d)
		if filepath.Base(name) != name || strings.ContainsAny(name, "/\\\x00.") || len(name) > 100 || strings.HasPrefix(name, "-") {
			t.Errorf("%q became the name %q", id, name)
		}
	}
}

func TestLocalFaults(t *testing.T) {
	base := t.TempDir()
	blocker := filepath.Join(base, "a-file")
	if err := os.WriteFile(blocker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ dir, want string }{
		"a file in the way":       {blocker, "not a folder"},
		"a file above the folder": {filepath.Join(blocker, "digests"), "not a folder"},
		"no such disk":            {"/proc/newswatch/digests", ""},
	} {
		err := folder(t, tt.dir).Notify(t.Context(), notifytest.Digest())
		notifytest.Failed(t, err, notify.FailureLocal, false)
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken, err := New(Config{Dir: base, EML: func(notify.Digest) ([]byte, error) { return nil, errors.New("render") }})
	if err != nil {
		t.Fatal(err)
	}
	notifytest.Failed(t, broken.Notify(t.Context(), notifytest.Digest()), notify.FailureLocal, false)
	if names, _ := os.ReadDir(base); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

// TestFullDisk fills a small file system. What was there stays whole, nothing
// half-written stays, and it works again when there is room.
func TestFullDisk(t *testing.T) {
	mount := realpart.Require(t, "mount", "mount")
	dir := t.TempDir()
	if out, err := exec.Command(mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		const why = "a small file system cannot be mounted, which takes root: %v: %s"
		if realpart.InCI() {
			t.Fatalf(why, err, out)
		}
		t.Skipf(why, err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	f := folder(t, dir)
	d := notifytest.Digest()
	if err := f.Notify(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, bytes.Repeat([]byte("x"), 64<<10), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	d.ID = strings.Repeat("f", 32)
	err := f.Notify(t.Context(), d)
	notifytest.Failed(t, err, notify.FailureLocal, false)
	if !strings.Contains(err.Error(), "the disk is full") {
		t.Error(err)
	}
	names, _ := os.ReadDir(dir)
	for _, n := range names {
		if strings.HasPrefix(n.Name(), ".newswatch-") || strings.Contains(n.Name(), "ffff") && strings.HasSuffix(n.Name(), ".html") {
			t.Errorf("left behind: %s", n.Name())
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := f.Notify(t.Context(), d); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	eml := func(notify.Digest) ([]byte, error) { return nil, nil }
	for _, cfg := range []Config{{EML: eml}, {Dir: "x"}} {
		if _, err := New(cfg); err == nil || !strings.HasPrefix(err.Error(), "file: ") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
