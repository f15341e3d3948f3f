package conformance

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

// kindOf is the word for an entity that corpus/load.py takes; "" for kinds
// that are not compared.
func kindOf(e any) string {
	switch e.(type) {
	case jobs.Spec:
		return "job"
	case jobs.Component:
		return "component"
	case *assets.Data:
		return "data"
	case *assets.Model:
		return "model"
	case *assets.Environment:
		return "environment"
	case assets.Datastore:
		return "datastore"
	case compute.Compute:
		return "compute"
	case *endpoints.OnlineEndpoint:
		return "online endpoint"
	case *endpoints.OnlineDeployment:
		return "online deployment"
	case *endpoints.BatchEndpoint:
		return "batch endpoint"
	}
	return ""
}

// BenchmarkCorpus loads and encodes every file of the oracle's corpus that
// both sides know, and lets azure-ai-ml do the same in the same run:
//
//	go test -run none -bench Corpus -benchtime 20x ./internal/conformance
//
// x-faster is azure-ai-ml's time for the files over ours; its import, which
// takes seconds, is not counted. x-memory is the one process's memory over the
// other's, without what it shares with its program files (RssAnon); x-resident
// with it, at the peak (VmHWM). Linux only.
func BenchmarkCorpus(b *testing.B) {
	dir := filepath.Join("..", "..", "..", "shared", "oracle")
	if d := os.Getenv("AZUREML_ORACLE"); d != "" {
		dir = d
	}
	root, err := filepath.Abs(filepath.Join(dir, "corpus"))
	require.NoError(b, err)
	if _, err := os.Stat(root); err != nil {
		b.Skipf("the corpus is missing: %v", err)
	}
	var files, lines []string
	require.NoError(b, filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".yml" && filepath.Ext(p) != ".yaml" {
			return err
		}
		if e, err := workspace.Load(p, nil); err == nil && kindOf(e) != "" {
			files = append(files, p)
			lines = append(lines, kindOf(e)+"\t"+p)
		}
		return nil
	}))
	require.NotEmpty(b, files)
	for b.Loop() {
		for _, f := range files {
			if e, err := workspace.Load(f, nil); err == nil {
				_, _ = wire.ToREST(e) // one that cannot be encoded before it is resolved costs its time all the same
			}
		}
	}
	peak, anonymous := memory(b, "VmHWM"), memory(b, "RssAnon")
	ours := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(len(files)), "files")

	py := os.Getenv("AZUREML_PYTHON")
	if py == "" {
		b.Log("AZUREML_PYTHON is not set: azure-ai-ml is not measured beside it")
		return
	}
	list := filepath.Join(b.TempDir(), "list")
	require.NoError(b, os.WriteFile(list, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	script, err := filepath.Abs("corpus/load.py")
	require.NoError(b, err)
	out, err := exec.Command(py, script, list).Output()
	require.NoError(b, err)
	var theirs struct {
		Files     int
		Seconds   float64
		Import    float64 `json:"import_seconds"`
		Peak      float64 `json:"peak_kib"`
		Anonymous float64 `json:"anonymous_kib"`
	}
	require.NoError(b, json.Unmarshal(out, &theirs))
	require.Equal(b, len(files), theirs.Files)
	b.ReportMetric(theirs.Seconds/ours.Seconds(), "x-faster")
	b.Logf("%d files: azure-ai-ml %.2f s (and %.2f s to import), here %s", theirs.Files, theirs.Seconds, theirs.Import, ours)
	if peak > 0 && anonymous > 0 {
		b.ReportMetric(theirs.Anonymous/anonymous, "x-memory")
		b.ReportMetric(theirs.Peak/peak, "x-resident")
		b.Logf("memory: %.0f MiB (peak %.0f) against %.0f MiB (peak %.0f)", theirs.Anonymous/1024, theirs.Peak/1024, anonymous/1024, peak/1024)
	}
}

// memory is a line of /proc/self/status, in KiB; 0 elsewhere.
func memory(b *testing.B, field string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(b, err)
			return kib
		}
	}
	return 0
}
