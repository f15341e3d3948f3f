// Command parity holds this module against the checklist of azure-ai-ml's
// public methods (table.tsv): each has a method here that does its job, which
// exists and names its REST operation in its comment, or a written reason.
//
//	go run ./internal/parity [-v]
//
// It prints the coverage and fails when a line of the table is not true.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

//go:embed table.tsv
var table string

// entry is one method of the checklist.
type entry struct {
	class, method string
	here          []string // package.Type.Method, of which there may be several
	reason        string
}

func parse(text string) ([]entry, error) {
	var out []entry
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, "\t", 2)
		class, method, ok := strings.Cut(f[0], ".")
		if !ok || len(f) != 2 || strings.TrimSpace(f[1]) == "" {
			return nil, fmt.Errorf("table.tsv:%d: want Class.method, a tab, and methods here or \"- reason\"", i+1)
		}
		e := entry{class: class, method: method}
		if r, ok := strings.CutPrefix(f[1], "- "); ok {
			e.reason = r
		} else {
			e.here = strings.Fields(f[1])
		}
		out = append(out, e)
	}
	return out, nil
}

// operation is how a comment names what it sends: Jobs_CreateOrUpdate,
// a verb and path, or a service ("run history").
var operation = regexp.MustCompile(`\b[A-Z][A-Za-z]+_[A-Z][A-Za-z]+\b|\b(GET|PUT|POST|PATCH|DELETE) |run history|by discovery|makes no call|sends nothing`)

// methods lists the exported methods below root with their comments:
// workspace.Client.Apply → its comment.
func methods(root string) (map[string]string, error) {
	out := map[string]string{}
	for _, pkg := range []string{"workspace", "compute", "assets", "jobs", "jobs/mlflow", "endpoints"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("parity: %s: %w", pkg, fs.ErrNotExist)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			src, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			for _, d := range src.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || !fn.Name.IsExported() {
					continue
				}
				name := src.Name.Name + "." + fn.Name.Name
				if fn.Recv != nil {
					t := fn.Recv.List[0].Type
					if p, ok := t.(*ast.StarExpr); ok {
						t = p.X
					}
					id, ok := t.(*ast.Ident)
					if !ok {
						continue
					}
					name = src.Name.Name + "." + id.Name + "." + fn.Name.Name
				}
				out[name] = fn.Doc.Text()
			}
		}
	}
	return out, nil
}

// check gives the faults of the table, and counts what it covers.
func check(entries []entry, have map[string]string) (done, reasons int, faults []string) {
	for _, e := range entries {
		if e.reason != "" {
			reasons++
			continue
		}
		ok := true
		for _, h := range e.here {
			doc, there := have[h]
			switch {
			case !there:
				faults = append(faults, fmt.Sprintf("%s.%s: there is no method %s", e.class, e.method, h))
				ok = false
			case !operation.MatchString(doc):
				faults = append(faults, fmt.Sprintf("%s.%s: the comment of %s names no REST operation", e.class, e.method, h))
				ok = false
			}
		}
		if ok {
			done++
		}
	}
	sort.Strings(faults)
	return done, reasons, faults
}

// report prints the coverage by class.
func report(w io.Writer, entries []entry, done, reasons int, faults []string, verbose bool) {
	if verbose {
		class := ""
		for _, e := range entries {
			if e.class != class {
				class = e.class
				fmt.Fprintln(w, "\n"+class)
			}
			what := strings.Join(e.here, ", ")
			if e.reason != "" {
				what = "none: " + e.reason
			}
			fmt.Fprintf(w, "  %-34s %s\n", e.method, what)
		}
		fmt.Fprintln(w)
	}
	for _, f := range faults {
		fmt.Fprintln(w, "FAULT", f)
	}
	fmt.Fprintf(w, "%d methods of azure-ai-ml: %d have one here, %d a reason, %d neither\n", len(entries), done, reasons, len(entries)-done-reasons)
}

func main() {
	verbose := flag.Bool("v", false, "print every method")
	root := flag.String("root", ".", "the module's folder")
	flag.Parse()
	entries, err := parse(table)
	if err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(2)
	}
	have, err := methods(*root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		os.Exit(2)
	}
	done, reasons, faults := check(entries, have)
	report(os.Stdout, entries, done, reasons, faults, *verbose)
	if len(faults) > 0 {
		os.Exit(1)
	}
}
