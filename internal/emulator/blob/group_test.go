package blob_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	azb "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/stretchr/testify/require"
)

// Writes that come at once share an update, and each stands or falls alone: of those that want to be first one is, those
// whose condition fails change nothing, and those that are given up hold up nobody.
func TestWritesAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	client := s.client(t)
	const names, each = 20, 12
	type result struct {
		name, text string
		err        error
	}
	var mu sync.Mutex
	first, plain, stale := []result{}, []result{}, []result{}
	var wg sync.WaitGroup
	put := func(to *[]result, name string, c *azb.ModifiedAccessConditions) {
		text := fmt.Sprint(name, " ", rand.Uint64(), strings.Repeat(" ", rand.IntN(3000)))
		_, err := client.ServiceClient().NewContainerClient(container).NewBlockBlobClient(name).Upload(t.Context(), streaming.NopCloser(strings.NewReader(text)),
			&blockblob.UploadOptions{AccessConditions: &azb.AccessConditions{ModifiedAccessConditions: c}})
		mu.Lock()
		defer mu.Unlock()
		*to = append(*to, result{name, text, err})
	}
	for i := range names {
		for range each {
			wg.Go(func() {
				put(&first, fmt.Sprint("first", i), &azb.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)})
			})
			wg.Go(func() { put(&plain, fmt.Sprint("plain", i), nil) })
			wg.Go(func() {
				put(&stale, fmt.Sprint("stale", i), &azb.ModifiedAccessConditions{IfMatch: to.Ptr(azcore.ETag(`"0x1"`))})
			})
		}
		wg.Go(func() {
			_, err := s.Service.Put(t.Context(), account, "nowhere", "x", strings.NewReader("x"), nil)
			require.ErrorContains(t, err, "does not exist")
		})
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_, err := s.Service.Put(ctx, account, container, fmt.Sprint("given up", i), strings.NewReader("x"), nil)
			require.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
		})
	}
	wg.Wait()
	read := func(name string) string {
		r, err := s.Service.Open(t.Context(), account, container, name)
		require.NoError(t, err)
		defer r.Close()
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		return string(b)
	}
	won := map[string]string{}
	for _, r := range first {
		if r.err == nil {
			require.NotContains(t, won, r.name, "one is first")
			won[r.name] = r.text
		} else {
			require.True(t, bloberror.HasCode(r.err, bloberror.BlobAlreadyExists), "%v", r.err)
		}
	}
	require.Len(t, won, names)
	for name, text := range won {
		require.Equal(t, text, read(name))
	}
	texts := map[string][]string{}
	for _, r := range plain {
		require.NoError(t, r.err)
		texts[r.name] = append(texts[r.name], r.text)
	}
	for name, list := range texts {
		require.Len(t, list, each)
		require.Contains(t, list, read(name))
	}
	for _, r := range stale {
		require.True(t, bloberror.HasCode(r.err, bloberror.ConditionNotMet), "%v", r.err)
		_, err := s.Service.Open(t.Context(), account, container, r.name)
		require.ErrorContains(t, err, "does not exist")
	}
}
