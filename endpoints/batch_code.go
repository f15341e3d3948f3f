package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints/serve"
	"github.com/azureml-go/azureml/jobs"
)

// program builds the Go program of a batch deployment for the workspace's
// machines, and uploads it with the script by which Azure runs it
// (serve.BatchCode). A local workspace runs the program itself.
func (c *BatchClient) program(ctx context.Context, p *jobs.GoProgram, o *assets.CreateOptions) (_ *CodeConfiguration, err error) {
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Tags map[string]string `json:"tags"`
	}
	if err := json.Unmarshal(w.Document, &doc); err != nil {
		return nil, fmt.Errorf("decoding the workspace: %w", err)
	}
	first := func(of ...string) string {
		for _, s := range of {
			if s != "" {
				return s
			}
		}
		return ""
	}
	dir, err := serve.BatchCode(ctx, p.Package, &serve.BatchCodeOptions{
		Dir: p.Dir, GOOS: first(p.GOOS, doc.Tags["goos"], "linux"), GOARCH: first(p.GOARCH, doc.Tags["goarch"], "amd64"), Tags: p.Tags,
	})
	if err != nil {
		return nil, fmt.Errorf("code_configuration.code: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return c.deps.codeConfiguration(ctx, &CodeConfiguration{Code: jobs.Folder(dir), ScoringScript: serve.BatchScript}, o)
}

// checkBatchCode is checkCode for batch deployments, whose code may be a Go program.
func checkBatchCode(f *faults, c *CodeConfiguration) {
	switch {
	case c == nil || c.Code.Go == nil:
		checkCode(f, c)
	case c.Code.Go.Package == "":
		f.add("code_configuration.code", "a Go program needs its package, such as ./cmd/score")
	case c.ScoringScript != "" && c.ScoringScript != serve.BatchScript:
		f.add("code_configuration.scoring_script", "is %q; a Go program has none of its own", c.ScoringScript)
	}
}
