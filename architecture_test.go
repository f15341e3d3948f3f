package azureml_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/azureml-go/azureml"

// source is one Go file: its package's folder, and what it imports.
type source struct {
	path, dir string
	test      bool
	doc       bool
	imports   []string
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" || p != "." && strings.HasPrefix(d.Name(), ".") || p == filepath.Join("internal", "conformance") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(p), dir: path.Dir(filepath.ToSlash(p)), test: strings.HasSuffix(p, "_test.go"), doc: f.Doc != nil}
		for _, i := range f.Imports {
			s.imports = append(s.imports, strings.Trim(i.Path.Value, `"`))
		}
		out = append(out, s)
		return nil
	})
	require.NoError(t, err)
	return out
}

func under(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// Imports go one way. Each rule says who may not import what, and why.
func TestImportsGoOneWay(t *testing.T) {
	entities := []string{"assets", "jobs", "endpoints", "pipeline", "compute", "workspace"}
	rules := []struct {
		from   func(dir string) bool
		to     func(imported string) bool
		reason string
	}{
		{
			func(d string) bool { return !under(d, "internal/emulator") && d != "workspace/local" },
			func(i string) bool { return under(i, module+"/internal/emulator") },
			"only workspace/local opens the emulator: a program that talks to Azure must not carry it",
		},
		{
			func(d string) bool { return !under(d, "examples") && d != "workspace/local" },
			func(i string) bool { return i == module+"/workspace/local" },
			"only examples and tests import the local workspace: it brings SQLite with it",
		},
		{
			func(d string) bool { return under(d, "internal/emulator") },
			func(i string) bool {
				return i == module || i == module+"/internal/rest" || slices.ContainsFunc(entities, func(e string) bool { return under(i, module+"/"+e) })
			},
			"the emulator reads documents through structs of its own, so that the two sides do not agree by construction",
		},
		{
			func(d string) bool { return d == "internal/wire" },
			func(i string) bool { return under(i, module) },
			"wire imports nothing of ours",
		},
		{
			func(d string) bool {
				return under(d, "jobs/mlflow") || under(d, "endpoints/serve") || d == "internal/rest" || d == "."
			},
			func(i string) bool {
				return strings.Contains(i, "/sdk/storage/") || strings.HasSuffix(i, "/sdk/azidentity")
			},
			"programs that run inside jobs and containers stay small",
		},
		{
			func(d string) bool {
				return d != "assets" && !under(d, "workspace/local") && !under(d, "internal/emulator")
			},
			func(i string) bool { return strings.Contains(i, "/sdk/storage/azblob") },
			"azblob is used in one place",
		},
		{
			func(d string) bool { return d == "assets" || d == "compute" },
			func(i string) bool {
				return slices.ContainsFunc([]string{"jobs", "endpoints", "pipeline", "workspace"}, func(e string) bool { return under(i, module+"/"+e) })
			},
			"assets and compute are below jobs",
		},
		{
			func(d string) bool { return under(d, "jobs") },
			func(i string) bool {
				return slices.ContainsFunc([]string{"endpoints", "pipeline", "workspace"}, func(e string) bool { return under(i, module+"/"+e) })
			},
			"jobs are below endpoints and pipeline",
		},
		{
			func(d string) bool { return d == "pipeline" },
			func(i string) bool { return i == "net/http" || i == module+"/internal/rest" },
			"the pipeline builder makes no calls",
		},
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, i := range s.imports {
			for _, r := range rules {
				if r.from(s.dir) && r.to(i) {
					t.Errorf("%s imports %s: %s", s.path, i, r.reason)
				}
			}
		}
	}
}

// Every package says what it is, and none is a drawer.
func TestPackagesHaveDocsAndNames(t *testing.T) {
	docs := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			docs[s.dir] = docs[s.dir] || s.doc
		}
	}
	for dir, has := range docs {
		require.True(t, has, "package %s has no package comment", dir)
		require.NotContains(t, []string{"util", "utils", "common", "types", "helpers", "misc"}, path.Base(dir))
	}
}

// The top level is fixed: a new noun finds its place below it.
func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			require.Contains(t, []string{"workspace", "compute", "jobs", "assets", "endpoints", "pipeline", "examples", "internal", "docs", "bin"}, e.Name())
		}
	}
}

func TestFilesAreSmall(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(path.Base(s.path), "zz_") {
			continue
		}
		b, err := os.ReadFile(filepath.FromSlash(s.path))
		require.NoError(t, err)
		if n := strings.Count(string(b), "\n"); n > 600 {
			t.Errorf("%s has %d lines; a noun that needs more than 600 is two nouns", s.path, n)
		}
	}
}
