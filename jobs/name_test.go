package jobs

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGenerateName(t *testing.T) {
	form := regexp.MustCompile(`^[a-z]+_[a-z]+_[bcdfghjklmnpqrstvwxyz0-9]{10}$`)
	seen := map[string]bool{}
	for range 200 {
		n := generateName()
		require.Regexp(t, form, n)
		require.Regexp(t, jobName, n)
		require.False(t, seen[n], "%s came twice", n)
		seen[n] = true
	}
}

func TestDefaultExperiment(t *testing.T) {
	for name, want := range map[string]string{
		"iris": "iris", "my project": "myproject", "a.b.c": "a-b", ".hidden": "hidden", "end.": "end-",
	} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Logf("%q cannot be made here: %v", name, err)
			continue
		}
		if filepath.Base(dir) == "end." && os.PathSeparator == '\\' {
			continue // Windows drops the dot
		}
		require.Equal(t, want, defaultExperiment(dir), name)
	}
	require.Equal(t, "Default", defaultExperiment(filepath.VolumeName(t.TempDir())+string(os.PathSeparator)))
}
