package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// witness is what one of other people's programs proved: a line of the table
// that each run prints, and of docs/conformance.md.
type witness struct {
	Name    string
	Version string
	What    string // against what, in words
	Unit    string // what is counted: "methods"
	// Operations are those that were tried, and those that were not, with the reason.
	Operations []operation
}

// operation is one thing that a witness does.
type operation struct {
	Name    string `json:"method"`
	Outcome string `json:"outcome"` // passed, refused by name, failed, not called
	Calls   int    `json:"calls"`
	Detail  string `json:"detail"`
}

// Outcomes.
const (
	passed    = "passed"
	refused   = "refused by name"
	failed    = "failed"
	notCalled = "not called"
	different = "different, with a reason"
)

func (w *witness) count(outcome string) int {
	n := 0
	for _, o := range w.Operations {
		if o.Outcome == outcome {
			n++
		}
	}
	return n
}

var report struct {
	sync.Mutex
	witnesses []*witness
}

// testifies adds a witness to the report, and fails the test for each
// operation that failed.
func testifies(t *testing.T, w *witness) {
	t.Helper()
	for _, o := range w.Operations {
		if o.Outcome == failed {
			t.Errorf("%s: %s failed: %s", w.Name, o.Name, o.Detail)
		}
	}
	report.Lock()
	defer report.Unlock()
	report.witnesses = append(report.witnesses, w)
}

// passes is a program's own count of what it found right.
func passes(n int) []operation {
	return slices.Repeat([]operation{{Outcome: passed, Calls: 1}}, n)
}

// number is what a program's output says by this pattern.
func number(t *testing.T, pattern *regexp.Regexp, output string) int {
	t.Helper()
	m := pattern.FindStringSubmatch(output)
	if m == nil {
		t.Fatalf("the output does not say %s", pattern)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var testLine = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)

// goTests are the tests that `go test -v` says it ran, but not those that only hold others.
func goTests(output string) []operation {
	all := testLine.FindAllStringSubmatch(output, -1)
	var ops []operation
	for _, m := range all {
		if slices.ContainsFunc(all, func(o []string) bool { return strings.HasPrefix(o[2], m[2]+"/") }) {
			continue
		}
		o := operation{Name: m[2], Outcome: map[string]string{"PASS": passed, "FAIL": failed, "SKIP": notCalled}[m[1]], Calls: 1}
		if o.Outcome == notCalled {
			o.Detail = "skipped; its output says why"
		}
		ops = append(ops, o)
	}
	return ops
}

// TestMain prints the table, and writes docs/conformance.md when
// AZUREML_CONFORMANCE_DOC is 1 and every witness was heard.
func TestMain(m *testing.M) {
	if os.Getenv("CONFORMANCE_SERVER") != "" {
		serveEcho()
		return
	}
	code := m.Run()
	if err := os.RemoveAll(programs.dir); err != nil { // "" removes nothing
		fmt.Fprintln(os.Stderr, err)
	}
	slices.SortFunc(report.witnesses, func(a, b *witness) int { return cmp.Compare(a.Name, b.Name) })
	if len(report.witnesses) > 0 {
		fmt.Print("\n" + table())
	}
	if err := keep(os.Getenv("AZUREML_CONFORMANCE_WITNESSES")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if os.Getenv("AZUREML_CONFORMANCE_DOC") == "1" {
		if err := writeDocument(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if kept, err := os.ReadFile(page); err != nil && len(report.witnesses) > 0 {
		fmt.Println("docs/conformance.md is not current:", err)
	} else if err == nil {
		for _, s := range stale(string(kept)) {
			fmt.Println("docs/conformance.md is not current, it does not have:", s)
		}
	}
	os.Exit(code)
}

// keep writes what the witnesses said to a folder, and reads what those said that
// were heard before: a suite that ran once more, alone, completes the page.
func keep(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	here := map[string]bool{}
	for _, w := range report.witnesses {
		b, err := json.Marshal(w)
		if err != nil {
			return err
		}
		name := url.PathEscape(w.Name) + ".json"
		here[name] = true
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if here[f.Name()] {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		w := &witness{}
		if err := json.Unmarshal(b, w); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		report.witnesses = append(report.witnesses, w)
	}
	slices.SortFunc(report.witnesses, func(a, b *witness) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// heard are the witnesses without which the page is not written.
var heard = []string{
	"Azurite", "MLflow", "MLflow models (scikit-learn)", "MLflow's server", "armmachinelearning", "armmachinelearning's fake servers", "azblob", "azdatalake", "azfile", "azure-ai-ml",
	"azure-storage-blob", "azure-storage-file-datalake", "azure-storage-file-share", "azureml-inference-server-http", "azureml-mlflow", "published pipelines", "recordings of azure-ai-ml", "routes of Microsoft's clients",
}

// absent are programs that would be witnesses, and why they are not.
var absent = []string{
	"azcopy: neither Go's module proxy (github.com/Azure/azure-storage-azcopy/v10 is answered with 403), nor npm, nor PyPI, nor Debian carries it; its transfers go over azblob, azfile and azdatalake, which are witnesses",
}

func table() string {
	var b strings.Builder
	b.WriteString("| witness | version | what | counted | tried | passed | refused by name | failed |\n|---|---|---|---|--:|--:|--:|--:|\n")
	for _, w := range report.witnesses {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d | %d | %d |\n", w.Name, w.Version, w.What, w.Unit, len(w.Operations)-w.count(notCalled), w.count(passed), w.count(refused), w.count(failed))
	}
	return b.String()
}

func writeDocument() error {
	for _, name := range heard {
		i := slices.IndexFunc(report.witnesses, func(w *witness) bool { return w.Name == name })
		if i < 0 {
			return fmt.Errorf("docs/conformance.md is not written: %s was not heard in this run", name)
		}
		if n := report.witnesses[i].count(failed); n > 0 {
			return fmt.Errorf("docs/conformance.md is not written: of %s %d failed", name, n)
		}
	}
	var b bytes.Buffer
	b.WriteString("# Conformance\n\nWhat other people's programs prove. Made by the run (`AZUREML_CONFORMANCE_DOC=1 bash .ci/run`); do not edit.\n\n")
	b.WriteString("*Refused by name*: the local workspace says which thing it does not do, in the error that the program shows.\n\n" + table())
	b.WriteString("\nWitnesses that cannot be had:\n\n")
	for _, a := range absent {
		fmt.Fprintf(&b, "- %s\n", a)
	}
	for _, w := range report.witnesses {
		if w.count(refused)+w.count(notCalled)+w.count(different) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s %s\n", w.Name, w.Version)
		for _, of := range []struct{ outcome, title string }{{refused, "Refused by name"}, {different, "Different, and why"}, {notCalled, "Not tried"}} {
			if w.count(of.outcome) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n%s:\n\n", of.title)
			for _, o := range w.Operations {
				if o.Outcome == of.outcome {
					fmt.Fprintf(&b, "- `%s`: %s\n", o.Name, lasting(o.Detail))
				}
			}
		}
	}
	return os.WriteFile(page, b.Bytes(), 0o644)
}

// passing is what of a message lasts no longer than the run: ids, times, hosts, folders, markup.
var passing = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?s)(&#xA;|\\n|\n)RequestId:.*$`), ""},
	{regexp.MustCompile(` ?\(request [0-9a-f-]{36}\)`), ""},
	{regexp.MustCompile(`^"message": "`), ""},
	{regexp.MustCompile(`<\?xml[^>]*>|</?(Error|Message|Code)>`), " "},
	{regexp.MustCompile(`&#(39|34);`), "'"},
	{regexp.MustCompile(`/\S*/oracle/`), ""},
	{regexp.MustCompile(regexp.QuoteMeta(os.TempDir()) + `/Test\w+/\d+/`), ""},
	{regexp.MustCompile(`(submit|get|run) "[a-z]+_[a-z]+_[a-z0-9]{10}"`), "$1"},
	{regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`), "HOST"},
	{regexp.MustCompile(`amllocal[0-9a-f]{8}`), "ACCOUNT"},
	{regexp.MustCompile(`\s+`), " "},
}

// lasting is a message without what another run on another machine says otherwise.
func lasting(detail string) string {
	for _, p := range passing {
		detail = p.pattern.ReplaceAllString(detail, p.instead)
	}
	return strings.TrimSpace(detail)
}

// page is where the table is kept.
var page = filepath.Join("..", "..", "docs", "conformance.md")

// stale are the lines of the table that the page does not have. Counts of what
// is tried grow with the suites; they are not compared, but names, versions,
// and that nothing failed are.
func stale(kept string) []string {
	var out []string
	for _, w := range report.witnesses {
		head := fmt.Sprintf("| %s | %s | %s | %s |", w.Name, w.Version, w.What, w.Unit)
		if !strings.Contains(kept, head) {
			out = append(out, head)
		}
		for _, o := range w.Operations {
			if o.Outcome == refused && !strings.Contains(kept, "- `"+o.Name+"`: ") {
				out = append(out, "refused: "+w.Name+": "+o.Name)
			}
		}
	}
	return out
}
