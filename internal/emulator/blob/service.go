package blob

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// Options are the service's settings.
type Options struct {
	// Clock is the time that SAS expire by and that blobs carry. Defaults to time.Now.
	Clock func() time.Time
	// Logger takes warnings. Defaults to none.
	Logger *slog.Logger
}

// Service is the blob service over one folder. It is an http.Handler.
type Service struct {
	db    *store.DB
	dir   string
	clock func() time.Time
	log   *slog.Logger
	keys  sync.Map // account name → string
	etags atomic.Int64
	// shares holds ACCOUNT/CONTAINER of what was made as a share.
	shares sync.Map
	// ensured holds ACCOUNT/CONTAINER of what EnsureContainer found or made.
	ensured sync.Map
	known   known
	group   group
	files   folder
	trash   collector
	// growing serialises the writers of one append blob.
	growing [64]sync.Mutex
}

// New opens the service whose contents are in dir and whose rows are in db. Live
// blobs that an earlier process left are finished, and contents that it did not
// come to name are removed, the latter in the background. Only one service may be
// open on a folder; the store's lock sees to that.
func New(db *store.DB, dir string, o *Options) (*Service, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Service{db: db, dir: dir, clock: o.Clock, log: o.Logger}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.trash.ctx, s.trash.cancel = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		s.trash.cancel()
		return nil, fmt.Errorf("blob: open %q: %w", dir, err)
	}
	return s, nil
}

func (s *Service) open() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.db.Migrate("blob", steps...); err != nil {
		return err
	}
	var unclean []int64
	var garbage []string
	var generation int64
	err := s.db.Update(context.Background(), func(tx *sql.Tx) error {
		var err error
		if unclean, err = column[int64](tx, `SELECT id FROM blob_generations`); err != nil {
			return err
		}
		if err := s.dropOldBlocks(tx); err != nil {
			return err
		}
		if err := s.known.load(tx); err != nil {
			return err
		}
		if garbage, err = column[string](tx, `SELECT file FROM blob_garbage`); err != nil {
			return err
		}
		if err := s.finishLeftovers(tx); err != nil {
			return err
		}
		if err := s.knowShares(tx); err != nil {
			return err
		}
		return tx.QueryRow(`INSERT INTO blob_generations DEFAULT VALUES RETURNING id`).Scan(&generation)
	})
	if err != nil {
		return err
	}
	s.files.dir, s.files.generation, s.files.sync = s.dir, generation, s.db.Full()
	s.discard(garbage)
	s.sweep(unclean)
	return nil
}

// Close waits for the removal of contents that are no longer named. It is to be
// called when no call is under way and before the store is closed; without it the
// next start looks for what a crash would have left.
func (s *Service) Close() error {
	s.trash.finish()
	err := s.db.Update(context.Background(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM blob_generations WHERE id = ?`, s.files.generation)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		return fmt.Errorf("blob: close: %w", err)
	}
	return nil
}

// now is the time that goes into rows.
func (s *Service) now() time.Time { return s.clock().UTC() }

// nextETag returns a number that no blob ever had, from the machine's clock and
// not from Options.Clock, which tests may hold still.
func (s *Service) nextETag() int64 {
	for {
		last := s.etags.Load()
		next := max(time.Now().UnixNano(), last+1)
		if s.etags.CompareAndSwap(last, next) {
			return next
		}
	}
}

// path is where a file named in a row is.
func (s *Service) path(file string) string { return filepath.Join(s.dir, filepath.FromSlash(file)) }

// column reads a query's one column.
func column[T any](tx *sql.Tx, query string, args ...any) ([]T, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
