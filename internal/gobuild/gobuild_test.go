package gobuild

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// module writes a module of one file and gives its folder.
func module(t *testing.T, source string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not in PATH")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/prog\n\ngo 1.22\n"), 0o666))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cmd", "hello"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cmd", "hello", "main.go"), []byte(source), 0o666))
	return dir
}

const hello = "package main\n\nfunc main() { println(\"hello\") }\n"

func TestBuildIsDeterministicAndRuns(t *testing.T) {
	a, b := module(t, hello), module(t, hello)
	outA, outB := filepath.Join(a, "out", "hello"), filepath.Join(b, "elsewhere", "prog")
	require.NoError(t, os.MkdirAll(filepath.Dir(outA), 0o777))
	require.NoError(t, os.WriteFile(outA, []byte("not a program"), 0o666))
	require.NoError(t, Build(t.Context(), Options{Program: "./cmd/hello", Dir: a, Output: outA}))
	require.NoError(t, Build(t.Context(), Options{Program: filepath.Join(b, "cmd", "hello"), Output: outB}))
	one, err := os.ReadFile(outA)
	require.NoError(t, err)
	two, err := os.ReadFile(outB)
	require.NoError(t, err)
	require.Equal(t, one, two, "the folder must not show in the program")
	said, err := exec.Command(outA).CombinedOutput()
	require.NoError(t, err)
	require.Equal(t, "hello\n", string(said))
	left, err := filepath.Glob(filepath.Join(a, "out", ".gobuild-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestBuildByImportPathAndFile(t *testing.T) {
	dir := module(t, hello)
	out := filepath.Join(dir, "x")
	require.NoError(t, Build(t.Context(), Options{Program: "example.com/prog/cmd/hello", Dir: dir, Output: out}))
	require.FileExists(t, out)
	require.NoError(t, Build(t.Context(), Options{Program: "cmd/hello/main.go", Dir: dir, Output: out + "2"}))
	require.FileExists(t, out+"2")
}

func TestBuildFaults(t *testing.T) {
	dir := module(t, "package main\n\nfunc main() { undefined() }\n")
	out := filepath.Join(dir, "x")
	var fault *Error
	err := Build(t.Context(), Options{Program: "./cmd/hello", Dir: dir, Output: out})
	require.ErrorAs(t, err, &fault)
	require.Contains(t, fault.Output, "undefined")
	require.NoFileExists(t, out)

	lib := module(t, "package lib\n")
	require.ErrorIs(t, Build(t.Context(), Options{Program: "./cmd/hello", Dir: lib, Output: out}), ErrNotMain)
	require.ErrorIs(t, Build(t.Context(), Options{Program: "./nowhere", Dir: dir, Output: out}), os.ErrNotExist)
	require.ErrorContains(t, Build(t.Context(), Options{Program: "example.com/...", Dir: dir, Output: out}), "one package")
	require.Error(t, Build(t.Context(), Options{Program: "./cmd/hello"}))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Build(ctx, Options{Program: "./cmd/hello", Dir: dir, Output: out}), context.Canceled)

	if runtime.GOOS != "windows" {
		t.Setenv("PATH", t.TempDir())
		require.ErrorIs(t, Build(t.Context(), Options{Program: "./cmd/hello", Dir: dir, Output: out}), ErrNoGo)
	}
}
