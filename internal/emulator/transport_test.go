package emulator

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// over puts a handler of the test's in the place of the server's.
func over(t *testing.T, h http.HandlerFunc) *Transport {
	s := open(t, Options{})
	s.handler = h
	return s.Transport()
}

func get(t *testing.T, ctx context.Context, method string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "https://"+arm.ARMHost+"/x", nil)
	require.NoError(t, err)
	return r
}

func TestTransportStreams(t *testing.T) {
	next := make(chan string)
	tr := over(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Y", "z")
		w.WriteHeader(http.StatusTeapot)
		for s := range next {
			_, err := io.WriteString(w, s)
			if err != nil {
				return
			}
		}
	})
	res, err := tr.Do(get(t, t.Context(), http.MethodGet))
	require.NoError(t, err)
	require.Equal(t, http.StatusTeapot, res.StatusCode)
	require.Equal(t, "z", res.Header.Get("X-Y"))
	b := make([]byte, 10)
	for _, s := range []string{"one", "two"} {
		next <- s
		n, err := res.Body.Read(b)
		require.NoError(t, err)
		require.Equal(t, s, string(b[:n]))
	}
	close(next)
	_, err = res.Body.Read(b)
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, res.Body.Close())
}

func TestTransportLetsGo(t *testing.T) {
	stopped := make(chan error, 1)
	tr := over(t, func(w http.ResponseWriter, r *http.Request) {
		b := bytes.Repeat([]byte("x"), 64<<10)
		for {
			if _, err := w.Write(b); err != nil {
				stopped <- err
				return
			}
		}
	})
	res, err := tr.Do(get(t, t.Context(), http.MethodGet))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close(), "the reader leaves first")
	require.Error(t, <-stopped)
	_, err = res.Body.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestTransportObeysItsContext(t *testing.T) {
	begun := make(chan struct{}, 2)
	tr := over(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusOK)
		}
		begun <- struct{}{}
		<-r.Context().Done()
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		res, err := tr.Do(get(t, ctx, method))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			require.NoError(t, res.Body.Close())
		}
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestTransportBreaks(t *testing.T) {
	tr := over(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Content-Length", "10")
			_, err := io.WriteString(w, "half")
			if err != nil {
				return
			}
		}
		if r.Method == http.MethodPut {
			panic("a fault of the handler")
		}
		panic(http.ErrAbortHandler)
	})
	_, err := tr.Do(get(t, t.Context(), http.MethodGet))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, err = tr.Do(get(t, t.Context(), http.MethodPut))
	require.ErrorContains(t, err, "panicked")
	res, err := tr.Do(get(t, t.Context(), http.MethodPost))
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "half", string(b))
	require.NoError(t, res.Body.Close())
}

func TestTransportHeads(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	for _, c := range []*client{c, outside(t, s)} {
		r := c.do(http.MethodHead, DefaultScope.ID()+version, nil).want(200)
		require.Empty(t, r.body)
		require.NotEmpty(t, r.header.Get("Content-Length"))
		r = c.do(http.MethodHead, DefaultScope.ID()+"x"+version, nil).want(404)
		require.Empty(t, r.body)
	}
}

func TestTransportKnowsHosts(t *testing.T) {
	s := open(t, Options{})
	tr := s.Transport()
	for _, host := range []string{"example.com", "blob.core.windows.net.evil.example", "127.0.0.1:1"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/", strings.NewReader("x"))
		require.NoError(t, err)
		_, err = tr.Do(r)
		var dns *net.DNSError
		require.ErrorAs(t, err, &dns, host)
		require.True(t, dns.IsNotFound)
	}
	base, err := s.Listen("")
	require.NoError(t, err)
	c := inside(t, s)
	d := c.do("GET", base+DefaultScope.ID()+version, nil).want(200).doc()
	require.Equal(t, "https://eastus.api.azureml.ms/discovery", d.text("properties", "discoveryUrl"), "an address of the port, in process")
	require.NoError(t, s.Close())
	_, err = tr.Do(get(t, t.Context(), http.MethodGet))
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = s.Listen("")
	require.ErrorIs(t, err, ErrClosed)
}

func TestCloseEndsCalls(t *testing.T) {
	begun := make(chan struct{})
	s := open(t, Options{})
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	done := make(chan error, 1)
	go func() {
		res, err := s.Transport().Do(get(t, context.Background(), http.MethodGet))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		done <- err
	}()
	<-begun
	require.NoError(t, s.Close())
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the call hangs")
	}
}

func TestAzblobInProcess(t *testing.T) {
	s := open(t, Options{})
	key, err := s.blobs.Key(t.Context(), DefaultScope.Account())
	require.NoError(t, err)
	cred, err := azblob.NewSharedKeyCredential(DefaultScope.Account(), key)
	require.NoError(t, err)
	o := &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: s.Transport()}}
	for _, base := range []string{"https://" + DefaultScope.Account() + ".blob.core.windows.net/", outside(t, s).base + "/" + DefaultScope.Account() + "/"} {
		if strings.HasPrefix(base, "http://") {
			o = &azblob.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: plainTransport}}}
		}
		c, err := azblob.NewClientWithSharedKeyCredential(base, cred, o)
		require.NoError(t, err)
		content := bytes.Repeat([]byte("0123456789"), 100_000)
		_, err = c.UploadBuffer(t.Context(), DefaultScope.BlobContainer(), "a b/ü.bin", content, &azblob.UploadBufferOptions{BlockSize: 300_000})
		require.NoError(t, err)
		got := make([]byte, len(content))
		n, err := c.DownloadBuffer(t.Context(), DefaultScope.BlobContainer(), "a b/ü.bin", got, nil)
		require.NoError(t, err)
		require.EqualValues(t, len(content), n)
		require.True(t, bytes.Equal(content, got))
		pager := c.NewListBlobsFlatPager(DefaultScope.BlobContainer(), nil)
		page, err := pager.NextPage(t.Context())
		require.NoError(t, err)
		require.Len(t, page.Segment.BlobItems, 1)
	}
}
