package assets

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Many small files are bound by the wait for answers.
func BenchmarkUploadSmall(b *testing.B) {
	w := newWorld(b)
	dir := filepath.Join(b.TempDir(), "src")
	manyFiles(b, dir, 2000, 4096)
	stores := NewDatastoreClient(w.c)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		require.NoError(b, os.WriteFile(filepath.Join(dir, "n"), []byte{byte(n), byte(n >> 8)}, 0o644)) // else it is there already
		b.StartTimer()
		up, err := stores.Upload(b.Context(), dir, nil)
		require.NoError(b, err)
		require.False(b, up.Reused)
	}
}

// One large file is bound by the storage and the digests.
func BenchmarkUploadLarge(b *testing.B) {
	const size = 256 << 20
	w := newWorld(b)
	dir := b.TempDir()
	data := make([]byte, size)
	stores := NewDatastoreClient(w.c)
	b.SetBytes(size)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		data[0], data[1] = byte(n), byte(n>>8)
		require.NoError(b, os.WriteFile(filepath.Join(dir, "large.bin"), data, 0o644))
		b.StartTimer()
		up, err := stores.Upload(b.Context(), filepath.Join(dir, "large.bin"), nil)
		require.NoError(b, err)
		b.StopTimer()
		_, err = stores.Download(b.Context(), up.ShortURI(), dir+"/out", nil)
		require.NoError(b, err)
		b.StartTimer()
	}
}
