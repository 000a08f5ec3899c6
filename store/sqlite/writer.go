package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	driver "modernc.org/sqlite"

	"github.com/newswatch/newswatch/store"
)

// maxGroup bounds how many writes share a transaction, and so how long one that
// comes after them waits.
const maxGroup = 128

// writer is the one goroutine that writes. It takes what is queued into one
// transaction: a commit that survives a power cut costs the disk a flush, and
// hundreds of polls that end together should not pay for hundreds of them. One
// write that fails takes nothing of the others with it, see group.
type writer struct {
	db   *sql.DB
	tx   *tx
	ops  chan *op
	done chan struct{}

	mu      sync.RWMutex // held for reading while an op is handed over
	closed  bool
	flushes bool // whether a commit waits for the disk
}

// op is one write. Only the writer's goroutine runs it, without the caller's
// context: interrupting one statement would undo the transaction of all. It may
// be run twice, the first time undone.
type op struct {
	run func(*tx) error
	// flush is whether the write must survive a power cut.
	flush bool
	stage atomic.Int32
	err   error
	done  chan struct{}
}

const (
	queued int32 = iota
	running
	abandoned
)

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{
		db: db, tx: &tx{conn: conn, stmts: make(map[string]*sql.Stmt)},
		ops: make(chan *op), done: make(chan struct{}), flushes: true, // see open
	}
	first := &op{run: migrate, flush: true, done: make(chan struct{})}
	w.group([]*op{first})
	if first.err != nil {
		return nil, errors.Join(first.err, w.tx.close())
	}
	go w.loop()
	return w, nil
}

// do runs a write and waits until it is on the disk. When ctx ends before its turn
// has come, it is never run.
func (w *writer) do(ctx context.Context, run func(*tx) error) error {
	return w.queue(ctx, &op{run: run, flush: true, done: make(chan struct{})})
}

// repeatable is do for a write that may be lost in a power cut, because what it says is
// found out again: that a feed is being polled, or had nothing new. It does survive the
// death of the process, and is on the disk no later than the next write of do.
func (w *writer) repeatable(ctx context.Context, run func(*tx) error) error {
	return w.queue(ctx, &op{run: run, done: make(chan struct{})})
}

func (w *writer) queue(ctx context.Context, o *op) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return fmt.Errorf("%w: the database is closed", store.ErrUnavailable)
	}
	select {
	case w.ops <- o:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return fmt.Errorf("sqlite: %w", ctx.Err())
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		if o.stage.CompareAndSwap(queued, abandoned) {
			return fmt.Errorf("sqlite: %w", ctx.Err())
		}
		<-o.done
	}
	return wrap(context.WithoutCancel(ctx), o.err)
}

func (w *writer) loop() {
	defer close(w.done)
	batch := make([]*op, 0, maxGroup)
	for o := range w.ops {
		batch = append(batch[:0], o)
		runtime.Gosched() // whoever is about to hand over another may do it first
	fill:
		for len(batch) < maxGroup {
			select {
			case o, ok := <-w.ops:
				if !ok {
					break fill
				}
				batch = append(batch, o)
			default:
				break fill
			}
		}
		w.group(batch)
	}
}

// group runs a batch in one transaction, and tells every op what became of it.
//
// What isolates the ops from each other is a savepoint for each, but the engine
// copies every page that is touched behind one, which takes longer than the
// writes. So it is first hoped that none fails, and only when one has failed is
// all undone and run again with savepoints.
func (w *writer) group(batch []*op) {
	err := w.transact(batch, w.hoping)
	if errors.Is(err, errPartial) {
		err = w.transact(batch, w.apart)
	}
	for _, o := range batch {
		if err != nil && o.err == nil {
			o.err = err
		}
		close(o.done)
	}
}

func (w *writer) transact(batch []*op, each func(*op) error) error {
	if err := w.flushing(batch); err != nil {
		return err
	}
	_, err := w.tx.exec("BEGIN IMMEDIATE")
	if err != nil {
		return err
	}
	for _, o := range batch {
		if o.stage.Load() == running || o.stage.CompareAndSwap(queued, running) {
			if err = each(o); err != nil {
				break
			}
		}
	}
	if err == nil {
		_, err = w.tx.exec("COMMIT")
	}
	if err != nil {
		// Where the engine has undone the transaction itself, this says that there
		// is none, which is what it is for.
		_ = w.tx.script("ROLLBACK")
	}
	return err
}

// flushing makes the commit of a batch wait for the disk if a write of it has to. The
// log is flushed as a whole, so that a commit that does wait brings those before it
// along, and after a power cut the database is as it was after one of its commits.
func (w *writer) flushing(batch []*op) error {
	flush := slices.ContainsFunc(batch, func(o *op) bool { return o.flush })
	if flush == w.flushes {
		return nil
	}
	level := "NORMAL"
	if flush {
		level = "FULL"
	}
	err := w.tx.script("PRAGMA synchronous = " + level)
	if err == nil {
		w.flushes = flush
	}
	return err
}

// errPartial is how group learns that an op has failed and may have left
// something behind, or nothing of the others.
var errPartial = errors.New("sqlite: a write failed in the middle")

// hoping runs an op without a savepoint. The error of one that has only read, a
// lost lease before all, is the op's own and harms nobody, unless it is the
// engine's: that may have undone the transaction, and what runs next would be
// outside of any.
func (w *writer) hoping(o *op) error {
	w.tx.wrote = false
	o.err = o.run(w.tx)
	if _, ofEngine := errors.AsType[*driver.Error](o.err); ofEngine || o.err != nil && w.tx.wrote {
		return errPartial
	}
	return nil
}

// apart runs an op in a savepoint. The error it returns is of the whole
// transaction; that of the op alone is in the op.
func (w *writer) apart(o *op) error {
	if _, err := w.tx.exec("SAVEPOINT op"); err != nil {
		return err
	}
	if o.err = o.run(w.tx); o.err != nil {
		// A full disk or a failed read can undo the whole transaction. Then there
		// is no savepoint to go back to, and what ran before is gone as well.
		if err := w.tx.script("ROLLBACK TO op"); err != nil {
			return fmt.Errorf("the transaction was undone: %w", o.err)
		}
	}
	_, err := w.tx.exec("RELEASE op")
	return err
}

// close lets what is queued be written, and closes the database.
func (w *writer) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	close(w.ops)
	w.mu.Unlock()
	<-w.done
	return errors.Join(w.tx.close(), w.db.Close())
}

// tx is the writing connection, within a transaction.
type tx struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt // by their text
	wrote bool                 // since it was last set to false
	buf   []byte               // of pack
}

// pack is store.Pack for one statement. It is called here, and not where the JSON
// was made, because this goroutine's stack has grown to what it takes already. It
// keeps the buffer for the next, unless it has become a large one.
func (t *tx) pack(plain []byte) []byte {
	packed := store.Pack(t.buf, plain)
	if cap(packed) <= 256<<10 {
		t.buf = packed
	}
	return packed
}

func (t *tx) stmt(q string) (*sql.Stmt, error) {
	t.wrote = t.wrote || !strings.HasPrefix(q, "SELECT")
	if s, ok := t.stmts[q]; ok {
		return s, nil
	}
	s, err := t.conn.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, err
	}
	t.stmts[q] = s
	return s, nil
}

// script runs statements that are not worth keeping prepared.
func (t *tx) script(q string) error {
	t.wrote = true
	_, err := t.conn.ExecContext(context.Background(), q)
	return err
}

// exec runs one statement and returns how many rows it changed.
func (t *tx) exec(q string, args ...any) (int, error) {
	s, err := t.stmt(q) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// row is a query for at most one row.
func (t *tx) row(q string, args ...any) scanner {
	s, err := t.stmt(q) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return failed{err}
	}
	return s.QueryRowContext(context.Background(), args...)
}

// rows calls scan for every row of a query.
func (t *tx) rows(scan func(scanner) error, q string, args ...any) error {
	s, err := t.stmt(q) //nolint:sqlclosecheck // close closes it
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), args...)
	return each(rows, err, scan)
}

func (t *tx) close() error {
	var errs []error
	for _, s := range t.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}

type scanner interface{ Scan(dest ...any) error }

// failed is a row whose query could not be prepared.
type failed struct{ err error }

func (f failed) Scan(...any) error { return f.err }

// each calls scan for every row, and closes them.
func each(rows *sql.Rows, err error, scan func(scanner) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // after an error or the end, there is nothing left to say
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
