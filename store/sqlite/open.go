package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	// The driver registers itself as "sqlite".
	_ "modernc.org/sqlite"

	"github.com/newswatch/newswatch/store"
)

const (
	// busyTimeout is how long a write waits for another process's, in ms.
	busyTimeout = 10_000
	readers     = 4
)

// opening serialises Open within the process. Creating the file means closing it
// once behind the driver's back, which drops the POSIX locks that another handle
// of this process may hold on it by then.
var opening sync.Mutex

// Open opens the database at path and creates it, and its folder, where they are
// not there yet: the folder for the owner alone (0700), the file too (0600),
// because it holds what subscribers were sent. It brings an older file up to this version
// and refuses a newer one. A file that is no newswatch database is refused and
// left as it was; the error wraps ErrNotOurs.
func Open(ctx context.Context, path string) (*Store, error) {
	return open(ctx, path, nil)
}

// open takes pragmas beyond the usual ones, for tests.
func open(ctx context.Context, path string, pragmas []string) (_ *Store, err error) {
	opening.Lock()
	defer opening.Unlock()
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := create(abs); err != nil {
		return nil, err
	}
	if err := probe(ctx, abs); err != nil {
		return nil, err
	}

	write, err := sql.Open("sqlite", dsn(abs, append([]string{
		"busy_timeout(" + strconv.Itoa(busyTimeout) + ")",
		"journal_mode(WAL)",
		// A digest that was acknowledged must not be sent again after a power
		// cut; NORMAL loses the last commits.
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"trusted_schema(OFF)",
		// What was deleted, an address before all, does not stay in the file.
		"secure_delete(ON)",
		// After a burst the log is cut back to this, or it would keep its size.
		"journal_size_limit(67108864)",
		// The caches are small, because behind them is the system's, which costs
		// this process nothing.
		"cache_size(-2048)",
	}, pragmas...), "rwc"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	write.SetMaxOpenConns(1)
	w, err := newWriter(ctx, write)
	if err != nil {
		return nil, errors.Join(refusal(ctx, abs, err), write.Close())
	}
	read, err := sql.Open("sqlite", dsn(abs, []string{
		"busy_timeout(" + strconv.Itoa(busyTimeout) + ")",
		"query_only(ON)",
		"trusted_schema(OFF)",
		"cache_size(-256)",
	}, "rw"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %w", err), w.close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &Store{read: read, w: w, stmts: make(map[string]*sql.Stmt)}, nil
}

// create makes the folder and an empty file, with the permissions that they
// shall have: SQLite would take the umask's, and gives its -wal and -shm files
// those of the database.
func create(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqlite: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("sqlite: the folder of the database cannot be made: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sqlite: the database cannot be made; is its folder writable? %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

// probe looks at the file before anything is written to it: turning on the
// write-ahead log changes the file, and it might be another program's.
func probe(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", dsn(path, []string{"busy_timeout(" + strconv.Itoa(busyTimeout) + ")"}, "rw"))
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var app, version, tables int64
	if err := db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`).Scan(&app, &version, &tables); err != nil {
		return refusal(ctx, path, err)
	}
	if app != applicationID && (app != 0 || version != 0 || tables != 0) {
		return fmt.Errorf("%w: %s is another program's; %s", ErrNotOurs, path, advice)
	}
	if version > int64(len(migrations)) {
		return fmt.Errorf("sqlite: %s was written by a newer newswatch (version %d of the schema, this one knows %d); "+
			"use that one, or give another store.url", path, version, len(migrations))
	}
	return nil
}

const advice = "move it away or give another store.url"

func refusal(ctx context.Context, path string, err error) error {
	if foreign(err) {
		return fmt.Errorf("%w: %s is not one, or is damaged; %s: %w", ErrNotOurs, path, advice, err)
	}
	return fmt.Errorf("sqlite: opening %s: %w", path, wrap(ctx, err))
}

func dsn(path string, pragmas []string, mode string) string {
	q := url.Values{"_pragma": pragmas, "mode": {mode}, "_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"}}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// migrate brings the schema up to date, in one transaction.
func migrate(t *tx) error {
	var version int
	if err := t.row(`SELECT user_version FROM pragma_user_version`).Scan(&version); err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("%w: version %d of the schema is newer than this newswatch", store.ErrUnavailable, version)
	}
	if version == len(migrations) {
		return nil
	}
	for _, m := range migrations[version:] {
		if err := t.script(m); err != nil {
			return err
		}
	}
	return t.script(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations)))
}
