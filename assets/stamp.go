package assets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A stamp is what a file system says of a file. A file whose stamp is the same has not changed, unless it was written again
// within the grain of its clock.
type stamp struct {
	size     int64
	modified int64  // nanoseconds since 1970
	changed  int64  // of its metadata; 0 where the system does not say
	inode    uint64 // 0 where the system does not say
}

// same says whether the content can be the same. The time of the metadata does not count: a chmod changes no content.
func (s stamp) same(o stamp) bool {
	return s.size == o.size && s.modified == o.modified && s.inode == o.inode
}

// A ChangedError says that a file changed between the walk and the end of its reading.
type ChangedError struct {
	Path string
	Was  int64 // bytes
	Now  int64
}

func (e *ChangedError) Error() string {
	if e.Was == e.Now {
		return fmt.Sprintf("%s changed while it was read: it was written again", e.Path)
	}
	return fmt.Sprintf("%s changed while it was read: it had %d bytes, and now %d", e.Path, e.Was, e.Now)
}

func changed(f *File, n int64) error { return &ChangedError{Path: f.Path, Was: f.Size, Now: n} }

// openSame opens a file that is still as the walk saw it.
func openSame(f *File) (*os.File, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	if err := stillSame(in, f); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// stillSame compares an open file with what the walk saw.
func stillSame(in *os.File, f *File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if now := stampOf(info); !now.same(f.stamp()) {
		return changed(f, now.size)
	}
	return nil
}

func (f *File) stamp() stamp {
	return stamp{size: f.Size, modified: f.Modified.UnixNano(), changed: f.changed, inode: f.inode}
}

func (f *File) stamped(info fs.FileInfo) {
	s := stampOf(info)
	f.Size, f.Mode, f.Modified, f.changed, f.inode = s.size, info.Mode(), info.ModTime(), s.changed, s.inode
}

// readWhole gives the content of a file that is as the walk saw it.
func readWhole(f *File) ([]byte, error) {
	data := make([]byte, f.Size+1) // one more shows that it grew
	n, err := readInto(f, data)
	if err != nil {
		return nil, err
	}
	return data[:n], nil
}
