package assets

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/rest"
)

const (
	// A tree that is smaller than both is read faster than it is looked up, and is not remembered.
	rememberFiles = 256
	rememberBytes = 8 << 20
	// maxPoints is how many states of a digest are kept, so that one that changed late in its order is not read from its
	// beginning.
	maxPoints = 48
	// maxCached is how many hashes are kept. Past it the oldest go.
	maxCached = 256
	// youngFile is how old a file must be when it is read for its stamp to be trusted later: a second write within the grain
	// of the file system's clock would not show.
	youngFile = 2 * time.Second
)

// A hashCache remembers the hashes of trees, by what the file system says of each of their files. It holds no names and no
// content: only digests, and states of digests. It is a hint: whatever is wrong with it counts as nothing remembered.
type hashCache struct {
	dir string
	log *slog.Logger
}

// cacheOf gives the client's cache; nil when there is none.
func cacheOf(c *rest.Client) *hashCache {
	dir := c.HashCache()
	if dir == "" {
		return nil
	}
	return &hashCache{dir: dir, log: c.Logger()}
}

// A point is the state of a digest after a part of its plan.
type point struct {
	Index int    // chunks of the plan that went in
	List  []byte // digest of what the file system said of them
	State []byte
}

// cached is a file of the cache.
type cached struct {
	Points []point
	List   []byte // of the whole plan; nil when part of it was too young
	Hash   string
}

func (c *hashCache) wants(t *Tree) bool {
	return c != nil && (len(t.Files) >= rememberFiles || t.Size >= rememberBytes)
}

func (c *hashCache) path(t *Tree, k hashKind) string {
	key := sha256.Sum256([]byte(string(k) + "\n" + t.Root + "\n" + strings.Join(t.options.Extra, "\n")))
	return filepath.Join(c.dir, hex.EncodeToString(key[:16])+".json")
}

// recall finds how far a digest is known.
func (c *hashCache) recall(t *Tree, k hashKind, d *digestion) {
	path := c.path(t, k)
	raw, err := os.ReadFile(path)
	if err != nil {
		return
	}
	m, ok := readCached(raw)
	if !ok {
		c.log.Debug("azureml: a remembered hash cannot be read and is not used", "file", path)
		return
	}
	at := make([]int, 0, len(m.Points)+1)
	for _, p := range m.Points {
		at = append(at, p.Index)
	}
	lists := t.lists(d.plan, append(at, len(d.plan)))
	if m.List != nil && bytes.Equal(m.List, lists[len(lists)-1]) {
		d.known, t.remembered = m.Hash, append(t.remembered, path)
		now := time.Now()
		if err := os.Chtimes(path, now, now); err != nil { // it goes sooner than it should
			c.log.Debug("azureml: a remembered hash cannot be marked as used", "error", err)
		}
		return
	}
	for i, p := range m.Points {
		if lists[i] == nil || !bytes.Equal(p.List, lists[i]) {
			break
		}
		h := sha256.New()
		if u, ok := h.(encoding.BinaryUnmarshaler); !ok || u.UnmarshalBinary(p.State) != nil {
			break
		}
		d.from, d.h = p.Index, h
		d.points = append(d.points, p)
	}
	if d.from > 0 {
		t.remembered = append(t.remembered, path)
	}
}

// readCached reads a file of the cache, whose first line is the digest of the rest.
func readCached(raw []byte) (*cached, bool) {
	sum, body, ok := bytes.Cut(raw, []byte("\n"))
	own := sha256.Sum256(body)
	if !ok || string(sum) != hex.EncodeToString(own[:]) {
		return nil, false
	}
	m := &cached{}
	if json.Unmarshal(body, m) != nil || !slices.IsSortedFunc(m.Points, func(a, b point) int { return cmp.Compare(a.Index, b.Index) }) {
		return nil, false
	}
	return m, len(m.Points) == 0 || m.Points[0].Index > 0
}

// lists gives, for sorted lengths, the digest of what the file system says of so many chunks of the plan; nil beyond its end.
func (t *Tree) lists(plan []chunk, at []int) [][]byte {
	out := make([][]byte, len(at))
	h := sha256.New()
	buf := make([]byte, 0, 64<<10)
	next := 0
	for i := 0; ; i++ {
		for next < len(at) && at[next] == i {
			h.Write(buf) //nolint:errcheck // a hash takes all
			buf = buf[:0]
			out[next] = h.Sum(nil)
			next++
		}
		if i == len(plan) || next == len(at) {
			return out
		}
		if c := &plan[i]; c.file < 0 {
			buf = append(binary.LittleEndian.AppendUint64(append(buf, 't'), uint64(len(c.text))), c.text...)
		} else {
			f := &t.Files[c.file]
			s := f.stamp()
			buf = binary.LittleEndian.AppendUint64(append(buf, 'f'), uint64(s.size))
			buf = binary.LittleEndian.AppendUint64(buf, uint64(s.modified))
			buf = binary.LittleEndian.AppendUint64(buf, uint64(s.changed))
			buf = binary.LittleEndian.AppendUint64(buf, s.inode)
			if s.inode == 0 {
				buf = append(buf, f.Path...)
			}
		}
		if len(buf) > 60<<10 {
			h.Write(buf) //nolint:errcheck // a hash takes all
			buf = buf[:0]
		}
	}
}

// mark gives what keeps the state of the digest now and then.
func (d *digestion) mark(t *Tree) func(i int) {
	step := t.Size/maxPoints + 1
	var since int64
	return func(i int) {
		c := d.plan[d.from+i]
		if since += t.Files[c.file].Size + 1; since < step || len(d.points) >= 2*maxPoints {
			return
		}
		since = 0
		if m, ok := d.h.(encoding.BinaryMarshaler); ok {
			if state, err := m.MarshalBinary(); err == nil {
				d.points = append(d.points, point{Index: d.from + i + 1, State: state})
			}
		}
	}
}

// save remembers a digest that began at a time. Faults of the cache are no faults of the caller.
func (c *hashCache) save(t *Tree, k hashKind, d *digestion, hash string, began time.Time) {
	young := len(d.plan)
	limit := began.Add(-youngFile).UnixNano()
	for i, ch := range d.plan {
		if ch.file >= 0 && t.Files[ch.file].Modified.UnixNano() >= limit {
			young = i
			break
		}
	}
	m := &cached{Hash: hash}
	at := make([]int, 0, len(d.points)+1)
	for _, p := range d.points {
		if p.Index <= young {
			m.Points = append(m.Points, p)
			at = append(at, p.Index)
		}
	}
	lists := t.lists(d.plan, append(at, len(d.plan)))
	for i := range m.Points {
		m.Points[i].List = lists[i]
	}
	if young == len(d.plan) {
		m.List = lists[len(lists)-1]
	}
	if m.List == nil && len(m.Points) == 0 {
		return
	}
	if err := c.write(c.path(t, k), m); err != nil {
		c.log.Debug("azureml: a hash cannot be remembered", "error", err)
	}
}

func (c *hashCache) write(path string, m *cached) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.dir, ".new-*")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	_, err = f.WriteString(hex.EncodeToString(sum[:]) + "\n" + string(body))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, ignore(os.Remove(f.Name()), fs.ErrNotExist))
	}
	return c.prune()
}

// prune removes the oldest when there are too many.
func (c *hashCache) prune() error {
	list, err := os.ReadDir(c.dir)
	if err != nil || len(list) <= maxCached {
		return err
	}
	infos := make([]fs.FileInfo, 0, len(list))
	for _, e := range list {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range infos[:max(0, len(infos)-maxCached*3/4)] {
		err = errors.Join(err, ignore(os.Remove(filepath.Join(c.dir, info.Name())), fs.ErrNotExist))
	}
	return err
}

// doubtful says whether an upload failed for a reason that looking at the tree again may take away: files changed, or the
// place that the hash names holds other bytes, and the hash was a remembered one, which is forgotten then.
func (t *Tree) doubtful(err error) bool {
	if errors.Is(err, errOther) && len(t.remembered) > 0 {
		for _, path := range t.remembered {
			if rerr := os.Remove(path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
				return false
			}
		}
		return true
	}
	return vanished(err)
}
