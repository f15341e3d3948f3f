package jobs

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func goModule(t *testing.T, source string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not in PATH")
	}
	dir := filepath.Join(t.TempDir(), "prog")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cmd", "train"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/prog\n\ngo 1.22\n"), 0o666))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cmd", "train", "main.go"), []byte(source), 0o666))
	return dir
}

func TestGoProgramName(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		p    GoProgram
		want string
	}{
		{GoProgram{Package: "./cmd/train"}, "train"},
		{GoProgram{Package: "./cmd/train/"}, "train"},
		{GoProgram{Package: "example.com/a/b"}, "b"},
		{GoProgram{Package: ".", Dir: filepath.Join(dir, "x")}, "x"},
		{GoProgram{Package: "./cmd/train/main.go"}, "train"},
		{GoProgram{Package: "main.go", Dir: filepath.Join(dir, "y")}, "y"},
		{GoProgram{Package: "./tools/fit.go"}, "fit"},
		{GoProgram{Package: "./cmd/train", Name: "other"}, "other"},
	} {
		require.Equal(t, c.want, c.p.name(), c.p)
	}
}

func TestGoProgramCommand(t *testing.T) {
	p := &GoProgram{Package: "./cmd/train"}
	c, err := p.command("./train --lr 1")
	require.NoError(t, err)
	require.Equal(t, "chmod +x ./train && ./train --lr 1", c)
	again, err := p.command(c)
	require.NoError(t, err)
	require.Equal(t, c, again)
	c, err = p.command("")
	require.NoError(t, err)
	require.Equal(t, "chmod +x ./train && ./train", c)
	_, err = p.command("python x.py")
	require.ErrorContains(t, err, `"./train"`)
}

func TestGoProgramValidate(t *testing.T) {
	require.ErrorContains(t, (&GoProgram{}).validate(), "package")
	require.ErrorContains(t, (&GoProgram{Package: "./no such"}).validate(), "file name")
	require.ErrorIs(t, (&GoProgram{Package: "./nowhere"}).validate(), os.ErrNotExist)
}

func TestGoProgramBuild(t *testing.T) {
	dir := goModule(t, "package main\n\nfunc main() { println(1) }\n")
	p := &GoProgram{Package: "./cmd/train", Dir: dir}
	require.NoError(t, p.validate())
	a, removeA, err := p.build(t.Context(), azurePlatform)
	require.NoError(t, err)
	require.Equal(t, "code", filepath.Base(a))
	b, removeB, err := p.build(t.Context(), azurePlatform)
	require.NoError(t, err)
	one, err := os.ReadFile(filepath.Join(a, "train"))
	require.NoError(t, err)
	two, err := os.ReadFile(filepath.Join(b, "train"))
	require.NoError(t, err)
	require.Equal(t, one, two)
	f, err := elf.Open(filepath.Join(a, "train"))
	require.NoError(t, err)
	require.Equal(t, elf.EM_X86_64, f.Machine)
	require.NoError(t, f.Close())
	require.NoError(t, removeA())
	require.NoError(t, removeB())
	require.NoDirExists(t, a)

	p.GOARCH = "arm64"
	a, removeA, err = p.build(t.Context(), azurePlatform)
	require.NoError(t, err)
	f, err = elf.Open(filepath.Join(a, "train"))
	require.NoError(t, err)
	require.Equal(t, elf.EM_AARCH64, f.Machine)
	require.NoError(t, f.Close())
	require.NoError(t, removeA())

	a, removeA, err = (&GoProgram{Package: "./cmd/train", Dir: dir}).build(t.Context(), platform{"windows", "amd64"})
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(a, "train.exe"))
	require.NoError(t, removeA())
}

func TestGoProgramFault(t *testing.T) {
	dir := goModule(t, "package main\n\nfunc main() { undefined() }\n")
	_, _, err := (&GoProgram{Package: "./cmd/train", Dir: dir}).build(t.Context(), azurePlatform)
	require.ErrorContains(t, err, "undefined")
}
