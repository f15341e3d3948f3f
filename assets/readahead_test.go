package assets

import (
	"crypto/sha256"
	"hash"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// slowHash is a digest that lags, and sees how much is held when it comes to its bytes.
type slowHash struct {
	hash.Hash
	pause time.Duration
	see   func()
}

func (h *slowHash) Write(p []byte) (int, error) {
	time.Sleep(h.pause)
	h.see()
	return h.Hash.Write(p)
}

// A digest that is slower than another holds it up, and not the memory; whichever of them leads, in whatever order.
func TestReadAheadIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []File
	var one, other []chunk
	for i, size := range []int64{40 << 20, 1000, 300 << 10, 30 << 20, 5, 700 << 10} {
		path := filepath.Join(dir, string(rune('a'+i)))
		f, err := os.Create(path)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte(path), 0)
		require.NoError(t, err)
		require.NoError(t, f.Truncate(max(size, int64(len(path)))))
		info, err := f.Stat()
		require.NoError(t, err)
		require.NoError(t, f.Close())
		x := File{Path: path}
		x.stamped(info)
		files = append(files, x)
		one = append(one, chunk{file: i})
		other = append([]chunk{{file: i}}, other...)
	}
	for _, plans := range [][2][]chunk{{one, one}, {one, other}, {one, one[:1]}} {
		for slow := range 2 {
			r := newReadAhead(files, plans[0], plans[1])
			most := int64(0)
			see := func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				most = max(most, r.held)
			}
			g, ctx := errgroup.WithContext(t.Context())
			r.start(ctx)
			sums := make([][]byte, 2)
			for i, plan := range plans {
				g.Go(func() error {
					h := &slowHash{Hash: sha256.New(), see: see}
					if i == slow {
						h.pause = 300 * time.Microsecond
					}
					err := r.feed(ctx, h, plan, i == 0, nil)
					sums[i] = h.Sum(nil)
					return err
				})
			}
			require.NoError(t, g.Wait())
			r.stop()
			require.LessOrEqual(t, most, int64(aheadBytes+aheadBytes/2+4*aheadUnit))
			for i, plan := range plans {
				h := sha256.New()
				for _, c := range plan {
					data, err := os.ReadFile(files[c.file].Path)
					require.NoError(t, err)
					h.Write(data)
				}
				require.Equal(t, h.Sum(nil), sums[i])
			}
		}
	}
}
