// Package sqlite keeps newswatch's memory in one SQLite file: the engine for
// those who install nothing first.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/newswatch/newswatch/store"
)

// Store is a store.Store in one file. A write is on the disk when it returns, and
// survives a power cut; but for leases, and polls that brought nothing, which survive the
// process and are found out again after a power cut. Several processes may open one
// file, if they are on one machine.
type Store struct {
	read *sql.DB
	w    *writer

	mu    sync.Mutex
	stmts map[string]*sql.Stmt // of read, by their text
}

var _ store.Store = (*Store)(nil)

// Close waits for the writes that were begun.
func (s *Store) Close() error {
	err := s.w.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.stmts {
		err = errors.Join(err, st.Close())
	}
	clear(s.stmts)
	if err = errors.Join(err, s.read.Close()); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// Ping writes, since a disk that is full or was mounted anew for reading only
// can still be read.
func (s *Store) Ping(ctx context.Context) error {
	return s.w.do(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE meta SET value = value WHERE key = 'head'`)
		return err
	})
}

// stmt keeps a reading statement prepared.
func (s *Store) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stmts[q]; ok {
		return st, nil
	}
	st, err := s.read.PrepareContext(ctx, q) //nolint:sqlclosecheck // Close closes it
	if err != nil {
		return nil, err
	}
	s.stmts[q] = st
	return st, nil
}

// row scans the one row of a query; there is none: store.ErrNotFound.
func (s *Store) row(ctx context.Context, dest []any, q string, args ...any) error {
	st, err := s.stmt(ctx, q) //nolint:sqlclosecheck // Close closes it
	if err != nil {
		return wrap(ctx, err)
	}
	err = st.QueryRowContext(ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return store.ErrNotFound
	}
	return wrap(ctx, err)
}

// rows calls scan for every row of a query.
func (s *Store) rows(ctx context.Context, scan func(scanner) error, q string, args ...any) error {
	st, err := s.stmt(ctx, q) //nolint:sqlclosecheck // Close closes it
	if err != nil {
		return wrap(ctx, err)
	}
	rows, err := st.QueryContext(ctx, args...)
	return wrap(ctx, each(rows, err, scan))
}

// milli is a time as a column holds it: null for the zero time.
func milli(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: true}
}

// at is the inverse of milli.
func at(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return store.FromMilli(ms.Int64)
}
