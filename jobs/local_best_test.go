package jobs_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

const trialProgram = `package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
)

func main() {
	body := fmt.Sprintf("{\"run_id\":%q,\"key\":\"score\",\"value\":%s,\"timestamp\":1,\"step\":0}", os.Getenv("MLFLOW_RUN_ID"), os.Args[1])
	r, err := http.Post(os.Getenv("MLFLOW_TRACKING_URI")+"/api/2.0/mlflow/runs/log-metric", "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		panic(err)
	}
	if r.StatusCode == 401 {
		req, _ := http.NewRequest("POST", r.Request.URL.String(), bytes.NewReader([]byte(body)))
		req.Header.Set("Authorization", "Bearer "+os.Getenv("MLFLOW_TRACKING_TOKEN"))
		req.Header.Set("Content-Type", "application/json")
		if r, err = http.DefaultClient.Do(req); err != nil {
			panic(err)
		}
	}
	if r.StatusCode != 200 {
		panic(r.Status)
	}
	for name, text := range map[string]string{os.Args[2] + "/weights.txt": os.Args[1], "outputs/model/MLmodel": "flavors: {}\n"} {
		if err := os.MkdirAll("outputs/model", 0o777); err != nil {
			panic(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			panic(err)
		}
	}
}
`

func TestLocalSweepBestModel(t *testing.T) {
	shell(t)
	t.Parallel()
	w, dir := open(t), filepath.Join(t.TempDir(), "trial") // what the program is called
	write(t, filepath.Join(dir, "go.mod"), "module trial\n\ngo 1.24\n")
	write(t, filepath.Join(dir, "main.go"), trialProgram)
	trial := jobs.Command("./trial ${{search_space.x}} ${{outputs.model}}").GoCode(dir).In(host).On("cpu-cluster").Output("model", jobs.OutputFolder())
	run := done(t, w.Client.Jobs, jobs.Sweep(trial).Choice("x", 1, 5, 3).Maximize("score").Grid().Trials(3).Concurrent(2))
	best, err := w.Client.Jobs.Best(t.Context(), run.Name)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"x": "5"}, best.Parameters)
	require.InDelta(t, 5, best.Metrics["score"], 0)

	m, err := w.Client.Jobs.RegisterBest(t.Context(), run.Name, &assets.Model{Name: "best"}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"best", "1", string(assets.MLflowModel)}, []string{m.Name, m.Version, string(m.Type)})
	_, err = w.Client.Models.Download(t.Context(), "best", "1", filepath.Join(dir, "best"), nil)
	require.NoError(t, err)
	m, err = w.Client.Jobs.RegisterBest(t.Context(), run.Name, &assets.Model{Name: "weights"}, &jobs.RegisterBestOptions{Output: "model"})
	require.NoError(t, err)
	require.Equal(t, assets.CustomModel, m.Type)
	_, err = w.Client.Models.Download(t.Context(), "weights", m.Version, filepath.Join(dir, "weights"), nil)
	require.NoError(t, err)
	found := ""
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "weights"), func(p string, _ fs.DirEntry, err error) error {
		if filepath.Base(p) == "weights.txt" {
			found = p
		}
		return err
	}))
	require.Equal(t, "5", read(t, found))

	p := pipeline.New("p").On("cpu-cluster") // a step is asked as a sweep of its own is
	p.Step("sweep", jobs.Sweep(trial).Choice("x", 2, 4).Maximize("score").Grid().Trials(2))
	whole, err := p.Build()
	require.NoError(t, err)
	step := ""
	for child, err := range w.Client.Jobs.Children(t.Context(), done(t, w.Client.Jobs, whole).Name) {
		require.NoError(t, err)
		step = child.Name
	}
	best, err = w.Client.Jobs.Best(t.Context(), step)
	require.NoError(t, err)
	require.Equal(t, "4", best.Parameters["x"])
	_, err = w.Client.Jobs.RegisterBest(t.Context(), step, &assets.Model{Name: "within"}, nil)
	require.NoError(t, err)

	_, err = w.Client.Jobs.RegisterBest(t.Context(), run.Name, &assets.Model{Name: "x", Path: "here"}, nil)
	require.ErrorContains(t, err, "has the path")
	_, err = w.Client.Jobs.RegisterBest(t.Context(), "nothing", &assets.Model{Name: "x"}, nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
}
