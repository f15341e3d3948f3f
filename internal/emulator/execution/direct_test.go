//go:build unix

package execution

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []string{"train", "echo"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, n), []byte("echo \"$@\"\n"), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data"), nil, 0o644))
	for line, want := range map[string][]string{
		"train --lr 0.1 --out=/a/b": {filepath.Join(dir, "train"), "train", "--lr", "0.1", "--out=/a/b"},
		" ./train\n":                {filepath.Join(dir, "train"), "./train"},
		"train a b; c":              nil,
		"train $HOME":               nil,
		"train 'a b'":               nil,
		"train *":                   nil,
		"train ~":                   nil,
		"train\nrm x":               nil,
		"train # not":               nil,
		"train {a}":                 nil,
		"A=1 train":                 nil,
		"echo x":                    nil,
		"nothing here":              nil,
		"./data":                    nil,
		"":                          nil,
		"cd /tmp":                   nil,
	} {
		p, words, ok := direct(line, dir, dir)
		require.Equal(t, want != nil, ok, line)
		if ok {
			require.Equal(t, want, append([]string{p}, words...))
		}
	}
}

// A program is run as a shell would run it, one without a first line too, and
// what is not there is a shell's to say.
func TestDirectCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	script := filepath.Join(w.dir, "said")
	require.NoError(t, os.WriteFile(script, []byte("echo \"$PWD\" $1\n"), 0o755))
	require.Equal(t, Completed, w.run("a", command(script+" one", nil)).Status)
	require.Regexp(t, `/wd one\n$`, w.log("a"))
	require.Equal(t, Completed, w.run("b", command("env", nil)).Status)
	require.Regexp(t, `(?m)^PWD=.*/wd$`, w.log("b"))
	require.Regexp(t, `(?m)^AZUREML_RUN_ID=b$`, w.log("b"))
	r := w.run("c", command("no-such-program --x", nil))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "status code 127")
	require.Contains(t, r.Error.Message, "not found")
	require.Equal(t, Failed, w.run("d", command("false", nil)).Status)
}
