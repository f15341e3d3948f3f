package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// maxShelf is how many files of records are kept for other trees.
const maxShelf = 32

// Shelf keeps the files of records of trees that have ended, empty, for others:
// making a file costs many times what writing to it does. Empty files mean
// nothing to Sweep. Safe for use by many goroutines.
type Shelf struct {
	dir string

	mu     sync.Mutex
	made   int
	free   []*os.File
	closed bool
}

// NewShelf keeps files for trees whose Record is dir.
func NewShelf(dir string) *Shelf { return &Shelf{dir: dir} }

// Close removes the files that are kept. Trees that still run are not forgotten.
func (s *Shelf) Close() error {
	s.mu.Lock()
	free := s.free
	s.free, s.closed = nil, true
	s.mu.Unlock()
	var errs []error
	for _, f := range free {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	return errors.Join(errs...)
}

// put writes a record and returns its file.
func (s *Shelf) put(r record) (*os.File, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	f, err := s.take()
	if err != nil {
		return nil, err
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		return nil, errors.Join(err, s.give(f))
	}
	return f, nil
}

func (s *Shelf) take() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		f := s.free[n-1]
		s.free = s.free[:n-1]
		return f, nil
	}
	for {
		f, err := os.OpenFile(filepath.Join(s.dir, fmt.Sprintf("%d.json", s.made)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := os.MkdirAll(s.dir, 0o700); err != nil {
				return nil, err
			}
			continue
		case errors.Is(err, fs.ErrExist):
			s.made++
			continue
		}
		s.made++
		return f, err
	}
}

// give takes a file back whose record is of no use any more.
func (s *Shelf) give(f *os.File) error {
	err := f.Truncate(0)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && !s.closed && len(s.free) < maxShelf {
		s.free = append(s.free, f)
		return nil
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
