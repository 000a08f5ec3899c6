package sqlite

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/newswatch/newswatch/store"
)

// ErrNotOurs is returned by Open for a file that is not a newswatch database, or
// that is damaged. Nothing was written to it.
var ErrNotOurs = errors.New("sqlite: not a newswatch database")

// wrap gives an error of the driver its class: what may pass wraps
// store.ErrUnavailable, and the context's own error comes first, because the
// driver reports a query that was cut short as an interruption.
func wrap(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cerr := context.Cause(ctx); cerr != nil {
		return fmt.Errorf("sqlite: %w", cerr)
	}
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: the disk is full: %w", store.ErrUnavailable, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: another process keeps the database locked: %w", store.ErrUnavailable, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("sqlite: the database is damaged: %w", err)
	}
	return fmt.Errorf("sqlite: %w", err)
}

// foreign reports whether the driver says that the file is no database, or a
// damaged one.
func foreign(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_CORRUPT
}
