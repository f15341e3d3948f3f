//go:build !unix

package assets

import (
	"io"
	"io/fs"
	"os"
)

func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), modified: info.ModTime().UnixNano()}
}

// readInto reads a file into data, which has room for one byte more than the file had.
func readInto(f *File, data []byte) (int, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return 0, err
	}
	defer in.Close() //nolint:errcheck // read only
	n, err := io.ReadFull(in, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return 0, err
	}
	if int64(n) != f.Size {
		return 0, changed(f, int64(n))
	}
	return n, stillSame(in, f)
}
