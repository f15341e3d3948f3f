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
	turn chan turn  // whoever leads gives the transaction
	ran  chan error // the caller says how f ended
	done chan error // whoever leads says how the commit, or the rollback, ended
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
	case d.lead <- struct{}{}: // nobody writes: this caller does, and for those who come meanwhile
		return d.commit(u, f)
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

// run gives the transaction back to the caller who leads, however f ends.
func (u *update) run(tx *sql.Tx, f func(tx *sql.Tx) error) error {
	err := errAborted
	defer func() { u.ran <- err }()
	err = f(tx)
	return err
}

// commit runs one batch of updates in one transaction: the caller's own, f, and
// those that wait for it. The caller holds d.lead, which is given up here.
func (d *DB) commit(own *update, f func(tx *sql.Tx) error) (err error) {
	b := &batch{db: d}
	defer func() { <-d.lead }()
	begin := time.Now()
	if err := b.own(own, f); err != nil {
		return err
	}
	for n := 1; n < batchUpdates && time.Since(begin) < batchTime; n++ {
		u := d.waiting()
		if u == nil {
			break
		}
		if !b.add(u) {
			return <-own.done
		}
	}
	b.end()
	return <-own.done
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

// own runs the update of the caller who leads, which is the first one and needs
// no savepoint: undoing it is undoing everything.
func (b *batch) own(u *update, f func(tx *sql.Tx) error) error {
	tx, err := b.db.writers.BeginTx(context.Background(), nil)
	if err != nil {
		return fmt.Errorf("store: update: %w", err)
	}
	kept := false
	slow := b.slow()
	defer func() {
		slow.Stop()
		if kept {
			return
		}
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			b.db.log.Warn("store: roll back", "error", err)
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	kept = true
	b.tx, b.members = tx, []*update{u}
	return nil
}

func (b *batch) slow() *time.Timer {
	return time.AfterFunc(slowUpdate, func() {
		b.db.log.Warn("store: an update keeps the others waiting", "for", slowUpdate)
	})
}

// add runs the update of somebody who waits. It reports false when the whole
// batch had to be given up.
func (b *batch) add(u *update) bool {
	if err := b.exec("SAVEPOINT one"); err != nil {
		u.turn <- turn{err: err}
		return b.fail(err)
	}
	u.turn <- turn{tx: b.tx}
	slow := b.slow()
	failed := <-u.ran
	slow.Stop()
	b.members = append(b.members, u)
	if failed == nil {
		if err := b.exec("RELEASE one"); err != nil {
			return b.fail(err)
		}
		return true
	}
	// Why it failed may be what the others did ("it is there already"): nobody is told before that can be seen.
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
