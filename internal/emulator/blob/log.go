package blob

import (
	"crypto/md5"
	"database/sql"
	"errors"
	"hash"
	"io"
	"math"
	"os"
)

// Log is a live blob whose rows its owner writes in transactions of its own, so
// that a short job's log costs no commits besides the job's. Its file can be the
// standard output of a process from the start; readers find the blob when Record
// was committed.
type Log struct {
	*os.File
	s     *Service
	a     address
	w     *write
	r     *record
	files []string // of what the blob was before
}

// NewLog makes the file of a log. The caller records and finishes it.
func (s *Service) NewLog(account, container, name string) (*Log, error) {
	a := address{account, container, name}
	if err := checkBlobName(name); err != nil {
		return nil, a.fault("log", err)
	}
	f, file, err := s.files.create(os.O_RDWR | os.O_APPEND)
	if err != nil {
		return nil, a.fault("log", err)
	}
	l := &Log{File: f, s: s, a: a, w: &write{kind: liveBlob, contentType: "text/plain"}}
	l.w.take(&content{file: file})
	return l, nil
}

// Record makes the blob, in the place of one that was there. Committed is called
// when the transaction is durable.
func (l *Log) Record(tx *sql.Tx) error {
	r := &record{kind: l.w.kind}
	files, err := l.s.replace(tx, l.a, l.w, r)
	if err != nil {
		if l.w.unstaged != nil {
			l.s.known.wait(*l.w.unstaged)
		}
		return l.a.fault("log", err)
	}
	l.r, l.files = r, files
	return nil
}

// Committed says that the transaction of Record is durable.
func (l *Log) Committed() {
	l.s.known.keep(l.a, l.r.container, l.w.epoch)
	l.s.discard(l.files)
	l.files = nil
}

// Close closes the file and gives what fixes the blob's size and hash, in a
// transaction after that of Record or in the same. Nobody may write any more.
func (l *Log) Close() (finish func(tx *sql.Tx) error, err error) {
	sum := md5.New()
	size, err := l.hash(sum)
	if err == nil && l.s.db.Full() {
		err = l.Sync()
	}
	if err := errors.Join(err, l.File.Close()); err != nil {
		return nil, l.a.fault("log", err)
	}
	return func(tx *sql.Tx) error {
		if l.r == nil {
			return l.a.fault("log", errors.New("it was not recorded"))
		}
		_, err := tx.Exec(`UPDATE blobs SET kind = ?, size = ?, md5 = ?, etag = ?, modified = max(modified, ?) WHERE id = ? AND file = ?`,
			appendBlob, size, sum.Sum(nil), l.s.nextETag(), l.s.now().UnixNano(), l.r.id, l.r.file)
		return err
	}, nil
}

// hash reads the log's file.
func (l *Log) hash(sum hash.Hash) (int64, error) {
	info, err := l.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	buf := make([]byte, min(info.Size()+1, 64<<10))
	return io.CopyBuffer(sum, io.NewSectionReader(l, 0, math.MaxInt64), buf)
}
