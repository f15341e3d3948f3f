package assets

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func stampOf(info fs.FileInfo) stamp {
	s := stamp{size: info.Size(), modified: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.changed, s.inode = st.Ctim.Nano(), st.Ino
	}
	return s
}

func rawStamp(st *unix.Stat_t) stamp {
	return stamp{size: st.Size, modified: st.Mtim.Nano(), changed: st.Ctim.Nano(), inode: st.Ino}
}

// look asks for the attributes of an entry of an open folder, which saves the system looking up the folder's path again.
func (f *File) look(in *os.File, de fs.DirEntry) error {
	var st unix.Stat_t
	if _, err := retried(func() (int, error) {
		return 0, unix.Fstatat(int(in.Fd()), de.Name(), &st, unix.AT_SYMLINK_NOFOLLOW)
	}); err != nil {
		return &fs.PathError{Op: "lstat", Path: f.Path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG { // it was a file a moment ago
		return &ChangedError{Path: f.Path}
	}
	s := rawStamp(&st)
	f.Size, f.Mode, f.Modified = s.size, fs.FileMode(st.Mode&0o777), time.Unix(st.Mtim.Unix())
	f.changed, f.inode = s.changed, s.inode
	return nil
}
