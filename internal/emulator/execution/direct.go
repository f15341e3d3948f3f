package execution

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// plain are the characters that no shell reads anything into, wherever they stand.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%"

// builtins are commands that a shell has itself, some of which no program can be.
var builtins = []string{
	".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd", "command", "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown",
	"do", "done", "echo", "elif", "else", "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts", "hash", "help", "history", "if", "in", "jobs",
	"kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly", "return", "select", "set", "shift", "shopt", "source", "suspend",
	"test", "then", "time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "while",
}

// direct finds the program and the arguments of a command that a shell would
// only pass on to it, so that no shell need be started: plain words, the first of
// which is a program's name. ok is false of everything else, and of programs that
// are not found, of which a shell says so in words that users know. true and
// false are programs as well as builtins, with the same effect.
func direct(line, dir, path string) (program string, args []string, ok bool) {
	if runtime.GOOS == "windows" {
		return "", nil, false
	}
	line = strings.Trim(line, " \t\r\n")
	for i := range len(line) {
		if c := line[i]; c != ' ' && c != '=' && strings.IndexByte(plain, c) < 0 {
			return "", nil, false
		}
	}
	words := strings.Fields(line)
	if len(words) == 0 || strings.Contains(words[0], "=") || slices.Contains(builtins, words[0]) {
		return "", nil, false
	}
	if strings.Contains(words[0], "/") {
		p := words[0]
		if !filepath.IsAbs(p) {
			p = filepath.Join(dir, p)
		}
		return p, words, executable(p)
	}
	for _, d := range filepath.SplitList(path) {
		if !filepath.IsAbs(d) {
			return "", nil, false
		}
		if p := filepath.Join(d, words[0]); executable(p) {
			return p, words, true
		}
	}
	return "", nil, false
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// valueIn is the last value of a variable in an environment.
func valueIn(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// startPlain starts a command that needs no shell; nil without an error for one that does.
func startPlain(spec process.Spec, line string) (*process.Process, error) {
	program, words, ok := direct(line, spec.Dir, valueIn(spec.Env, "PATH"))
	if !ok {
		return nil, nil
	}
	spec.Path, spec.Args = program, words[1:]
	spec.Env = append(spec.Env, "PWD="+spec.Dir) // as a shell says it
	p, err := process.Start(spec)
	if errors.Is(err, syscall.ENOEXEC) { // a script without a first line of its own is the shell's
		return nil, nil
	}
	return p, err
}
