package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/workspace"
)

// large compares one large file's upload with azblob's alone, and the service with a
// copy of the file on the disk. Each upload is a process of its own, which tells the
// most memory that it had.
func (m *moving) large(t *testing.T) {
	size := m.size(1<<30, 64<<20)
	what := fmt.Sprintf("upload one file of %d MiB", size>>20)
	s := localServer(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "large")
	seed := uint64(time.Now().UnixNano())
	fresh := func() { // an upload that was there already would be no upload
		f, err := os.Create(path)
		require.NoError(t, err)
		for range size >> 20 {
			_, err := f.Write(noise(&seed, 1<<20))
			require.NoError(t, err)
		}
		require.NoError(t, errors.Join(f.Sync(), f.Close()))
	}
	ours, sent, alone, copied, memory := 1e9, 1e9, 1e9, 1e9, 0.0
	for range 3 {
		fresh()
		copied = min(copied, seconds(func() { require.NoError(t, copyFile(path, path+".copy")) }))
		require.NoError(t, os.Remove(path+".copy"))
		a := child(t, "azblob", s, path)
		alone = min(alone, a.Seconds)
		o := child(t, "ours", s, path)
		ours, sent, memory = min(ours, o.Seconds), min(sent, o.Sent), max(memory, float64(o.Memory)/(1<<20))
	}
	m.found(t, ratio{what: what + ", its hash known", unit: "s", ours: sent, other: alone, than: "azblob's UploadFile alone", within: 1.2})
	m.found(t, ratio{what: what + ", with its hash", unit: "s", ours: ours, other: alone, than: "azblob's UploadFile alone", within: 3})
	m.found(t, ratio{what: "the local blob service under UploadFile", unit: "s", ours: alone, other: copied, than: "a copy with fsync", within: 2})
	if memory > 0 {
		m.found(t, ratio{what: "memory of the upload", unit: "MiB", ours: memory, other: 100, than: "the bound,", within: 1})
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// upload is what a child process measured.
type upload struct {
	Seconds float64 // in all
	Sent    float64 // from when the hash was known
	Memory  int64   // bytes at most, 0 where the system does not tell
}

// child uploads a file in a process of its own: this test's, told by its environment.
func child(t *testing.T, how string, s *server, path string) (u upload) {
	t.Helper()
	b, err := json.Marshal(s)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMovingBytesChild$", "-test.v=false")
	c.Env = append(os.Environ(), "AZUREML_CONFORMANCE_DOC=", "AZUREML_BYTES_CHILD="+how, "AZUREML_BYTES_SERVER="+string(b), "AZUREML_BYTES_FILE="+path)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	line, _, ok := bytes.Cut(out[bytes.IndexByte(out, '{'):], []byte("\n"))
	require.True(t, ok, string(out))
	require.NoError(t, json.Unmarshal(line, &u), string(out))
	return u
}

// TestMovingBytesChild is the other side of child, and no test.
func TestMovingBytesChild(t *testing.T) {
	how := os.Getenv("AZUREML_BYTES_CHILD")
	if how == "" {
		t.Skip("this is a part of TestMovingBytes")
	}
	var s server
	require.NoError(t, json.Unmarshal([]byte(os.Getenv("AZUREML_BYTES_SERVER")), &s))
	ws := overHTTP(t, &s, nil)
	send := map[string]func(context.Context, *workspace.Client, *server, string) (upload, error){"ours": sendOurs, "azblob": sendAzblob}[how]
	u, err := send(t.Context(), ws, &s, os.Getenv("AZUREML_BYTES_FILE"))
	require.NoError(t, err)
	u.Memory = peak()
	b, err := json.Marshal(u)
	require.NoError(t, err)
	fmt.Println(string(b))
}

func sendOurs(ctx context.Context, ws *workspace.Client, _ *server, path string) (u upload, err error) {
	began := time.Now()
	hashed := began
	up, err := ws.Datastores.Upload(ctx, path, &assets.UploadOptions{Progress: func(p assets.Progress) {
		if p.Phase == assets.PhaseHash {
			hashed = time.Now()
		}
	}})
	u.Seconds, u.Sent = time.Since(began).Seconds(), time.Since(hashed).Seconds()
	if err == nil && up.Reused {
		err = errors.New("it was there already")
	}
	return u, err
}

func sendAzblob(ctx context.Context, ws *workspace.Client, s *server, path string) (u upload, err error) {
	blobs, sas, err := defaultStore(ctx, ws)
	if err != nil {
		return u, err
	}
	c, err := azblob.NewClientWithNoCredential(s.URL+"/"+blobs.Account+"?"+sas, nil)
	if err != nil {
		return u, err
	}
	f, err := os.Open(path)
	if err != nil {
		return u, err
	}
	defer f.Close()
	began := time.Now()
	_, err = c.UploadFile(ctx, blobs.Container, "alone", f, nil)
	u.Seconds = time.Since(began).Seconds()
	return u, err
}

// peak is the most memory that this process had, in bytes.
func peak() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(text)[0], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
