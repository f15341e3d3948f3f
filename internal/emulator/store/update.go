package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// One commit takes at most this many updates, and takes no more once it has run
// for this long, so that no caller waits long for the others.
const (
	batchUpdates = 512
	batchTime    = 20 * time.Millisecond
)

// slowUpdate is how long one update may run before a warning: the writer stands
// still meanwhile, and an update that waits for another never ends.
const slowUpdate = 5 * time.Second

// errAborted says that f did not return: it panicked, or ended its goroutine.
var errAborted = errors.New("store: update: aborted")

// update is one call of Update on its way through the writer.
type update struct {
	turn chan turn  // the writer gives the transaction
	ran  chan error // the caller says how f ended
	done chan error // the writer says how the commit, or the rollback, ended
}

type turn struct {
	tx  *sql.Tx
	err error
}

// Update runs f in a write transaction and returns when what it did is durable.
// Updates run one after the other; those that wait share the next commit. An
// error of f undoes what f did and nothing else, and is returned as it is, once
// what f may have seen of others is durable. The
// context is honoured until f begins; statements are not interrupted, as SQLite
// would give up the neighbours' changes with them.
//
// f runs on the caller's goroutine.
func (d *DB) Update(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	defer d.active.Done()
	u := &update{turn: make(chan turn, 1), ran: make(chan error, 1), done: make(chan error, 1)}
	select {
	case d.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	}
	t := <-u.turn
	if t.err != nil {
		return t.err
	}
	failed := u.run(t.tx, f)
	if err := <-u.done; err != nil {
		return err
	}
	return failed
}

// run gives the transaction back to the writer however f ends.
func (u *update) run(tx *sql.Tx, f func(tx *sql.Tx) error) error {
	err := errAborted
	defer func() { u.ran <- err }()
	err = f(tx)
	return err
}

// write is the writer goroutine.
func (d *DB) write() {
	defer close(d.stopped)
	for {
		select {
		case u := <-d.queue:
			d.commit(u)
		case <-d.stop:
			return
		}
	}
}

// commit runs one batch of updates, the first of which is u, in one transaction.
func (d *DB) commit(u *update) {
	b := &batch{db: d}
	begin := time.Now()
	for n := 1; u != nil; n++ {
		if !b.add(u) {
			return
		}
		if u = nil; n < batchUpdates && time.Since(begin) < batchTime {
			u = d.waiting()
		}
	}
	b.end()
}

// waiting returns an update that waits for the writer, if there is one.
func (d *DB) waiting() *update {
	select {
	case u := <-d.queue:
		return u
	default:
	}
	runtime.Gosched() // callers that were just answered may be about to ask again
	select {
	case u := <-d.queue:
		return u
	default:
		return nil
	}
}

// batch is the transaction that updates share.
type batch struct {
	db      *DB
	tx      *sql.Tx
	members []*update // wait for the commit
}

// add runs one update. It reports false when the whole batch had to be given up.
func (b *batch) add(u *update) bool {
	if b.tx == nil {
		tx, err := b.db.writers.BeginTx(context.Background(), nil)
		if err != nil {
			u.turn <- turn{err: fmt.Errorf("store: update: %w", err)}
			return true
		}
		b.tx = tx
	}
	// The first update needs no savepoint: undoing it is undoing everything.
	nested := len(b.members) > 0
	if nested {
		if err := b.exec("SAVEPOINT one"); err != nil {
			u.turn <- turn{err: err}
			return b.fail(err)
		}
	}
	u.turn <- turn{tx: b.tx}
	slow := time.AfterFunc(slowUpdate, func() {
		b.db.log.Warn("store: an update keeps the writer waiting", "for", slowUpdate)
	})
	failed := <-u.ran
	slow.Stop()
	if failed == nil {
		b.members = append(b.members, u)
		if nested {
			if err := b.exec("RELEASE one"); err != nil {
				return b.fail(err)
			}
		}
		return true
	}
	if !nested {
		defer func() { u.done <- nil }()
		err := b.tx.Rollback()
		b.tx = nil
		if err != nil && !errors.Is(err, sql.ErrTxDone) {
			b.db.log.Warn("store: roll back", "error", err)
		}
		return true
	}
	// Why it failed may be what the others did ("it is there already"): nobody is told before that can be seen.
	b.members = append(b.members, u)
	if err := errors.Join(b.exec("ROLLBACK TO one"), b.exec("RELEASE one")); err != nil {
		return b.fail(err)
	}
	return true
}

// exec runs one statement of the batch's own.
func (b *batch) exec(q string) error {
	if _, err := b.tx.Exec(q); err != nil {
		return fmt.Errorf("store: update: %s: %w", q, err)
	}
	return nil
}

// fail gives the batch up: SQLite ended the transaction by itself (a full disk,
// an I/O error), and nothing in it was kept.
func (b *batch) fail(err error) bool {
	// The error that ended the transaction is the one to tell.
	_ = b.tx.Rollback()
	b.answer(fmt.Errorf("store: update: not kept: %w", err))
	return false
}

// end commits and tells everybody.
func (b *batch) end() {
	if b.tx == nil {
		return
	}
	err := b.tx.Commit()
	if err != nil {
		err = fmt.Errorf("store: update: not kept: %w", err)
	}
	b.answer(err)
}

func (b *batch) answer(err error) {
	for _, u := range b.members {
		u.done <- err
	}
	b.tx, b.members = nil, nil
}
