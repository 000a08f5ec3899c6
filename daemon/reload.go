package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// settle is how long the files must be quiet before a change is read: editors
// and volume mounts write in several steps.
const settle = 500 * time.Millisecond

// fileClock is how far a file's time may lag behind the clock that was read: it
// is that of a tick of the kernel, or of a server.
const fileClock = 2 * time.Second

// errNoReload is returned where there is nothing to read again.
var errNoReload = errors.New("daemon: this process has no configuration to reload")

// reload reads the configuration again. All that can fail is done first; then
// one pointer is swapped. A broken file leaves the running plan in force, and
// says so in the error, the log, the metrics and on the status page.
func (d *Daemon) reload(ctx context.Context) error {
	if d.opt.Load == nil {
		return errNoReload
	}
	d.reloading.Lock()
	defer d.reloading.Unlock()

	loaded, warnings, err := d.opt.Load()
	if err != nil {
		d.loaded(nil, nil, err)
		d.tellReload(ctx, err)
		return err
	}
	old := d.plan.Load()
	pl, err := newPlan(loaded, d.senders)
	if err != nil {
		d.loaded(nil, nil, err)
		d.tellReload(ctx, err)
		return err
	}
	// Until the swap, a feed or subscriber that is new to the queue is given
	// back by whoever claims it; after it, one that left is.
	d.plan.Store(pl)
	err = d.enrol(ctx, pl)
	if err == nil {
		err = d.pollNow(ctx, pl.movedSince(old))
	}
	if err != nil {
		d.plan.Store(old)
		err = fmt.Errorf("daemon: the configuration is right, and the store did not take it: %w", err)
		d.loaded(nil, nil, err)
		return err
	}
	warnings = append(warnings, needRestart(old, pl)...)
	d.loaded(loaded, warnings, nil)
	d.log.Info("configuration reloaded", "feeds", len(pl.feeds), "rules", len(pl.rules.Rules()),
		"ruleset", pl.rules.Version(), "subscribers", len(pl.subscribers), "warnings", len(warnings))
	return nil
}

// needRestart names the settings that a reload does not change: what hangs on
// them lives as long as the process.
func needRestart(old, now *plan) []configs.Warning {
	var keys []string
	if !old.config.Store.URL.Equal(now.config.Store.URL) || old.config.Store.Path != now.config.Store.Path {
		keys = append(keys, "store")
	}
	if a, b := old.config.HTTP, now.config.HTTP; a.Listen != b.Listen || a.PublicURL != b.PublicURL || !a.AdminToken.Equal(b.AdminToken) ||
		a.ProxyHeader != b.ProxyHeader || !slices.Equal(a.ProxyNetworks, b.ProxyNetworks) {
		keys = append(keys, "http")
	}
	if old.config.Subscriptions != now.config.Subscriptions {
		keys = append(keys, "subscriptions")
	}
	a, b := old.config.Fetch, now.config.Fetch
	same := a.Interval == b.Interval && a.MinInterval == b.MinInterval && a.MaxInterval == b.MaxInterval &&
		a.Timeout == b.Timeout && a.MaxBody == b.MaxBody && a.Concurrency == b.Concurrency &&
		a.PerHost == b.PerHost && a.HostSpacing == b.HostSpacing && a.Contact == b.Contact && slices.Equal(a.AllowNetworks, b.AllowNetworks)
	if !same {
		keys = append(keys, "fetch")
	}
	if len(keys) == 0 {
		return nil
	}
	w := configs.Warning{Message: "changes under " + strings.Join(keys, ", ") + " take effect at the next start"}
	w.Pos.File = now.path
	return []configs.Warning{w}
}

// loaded notes how an attempt to load ended, and gives back the memory that it
// took: the nodes of ten thousand feeds' YAML are 60 MB, which the runtime would
// keep for its next use.
func (d *Daemon) loaded(loaded *configs.Loaded, warnings []configs.Warning, err error) {
	defer debug.FreeOSMemory()
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastLoad = desk.Reload{At: now, OK: err == nil}
	if err != nil {
		d.lastLoad.Error = err.Error()
		d.metrics.reloadOK.Set(0)
		return
	}
	d.files = loaded.Files
	d.warnings = warnings
	d.metrics.reloadOK.Set(1)
	d.metrics.reloadTime.Set(float64(now.Unix()))
}

// watchReload reloads when it is asked to by signal, or when a file changed.
// What changed since the configuration was loaded counts too: a daemon that
// waited for its store must not begin with yesterday's rules.
func (d *Daemon) watchReload(ctx context.Context, since time.Time) {
	var events <-chan fsnotify.Event
	var faults <-chan error
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		d.log.Warn("file changes are not watched; use SIGHUP to reload", "err", err)
	} else {
		defer watcher.Close()
		events, faults = watcher.Events, watcher.Errors
		d.watch(watcher)
	}
	var quiet <-chan time.Time
	if d.changed(since.Add(-fileClock)) {
		quiet = time.After(settle)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.opt.Reload:
			d.log.Info("reloading: asked by signal")
		case ev := <-events:
			if ev.Has(fsnotify.Chmod) || !d.concerns(ev.Name) {
				continue
			}
			quiet = time.After(settle)
			continue
		case err := <-faults:
			d.log.Warn("watching the configuration's files", "err", err)
			continue
		case <-quiet:
			d.log.Info("reloading: a file changed")
		}
		quiet = nil
		if err := d.reload(ctx); err != nil {
			d.log.Error("reload failed; the configuration before it stays in force", "err", err)
			if errors.Is(err, store.ErrUnavailable) {
				quiet = time.After(maxPause) // nothing is wrong with the files, so nobody will touch them
			}
		}
		if watcher != nil {
			d.watch(watcher)
		}
	}
}

// changed reports whether a file of the configuration is newer than t.
func (d *Daemon) changed(t time.Time) bool {
	for _, f := range d.configFiles() {
		if st, err := os.Stat(f); err == nil && st.ModTime().After(t) {
			return true
		}
	}
	return false
}

// concerns reports whether a file that changed is one of the configuration's, or may
// be one that is new to it. The folder may hold other things, such as the store.
func (d *Daemon) concerns(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		return true
	}
	return filepath.Base(name) == "..data" || // of a volume that Kubernetes mounts
		slices.ContainsFunc(d.configFiles(), func(f string) bool { return filepath.Clean(f) == filepath.Clean(name) })
}

// configFiles are the files on disk of the configuration in force.
func (d *Daemon) configFiles() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.files), func(f string) bool { return strings.HasPrefix(f, "embedded:") })
}

// watch watches the folders of the configuration's files, not the files: an
// editor replaces a file, and a watch on it would end with the old one.
func (d *Daemon) watch(w *fsnotify.Watcher) {
	for _, f := range d.configFiles() {
		// To add a folder twice is harmless; one that is gone shows in the reload.
		_ = w.Add(filepath.Dir(f))
	}
}
