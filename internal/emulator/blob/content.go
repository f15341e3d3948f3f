package blob

import (
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/minio/crc64nvme"
)

// inlineLimit is the largest content, in bytes, that is kept in its row: a file
// for each of many small ones costs more than the row.
const inlineLimit = 8 << 10

// folder hands out files. Each opening of the service has its own subfolder, so
// that what a crash left unnamed is looked for there only.
type folder struct {
	dir        string
	generation int64
	sync       bool // contents reach the disk before their rows
	next       atomic.Int64
	mu         sync.Mutex // guards shard, the last folder that was made
	shard      string
}

// filesPerShard keeps folders small enough for every file system.
const filesPerShard = 1024

// name returns a name that no file has, in a folder that is there.
func (f *folder) name() (string, error) {
	n := f.next.Add(1) - 1
	shard := strconv.FormatInt(f.generation, 36) + "/" + strconv.FormatInt(n/filesPerShard, 36)
	return shard + "/" + strconv.FormatInt(n%filesPerShard, 36), f.makeShard(shard)
}

// create makes a file and returns it with its name in rows.
func (f *folder) create(flag int) (*os.File, string, error) {
	name, err := f.name()
	if err != nil {
		return nil, "", err
	}
	file, err := os.OpenFile(filepath.Join(f.dir, filepath.FromSlash(name)), flag|os.O_CREATE|os.O_EXCL, 0o600)
	return file, name, err
}

func (f *folder) makeShard(shard string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.shard == shard {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(f.dir, filepath.FromSlash(shard)), 0o700); err != nil {
		return err
	}
	f.shard = shard
	return nil
}

// keep ends the writing of a file: it is closed, and on the disk when asked.
func (f *folder) keep(file *os.File, name string) error {
	if !f.sync {
		return file.Close()
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return syncFolder(filepath.Join(f.dir, filepath.FromSlash(path.Dir(name))))
}

// content is bytes that were received and that no row names yet.
type content struct {
	data []byte // when file is empty
	file string
	size int64
	md5  []byte // nil unless asked for
	crc  uint64 // 0 unless asked for
}

func (c *content) place() place {
	if c.file == "" {
		return inRow
	}
	return inFile
}

// intake says how bytes are to be received.
type intake struct {
	length   int64 // -1 when it is not known
	md5, crc bool  // to be computed
	file     bool  // even if small
	inline   int64 // the most bytes that are not to be a file, defaults to inlineLimit
	full     error // what writing fails with, when it is to fail
}

// buffers are for moving large contents.
var buffers = sync.Pool{New: func() any { b := make([]byte, 512<<10); return &b }}

// receive reads all of r into a row's bytes or a file, hashing on the way. When it
// fails it leaves nothing.
func (s *Service) receive(r io.Reader, in intake) (*content, error) {
	c := &content{}
	sums := &sums{}
	if in.md5 {
		sums.md5 = md5.New()
	}
	if in.crc {
		sums.crc = crc64nvme.New()
	}
	var head []byte
	if in.inline == 0 {
		in.inline = inlineLimit
	}
	if !in.file && in.length <= in.inline {
		limit := in.length
		if limit < 0 {
			limit = in.inline + 1
		}
		head = make([]byte, limit)
		n, err := io.ReadFull(r, head)
		switch {
		case err == nil && in.length < 0: // there may be more
		case in.full != nil:
			return nil, in.full
		case err == nil, in.length < 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			c.data = head[:n]
			sums.add(c.data)
			c.size = int64(n)
			sums.end(c)
			return c, nil
		default:
			return nil, short(err)
		}
	}
	file, name, err := s.files.create(os.O_WRONLY)
	if err != nil {
		return nil, err
	}
	c.file = name
	if err := s.fill(file, c, head, r, in, sums); err != nil {
		// The first error is the one to tell; what stays is removed at the next start.
		_ = file.Close()
		_ = os.Remove(file.Name())
		return nil, err
	}
	return c, nil
}

// fill writes head and then r to the file and ends it.
func (s *Service) fill(file *os.File, c *content, head []byte, r io.Reader, in intake, sums *sums) error {
	if len(head) > 0 {
		sums.add(head)
		if _, err := file.Write(head); err != nil {
			return err
		}
		c.size = int64(len(head))
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	for {
		n, err := readSome(r, *buffer)
		if n > 0 {
			sums.add((*buffer)[:n])
			if _, err := file.Write((*buffer)[:n]); err != nil {
				return err
			}
			if in.full != nil {
				return in.full
			}
			c.size += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return short(err)
		}
	}
	if in.length >= 0 && c.size != in.length {
		return fmt.Errorf("received %d of %d bytes: %w", c.size, in.length, io.ErrUnexpectedEOF)
	}
	sums.end(c)
	return s.files.keep(file, c.file)
}

// readSome fills the buffer as far as the reader gives, so that small reads of a
// network do not become small writes of a file. io.EOF ends the content.
func readSome(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// short gives the early end of a content its name.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// drop removes the file of a content that no row came to name.
func (s *Service) drop(c *content) {
	if c.file != "" {
		s.dropFiles([]string{c.file})
	}
}

func (s *Service) dropFiles(files []string) {
	for _, file := range files {
		if err := os.Remove(s.path(file)); err != nil {
			s.log.Warn("blob: remove a content that was not kept", "file", file, "error", err)
		}
	}
}

// sums are the hashes that are being computed.
type sums struct {
	md5 hash.Hash
	crc hash.Hash64
}

func (s *sums) add(b []byte) {
	// Hashes do not fail.
	if s.md5 != nil {
		_, _ = s.md5.Write(b)
	}
	if s.crc != nil {
		_, _ = s.crc.Write(b)
	}
}

func (s *sums) end(c *content) {
	if s.md5 != nil {
		c.md5 = s.md5.Sum(nil)
	}
	if s.crc != nil {
		c.crc = s.crc.Sum64()
	}
}
