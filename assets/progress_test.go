package assets

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each phase begins with nothing, only grows, and ends once, with all; hashing tells how far it is.
func TestProgressOfAnUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	files := map[string]string{"large": text(5<<20 + 3), "empty": ""}
	for i := range 50 {
		files["f"+strconv.Itoa(i)] = text(100)
	}
	dir := writeTree(t, files)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".amlignore"), []byte("f1*\n"), 0o644))
	for _, code := range []bool{false, true} {
		byPhase := map[Phase][]Progress{}
		var order []Phase
		see := func(p Progress) {
			if len(byPhase[p.Phase]) == 0 {
				order = append(order, p.Phase)
			}
			byPhase[p.Phase] = append(byPhase[p.Phase], p)
		}
		var err error
		if code {
			_, err = NewCodeClient(w.c).Create(t.Context(), &Code{Path: dir}, &CodeOptions{Progress: see})
		} else {
			_, err = stores.Upload(t.Context(), dir, &UploadOptions{Progress: see})
		}
		require.NoError(t, err)
		require.Equal(t, []Phase{PhaseHash, PhaseUpload, PhaseConfirm}, order)
		for phase, list := range byPhase {
			first, last := list[0], list[len(list)-1]
			require.Zero(t, first.Files, phase)
			require.Zero(t, first.Bytes, phase)
			require.True(t, last.Done(), phase)
			require.Equal(t, last.TotalFiles, last.Files, phase)
			require.Equal(t, last.TotalBytes, last.Bytes, phase)
			for i, p := range list[1:] {
				require.GreaterOrEqual(t, p.Bytes, list[i].Bytes, phase)
				require.GreaterOrEqual(t, p.Files, list[i].Files, phase)
				require.False(t, list[i].Done(), "%s: %d of %d calls", phase, i+1, len(list))
				require.GreaterOrEqual(t, p.Rate, 0.0)
			}
		}
		require.Greater(t, len(byPhase[PhaseHash]), 40)
		require.Greater(t, len(byPhase[PhaseUpload]), 40)
	}
}
