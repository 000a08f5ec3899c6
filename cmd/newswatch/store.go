package main

import (
	"context"
	"errors"

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

func (a *app) withStoreOf(ctx context.Context, loaded *configs.Loaded, f func(store.Store) error) (err error) {
	st, err := daemon.OpenStore(ctx, loaded.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return f(st)
}
