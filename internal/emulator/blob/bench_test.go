package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// pool is a client that keeps enough connections.
func pool(b *testing.B, n int) *http.Client {
	t := &http.Transport{MaxIdleConns: n, MaxIdleConnsPerHost: n}
	b.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// each runs f for b.N numbers on n goroutines.
func each(b *testing.B, n int, f func(i int) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := f(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "blobs/s")
}

// request does one bare request.
func request(c *http.Client, method, url string, data []byte, status int) error {
	r, err := http.NewRequest(method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	r.Header.Set("x-ms-blob-type", "BlockBlob")
	a, err := c.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil {
		return err
	}
	if a.StatusCode != status {
		return fmt.Errorf("%s: %s", a.Status, a.Header.Get("x-ms-error-code"))
	}
	return nil
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{1 << 10, 4 << 10, 64 << 10} {
		data := random(size)
		b.Run(fmt.Sprintf("api/%dKiB", size>>10), func(b *testing.B) {
			s := open(b)
			each(b, 16, func(i int) error {
				_, err := s.Put(context.Background(), account, container, fmt.Sprintf("d/%06d", i), bytes.NewReader(data), nil)
				return err
			})
		})
		b.Run(fmt.Sprintf("http/%dKiB", size>>10), func(b *testing.B) {
			s := serve(b)
			q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "cw"})
			require.NoError(b, err)
			c := pool(b, 16)
			each(b, 16, func(i int) error {
				return request(c, "PUT", fmt.Sprintf("%s/%s/d/%06d?%s", s.url, container, i, q), data, 201)
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("http/%dKiB", size>>10), func(b *testing.B) {
			s := serve(b)
			q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "r"})
			require.NoError(b, err)
			for i := range 100 {
				_, err := s.Put(b.Context(), account, container, fmt.Sprint(i), bytes.NewReader(random(size)), nil)
				require.NoError(b, err)
			}
			c := pool(b, 16)
			each(b, 16, func(i int) error {
				return request(c, "GET", fmt.Sprintf("%s/%s/%d?%s", s.url, container, i%100, q), nil, 200)
			})
		})
	}
}

func BenchmarkList(b *testing.B) {
	s := serve(b)
	q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "l"})
	require.NoError(b, err)
	for i := range 5000 {
		_, err := s.Put(b.Context(), account, container, fmt.Sprintf("d/%06d", i), bytes.NewReader(nil), nil)
		require.NoError(b, err)
	}
	c := pool(b, 1)
	b.ResetTimer()
	for range b.N {
		require.NoError(b, request(c, "GET", s.url+"/"+container+"?restype=container&comp=list&"+q, nil, 200))
	}
}

// large is the size of the one large file, 1 GiB unless BLOB_BENCH_MIB says else.
func large(b *testing.B) (size int64, path string) {
	size = 1 << 30
	if v := os.Getenv("BLOB_BENCH_MIB"); v != "" {
		_, err := fmt.Sscan(v, &size)
		require.NoError(b, err)
		size <<= 20
	}
	path = filepath.Join(b.TempDir(), "large")
	f, err := os.Create(path)
	require.NoError(b, err)
	part := random(1 << 20)
	for range size >> 20 {
		_, err := f.Write(part)
		require.NoError(b, err)
	}
	require.NoError(b, f.Sync())
	require.NoError(b, f.Close())
	return size, path
}

// BenchmarkCopyFile is what BenchmarkUploadLarge is measured by: the same bytes
// copied on the disk, with a sync.
func BenchmarkCopyFile(b *testing.B) {
	size, path := large(b)
	b.SetBytes(size)
	for range b.N {
		in, err := os.Open(path)
		require.NoError(b, err)
		out, err := os.Create(path + ".copy")
		require.NoError(b, err)
		_, err = io.Copy(out, in)
		require.NoError(b, err)
		require.NoError(b, out.Sync())
		require.NoError(b, out.Close())
		require.NoError(b, in.Close())
	}
}

func BenchmarkUploadLarge(b *testing.B) {
	size, path := large(b)
	s := serve(b)
	c := s.client(b)
	b.SetBytes(size)
	b.ResetTimer()
	for range b.N {
		f, err := os.Open(path)
		require.NoError(b, err)
		_, err = c.UploadFile(b.Context(), container, "large", f, &azblob.UploadFileOptions{BlockSize: 8 << 20, Concurrency: 4})
		require.NoError(b, err)
		require.NoError(b, f.Close())
	}
}

func BenchmarkDownloadLarge(b *testing.B) {
	size, path := large(b)
	s := serve(b)
	_, err := s.PutFile(b.Context(), account, container, "large", path, nil)
	require.NoError(b, err)
	c := s.client(b)
	b.SetBytes(size)
	b.ResetTimer()
	for range b.N {
		f, err := os.Create(path + ".down")
		require.NoError(b, err)
		_, err = c.DownloadFile(b.Context(), container, "large", f, &azblob.DownloadFileOptions{BlockSize: 8 << 20, Concurrency: 4})
		require.NoError(b, err)
		require.NoError(b, f.Close())
	}
}

func BenchmarkPutFileLarge(b *testing.B) {
	size, path := large(b)
	s := open(b)
	b.SetBytes(size)
	b.ResetTimer()
	for range b.N {
		_, err := s.PutFile(b.Context(), account, container, "large", path, nil)
		require.NoError(b, err)
	}
}
