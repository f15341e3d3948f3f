package assets

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
)

// A part is a file that is not whole yet. That of a large file can be gone on with: behind the content it says what it is to
// become, and for each piece that came its MD5. A process that dies leaves what it had.
type part struct {
	*os.File
	temp   string
	size   int64
	done   []atomic.Bool // nil when it cannot be gone on with
	spoilt bool
}

// title is what a part is to become: another file of the same name, or the same with other content, has another.
func (b *box) title(r *remote) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", b.blobURL(r.name), r.etag, r.size, pieceSize))
}

// resume opens the part of a file, of a large one with what came of it before. It gives nil when somebody else is at work on it.
// The name is the same each time, so that the part of a program that died is found, and is gone in the end.
func (w *downloader) resume(ctx context.Context, r *remote, rel string) (*part, error) {
	key := sha256.Sum256([]byte(w.box.blobURL(r.name) + "\n" + rel))
	temp := filepath.FromSlash(path.Join(path.Dir(rel), ".azureml-"+hex.EncodeToString(key[:8])+".part"))
	f, err := w.root.OpenFile(temp, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if !w.own(f, temp) {
		return nil, f.Close()
	}
	if r.size < resumable*pieceSize {
		if err := f.Truncate(0); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &part{File: f, temp: temp}, nil
	}
	p := &part{File: f, temp: temp, size: r.size, done: make([]atomic.Bool, (r.size+pieceSize-1)/pieceSize)}
	title := w.box.title(r)
	var was [sha256.Size]byte
	if n, err := f.ReadAt(was[:], r.size); n == len(was) && (err == nil || n > 0) && was == title {
		return p, p.recall(ctx)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(title[:], r.size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// own locks a file that still has its name.
func (w *downloader) own(f *os.File, temp string) bool {
	if lockFile(f) != nil {
		return false
	}
	here, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := w.root.Stat(temp)
	return err == nil && os.SameFile(here, there)
}

func (p *part) slot(i int) int64 { return p.size + sha256.Size + int64(i)*md5.Size }

// recall reads the pieces again that are said to be there: after a crash the system may have kept the word and not the bytes.
func (p *part) recall(ctx context.Context) error {
	buf := pieceBuffer(pieceSize)
	defer buffers.Put(buf)
	var want [md5.Size]byte
	for i := range p.done {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, p.Close())
		}
		if n, _ := p.ReadAt(want[:], p.slot(i)); n < len(want) || want == [md5.Size]byte{} { // what cannot be read is not there
			continue
		}
		at := int64(i) * pieceSize
		data := (*buf)[:min(pieceSize, p.size-at)]
		if n, _ := p.ReadAt(data, at); n == len(data) && md5.Sum(data) == want {
			p.done[i].Store(true)
		}
	}
	return nil
}

func (p *part) has(i int) bool { return p.done != nil && p.done[i].Load() }

func (p *part) some() bool {
	for i := range p.done {
		if p.done[i].Load() {
			return true
		}
	}
	return false
}

// finished notes that a piece is there.
func (p *part) finished(i int, data []byte) error {
	if p.done == nil {
		return nil
	}
	sum := md5.Sum(data)
	if _, err := p.WriteAt(sum[:], p.slot(i)); err != nil {
		return err
	}
	p.done[i].Store(true)
	return nil
}
