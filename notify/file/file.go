// Package file keeps digests as .eml and .html files in a folder: the way to
// read them where no mail server is configured.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/newswatch/newswatch/notify"
)

// Config is a folder and how a digest becomes a mail.
type Config struct {
	// Dir is made, readable by its owner only, if it is not there.
	Dir string
	// EML renders the .eml file, Layout the .html file.
	EML    func(notify.Digest) ([]byte, error)
	Layout notify.Layout
}

// Folder is a notifier that writes files.
type Folder struct {
	cfg Config
	now func() time.Time

	mu    sync.Mutex
	swept time.Time
}

const (
	// A process that is killed while it writes leaves a file behind, that nobody reads.
	// One of staleAfter is no longer being written to; the folder, which may hold years
	// of digests, is looked through for them every sweepEvery at most.
	staleAfter = time.Hour
	sweepEvery = time.Hour
)

// leftover is how os.CreateTemp makes names of tempName.
var leftover = regexp.MustCompile(`^\.newswatch-[0-9]+$`)

const tempName = ".newswatch-*"

var _ notify.Notifier = (*Folder)(nil)

// New returns the notifier. The folder is made at the first digest.
func New(cfg Config) (*Folder, error) {
	if cfg.Dir == "" {
		return nil, errors.New("file: no folder is named")
	}
	if cfg.EML == nil {
		return nil, errors.New("file: nothing renders the .eml file")
	}
	return &Folder{cfg: cfg, now: time.Now}, nil
}

// Name is the name of the digest's files without their ending:
// 20261123T0130Z-desk-1a2b3c4d. It is the same at every try.
func Name(d notify.Digest) string {
	return d.Sealed.UTC().Format("20060102T1504Z") + "-" + safe(d.Subscriber, 64) + "-" + safe(d.ID, 8)
}

// safe keeps what means nothing to any file system.
func safe(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), n)]
}

// Notify writes both files, or replaces them with the same. Either file is whole
// or not there; the .html comes last, so who waits for it finds the .eml.
func (f *Folder) Notify(ctx context.Context, d notify.Digest) error {
	if err := ctx.Err(); err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: fmt.Errorf("file: %w", err)}
	}
	if err := f.write(d); err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: fmt.Errorf("file: %w", explain(err))}
	}
	return nil
}

func (f *Folder) write(d notify.Digest) error {
	eml, err := f.cfg.EML(d)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.cfg.Dir, 0o700); err != nil {
		return err
	}
	f.sweep()
	name := filepath.Join(f.cfg.Dir, Name(d))
	if err := replace(name+".eml", eml); err != nil {
		return err
	}
	if err := replace(name+".html", []byte(f.cfg.Layout.HTML(d))); err != nil {
		return err
	}
	return syncDir(f.cfg.Dir)
}

// sweep removes what killed processes left behind. What it cannot remove hinders no
// digest.
func (f *Folder) sweep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.swept) < sweepEvery {
		return
	}
	f.swept = now
	entries, err := os.ReadDir(f.cfg.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !leftover.MatchString(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > staleAfter {
			_ = os.Remove(filepath.Join(f.cfg.Dir, e.Name()))
		}
	}
}

// replace writes a file beside the one that is wanted, makes sure that it is on
// the disk, and moves it there.
func replace(name string, content []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), tempName) // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(content); err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// syncDir makes the new names outlast a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems have no fsync for folders; then there is nothing to do.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// explain puts into words what the operator has to do.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk is full: %w", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the folder is on a disk that is mounted read-only: %w", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the folder cannot be written to by this user: %w", err)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return fmt.Errorf("something that is not a folder is in the way: %w", err)
	}
	return err
}
