package conformance

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSnapshotsAreShared uploads folders by us and by azure-ai-ml's blob helper: each
// finds again what the other has uploaded, by the hash, and by the confirmation that is
// on the first file; and neither takes an upload that was not confirmed for a whole one.
func TestSnapshotsAreShared(t *testing.T) {
	t.Parallel()
	py := python(t, "azure.ai.ml")
	s := localServer(t)
	ws := overHTTP(t, s, nil)
	blobs, sas, err := defaultStore(t.Context(), ws)
	require.NoError(t, err)
	theirs := func(dir, name string) (string, string, int) {
		r := reference(t, py, "share", map[string]any{
			"account_url": s.URL + "/" + blobs.Account + "/", "container": blobs.Container, "credential": sas, "source": dir, "name": name, "version": "7",
		})
		require.Equal(t, "LocalUpload/", r.Path[:12])
		return r.Path, r.Name + ":" + r.Version, r.Uploaded
	}
	folder := func() string {
		dir := tree(t, 120, 300)
		for name, text := range map[string]string{".amlignore": "*.log\n!keep.log\nlarge/\n", "run.log": "ignored", "keep.log": "kept", "empty": "", "d000/ünï cödé": "name"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
		require.NoError(t, os.Mkdir(filepath.Join(dir, "large"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "large", "x"), []byte("ignored"), 0o644))
		return dir
	}
	t.Run("ours, found by azure-ai-ml", func(t *testing.T) {
		dir := folder()
		up, err := ws.Datastores.Upload(t.Context(), dir, nil)
		require.NoError(t, err)
		require.False(t, up.Reused)
		path, asset, uploaded := theirs(dir, "theirs")
		require.Zero(t, uploaded, "it is there already")
		require.Equal(t, up.Path, path)
		require.Equal(t, up.Name+":"+up.Version, asset)
	})
	t.Run("azure-ai-ml's, found by us", func(t *testing.T) {
		dir := folder()
		path, asset, uploaded := theirs(dir, "theirs")
		require.NotZero(t, uploaded)
		require.Equal(t, "theirs:7", asset)
		up, err := ws.Datastores.Upload(t.Context(), dir, nil)
		require.NoError(t, err)
		require.True(t, up.Reused)
		require.Equal(t, path, up.Path)
		require.Equal(t, asset, up.Name+":"+up.Version)
	})
	t.Run("one file", func(t *testing.T) {
		dir := folder()
		first, second := filepath.Join(dir, "keep.log"), filepath.Join(dir, "d001", "f00100")
		up, err := ws.Datastores.Upload(t.Context(), first, nil)
		require.NoError(t, err)
		path, _, uploaded := theirs(first, "theirs")
		require.Zero(t, uploaded)
		require.Equal(t, up.Path, path)
		path, _, _ = theirs(second, "theirs")
		up, err = ws.Datastores.Upload(t.Context(), second, nil)
		require.NoError(t, err)
		require.True(t, up.Reused)
		require.Equal(t, path, up.Path)
	})
}
