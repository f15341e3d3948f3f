package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
)

// DefaultOutput is the output that every job has: its log files, and what it wrote to ./outputs.
const DefaultOutput = "default"

// DownloadOptions choose what of a job is brought.
type DownloadOptions struct {
	// Output brings this output alone.
	Output string
	// All brings every output.
	All bool
	// Match are patterns of the files that are wanted, as in an ignore file, held against the path in the output: of the default
	// output *.log, user_logs/, outputs/**/*.onnx. The last that matches decides. Defaults to all files.
	Match []string
	// Progress is told how far the download is.
	Progress func(assets.Progress)
	// Concurrency is how many requests are in flight. Defaults to 64.
	Concurrency int
}

// Downloaded is what a download brought: for each output the folder it went to, and the files in it.
type Downloaded map[string]*assets.Download

// Properties and tags by which the service marks jobs whose outputs are elsewhere.
const (
	propReused    = "azureml.isreused"
	propReusedRun = "azureml.reusedrunid"
	propBestChild = "best_child_run_id"
	tagBatch      = "azureml.batchrun"
	tagJobType    = "azureml.jobtype"
	batchOutput   = "score"
)

// Download brings the outputs of a job that has ended into the folder dir (RunData_Get,
// DataVersion_BatchGetResolvedUris, Models_BatchGetResolvedUris, and blobs). Without options it is the default
// output, which has the logs: it goes to dir/artifacts, every other output to dir/named-outputs/NAME.
//
// Of a job that reused another's results these are brought; of a sweep the best trial's, and the sweep's own logs
// into dir/hd-artifacts; of a batch scoring job the scores, into dir itself. An output that does not exist, is empty,
// or has no file that matches is an error.
func (c *Client) Download(ctx context.Context, name, dir string, o *DownloadOptions) (Downloaded, error) {
	if o == nil {
		o = &DownloadOptions{}
	}
	op := fmt.Sprintf("jobs: download %q", name)
	if dir == "" {
		return nil, fmt.Errorf("%s: the folder to download to is not named", op)
	}
	if o.All && o.Output != "" {
		return nil, fmt.Errorf("%s: either all outputs, or %q", op, o.Output)
	}
	d := &download{c: c, op: op, dir: dir, o: o, got: Downloaded{}}
	if err := d.job(ctx, name, 0); err != nil {
		return nil, err
	}
	if len(d.got) == 0 && len(d.o.Match) > 0 {
		return nil, fmt.Errorf("%s: none of its outputs has a file that matches %q: %w", op, d.o.Match, azureml.ErrNotFound)
	}
	if len(d.got) == 0 {
		return nil, fmt.Errorf("%s: it has no outputs: %w", op, azureml.ErrNotFound)
	}
	return d.got, nil
}

type download struct {
	c   *Client
	op  string
	dir string
	o   *DownloadOptions
	got Downloaded
}

// maxReuse bounds how often a job may lead to another.
const maxReuse = 8

// job brings what was asked for of one job.
func (d *download) job(ctx context.Context, name string, depth int) error {
	if depth > maxReuse {
		return fmt.Errorf("%s: the jobs that it reuses lead in a circle", d.op)
	}
	run, err := d.c.Get(ctx, name)
	if err != nil {
		return rest.WithOp(d.op, err)
	}
	if other := run.Properties[propReusedRun]; other != "" && strings.EqualFold(run.Properties[propReused], "true") {
		d.c.rest.Logger().InfoContext(ctx, "jobs: the job reuses another's results; downloading those", "job", name, "reused", other)
		return d.job(ctx, other, depth+1)
	}
	if !run.Status.Ended() {
		return fmt.Errorf("%s: it is %s; outputs can be downloaded once it is Completed, Failed, Canceled, NotResponding or Paused", d.op, run.Status)
	}
	if run.Tags[tagBatch] == "true" && run.Tags[tagJobType] != "azureml.pipelinejob" {
		return d.batch(ctx, run.Name)
	}
	artifacts := "artifacts"
	outputs := []string{DefaultOutput}
	if d.o.Output != "" {
		outputs = []string{d.o.Output}
	} else if d.o.All {
		outputs = nil
	}
	if run.Type == "Sweep" {
		if best := run.Properties[propBestChild]; best != "" {
			if err := d.job(ctx, best, depth+1); err != nil {
				return err
			}
		} else if d.o.Output != "" {
			return fmt.Errorf("%s: the sweep has no best trial whose output %q could be downloaded: %w", d.op, d.o.Output, azureml.ErrNotFound)
		}
		if d.o.Output != "" {
			return nil
		}
		artifacts, outputs = "hd-artifacts", []string{DefaultOutput}
	}
	places, err := d.c.outputs(ctx, d.op, run, outputs)
	if err != nil {
		return err
	}
	for _, output := range slices.Sorted(maps.Keys(places)) {
		to, key := filepath.Join(d.dir, "named-outputs", output), output
		if output == DefaultOutput {
			to = filepath.Join(d.dir, artifacts)
			if _, twice := d.got[key]; twice { // the best trial's is there
				key = artifacts
			}
		}
		if !filepath.IsLocal(output) {
			return fmt.Errorf("%s: %q is no name for a folder", d.op, output)
		}
		if err := d.fetch(ctx, key, output, places[output], to, d.o.All || run.Type == "Sweep"); err != nil {
			return err
		}
	}
	return nil
}

// fetch brings one output from the first of its possible places that has it.
func (d *download) fetch(ctx context.Context, key, output string, places []string, to string, lenient bool) error {
	var missing error
	for _, uri := range places {
		got, err := d.c.datastores.Download(ctx, uri, to, &assets.DownloadOptions{Match: d.o.Match, Progress: d.o.Progress, Concurrency: d.o.Concurrency})
		switch {
		case err == nil:
			d.got[key] = got
			return nil
		case !errors.Is(err, azureml.ErrNotFound):
			return fmt.Errorf("%s: output %q: %w", d.op, output, err)
		}
		missing = err
	}
	if lenient {
		d.c.rest.Logger().WarnContext(ctx, "jobs: an output is not there", "output", output, "error", missing)
		return nil
	}
	return fmt.Errorf("%s: output %q: %w", d.op, output, missing)
}

// batch brings the scores of a batch job: the output of its first child that has them.
func (d *download) batch(ctx context.Context, name string) error {
	for child, err := range d.c.Children(ctx, name) {
		if err != nil {
			return rest.WithOp(d.op, err)
		}
		places, err := d.c.outputs(ctx, d.op, child, []string{batchOutput})
		if err != nil {
			return err
		}
		if err := d.fetch(ctx, batchOutput, batchOutput, places[batchOutput], d.dir, true); err != nil {
			return err
		}
		if len(d.got) > 0 {
			return nil
		}
	}
	return fmt.Errorf("%s: none of its children has an output %q: %w", d.op, batchOutput, azureml.ErrNotFound)
}

// OutputURI tells where an output of a job is, as an azureml:// address (RunData_Get and what resolves its assets).
func (c *Client) OutputURI(ctx context.Context, name, output string) (string, error) {
	op := fmt.Sprintf("jobs: output %q of %q", output, name)
	run, err := c.get(ctx, op, name)
	if err != nil {
		return "", err
	}
	places, err := c.outputs(ctx, op, run, []string{output})
	if err != nil {
		return "", err
	}
	if len(places[output]) != 1 {
		return "", fmt.Errorf("%s: run history does not say where it is: %w", op, azureml.ErrNotFound)
	}
	return places[output][0], nil
}

// outputs finds where outputs are; names nil is all of them. An output that run history does not tell may be in one of
// several places.
func (c *Client) outputs(ctx context.Context, op string, run *Run, names []string) (map[string][]string, error) {
	h, err := c.runData(ctx, op, run.Name)
	if err != nil && !isStatus(err, http.StatusNotFound) {
		return nil, err
	}
	known := map[string]historyAsset{}
	if err == nil {
		known = h.Outputs
	}
	if names == nil {
		names = slices.Sorted(maps.Keys(known))
		for name := range run.Outputs {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if !slices.Contains(names, DefaultOutput) {
			names = append(names, DefaultOutput)
		}
	}
	for _, name := range names {
		_, h := known[name]
		if _, declared := run.Outputs[name]; !h && !declared && len(run.Outputs) > 0 && name != DefaultOutput {
			return nil, fmt.Errorf("%s: the job has no output %q; it has %s: %w", op, name, strings.Join(slices.Sorted(maps.Keys(run.Outputs)), ", "), azureml.ErrNotFound)
		}
	}
	places := map[string][]string{}
	if err := c.resolveAssets(ctx, op, names, known, places); err != nil {
		return nil, err
	}
	for _, name := range names {
		if len(places[name]) > 0 {
			continue
		}
		if at := run.Outputs[name].Path; at != "" && !strings.Contains(at, "${{") {
			places[name] = []string{at}
			continue
		}
		if name == DefaultOutput {
			places[name] = []string{"azureml://datastores/" + assets.ArtifactStore + "/paths/ExperimentRun/dcid." + run.Name + "/"}
			continue
		}
		store, err := c.datastores.Default(ctx)
		if err != nil {
			return nil, rest.WithOp(op, err)
		}
		base := "azureml://datastores/" + store.DatastoreName() + "/paths/"
		places[name] = []string{base + "azureml/" + run.Name + "/" + name + "/", base + "dataset/" + run.Name + "/" + name + "/"}
	}
	return places, nil
}

// resolveAssets asks for the addresses of the assets that outputs have become.
func (c *Client) resolveAssets(ctx context.Context, op string, names []string, known map[string]historyAsset, places map[string][]string) error {
	data, models := map[string][]string{}, map[string][]string{} // asset id → outputs
	for _, name := range names {
		a, ok := known[name]
		switch t := strings.ToLower(strings.ReplaceAll(a.Type, "_", "")); {
		case !ok || a.ID == "":
		case strings.HasSuffix(t, "model"):
			models[a.ID] = append(models[a.ID], name)
		default:
			data[a.ID] = append(data[a.ID], name)
		}
	}
	for _, q := range []struct {
		path string
		ids  map[string][]string
	}{{"/data/v1.0" + c.rest.Path("dataversion", "batchGetResolvedUris"), data}, {"/modelregistry/v1.0" + c.rest.Path("models", "batchGetResolvedUris"), models}} {
		if len(q.ids) == 0 {
			continue
		}
		var out struct {
			Values map[string]struct {
				URI  string `json:"uri"`
				Path string `json:"path"`
			} `json:"values"`
		}
		err := c.rest.Do(ctx, &rest.Call{
			Op: op, Plane: rest.API, Group: "dataplane", Method: http.MethodPost, Idempotent: true, Path: q.path,
			Body: map[string]any{"values": slices.Sorted(maps.Keys(q.ids))}, Out: &out,
		})
		if err != nil {
			return err
		}
		for id, at := range out.Values {
			uri := at.URI
			if uri == "" {
				uri = at.Path
			}
			for _, name := range q.ids[id] {
				if uri != "" {
					places[name] = []string{uri}
				}
			}
		}
	}
	return nil
}
