package blob

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// collector removes files that no row names any more. A file goes when every
// reader that was opened before its row went has been closed, so that who reads a
// blob that is being replaced reads the old one to its end. Its goroutine exists
// only while there is something to remove.
type collector struct {
	ctx    context.Context // ends a sweep
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu      sync.Mutex
	readers map[int64]struct{} // tickets of the open readers
	ticket  int64              // the next one
	waste   []waste
	running bool
	ended   bool
}

// waste is files that may go when the readers before a ticket are gone.
type waste struct {
	ticket int64
	files  []string
}

// enter gives a reader its ticket, to be taken before its row is read.
func (c *collector) enter() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.readers == nil {
		c.readers = map[int64]struct{}{}
	}
	c.ticket++
	c.readers[c.ticket] = struct{}{}
	return c.ticket
}

// leave takes a reader's ticket back.
func (s *Service) leave(ticket int64) {
	c := &s.trash
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.readers, ticket)
	s.startCollecting()
}

// discard removes files, whose rows are gone and which are in blob_garbage, in the
// background.
func (s *Service) discard(files []string) {
	if len(files) == 0 {
		return
	}
	c := &s.trash
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waste = append(c.waste, waste{c.ticket, files})
	s.startCollecting()
}

// startCollecting starts the goroutine when there is work for it. c.mu is held.
func (s *Service) startCollecting() {
	c := &s.trash
	if c.running || c.ended || len(c.waste) == 0 || c.waste[0].ticket >= c.oldest() {
		return
	}
	c.running = true
	c.group.Go(s.collect)
}

// oldest is the smallest ticket of an open reader. c.mu is held.
func (c *collector) oldest() int64 {
	oldest := int64(math.MaxInt64)
	for t := range c.readers {
		oldest = min(oldest, t)
	}
	return oldest
}

// take returns files that may go, and none when the goroutine is to end.
func (c *collector) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var files []string
	oldest := c.oldest()
	for len(c.waste) > 0 && c.waste[0].ticket < oldest && len(files) < 1000 {
		files = append(files, c.waste[0].files...)
		c.waste = c.waste[1:]
	}
	if len(files) == 0 {
		c.running = false
	}
	return files
}

func (s *Service) collect() {
	for files := s.trash.take(); files != nil; files = s.trash.take() {
		var gone []string
		for _, file := range files {
			err := os.Remove(s.path(file))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				// On Windows a process may have the file open. It stays in
				// blob_garbage and goes at the next start.
				s.log.Debug("blob: remove a content", "file", file, "error", err)
				continue
			}
			gone = append(gone, file)
		}
		err := s.db.Update(context.Background(), func(tx *sql.Tx) error {
			for _, file := range gone {
				if _, err := tx.Exec(`DELETE FROM blob_garbage WHERE file = ?`, file); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrClosed) {
			s.log.Warn("blob: forget removed contents", "error", err)
		}
	}
}

// finish lets the goroutines end and starts no more. A sweep that is not done is
// left to the next start.
func (c *collector) finish() {
	c.cancel()
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.group.Wait()
}

// throwAway marks files as named by no row, in the transaction that ends their rows.
func throwAway(tx *sql.Tx, files []string) error {
	for _, file := range files {
		if _, err := tx.Exec(`INSERT INTO blob_garbage (file) VALUES (?) ON CONFLICT DO NOTHING`, file); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what crashed services wrote and did not come to name.
func (s *Service) sweep(generations []int64) {
	if len(generations) == 0 {
		return
	}
	s.trash.group.Go(func() {
		err := s.sweepGenerations(generations)
		if err != nil && !errors.Is(err, store.ErrClosed) && !errors.Is(err, context.Canceled) {
			s.log.Warn("blob: look for contents left by a crash", "error", err)
		}
	})
}

func (s *Service) sweepGenerations(generations []int64) error {
	named := map[string]bool{}
	err := s.db.View(s.trash.ctx, func(tx *sql.Tx) error {
		files, err := column[string](tx, `SELECT file FROM blobs WHERE file <> '' UNION ALL SELECT file FROM blob_segments
			UNION ALL SELECT file FROM blob_blocks UNION ALL SELECT file FROM blob_garbage`)
		for _, file := range files {
			named[file] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, generation := range generations {
		if err := s.sweepGeneration(generation, named); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) sweepGeneration(generation int64, named map[string]bool) error {
	root := strconv.FormatInt(generation, 36)
	err := filepath.WalkDir(s.path(root), func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return errors.Join(err, s.trash.ctx.Err())
		}
		rel, err := filepath.Rel(s.dir, p)
		if err != nil {
			return err
		}
		if file := filepath.ToSlash(rel); !named[file] && strings.HasPrefix(file, path.Clean(root)+"/") {
			// The collector may have been there first.
			if err := os.Remove(p); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.db.Update(s.trash.ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM blob_generations WHERE id = ?`, generation)
		return err
	})
}
