//go:build unix

package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// TestMain lets the test binary be a job's program that logs metrics: its
// arguments are the metric and its values.
func TestMain(m *testing.M) {
	if os.Getenv("EXECUTION_TEST_LOG") == "" {
		goleak.VerifyTestMain(m)
		return
	}
	for i, v := range os.Args[2:] {
		body := fmt.Sprintf(`{"run_id":%q,"key":%q,"value":%s,"timestamp":%d,"step":%d}`, os.Getenv("MLFLOW_RUN_ID"), os.Args[1], v, time.Now().UnixMilli(), i)
		resp, err := http.Post(os.Getenv("MLFLOW_TRACKING_URI")+"/api/2.0/mlflow/runs/log-metric", "application/json", strings.NewReader(body))
		if err != nil || resp.StatusCode != 200 {
			fmt.Println(err, resp)
			os.Exit(1)
		}
		if p := os.Getenv("PAUSE"); p != "" {
			d, err := time.ParseDuration(p)
			if err != nil {
				panic(err)
			}
			time.Sleep(d)
		}
	}
}

var scope = arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "w"}

// world is an engine with all that it works with, but for the router.
type world struct {
	t          testing.TB
	dir        string
	db         *store.DB
	blobs      *blob.Service
	tracking   *tracking.Store
	e          *Engine
	nodes      int
	registered []Asset
}

func open(t testing.TB, dir string, mode Mode) *world {
	t.Helper()
	w := &world{t: t, dir: dir, nodes: 2}
	var err error
	w.db, err = store.Open(store.Options{Dir: dir})
	require.NoError(t, err)
	w.blobs, err = blob.New(w.db, filepath.Join(dir, "blobs"), nil)
	require.NoError(t, err)
	w.tracking, err = tracking.New(w.db, w.blobs, &tracking.Options{Clock: time.Now})
	require.NoError(t, err)
	resolver := &arm.Resolver{DB: w.db}
	srv := httptest.NewServer(w.tracking.Handler(scope.Key(), tracking.HandlerOptions{User: "local"}))
	t.Cleanup(srv.Close)
	w.e, err = New(Deps{
		DB: w.db, Blobs: w.blobs, Tracking: w.tracking, Resolver: resolver, Dir: filepath.Join(dir, "execution"), Clock: time.Now, Environments: mode,
		BaseURL:  func() (string, error) { return srv.URL, nil },
		RunToken: func(arm.Scope, string) (string, time.Time, error) { return "run-token", time.Now().Add(time.Hour), nil },
		Revoke:   func(arm.Scope, string) {},
		Artifacts: func(ctx context.Context, sc arm.Scope) (string, string, error) {
			return sc.Account(), arm.ArtifactContainer, nil
		},
		Register: func(_ context.Context, sc arm.Scope, a Asset) (string, error) {
			w.registered = append(w.registered, a)
			return sc.AssetID(a.Collection, a.Name, "1"), nil
		},
		Slots: func(_ arm.Scope, compute string) int {
			if compute == "none" {
				return 0
			}
			return w.nodes
		},
	})
	require.NoError(t, err)
	ctx := t.Context()
	_, err = w.blobs.EnsureAccount(ctx, scope.Account())
	require.NoError(t, err)
	for _, c := range []string{arm.ArtifactContainer, scope.BlobContainer()} {
		require.NoError(t, w.blobs.EnsureContainer(ctx, scope.Account(), c))
	}
	for name, container := range map[string]string{arm.BlobStore: scope.BlobContainer(), arm.ArtifactStore: arm.ArtifactContainer} {
		w.document(scope.Child(arm.Datastores, name), map[string]any{"datastoreType": "AzureBlob", "accountName": scope.Account(), "containerName": container})
	}
	w.document(scope.AssetID(arm.Environments, "env", "1"), map[string]any{"image": "ubuntu", "condaFile": "dependencies:\n- python=3.10\n- pip:\n  - numpy==2.0\n"})
	return w
}

func newWorld(t testing.TB) *world {
	w := open(t, t.TempDir(), nil)
	require.NoError(t, w.e.Recover(t.Context()))
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	require.NoError(w.t, w.e.Close())
	require.NoError(w.t, w.tracking.Close())
	require.NoError(w.t, w.blobs.Close())
	require.NoError(w.t, w.db.Close())
}

func (w *world) document(id string, properties map[string]any) {
	body, err := json.Marshal(map[string]any{"id": id, "properties": properties})
	require.NoError(w.t, err)
	require.NoError(w.t, w.db.Update(w.t.Context(), func(tx *sql.Tx) error {
		parent := id[:strings.LastIndexByte(id, '/')]
		if i := strings.LastIndex(id, "/versions/"); i > 0 {
			parent = id[:i]
		}
		_, err := store.Put(tx, &store.Document{ID: id, Type: "x", Parent: parent, Body: body})
		return err
	}))
}

func (w *world) put(container, name, content string) {
	_, err := w.blobs.Put(w.t.Context(), scope.Account(), container, name, strings.NewReader(content), nil)
	require.NoError(w.t, err)
}

func (w *world) get(container, name string) string {
	w.t.Helper()
	r, err := w.blobs.Open(w.t.Context(), scope.Account(), container, name)
	require.NoError(w.t, err, name)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return string(b)
}

func (w *world) log(job string) string {
	w.t.Helper()
	return w.get(arm.ArtifactContainer, arm.RunPrefix(job)+"/user_logs/std_log.txt")
}

type m = map[string]any

func command(line string, more m) json.RawMessage {
	p := m{"jobType": "Command", "command": line, "environmentId": scope.AssetID(arm.Environments, "env", "1"), "computeId": scope.Child(arm.Computes, "cpu"), "experimentName": "exp"}
	for k, v := range more {
		p[k] = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) submit(name string, p json.RawMessage) {
	w.t.Helper()
	require.NoError(w.t, w.e.Check(w.t.Context(), scope, name, p))
	require.NoError(w.t, w.e.Submit(w.t.Context(), scope, name, p))
}

func (w *world) wait(name string) *Record {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	r, err := w.e.Wait(ctx, scope, name)
	require.NoError(w.t, err)
	return r
}

func (w *world) run(name string, p json.RawMessage) *Record {
	w.t.Helper()
	w.submit(name, p)
	return w.wait(name)
}

const (
	waitFor = 15 * time.Second
	tick    = time.Millisecond
)

func (w *world) status(name string) string {
	r, err := w.e.Record(w.t.Context(), scope, name)
	require.NoError(w.t, err)
	return r.Status
}

func TestACommandJob(t *testing.T) {
	w := newWorld(t)
	w.put(scope.BlobContainer(), "code/run.sh", "cat \"$1/a.txt\"; cat $2; echo $3 >$4/result; echo one >$5; mkdir outputs; echo art >outputs/art; env | sort >$4/env\n")
	w.put(scope.BlobContainer(), "in/a.txt", "folder\n")
	w.put(scope.BlobContainer(), "one.txt", "file\n")
	w.document(scope.AssetID(arm.Codes, "c", "1"), m{"codeUri": arm.BlobURL(scope.Account(), scope.BlobContainer(), "code")})
	w.document(scope.AssetID(arm.Data, "d", "7"), m{"dataUri": "azureml://datastores/workspaceblobstore/paths/in", "dataType": "uri_folder"})
	r := w.run("j1", command("bash run.sh ${{inputs.folder}} ${{inputs.file}} ${{inputs.lr}} ${{outputs.out}} ${{outputs.single}} [--no ${{inputs.none}}]", m{
		"codeId":               scope.AssetID(arm.Codes, "c", "1"),
		"environmentVariables": m{"MINE": "yes", "N": 3},
		"displayName":          "first", "description": "about", "tags": m{"k": "v"},
		"inputs": m{
			"folder": m{"jobInputType": "uri_folder", "uri": "azureml:d@latest"},
			"file":   m{"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/one.txt", "mode": "Download"},
			"lr":     m{"jobInputType": "literal", "value": "0.5"},
			"none":   m{"jobInputType": "literal"},
		},
		"outputs": m{
			"out":    m{"jobOutputType": "uri_folder", "assetName": "made"},
			"single": m{"jobOutputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/made/${{name}}.txt"},
		},
	}))
	require.Nil(t, r.Error)
	require.Equal(t, Completed, r.Status)
	require.False(t, r.Started.IsZero())
	require.False(t, r.Ended.Before(r.Started))
	log := w.log("j1")
	require.Equal(t, "local workspace: environment env:1 runs on the host; not provided: image ubuntu; packages python=3.10, numpy==2.0\nfolder\nfile\n", log)
	require.Equal(t, "0.5\n", w.get(scope.BlobContainer(), "azureml/j1/out/result"))
	require.Equal(t, "one\n", w.get(scope.BlobContainer(), "made/j1.txt"))
	require.Equal(t, "art\n", w.get(arm.ArtifactContainer, "ExperimentRun/dcid.j1/outputs/art"))
	env := w.get(scope.BlobContainer(), "azureml/j1/out/env")
	for _, want := range []string{"AZUREML_RUN_ID=j1\n", "AZUREML_ARM_WORKSPACE_NAME=w\n", "MLFLOW_RUN_ID=j1\n", "MLFLOW_TRACKING_TOKEN=run-token\n", "MLFLOW_EXPERIMENT_NAME=exp\n", "MINE=yes\n", "N=3\n"} {
		require.Contains(t, env, want)
	}
	require.Len(t, w.registered, 1)
	require.Equal(t, "made", w.registered[0].Name)
	require.Equal(t, "1", func() string {
		id, err := arm.ParseID(r.Outputs["out"].AssetID)
		require.NoError(t, err)
		return id.Inner()[1].Name
	}())

	run, err := w.tracking.Run(t.Context(), scope.Key(), "j1")
	require.NoError(t, err)
	require.Equal(t, "FINISHED", run.Status)
	require.Equal(t, "first", run.Name)
	p, err := w.e.Properties(t.Context(), scope, "j1")
	require.NoError(t, err)
	require.Equal(t, "Completed", p["status"])
	require.Equal(t, "about", p["description"])
	require.Equal(t, map[string]string{"k": "v"}, p["tags"])
	require.Contains(t, p["outputs"], "default")
	left, err := os.ReadDir(filepath.Join(w.dir, "execution", "processes"))
	require.NoError(t, err)
	for _, f := range left { // files that are kept for other records hold none
		info, err := f.Info()
		require.NoError(t, err)
		require.Zero(t, info.Size())
	}
}

func TestTheOwnersSecretsAreNotPassedOn(t *testing.T) {
	t.Setenv("AZURE_CLIENT_SECRET", "s3cret")
	t.Setenv("SOMETHING", "else")
	t.Setenv("WANTED", "1")
	w := newWorld(t)
	w.e.PassEnv = []string{"WANTED", "AZURE_CLIENT_SECRET"}
	require.Equal(t, Completed, w.run("j", command("env", nil)).Status)
	log := w.log("j")
	require.NotContains(t, log, "s3cret")
	require.NotContains(t, log, "SOMETHING")
	require.Contains(t, log, "WANTED=1\n")
}

func TestAFailure(t *testing.T) {
	w := newWorld(t)
	r := w.run("j", command("echo before; echo the cause >&2; exit 4", m{"outputs": m{"o": m{"jobOutputType": "uri_folder", "assetName": "x"}}}))
	require.Equal(t, Failed, r.Status)
	require.Equal(t, "UserError", r.Error.Code)
	require.Contains(t, r.Error.Message, "exited with status code 4")
	require.Contains(t, r.Error.Message, "the cause")
	require.Empty(t, w.registered, "a failed job registers nothing")
	run, err := w.tracking.Run(t.Context(), scope.Key(), "j")
	require.NoError(t, err)
	require.Equal(t, "FAILED", run.Status)
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.submit("j", command("echo $$; sleep 600 & wait", nil))
	require.Eventually(t, func() bool { return w.status("j") == Running }, 10*time.Second, time.Millisecond)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "j", "enough"))
	r := w.wait("j")
	require.Equal(t, Canceled, r.Status)
	require.Equal(t, "enough", r.Reason)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "j", "again"))
	require.Equal(t, Canceled, w.status("j"))
}

func TestTimeout(t *testing.T) {
	w := newWorld(t)
	r := w.run("j", command("sleep 600", m{"limits": m{"timeout": "PT0.2S"}}))
	require.Equal(t, Canceled, r.Status)
	require.Contains(t, r.Error.Message, "longer than its limit of PT0.2S")
}

func TestSlotsQueueJobs(t *testing.T) {
	w := newWorld(t)
	w.nodes = 1
	w.submit("a", command("while [ ! -e "+w.dir+"/go ]; do sleep 0.01; done", nil))
	w.submit("b", command("true", nil))
	require.Eventually(t, func() bool { return w.status("a") == Running && w.status("b") == Queued }, 10*time.Second, time.Millisecond)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "b", ""))
	require.Equal(t, Canceled, w.wait("b").Status)
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "go"), nil, 0o600))
	require.Equal(t, Completed, w.wait("a").Status)
}

func TestDistributed(t *testing.T) {
	w := newWorld(t)
	r := w.run("j", command("echo $RANK/$WORLD_SIZE node $NODE_RANK local $LOCAL_RANK", m{"distribution": m{"distributionType": "PyTorch", "processCountPerInstance": 2}, "resources": m{"instanceCount": 2}}))
	require.Equal(t, Completed, r.Status)
	require.Len(t, r.Logs, 4)
	require.Contains(t, w.get(arm.ArtifactContainer, "ExperimentRun/dcid.j/user_logs/std_log_process_03.txt"), "3/4 node 1 local 1\n")
	r = w.run("k", command(`[ "$RANK" = 1 ] && exit 9; sleep 600`, m{"distribution": m{"distributionType": "PyTorch", "processCountPerInstance": 2}}))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "status code 9")
	r = w.run("l", command("echo $TF_CONFIG", m{"distribution": m{"distributionType": "TensorFlow", "workerCount": 2, "parameterServerCount": 1}}))
	require.Equal(t, Completed, r.Status)
	require.Contains(t, w.get(arm.ArtifactContainer, "ExperimentRun/dcid.l/user_logs/std_log_ps_00.txt"), `"task":{"index":0,"type":"ps"}`)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	fakeRay(t)
	for _, c := range []struct {
		target, want string
		p            json.RawMessage
	}{
		{"properties.jobType", "not among them", command("x", m{"jobType": "Dance"})},
		{"properties.command", "required", command(" ", nil)},
		{"properties.command", "${{inputs.x}}", command("run ${{inputs.x}}", m{"inputs": m{"y": m{"jobInputType": "literal", "value": "1"}}})},
		{"properties.environmentId", "required", command("x", m{"environmentId": ""})},
		{"properties.environmentId", "not found", command("x", m{"environmentId": "azureml:nope:1"})},
		{"properties.codeId", "not found", command("x", m{"codeId": scope.AssetID(arm.Codes, "nope", "1")})},
		{"properties.computeId", `"none"`, command("x", m{"computeId": scope.Child(arm.Computes, "none")})},
		{"properties.resources.instanceCount", "3 nodes", command("x", m{"resources": m{"instanceCount": 3}})},
		{"properties.distribution.distributionType", "Horovod", command("x", m{"distribution": m{"distributionType": "Horovod"}})},
		{"properties.distribution.address", "joins no other", command("x", m{"distribution": m{"distributionType": "Ray", "address": "10.0.0.1:6379"}})},
		{"properties.limits.timeout", "ISO 8601", command("x", m{"limits": m{"timeout": "1h"}})},
		{"properties.services.s", "JupyterLab", command("x", m{"services": m{"s": m{"jobServiceType": "JupyterLab"}}})},
		{"properties.inputs.a-b", "letters", command("x", m{"inputs": m{"a-b": m{"jobInputType": "literal", "value": "1"}}})},
		{"properties.inputs.a.uri", "not found", command("x", m{"inputs": m{"a": m{"jobInputType": "uri_file", "uri": "azureml:nope:1"}}})},
		{"properties.inputs.a.mode", "MLTable", command("x", m{"inputs": m{"a": m{"jobInputType": "mltable", "uri": "azureml://datastores/workspaceblobstore/paths/x", "mode": "EvalMount"}}})},
		{"properties.outputs.a.uri", "not found", command("x", m{"outputs": m{"a": m{"jobOutputType": "uri_file", "uri": "azureml://datastores/nope/paths/x"}}})},
		{"properties.outputs.a.assetName", "without", command("x", m{"outputs": m{"a": m{"jobOutputType": "uri_file", "assetVersion": "1"}}})},
	} {
		err := w.e.Check(t.Context(), scope, "j", c.p)
		require.Error(t, err, c.want)
		e := arm.As(err)
		require.Equal(t, 400, e.Status, c.want)
		require.Equal(t, c.target, e.Target)
		require.Contains(t, e.Message, c.want)
	}
	err := arm.As(w.e.Check(t.Context(), scope, "j", command("", m{"environmentId": ""})))
	require.Len(t, err.Details, 2)
	strict := open(t, t.TempDir(), Strict{})
	defer strict.close()
	require.ErrorContains(t, strict.e.Check(t.Context(), scope, "j", command("x", nil)), "image ubuntu; packages python=3.10, numpy==2.0")
}

func TestANameIsUsedOnce(t *testing.T) {
	w := newWorld(t)
	w.run("j", command("true", nil))
	err := w.e.Submit(t.Context(), scope, "j", command("true", nil))
	require.Equal(t, 409, arm.As(err).Status)
}

func TestCloseEndsWhatRunsAndKeepsWhatWaits(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, nil)
	w.nodes = 1
	require.NoError(t, w.e.Recover(t.Context()))
	w.submit("runs", command("sleep 600", nil))
	require.Eventually(t, func() bool { return w.status("runs") == Running }, 10*time.Second, time.Millisecond)
	w.submit("waits", command("echo later", nil))
	w.close()

	w = open(t, dir, nil)
	defer w.close()
	require.Equal(t, Canceled, w.status("runs"))
	require.NoError(t, w.e.Recover(t.Context()))
	require.Equal(t, Completed, w.wait("waits").Status)
	require.Contains(t, w.log("waits"), "later\n")
}

// A record left Running is what SIGKILL of the owner leaves.
func TestRecoverMarksWhatRan(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, nil)
	require.NoError(t, w.e.Recover(t.Context()))
	w.run("j", command("true", nil))
	require.NoError(t, w.db.Update(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE jobs SET status='Running', ended=0`)
		return err
	}))
	w.close()
	w = open(t, dir, nil)
	defer w.close()
	require.NoError(t, w.e.Recover(t.Context()))
	r := w.wait("j")
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "ended while the job was Running")
}

func TestAFolderWithBlanks(t *testing.T) {
	w := open(t, filepath.Join(t.TempDir(), "my own folder"), nil)
	defer w.close()
	require.NoError(t, w.e.Recover(t.Context()))
	r := w.run("j", command("echo x > ${{outputs.o}}/f", m{"outputs": m{"o": m{"jobOutputType": "uri_folder"}}}))
	require.Equal(t, Completed, r.Status, fmt.Sprint(r.Error))
	require.Equal(t, "x\n", w.get(scope.BlobContainer(), "azureml/j/o/f"))
}

func TestRequirements(t *testing.T) {
	python, reqs, err := requirements(&Environment{CondaFile: "dependencies:\n- python=3.10\n- pip\n- numpy=1.26\n- conda-forge::scikit-learn>=1.4\n- pip:\n  - mlflow==2.9\n  - requests\n"})
	require.NoError(t, err)
	require.Equal(t, "3.10", python)
	require.Equal(t, []string{"numpy==1.26.*", "scikit-learn>=1.4", "mlflow==2.9", "requests"}, reqs)
	_, _, err = requirements(&Environment{CondaFile: "dependencies:\n- cudatoolkit=11\n- pip:\n  - -r requirements.txt\n"})
	require.ErrorContains(t, err, "cudatoolkit=11, pip: -r requirements.txt")
}
