package jobs

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var quiet = slog.New(slog.DiscardHandler)

func clearGitEnv(t *testing.T) {
	for _, k := range []string{"REPOSITORY_URI", "BRANCH", "COMMIT", "BUILD_ID", "BUILD_URI"} {
		t.Setenv("AZUREML_GIT_"+k, "")
	}
	t.Setenv("AZUREML_GIT_DIRTY", "")
	require.NoError(t, os.Unsetenv("AZUREML_GIT_DIRTY"))
	for _, k := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		t.Setenv(k, "")
		require.NoError(t, os.Unsetenv(k))
	}
}

func TestGitProperties(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not in PATH")
	}
	clearGitEnv(t)
	dir := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(dir))
	require.Empty(t, gitProperties(t.Context(), dir, quiet))

	git := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	git("init", "-q", "-b", "trunk")
	git("remote", "add", "origin", "https://example.org/repo.git")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o666))
	git("add", "f")
	git("commit", "-q", "-m", "one")
	got := gitProperties(t.Context(), dir, quiet)
	require.Len(t, got[propGitCommit], 40)
	delete(got, propGitCommit)
	require.Equal(t, map[string]string{propGitURL: "https://example.org/repo.git", propGitBranch: "trunk", propGitDirty: "False"}, got)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "g"), nil, 0o666))
	t.Setenv("AZUREML_GIT_BRANCH", "other")
	t.Setenv("AZUREML_GIT_BUILD_ID", "17")
	got = gitProperties(t.Context(), dir, quiet)
	require.Equal(t, "True", got[propGitDirty])
	require.Equal(t, "other", got[propGitBranch])
	require.Equal(t, "17", got[propGitBuildID])

	git("remote", "set-url", "origin", "https://secret@example.org/repo.git")
	require.Equal(t, map[string]string{propGitBuildID: "17"}, gitProperties(t.Context(), dir, quiet))
}

func TestGitSecret(t *testing.T) {
	for url, want := range map[string]bool{
		"https://token@dev.azure.com/o/p": true, "https://dev.azure.com/token@o": true,
		"https://github.com/o/r.git": false, "git@github.com:o/r.git": false, "ssh://git@github.com/o/r": false,
	} {
		require.Equal(t, want, gitSecret.MatchString(url), url)
	}
}
