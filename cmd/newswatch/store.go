package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/store"
)

// withStore opens the configured store for the time of f.
func (a *app) withStore(ctx context.Context, f func(store.Store) error) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	return a.withStoreOf(ctx, loaded, f)
}

// withStoreOf says when there was no store yet: nothing is found in an empty one, and
// the configuration may be that of another folder.
func (a *app) withStoreOf(ctx context.Context, loaded *configs.Loaded, f func(store.Store) error) error {
	c, missing := loaded.Store, false
	if c.Engine == configs.EngineSQLite {
		_, err := os.Stat(c.Path)
		missing = errors.Is(err, fs.ErrNotExist)
	}
	return a.withAnyStore(ctx, loaded, func(st store.Store) error {
		if missing {
			fmt.Fprintf(a.stderr, "note: there was no store at %s: an empty one was made\n", c.Path)
		}
		return f(st)
	})
}

// withAnyStore opens the store, or makes it.
func (a *app) withAnyStore(ctx context.Context, loaded *configs.Loaded, f func(store.Store) error) (err error) {
	st, err := daemon.OpenStore(ctx, loaded.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return f(st)
}
