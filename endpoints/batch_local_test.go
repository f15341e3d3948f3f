package endpoints_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	at := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
	require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
	return at
}

// rowsOf downloads the results of a batch job.
func rowsOf(t *testing.T, ws *workspace.Client, job, file string) string {
	t.Helper()
	_, err := ws.Jobs.Wait(t.Context(), job, nil)
	require.NoError(t, err)
	dir := t.TempDir()
	_, err = ws.Jobs.Download(t.Context(), job, dir, nil)
	require.NoError(t, err)
	found := ""
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == file {
			found = p
		}
		return err
	}))
	require.NotEmpty(t, found, file)
	b, err := os.ReadFile(found)
	require.NoError(t, err)
	return string(b)
}

func TestBatchFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	in := filepath.Join(tmp, "in")
	for i := range 5 {
		write(t, in, fmt.Sprintf("%d.csv", i), strings.Repeat("row\n", i))
	}
	model := write(t, tmp, "word.txt", "rows")
	both(t, nil, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Batch.BeginCreate(ctx, &endpoints.BatchEndpoint{Name: "counter"}, nil)
		e := done(t, p, err)
		require.Equal(t, "Succeeded", e.ProvisioningState)
		folder := &endpoints.BatchRequest{Inputs: jobs.Inputs{"rows": jobs.URIFolder(in)}}
		_, err = ws.Batch.Invoke(ctx, "counter", folder, nil)
		require.ErrorContains(t, err, "No valid deployments to route to")
		d := &endpoints.ModelBatchDeployment{
			Name: "lines", Endpoint: "counter", Model: &assets.Model{Name: "word", Version: "1", Path: model},
			Code: &endpoints.CodeConfiguration{Code: jobs.Code{Go: &jobs.GoProgram{Package: "./testdata/lines"}}}, Environment: azureml.Ref("azureml:sklearn-1.5@latest"), Compute: "cpu-cluster",
			MiniBatchSize: 2, MaxConcurrency: 2, OutputFile: "counts.csv", Retry: &endpoints.Retry{MaxRetries: new(0), Timeout: time.Minute},
		}
		pd, err := ws.Batch.BeginCreateDeployment(ctx, d, nil)
		done(t, pd, err)
		p, err = ws.Batch.BeginSetDefault(ctx, "counter", "lines", nil)
		done(t, p, err)

		// A folder here, on the default deployment.
		job, err := ws.Batch.Invoke(ctx, "counter", folder, nil)
		require.NoError(t, err)
		require.Equal(t, job.Name, job.Properties.Name)
		require.NotEmpty(t, job.Properties.Status)
		require.NotEmpty(t, job.Properties.Endpoints["Studio"].Endpoint)
		require.Equal(t, "rows,0.csv,0\nrows,1.csv,1\nrows,2.csv,2\nrows,3.csv,3\nrows,4.csv,4\n", rowsOf(t, ws, job.Name, "counts.csv"))
		run, err := ws.Jobs.Get(ctx, job.Name)
		require.NoError(t, err)
		require.Equal(t, "counter", run.Experiment)
		require.NotEmpty(t, run.Spec.(*jobs.PipelineJob).Outputs["score"].Path)

		// A registered asset, the deployment by name, settings and an output of the request's own, once for two requests.
		data, err := ws.Data.Create(ctx, &assets.Data{Name: "rows", Version: "1", Type: assets.URIFolder, Path: in}, nil)
		require.NoError(t, err)
		request := &endpoints.BatchRequest{
			Deployment: "lines", Inputs: jobs.Inputs{"rows": {Type: jobs.TypeURIFolder, Path: "azureml:rows@latest"}}, MiniBatchSize: 5, InstanceCount: 1, ErrorThreshold: new(0),
			Outputs: jobs.Outputs{"score": {Type: jobs.TypeURIFile, Path: "azureml://datastores/workspaceblobstore/paths/mine/all.csv"}}, JobName: "by-name-" + strings.ToLower(strings.NewReplacer("/", "-").Replace(t.Name())), Experiment: "own",
		}
		o := &endpoints.InvokeOptions{RequestID: "the same"}
		first, err := ws.Batch.Invoke(ctx, "counter", request, o)
		require.NoError(t, err)
		second, err := ws.Batch.Invoke(ctx, "counter", request, o)
		require.NoError(t, err)
		require.Equal(t, first.Name, second.Name)
		require.Equal(t, request.JobName, first.Name)
		require.Equal(t, 5, strings.Count(rowsOf(t, ws, first.Name, "all.csv"), "\n"))
		require.NotEmpty(t, data.ID)

		// One file that fails: too many with this threshold, and the end of the log says why.
		bad := write(t, tmp, "bad.csv", "bad\n")
		failing, err := ws.Batch.Invoke(ctx, "counter", &endpoints.BatchRequest{Inputs: jobs.Inputs{"one": jobs.URIFile(bad)}, ErrorThreshold: new(0), Retry: &endpoints.Retry{MaxRetries: new(1)}}, nil)
		require.NoError(t, err)
		_, err = ws.Jobs.Wait(ctx, failing.Name, nil)
		var fe *jobs.FailedError
		require.ErrorAs(t, err, &fe)
		require.ErrorContains(t, err, "The number of failed items, 1, has exceeded the error_threshold of 0. The last error: bad.csv is bad")

		var all, of []string
		for j, err := range ws.Batch.Jobs(ctx, "counter") {
			require.NoError(t, err)
			all = append(all, j.Name+" "+j.Properties.Status)
		}
		require.Equal(t, []string{failing.Name + " Failed", first.Name + " Completed", job.Name + " Completed"}, all)
		for j, err := range ws.Batch.DeploymentJobs(ctx, "counter", "lines") {
			require.NoError(t, err)
			of = append(of, j.Name)
		}
		require.Len(t, of, 3)

		_, err = ws.Batch.Invoke(ctx, "counter", &endpoints.BatchRequest{Deployment: "nope", Inputs: request.Inputs}, nil)
		require.ErrorIs(t, err, azureml.ErrNotFound)
		require.ErrorContains(t, err, `batch endpoints: invoke "counter": batch deployments: get "counter/nope"`)
		_, err = ws.Batch.Invoke(ctx, "nope", request, nil)
		require.ErrorIs(t, err, azureml.ErrNotFound)
		_, err = ws.Batch.Invoke(ctx, "counter", &endpoints.BatchRequest{Inputs: jobs.Inputs{"n": jobs.Literal(3)}}, nil)
		require.ErrorContains(t, err, "takes UriFile and UriFolder, not Literal")
		var re *azcore.ResponseError
		require.ErrorAs(t, err, &re)
		require.Equal(t, http.StatusBadRequest, re.StatusCode)
		_, err = ws.Batch.Invoke(ctx, "counter", &endpoints.BatchRequest{Inputs: jobs.Inputs{"n": jobs.URIFolder(filepath.Join(tmp, "nowhere"))}}, nil)
		require.ErrorIs(t, err, os.ErrNotExist)

		// A schedule asks it again and again; the folder here is uploaded once.
		ps, err := ws.Schedules.BeginCreate(ctx, jobs.OnSchedule("counting", jobs.Cron("0 3 * * *").From(time.Now().AddDate(1, 0, 0))).Invoke(&jobs.BatchInvocation{
			Endpoint: "counter", Inputs: jobs.Inputs{"rows": jobs.URIFolder(in)}, Outputs: jobs.Outputs{"score": {Type: jobs.TypeURIFolder, Path: "azureml://datastores/workspaceblobstore/paths/counted/${{name}}/"}}, MiniBatchSize: 5,
		}), nil)
		s := done(t, ps, err)
		require.Equal(t, "counter", s.Action.(*jobs.BatchInvocation).Endpoint)
		at, err := ws.Schedules.Trigger(ctx, "counting", time.Time{})
		require.NoError(t, err)
		require.Equal(t, "InvokeBatchEndpoint", at.ActionType)
		require.Equal(t, 5, strings.Count(rowsOf(t, ws, at.JobName, "counts.csv"), "\n"))
		for run, err := range ws.Schedules.Jobs(ctx, "counting") {
			require.NoError(t, err)
			require.Equal(t, at.JobName, run.Name)
			require.Contains(t, run.Spec.(*jobs.PipelineJob).Outputs["score"].Path, "counted/"+at.JobName)
		}
	})
}

func TestBatchPipelineComponentLocally(t *testing.T) {
	t.Parallel()
	both(t, nil, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		dir := t.TempDir()
		p, err := ws.Batch.BeginCreate(ctx, &endpoints.BatchEndpoint{Name: "pipes"}, nil)
		done(t, p, err)
		count, err := ws.Components.Create(ctx, &jobs.CommandComponent{
			Name: "count", Version: "1", Command: "ls ${{inputs.data}} >${{outputs.names}} && echo ${{inputs.note}} >>${{outputs.names}}", Environment: azureml.Ref("azureml:sklearn-1.5@latest"),
			Inputs: jobs.ComponentInputs{"data": {Type: "uri_folder"}, "note": {Type: "string"}}, Outputs: jobs.ComponentOutputs{"names": {Type: "uri_file"}},
		}, nil)
		require.NoError(t, err)
		pd, err := ws.Batch.BeginCreateDeployment(ctx, &endpoints.PipelineBatchDeployment{
			Name: "one", Endpoint: "pipes", Settings: map[string]any{"default_compute": "cpu-cluster"},
			Component: &jobs.PipelineComponent{
				Name: "names", Version: "1", Inputs: jobs.ComponentInputs{"data": {Type: "uri_folder"}, "note": {Type: "string", Default: "none"}}, Outputs: jobs.ComponentOutputs{"names": {Type: "uri_file"}},
				Jobs: map[string]jobs.Node{"count": &jobs.CommandNode{
					Component: count.ComponentRef(), Inputs: jobs.Inputs{"data": {Path: "${{parent.inputs.data}}"}, "note": {Path: "${{parent.inputs.note}}"}},
					Outputs: jobs.Outputs{"names": {Path: "${{parent.outputs.names}}"}},
				}},
			},
		}, nil)
		done(t, pd, err)
		in := filepath.Join(dir, "in")
		write(t, in, "a", "")
		job, err := ws.Batch.Invoke(ctx, "pipes", &endpoints.BatchRequest{Deployment: "one", Inputs: jobs.Inputs{"data": jobs.URIFolder(in), "note": jobs.Literal("well")}}, nil)
		require.NoError(t, err)
		_, err = ws.Jobs.Wait(ctx, job.Name, nil)
		require.NoError(t, err)
		_, err = ws.Jobs.Download(ctx, job.Name, dir, &jobs.DownloadOptions{Output: "names"})
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(dir, "named-outputs", "names", "names"))
		require.NoError(t, err)
		require.Equal(t, "a\nwell\n", string(b))
	})
}
