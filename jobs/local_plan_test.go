package jobs_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// reading refuses every request that could change something. The two POSTs that only read are the key of a datastore, and
// the question what a local workspace would reuse.
type reading struct{ w *local.Workspace }

func (r reading) Do(req *http.Request) (*http.Response, error) {
	read := req.Method == http.MethodGet || req.Method == http.MethodHead ||
		req.Method == http.MethodPost && (strings.HasSuffix(req.URL.Path, "/listSecrets") || strings.HasSuffix(req.URL.Path, "/reuse"))
	if !read {
		return nil, fmt.Errorf("%s %s changes something", req.Method, req.URL.Path)
	}
	return r.w.Transport().Do(req)
}

func planner(t *testing.T, lw *local.Workspace) *jobs.Client {
	t.Helper()
	o := &workspace.Options{}
	o.Transport = reading{lw}
	c, err := workspace.New(lw.ID(), lw.Credential(), o)
	require.NoError(t, err)
	return c.Jobs
}

// A plan of what was never submitted uploads all, and one of what was submitted nothing; neither changes anything.
func TestLocalPlan(t *testing.T) {
	shell(t)
	lw, dir := open(t), t.TempDir()
	c := planner(t, lw)
	write(t, filepath.Join(dir, "code", "say.sh"), "cat $1 > $2/copy\n")
	write(t, filepath.Join(dir, "code", "more", "text"), strings.Repeat("x", 2000))
	rows := write(t, filepath.Join(dir, "rows.csv"), "a,b\n1,2\n")
	job := func() jobs.Spec {
		return jobs.Command("sh say.sh ${{inputs.rows}} ${{outputs.out}}").Code(filepath.Join(dir, "code")).In(host).On("cpu-cluster").
			Input("rows", jobs.URIFile(rows)).Output("out", jobs.OutputFolder())
	}
	p, err := c.Plan(t.Context(), job(), nil)
	require.NoError(t, err)
	require.Empty(t, p.Problems)
	require.Len(t, p.Uploads, 2)
	require.EqualValues(t, len("cat $1 > $2/copy\n")+2000+len("a,b\n1,2\n"), p.Bytes())
	require.Equal(t, jobs.RunStep, p.Steps[0].Decision)
	require.True(t, p.Assets[0].New)

	done(t, lw.Client.Jobs, job())
	p, err = c.Plan(t.Context(), job(), nil)
	require.NoError(t, err)
	require.Zero(t, p.Bytes(), "%s", p)
	for _, u := range p.Uploads {
		require.True(t, u.Reused, "%s", p)
	}
	require.False(t, p.Assets[0].New)

	write(t, filepath.Join(dir, "code", "say.sh"), "cat $1 > $2/copy2\n")
	p, err = c.Plan(t.Context(), job(), nil)
	require.NoError(t, err)
	require.EqualValues(t, 2000+len("cat $1 > $2/copy2\n"), p.Bytes(), "a changed byte is another snapshot")
}

// What the local workspace would refuse is in the plan, and not what is only not there yet.
func TestLocalPlanOfRefusals(t *testing.T) {
	shell(t)
	lw, dir := open(t), t.TempDir()
	c := planner(t, lw)
	write(t, filepath.Join(dir, "code", "a.sh"), "true\n")
	command := func() *jobs.CommandBuilder {
		return jobs.Command("sh a.sh ${{inputs.lr}}").Code(filepath.Join(dir, "code")).In(host).On("cpu-cluster").Input("lr", jobs.Literal(1))
	}
	sweep := func() *jobs.SweepBuilder {
		return jobs.Sweep(command()).Uniform("lr", 0, 1).Minimize("loss").Trials(2)
	}
	many := jobs.Distribution{MPI: &jobs.MPI{ProcessCountPerInstance: 1}}
	pipe := func(step *jobs.CommandBuilder) jobs.Spec {
		p := pipeline.New("p").On("cpu-cluster")
		p.Step("a", step)
		j, err := p.Build()
		require.NoError(t, err)
		return j
	}
	naming := func(component azureml.Ref) jobs.Spec {
		p := pipeline.New("p").On("cpu-cluster")
		p.Step("a", component)
		j, err := p.Build()
		require.NoError(t, err)
		return j
	}
	for name, c2 := range map[string]struct {
		spec  jobs.Spec
		field string
		want  string
	}{
		"command":         {command(), "", ""},
		"sweep":           {sweep(), "", ""},
		"pipeline":        {pipe(command()), "", ""},
		"too many nodes":  {command().Nodes(1000, many), "resources.instanceCount", "1000 nodes are asked for"},
		"a grid of range": {sweep().Grid(), "samplingAlgorithm", "grid sampling takes choice alone"},
		"a component":     {naming("azureml://registries/none/components/gone/versions/3"), "jobs.a", "was not found"},
		"a step's nodes":  {pipe(command().Nodes(1000, many)), "jobs.a.resources.instanceCount", "1000 nodes are asked for"},
	} {
		p, err := c.Plan(t.Context(), c2.spec, nil)
		require.NoError(t, err, name)
		if c2.want == "" {
			require.Empty(t, p.Problems, name)
			require.Equal(t, jobs.RunStep, p.Steps[0].Decision, name)
			continue
		}
		require.Len(t, p.Problems, 1, name)
		require.Equal(t, c2.field, p.Problems[0].Field, name)
		require.Contains(t, p.Problems[0].Message, c2.want)
		require.Equal(t, jobs.Undecided, p.Steps[0].Decision, name)
		_, err = lw.Client.Jobs.Submit(t.Context(), c2.spec, nil)
		require.ErrorContains(t, err, c2.want, name)
	}
}

// The steps of a pipeline are decided beforehand as they are decided when they run.
func TestLocalPlanOfPipeline(t *testing.T) {
	shell(t)
	lw, dir := open(t), t.TempDir()
	c := planner(t, lw)
	write(t, filepath.Join(dir, "rows.csv"), "a\nb\nc\n")
	write(t, filepath.Join(dir, "count.yml"), countFile)
	write(t, filepath.Join(dir, "code", "double.sh"), "for i in $(seq $2); do cat $1; done > $3\n")
	file := write(t, filepath.Join(dir, "pipeline.yml"), pipelineFile)
	plan := func() (map[string]jobs.Decision, *jobs.Plan) {
		spec, err := jobs.Load(file)
		require.NoError(t, err)
		p, err := c.Plan(t.Context(), spec, nil)
		require.NoError(t, err)
		require.Empty(t, p.Problems)
		got := map[string]jobs.Decision{}
		for _, s := range p.Steps {
			got[s.Name] = s.Decision
		}
		return got, p
	}
	before, p := plan()
	require.Len(t, before, 2)
	require.NotZero(t, p.Bytes())
	spec, err := jobs.Load(file)
	require.NoError(t, err)
	done(t, lw.Client.Jobs, spec)
	after, p := plan()
	require.Zero(t, p.Bytes(), "%s", p)
	require.Equal(t, map[string]jobs.Decision{"double": jobs.RunStep, "count": jobs.RunStep}, before)
	require.Equal(t, map[string]jobs.Decision{"double": jobs.ReuseStep, "count": jobs.ReuseStep}, after, "%s", p)
	write(t, filepath.Join(dir, "code", "double.sh"), "for i in $(seq $2); do cat $1; done > $3 # changed\n")
	changed, p := plan()
	require.Equal(t, map[string]jobs.Decision{"double": jobs.RunStep, "count": jobs.RunStep}, changed, "%s", p)
	require.Contains(t, p.String(), "its code changed since its run")
	require.Contains(t, p.String(), "its input data comes from double, which runs")
	t.Logf("\n%s", p)
}
