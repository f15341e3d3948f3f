package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// fileName is the database's name inside the workspace's folder.
const fileName = "state.db"

// ErrClosed is returned by calls on a store that was closed.
var ErrClosed = errors.New("store: closed")

// ErrNotFound is returned for a document that is not there.
var ErrNotFound = errors.New("store: not found")

// Options says where and how a store is opened.
type Options struct {
	// Dir is the folder that holds the database. It is made, with mode 0700, if
	// it is not there.
	Dir string
	// Full makes commits survive the loss of power (a sync of the disk for each
	// commit). Defaults to false: commits survive the end of the process.
	Full bool
	// Logger takes warnings. Defaults to none.
	Logger *slog.Logger
}

// DB is an open store. Its methods may be called concurrently.
type DB struct {
	dir     string
	full    bool
	log     *slog.Logger
	lock    *lock
	writers *sql.DB // holds one connection
	readers *sql.DB
	lead    chan struct{} // held by the caller who writes
	queue   chan *update  // of callers who wait for one who does

	mu       sync.RWMutex // guards closed against views and updates that begin
	closed   bool
	active   sync.WaitGroup // calls under way
	stopped  chan struct{}  // closed when the store is
	closeErr error
}

// Open opens the store in o.Dir, and makes it when it is not there. Errors: a
// *LockedError when another process, or this one, has it open.
func Open(o Options) (*DB, error) {
	if o.Dir == "" {
		return nil, errors.New("store: open: Options.Dir is empty")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("store: open %q: %w", o.Dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: open %q: %w", dir, err)
	}
	l, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	d := &DB{
		dir: dir, full: o.Full, log: o.Logger, lock: l,
		lead: make(chan struct{}, 1), queue: make(chan *update), stopped: make(chan struct{}),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := d.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open %q: %w", dir, err), d.shut())
	}
	if err := d.Migrate("documents", documentSteps...); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// open makes the database's file, for the owner's eyes only, and both pools.
func (d *DB) open() error {
	file := filepath.Join(d.dir, fileName)
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) // SQLite gives its other files the mode of this one
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	synchronous := "synchronous(NORMAL)"
	if d.full {
		synchronous = "synchronous(FULL)"
	}
	writers, err := connector(file, false, "busy_timeout(10000)", synchronous, "journal_mode(WAL)", "fullfsync(1)",
		"wal_autocheckpoint(4000)", "journal_size_limit(67108864)", "foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-8000)")
	if err != nil {
		return err
	}
	readers, err := connector(file, true, "busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-1000)")
	if err != nil {
		return err
	}
	d.writers = sql.OpenDB(writers)
	d.writers.SetMaxOpenConns(1)
	// Readers are not limited: a view inside a view would otherwise deadlock once
	// as many outer ones as there are connections were open.
	d.readers = sql.OpenDB(readers)
	d.readers.SetMaxIdleConns(8)
	_, err = d.writers.Exec(`CREATE TABLE IF NOT EXISTS migrations (component TEXT PRIMARY KEY, steps INTEGER NOT NULL) WITHOUT ROWID`)
	return err
}

// connector makes a connector to the SQLite file whose connections run the pragmas.
func connector(file string, readOnly bool, pragmas ...string) (*cachingConnector, error) {
	p := filepath.ToSlash(file)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a drive letter on Windows
	}
	q := url.Values{"_pragma": pragmas}
	if !readOnly {
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Path: p, RawQuery: q.Encode()}
	c, err := sqlite.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	return &cachingConnector{Connector: c, uninterrupted: !readOnly}, nil
}

// Dir is the folder that the store was opened in, absolute.
func (d *DB) Dir() string { return d.dir }

// Full tells whether commits survive the loss of power.
func (d *DB) Full() bool { return d.full }

// enter counts a call in, so that Close waits for it.
func (d *DB) enter() error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return ErrClosed
	}
	d.active.Add(1)
	return nil
}

// View runs f in a read transaction: all that it reads is of one moment. Views
// do not wait for updates, nor for each other. f's error is returned as it is.
func (d *DB) View(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.active.Done()
	tx, err := d.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("store: view: %w", err)
	}
	// A read transaction has nothing to keep, and nothing that its end could lose.
	defer func() { _ = tx.Rollback() }()
	return f(tx)
}

// Close waits for the calls under way and gives up the lock.
// Further calls return ErrClosed; closing twice is not an error.
func (d *DB) Close() error {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	d.mu.Unlock()
	if !first {
		<-d.stopped
		return d.closeErr
	}
	d.active.Wait()
	d.closeErr = d.shut()
	close(d.stopped)
	return d.closeErr
}

// shut closes what open opened. The writer's connection is the last one, whose
// end moves the write-ahead log into the database.
func (d *DB) shut() error {
	var errs []error
	for _, c := range []io.Closer{closer(d.readers), closer(d.writers), d.lock} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// closer keeps a nil pool from becoming a non-nil interface.
func closer(p *sql.DB) io.Closer {
	if p == nil {
		return nil
	}
	return p
}
