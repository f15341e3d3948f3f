package tracking

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// Options are the store's settings.
type Options struct {
	// Clock is the time of what the service dates itself. Defaults to time.Now.
	Clock func() time.Time
	// Logger takes warnings. Defaults to none.
	Logger *slog.Logger
	// Account tells where a workspace's artifacts are: the storage account and the
	// container. Defaults to account "mlflow", container "artifacts".
	Account func(ws string) (account, container string)
	// OnRun is told when a run's status has changed, after the change is durable.
	OnRun func(ws, run, status string)
	// Registry is the other list of models, which is kept the same. Defaults to none.
	Registry Registry
}

// Store keeps the tracking of all workspaces of a folder. A workspace is told by
// its key, which is any text. Methods may be called concurrently.
type Store struct {
	db    *store.DB
	blobs *blob.Service
	opts  Options

	spaces  sync.Map // workspace key → int64, once durable
	keys    keyCache
	tail    tail
	watch   watchers
	uploads uploads
}

// New opens the store's part of the folder.
func New(db *store.DB, blobs *blob.Service, o *Options) (*Store, error) {
	s := &Store{db: db, blobs: blobs}
	if o != nil {
		s.opts = *o
	}
	if s.opts.Clock == nil {
		s.opts.Clock = time.Now
	}
	if s.opts.Logger == nil {
		s.opts.Logger = slog.New(slog.DiscardHandler)
	}
	if s.opts.Account == nil {
		s.opts.Account = func(string) (string, string) { return "mlflow", "artifacts" }
	}
	if err := db.Migrate("tracking", schema, evaluationSchema); err != nil {
		return nil, err
	}
	if err := s.loadTail(); err != nil {
		return nil, err
	}
	return s, s.forgetUploads(context.Background())
}

// forgetUploads removes the parts of uploads that were under way when the process
// ended.
func (s *Store) forgetUploads(ctx context.Context) error {
	var keys []string
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		return eachRow(tx, `SELECT key FROM tracking_spaces`, nil, func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			keys = append(keys, key)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, ws := range keys {
		account, container := s.opts.Account(ws)
		if _, err := s.blobs.DeletePrefix(ctx, account, container, uploadFolder); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

// Close ends the work in the background. What was acknowledged is durable without
// it; it is to be called before the database is closed.
func (s *Store) Close() error {
	s.tail.stop()
	return nil
}

// now is the time in milliseconds.
func (s *Store) now() int64 { return s.opts.Clock().UnixMilli() }

// space is the number of a workspace. It is made, with its experiment 0, when it
// is not there.
func (s *Store) space(ctx context.Context, ws string) (int64, error) {
	if id, ok := s.spaces.Load(ws); ok {
		return id.(int64), nil
	}
	var id int64
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT id FROM tracking_spaces WHERE key = ?`, ws).Scan(&id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		err = s.db.Update(ctx, func(tx *sql.Tx) (err error) {
			id, err = s.spaceTx(tx, ws)
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	s.spaces.Store(ws, id)
	return id, nil
}

// spaceTx is space inside a transaction that writes.
func (s *Store) spaceTx(tx *sql.Tx, ws string) (int64, error) {
	if id, ok := s.spaces.Load(ws); ok {
		return id.(int64), nil
	}
	var id int64
	err := tx.QueryRow(`SELECT id FROM tracking_spaces WHERE key = ?`, ws).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	r, err := tx.Exec(`INSERT INTO tracking_spaces (key) VALUES (?)`, ws)
	if err != nil {
		return 0, err
	}
	if id, err = r.LastInsertId(); err != nil {
		return 0, err
	}
	_, err = s.insertExperiment(tx, id, "Default", "", nil)
	return id, err
}

// read runs f in a snapshot, with the workspace's number.
func (s *Store) read(ctx context.Context, ws string, f func(tx *sql.Tx, space int64) error) error {
	id, err := s.space(ctx, ws)
	if err != nil {
		return err
	}
	return s.db.View(ctx, func(tx *sql.Tx) error { return f(tx, id) })
}

// write runs f in a transaction, with the workspace's number.
func (s *Store) write(ctx context.Context, ws string, f func(tx *sql.Tx, space int64) error) error {
	id, err := s.space(ctx, ws)
	if err != nil {
		return err
	}
	return s.db.Update(ctx, func(tx *sql.Tx) error { return f(tx, id) })
}
