package mlflow

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// spool is the file that holds a logger's values until they are acknowledged. It is text: a line that
// says whose values these are, a line with how many bytes of the rest are acknowledged, and one JSON
// object per value as log-batch takes it. While a process has it open it is locked; what is left of a
// process that died has no lock, and Replay sends it.
type spool struct {
	f    *os.File
	path string
	head spoolHead
	mark int64 // where the acknowledged count stands in the file
	data int64 // where the values begin
}

type spoolHead struct {
	Version int       `json:"mlflow_spool"`
	URI     string    `json:"uri"`
	RunID   string    `json:"run_id"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

const (
	spoolVersion = 1
	spoolSuffix  = ".spool"
	markWidth    = 20
)

var errSpoolBusy = errors.New("its process is still running")

// newSpool makes a file in dir, open to this user only.
func newSpool(dir, uri, run string, now time.Time) (*spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '_'
	}, run)
	f, err := os.CreateTemp(dir, fmt.Sprintf("%.60s-%d-*%s", name, os.Getpid(), spoolSuffix))
	if err != nil {
		return nil, err
	}
	s := &spool{f: f, path: f.Name(), head: spoolHead{Version: spoolVersion, URI: uri, RunID: run, PID: os.Getpid(), Started: now.UTC()}}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return s, nil
}

func (s *spool) begin() error {
	if err := lockFile(s.f); err != nil {
		return fmt.Errorf("lock %s: %w", s.path, err)
	}
	head, err := json.Marshal(s.head)
	if err != nil {
		return err
	}
	head = append(head, '\n')
	s.mark = int64(len(head)) + int64(len("acknowledged="))
	head = fmt.Appendf(head, "acknowledged=%0*d\n", markWidth, 0)
	s.data = int64(len(head))
	_, err = s.f.WriteAt(head, 0)
	return err
}

// write puts lines at a position of the stream of values. What a failed write left is overwritten by
// the next.
func (s *spool) write(lines []byte, at int64) error {
	_, err := s.f.WriteAt(lines, s.data+at)
	return err
}

// read gives whole lines from a position, at most count of them and not beyond end.
func (s *spool) read(at, end int64, count int) ([]byte, error) {
	size := min(end-at, 128<<10)
	for {
		b := make([]byte, size)
		n, err := s.f.ReadAt(b, s.data+at)
		if err != nil && !(errors.Is(err, io.EOF) && n > 0) {
			return nil, err
		}
		if lines := firstLines(b[:n], count); len(lines) > 0 {
			return lines, nil
		}
		if size == end-at {
			return nil, io.ErrUnexpectedEOF
		}
		size = min(size*2, end-at)
	}
}

// acknowledge notes that the server has all values before a position.
func (s *spool) acknowledge(at int64) error {
	_, err := s.f.WriteAt(fmt.Appendf(nil, "%0*d", markWidth, at), s.mark)
	return err
}

// empty starts the stream anew once all of it is acknowledged. First the values go, then the mark: a
// crash between the two leaves a mark behind the end, which says the same.
func (s *spool) empty() error {
	if err := s.f.Truncate(s.data); err != nil {
		return err
	}
	return s.acknowledge(0)
}

func (s *spool) remove() error { return join(s.f.Close(), os.Remove(s.path)) }
func (s *spool) close() error  { return s.f.Close() }

// openSpool opens what a process left behind, locks it, and gives the position after the acknowledged
// values and the end of the last whole line.
func openSpool(path string) (s *spool, acknowledged, end int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, 0, 0, err
	}
	fail := func(err error) (*spool, int64, int64, error) {
		return nil, 0, 0, errors.Join(fmt.Errorf("%s: %w", filepath.Base(path), err), f.Close())
	}
	if err := lockFile(f); err != nil {
		return fail(errSpoolBusy)
	}
	s = &spool{f: f, path: path}
	r := bufio.NewReader(f)
	first, err := r.ReadBytes('\n')
	if err != nil {
		return fail(fmt.Errorf("no spool: %w", err))
	}
	if err := json.Unmarshal(first, &s.head); err != nil || s.head.Version != spoolVersion || s.head.RunID == "" {
		return fail(errors.New("no spool of this version"))
	}
	second, err := r.ReadBytes('\n')
	if err != nil {
		return fail(fmt.Errorf("no spool: %w", err))
	}
	if _, err := fmt.Sscanf(string(second), "acknowledged=%d\n", &acknowledged); err != nil || acknowledged < 0 || len(second) != len("acknowledged=")+markWidth+1 {
		return fail(errors.New("its second line does not say what is acknowledged"))
	}
	s.mark = int64(len(first) + len("acknowledged="))
	s.data = int64(len(first) + len(second))
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if end, err = lastLine(f, s.data, info.Size()); err != nil {
		return fail(err)
	}
	if end -= s.data; acknowledged > end {
		acknowledged = end
	}
	return s, acknowledged, end, nil
}

// lastLine gives the position after the last newline: a crash may have torn what follows it.
func lastLine(f *os.File, from, to int64) (int64, error) {
	b := make([]byte, 64<<10)
	for to > from {
		start := max(from, to-int64(len(b)))
		chunk := b[:to-start]
		if _, err := f.ReadAt(chunk, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(chunk, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		to = start
	}
	return from, nil
}

// firstLines gives the first count whole lines of b, newlines included.
func firstLines(b []byte, count int) []byte {
	end := 0
	for range count {
		i := bytes.IndexByte(b[end:], '\n')
		if i < 0 {
			break
		}
		end += i + 1
	}
	return b[:end]
}
